"""Where points stand along their curves, and points whose step is no number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.dividing import combine
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.numbers import write_number
from scaleplan.runs.raw import ABSENT
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.runs.text import shown
from scaleplan.units import format_number_of

_READ = ("value", "train_value")


def position_along(rows: Gathered, axis: str) -> FloatArray:
    """Return where rows stand along their runs.

    In a folder some logs may count steps and others epochs only: each is ordered by what it has.

    Args:
        rows: The rows of all inputs.
        axis: The role that counts the points of runs.
    """
    position = rows.roles[axis].numbers
    if axis != "step" or "epoch" not in rows.roles:
        return position
    log = rows.file_of
    if "run" in rows.labels:
        log = combine([log, rows.labels["run"].codes.astype(np.int64)])
    counted = np.zeros(int(log.max(initial=-1)) + 1, dtype=bool)
    counted[log[np.isfinite(position)]] = True
    if counted.all():
        return position
    return np.where(counted[log], position, rows.roles["epoch"].numbers)


def without_places(
    rows: Gathered, axis: str, groups: IntArray | None = None
) -> tuple[Gathered, tuple[Note, ...]]:
    """Empty the metric where a cell of the axis holds a text: it says another step than the last.

    A row whose cell is empty belongs to the step of the row before it.

    Args:
        rows: The rows of all files.
        axis: The role that counts the points of a run; `row` where none does.
        groups: The run of each row, where a row without a step may be a run of its own: such rows
            are left as they are.
    """
    column = rows.roles.get(axis)
    if column is None:
        return rows, ()
    is_word = np.array([t.lower() not in ABSENT for t in (*column.vocabulary, "")], dtype=bool)
    unread = (np.isnan(column.numbers) & is_word[column.codes]) | np.isinf(column.numbers)
    if groups is not None:
        placed = np.isin(groups, groups[np.isfinite(column.numbers)])
        unread &= placed
    readings = {role: rows.roles[role] for role in _READ if role in rows.roles}
    lost = np.flatnonzero(unread & ~np.logical_and.reduce([c.blank for c in readings.values()]))
    if not lost.size:
        return rows, ()
    emptied = {
        role: replace(
            each, numbers=np.where(unread, np.nan, each.numbers),
            codes=np.where(unread, -1, each.codes).astype(np.int32),
        )
        for role, each in readings.items()
    }  # fmt: skip
    note = rows.row_note(int(lost[0]), "")
    place = f"{note.file}:{note.line}" if note.line else note.file
    said_there = column.text(int(lost[0])) or write_number(float(column.numbers[lost[0]]))
    said = Note(
        id="STEP_NOT_NUMBER", severity="warning",
        text=f"{format_number_of(lost.size, 'row')} {'has' if lost.size == 1 else 'have'} no "
        f"number of {rows.names[axis]}, such as {shown(said_there)} in {place}, and "
        f"{'is no point' if lost.size == 1 else 'are no points'} of a curve.",
        action="Write it as a number, or leave the cell empty if the row is of the step above it.",
        numbers=(("rows", float(lost.size)),),
    )  # fmt: skip
    return replace(rows, roles={**rows.roles, **emptied}), (said,)
