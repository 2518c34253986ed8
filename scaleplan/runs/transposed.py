"""Tables that stand on their side: one run a column; and tables of statistics, which hold none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.request import Request
from scaleplan.runs.roles import rank, text_role
from scaleplan.runs.statistic_names import statistic
from scaleplan.runs.text import listed
from scaleplan.runs.tidy_columns import is_number_role

_MOST_QUANTITIES = 500  # rows of a table that stands on its side
_SIZES = ("params", "active_params", "non_embedding_params", "tokens", "flops", "unique_tokens")
_AXES = ("step", "epoch")
_COUNTED = re.compile(r"(?P<axis>[A-Za-z ]+?)[ _-]?(?P<count>\d+)")


def upright(table: RawTable, request: Request, keep_text: KeepText) -> RawTable:
    """Return a table with one run a column as one with one run a row.

    Args:
        table: Any table, before its cells are settled.
        request: What was asked for; a column that it names is one.
        keep_text: Tells by name which columns are text.

    Returns:
        The same table unless its first column holds the names of quantities, and none of the
        others has such a name.

    Raises:
        InputError: If it is a summary of a table, as `describe()` makes one, or if its columns may
            be runs as well as steps.
    """
    if table.printed or len(table.columns) < 2 or not 2 <= len(table) <= _MOST_QUANTITIES:
        return table
    first, *others = table.columns
    cells = [table.columns[first].text(row) for row in range(len(table))]
    _refuse_statistics(table, cells, others)
    if not _lies(table, request, cells, others):
        return table
    axis, names = _of_columns(table, first, cells, others)
    builder = TableBuilder(table.file, keep_text=keep_text)
    columns = {axis: names} | {
        cell: [table.columns[name].text(row) for name in others] for row, cell in enumerate(cells)
    }
    builder.add(columns, [0] * len(others))
    note = Note(
        id="TRANSPOSED_TABLE", severity="info",
        text=f"{table.file} has one {axis} a column and the names of quantities in the first one: "
        f"its {len(others)} other columns were read as rows of {listed(cells, 8)}.",
        numbers=(("columns", float(len(others))),),
    )  # fmt: skip
    return replace(
        builder.build(table.shared), dropped=table.dropped, notes=(*table.notes, note),
        decimal_comma=table.decimal_comma,
    )  # fmt: skip


def _lies(table: RawTable, request: Request, cells: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether the first column, and no other name, names quantities."""
    names = [*table.columns]
    asked = {*request.roles.values(), request.metric, request.input_column}
    named = names if not all(map(_is_number, others)) else others  # loss by `params,1e6,1e7`
    if len(others) < 2 or asked & {*names} or any(map(_is_quantity, named)):
        return False
    if len(set(cells)) < len(cells) or not all(cells):
        return False
    known = [cell for cell in cells if _is_quantity(cell) or text_role(cell) is not None]
    metrics = [row for row, cell in enumerate(cells) if describe(cell) is not None]
    return bool(metrics) and 2 * len(known) >= len(cells) and _has_numbers(table, metrics, others)


def _is_quantity(name: str) -> bool:
    return describe(name) is not None or is_number_role(name)


def _is_number(text: str) -> bool:
    return not math.isnan(read_number(text))


def _has_numbers(table: RawTable, rows: Sequence[int], names: Sequence[str]) -> bool:
    """Tell whether most cells in some rows are numbers."""
    texts = [table.columns[name].text(row) for row in rows for name in names]
    read = [read_number(text, decimal_comma=table.decimal_comma) for text in texts]
    return 2 * sum(not math.isnan(number) for number in read) > len(texts)


def _of_columns(
    table: RawTable, first: str, cells: Sequence[str], others: Sequence[str]
) -> tuple[str, list[str]]:
    """Return what the columns are, `run` or a quantity that grows from one to the next, and which.

    Raises:
        InputError: If they are numbers that may be either.
    """
    counted = [_COUNTED.fullmatch(name) for name in others]
    told = {
        axis for match in counted for axis in _AXES
        if match is not None and rank(axis, match["axis"]) is not None
    }  # fmt: skip
    if len(told) == 1 and all(counted):
        return told.pop(), [match["count"] for match in counted if match is not None]
    numbers = all(map(_is_number, others))
    if numbers and _is_quantity(first):
        return first, list(others)
    sized = any(rank(role, cell) is not None for role in _SIZES for cell in cells)
    if numbers and not sized and text_role(first) != "run":
        raise InputError(
            f"has one column for each of {listed(others, 3)}, and the names of quantities "
            f"({listed(cells, 3)}) in the first one: they may be runs or steps", file=table.file,
            hint="Call the first column run, step or epoch, or write one row for each (in pandas, "
            "df.T.to_csv).",
        )  # fmt: skip
    return "run", list(others)


def _refuse_statistics(table: RawTable, cells: Sequence[str], others: Sequence[str]) -> None:
    """Refuse the summary of a table, with a row or a column for each statistic.

    Raises:
        InputError: If it is one.
    """
    by_row = _are_statistics(cells) and all(statistic(name) is None for name in others)
    by_column = _are_statistics(others) and any(map(_is_quantity, cells))
    if not (by_row or by_column):
        return
    said, of = (cells, others) if by_row else (others, cells)
    raise InputError(
        f"is a summary, with the {listed(said, 4)} of {listed(of, 4)}, and holds no runs",
        file=table.file,
        hint="Give the table that it was made from, one row a run or a step (in pandas, "
        "df.to_csv in place of df.describe().to_csv).",
    )  # fmt: skip


def _are_statistics(names: Iterable[str]) -> bool:
    """Tell whether all names are those of statistics, and together those of a summary.

    Mean, minimum and maximum alone may be the ways in which three models pool.
    """
    found = [statistic(name) for name in names]
    kinds = set(found)
    return None not in kinds and {"mean"} < kinds and bool(kinds & {"std", "quantile", "count"})
