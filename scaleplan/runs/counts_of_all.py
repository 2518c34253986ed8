"""Cells that say how many of how many: `5/20` in a column that counts steps is step 5."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.raw_table import RawColumn, RawTable, filled_from, numeric_column
from scaleplan.runs.roles import rank
from scaleplan.runs.text import shown, words

_OF_ALL = re.compile(r"\s*(?P<count>\d{1,15})\s*/\s*(?P<all>\d{1,15})\s*")
# ms-swift names its column of them `global_step/max_steps`.
_ALL = frozenset({"max", "total", "num", "all"})
_COUNTED = ("step", "epoch")


def with_counts_of_all(table: RawTable) -> RawTable:
    """Return a table whose steps and epochs of how many are the number that was counted.

    Args:
        table: Any table.

    Returns:
        The same table unless every text in such a column is a count that is not above its total.
        Where a row has no such cell, but a plain column of the same name has a number, it counts.
    """
    columns = dict(table.columns)
    notes: list[Note] = []
    for name, column in table.columns.items():
        counted = _counted(name)
        if counted is None or not column.vocabulary:
            continue
        numbers = _numbers(column)
        if numbers is None:
            continue
        notes.append(_note(table.file, name, column))
        del columns[name]
        plain = columns.get(counted)
        made = numeric_column(numbers)
        columns[counted] = made if plain is None else filled_from(made, plain)
    if not notes:
        return table
    return replace(table, columns=columns, notes=(*table.notes, *notes))


def _counted(name: str) -> str | None:
    """Return the name of what a column counts, without that of its total; None for another one."""
    before, mark, behind = name.rpartition("/")
    if mark and _ALL & set(words(behind)[:1]):
        name = before
    return name if any(rank(role, name) is not None for role in _COUNTED) else None


def _numbers(column: RawColumn) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Return the counts of a column; None if some text in it is none."""
    used = set(np.unique(column.codes).tolist()) - {-1}
    counts = np.full(len(column.vocabulary) + 1, np.nan)
    for code in used:
        match = _OF_ALL.fullmatch(column.vocabulary[code])
        if match is None or int(match["count"]) > int(match["all"]):
            return None
        counts[code] = float(match["count"])
    # The last place is what -1 finds: a plain number, or nothing.
    return np.where(column.codes >= 0, counts[column.codes], column.numbers) if used else None


def _note(file: str, name: str, column: RawColumn) -> Note:
    first = column.text(int(np.flatnonzero(column.codes >= 0)[0]))
    return Note(
        id="COUNTS_OF_ALL", severity="info",
        text=f"In {file} {name} says how many of how many: {shown(first)} is read as "
        f"{first.partition('/')[0].strip()}.",
    )  # fmt: skip
