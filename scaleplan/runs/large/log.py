"""What an engine offers: the rows of files as one table, and the rows of an expression over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.large.expression import VIEW, Kind
from scaleplan.runs.large.text_files import HEAD_LINES, TextFiles
from scaleplan.runs.large.unsuited import Unsuited
from scaleplan.runs.locating import Located
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder, numeric_column
from scaleplan.runs.text import as_named, clean_text

# Rows of the table are numbered from 0. Where no one counts the rows of a file beforehand, the
# number of the file stands above so many bits, and the number within the file below.
FILE_SHIFT = 40


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


class Engine(Protocol):
    """What holds the table `log`."""

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression of Ibis; structures are mappings.

        Raises:
            Unsuited: If the engine cannot read the files.
        """

    def fetched(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query in words that all engines know.

        Raises:
            Unsuited: If the engine cannot read the files.
        """

    def inspect(self) -> None:
        """Refuse files of which rows were passed over, after they were read.

        Raises:
            Unsuited: If there are such.
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Log:
    """The rows of files in an engine.

    Args:
        engine: What holds them.
        layout: The columns, their names and types.
        located: The files, those that a pattern of addresses stands for one by one.
        text: Where the rows stand in local text, which is read again for those that count; None
            for Parquet and addresses, where the engine gives their cells.
        keep_text: Tells by name which columns are text.
    """

    engine: Engine
    layout: Layout
    located: tuple[Located, ...]
    text: TextFiles | None
    keep_text: KeepText

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """Return the rows of an expression."""
        return self.engine.rows(expression)

    def file_of(self, row: int) -> int:
        """Return the place among the files of the one that holds a row."""
        return row >> FILE_SHIFT if self.text is None else self.text.file_of(row)

    def tables(self, rows: Sequence[int]) -> list[RawTable]:
        """Return some rows as our own reading sees them, one table a file."""
        if self.text is not None:
            return self.text.tables(rows)
        of_file: list[list[dict[str, Any]]] = [[] for _ in self.located]
        for found in sorted(_numbered(self.engine.fetched, rows), key=_row):
            of_file[_row(found) >> FILE_SHIFT].append(found)
        return [
            table_of_cells(each, self.layout.names, self.layout.kinds, found, self.keep_text)
            for each, found in zip(self.located, of_file, strict=True)
        ]

    def check(self, rows: int) -> None:
        """Refuse files in which lines are not rows, or rows were passed over.

        Args:
            rows: How many rows the reduction saw.

        Raises:
            Unsuited: If there are such.
        """
        self.engine.inspect()
        if self.text is not None:
            self.text.check(rows)


Fetched = Callable[[str], list[dict[str, Any]]]  # gives the rows of a query
# Gives files to an engine; it raises Unsuited or, where the engine is missing, InputError.
OpenLog = Callable[[Sequence[Located], KeepText], AbstractContextManager[Log]]


def _numbered(fetched: Fetched, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return all cells of some rows; Ibis takes most of a second to write ten thousand."""
    return (
        fetched(f"select * from {VIEW} where row in ({', '.join(map(str, rows))})") if rows else []
    )


def _row(found: dict[str, Any]) -> int:
    return int(found["row"])


def only_ending(located: Sequence[Located]) -> str:
    """Return what the names of all files end with: `.csv`, `.jsonl` or `.parquet`.

    Raises:
        Unsuited: If they are of several kinds, of another one, or compressed.
    """
    same = {".tsv": ".csv", ".ndjson": ".jsonl"}
    endings = {same.get(each.extension, each.extension) for each in located}
    if any(each.path is None and not each.url for each in located):
        raise Unsuited("standard input is not read so")
    if len(endings) != 1 or not endings <= {".csv", ".jsonl", ".parquet"}:
        raise Unsuited("only CSV files, only JSON Lines, or only Parquet files are read so")
    if any(each.name.partition("?")[0].lower().endswith(".gz") for each in located):
        raise Unsuited("compressed text is not read so")
    return endings.pop()


def check_names(names: Sequence[str]) -> None:
    """Refuse names of columns that an engine might mix up.

    Raises:
        Unsuited: If there are such.
    """
    if "_metadata" in names:  # a name that Spark keeps for itself
        raise Unsuited("a column is called _metadata")
    if any(as_named(clean_text(n)) != n for n in names) or len(
        {n.casefold() for n in names}
    ) != len(names):
        raise Unsuited("names of columns differ in little")


def first_cells(
    fetched: Fetched, first: Located, names: Sequence[str],
    kinds: Sequence[Kind], keep_text: KeepText,
) -> RawTable:  # fmt: skip
    """Return the first rows, and the first row that has each of the columns that they lack.

    Args:
        fetched: Gives the rows of a query.
        first: The first file.
        names: The columns.
        kinds: The kind of each.
        keep_text: Tells by name which columns are text.
    """
    rows = fetched(f"select * from {VIEW} limit {HEAD_LINES}")
    codes = [f"c{i}" for i in range(len(names))]
    late = [code for code in codes if all(row[code] is None for row in rows)]
    if late:
        firsts = ", ".join(f"min(case when {c} is not null then row end)" for c in late)
        found = fetched(f"select {firsts} from {VIEW}")[0].values()
        rows += _numbered(fetched, sorted({row for row in found if row is not None}))
    return table_of_cells(first, names, kinds, rows, keep_text)


def table_of_cells(
    each: Located, names: Sequence[str], kinds: Sequence[Kind], rows: Sequence[dict[str, Any]],
    keep_text: KeepText,
) -> RawTable:  # fmt: skip
    """Return rows that the engine gave as a table; their lines are not known.

    Args:
        each: Their file.
        names: The columns.
        kinds: The kind of each.
        rows: The cells, `c0` and so on.
        keep_text: Tells by name which columns are text.
    """
    columns = {
        name: _column([cells[f"c{i}"] for cells in rows], name, kind, keep_text)
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    return RawTable(
        file=each.name, columns=columns, lines=np.zeros(len(rows), dtype=np.int64), shared={},
        dropped=(), notes=(), decimal_comma=False,
    )  # fmt: skip


def _column(cells: Sequence[Any], name: str, kind: Kind, keep_text: KeepText) -> RawColumn:
    if kind == "number":
        return numeric_column(
            np.array([np.nan if c is None else c for c in cells], dtype=np.float64)
        )
    builder = TableBuilder(name, keep_text=keep_text)
    builder.add({name: ["" if cell is None else cell for cell in cells]}, [0] * len(cells))
    return builder.build({}).columns[name]
