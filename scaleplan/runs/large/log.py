"""What an engine offers: the rows of files as one table, and the rows of an expression over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.large.expression import Kind
from scaleplan.runs.locating import Located
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder, numeric_column
from scaleplan.runs.text import clean_text

# Rows of the table are numbered from 0. Where no one counts the rows of a file beforehand, the
# number of the file stands above so many bits, and the number within the file below.
FILE_SHIFT = 40


class Unsuited(Exception):
    """The engine might give other runs than our own reading."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The columns of the engine's table `log`: `c0`, `c1` and so on, and `row`.

    Args:
        names: What the log calls the columns.
        kinds: `number` (double precision) or `text`, for each.
        preview: The first rows as our own reading sees them.
        checked: The columns that the engine has to look at, for it to find cells that are none.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    preview: RawTable
    checked: tuple[str, ...] = ()


class Log(Protocol):
    """The rows of a log in an engine."""

    @property
    def layout(self) -> Layout:
        """The columns, their names and types."""

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression of Ibis; structures are mappings.

        Raises:
            Unsuited: If the engine cannot read the files.
        """

    def file_of(self, row: int) -> int:
        """Return the place among the files of the one that holds a row."""

    def tables(self, rows: Sequence[int]) -> list[RawTable]:
        """Return some rows as our own reading sees them, one table a file."""

    def check(self, rows: int) -> None:
        """Refuse files in which lines are not rows, or rows were passed over.

        Args:
            rows: How many rows the reduction saw.

        Raises:
            Unsuited: If there are such.
        """


# Gives files to an engine; it raises Unsuited or, where the engine is missing, InputError.
OpenLog = Callable[[Sequence[Located], KeepText], AbstractContextManager[Log]]


def only_ending(located: Sequence[Located]) -> str:
    """Return what the names of all files end with: `.csv`, `.jsonl` or `.parquet`.

    Raises:
        Unsuited: If they are of several kinds, of another one, or compressed.
    """
    same = {".tsv": ".csv", ".ndjson": ".jsonl"}
    endings = {same.get(each.extension, each.extension) for each in located}
    if any(each.path is None for each in located):
        raise Unsuited("standard input is not read so")
    if len(endings) != 1 or not endings <= {".csv", ".jsonl", ".parquet"}:
        raise Unsuited("only CSV files, only JSON Lines, or only Parquet files are read so")
    if any(each.path is not None and each.path.suffix.lower() == ".gz" for each in located):
        raise Unsuited("compressed text is not read so")
    return endings.pop()


def check_names(names: Sequence[str]) -> None:
    """Refuse names of columns that an engine might mix up.

    Raises:
        Unsuited: If there are such.
    """
    if "_metadata" in names:  # a name that Spark keeps for itself
        raise Unsuited("a column is called _metadata")
    if any(clean_text(n) != n for n in names) or len({n.casefold() for n in names}) != len(names):
        raise Unsuited("names of columns differ in little")


def tables_of_cells(
    located: Sequence[Located], layout: Layout, found: Sequence[dict[str, Any]], keep_text: KeepText
) -> list[RawTable]:
    """Return rows that the engine gave as tables, one a file; their lines are not known.

    Args:
        located: The files.
        layout: The columns.
        found: The rows, with `row` as FILE_SHIFT has it.
        keep_text: Tells by name which columns are text.
    """
    of_file: list[list[dict[str, Any]]] = [[] for _ in located]
    for cells in sorted(found, key=lambda cells: int(cells["row"])):
        of_file[int(cells["row"]) >> FILE_SHIFT].append(cells)
    return [
        RawTable(
            file=each.name, columns=columns_of_cells(layout.names, layout.kinds, rows, keep_text),
            lines=np.zeros(len(rows), dtype=np.int64), shared=layout.preview.shared, dropped=(),
            notes=(), decimal_comma=False,
        )
        for each, rows in zip(located, of_file, strict=True)
    ]  # fmt: skip


def columns_of_cells(
    names: Sequence[str], kinds: Sequence[Kind], rows: Sequence[dict[str, Any]], keep_text: KeepText
) -> dict[str, RawColumn]:
    """Return the columns of rows that the engine gave."""
    return {
        name: _column([cells[f"c{i}"] for cells in rows], name, kind, keep_text)
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }


def _column(cells: Sequence[Any], name: str, kind: Kind, keep_text: KeepText) -> RawColumn:
    if kind == "number":
        return numeric_column(
            np.array([np.nan if c is None else c for c in cells], dtype=np.float64)
        )
    builder = TableBuilder(name, keep_text=keep_text)
    builder.add({name: ["" if cell is None else cell for cell in cells]}, [0] * len(cells))
    return builder.build({}).columns[name]
