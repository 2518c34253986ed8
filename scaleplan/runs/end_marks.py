"""Steps of -1, by which an evaluation at the end of an epoch is marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.raw import RawTable, numeric_column
from scaleplan.runs.roles import AXIS_NAMES, rank, spellings
from scaleplan.runs.table import BoolArray, FloatArray
from scaleplan.units import format_number_of

_MARK = -1.0


def with_ends_of_epochs(table: RawTable) -> RawTable:
    """Return a table whose marks of the end of an epoch are steps.

    Sentence-transformers evaluates every so many steps of an epoch and at its end, which it writes
    as step -1; before the training it writes epoch -1 as well.

    Args:
        table: Any table.

    Returns:
        The same table unless it counts epochs, and steps of which some are -1 and no others are
        below 0.
    """
    names = [_counting(table, role) for role in ("step", "epoch")]
    if None in names:
        return table
    at, during = (str(name) for name in names)
    step, epoch = (table.columns[name].numbers for name in (at, during))
    marked = step == _MARK
    known = np.isfinite(step) & ~marked
    if not marked.any() or not known.any() or bool((step[known] < 0.0).any()):
        return table
    steps, epochs = _placed(step, marked, known), np.array(epoch)
    outside = marked & (epoch == _MARK)
    # What was measured before the first step is of step 0, and of no epoch.
    before = outside & (np.arange(step.size) < int(np.flatnonzero(known)[0]))
    steps[outside], epochs[outside] = np.nan, np.nan
    steps[before] = 0.0
    note = Note(
        id="ENDS_OF_EPOCHS", severity="info",
        text=f"In {table.file} {format_number_of(int(marked.sum()), 'row')} "
        f"{'has' if marked.sum() == 1 else 'have'} {at} -1, as measured at the end of an epoch: "
        "taken as one distance of steps after the row before.",
        action="Write the number of steps if it is another one.",
        numbers=(("rows", float(marked.sum())),),
    )  # fmt: skip
    columns = {**table.columns, at: numeric_column(steps), during: numeric_column(epochs)}
    return replace(table, columns=columns, notes=(*table.notes, note))


def _counting(table: RawTable, role: str) -> str | None:
    """Return the column of numbers that counts steps or epochs by its name, None without one."""
    return next(
        (
            name for name, column in table.columns.items()
            if not column.is_text
            and (rank(role, name) == 0 or set(spellings(name)) & set(AXIS_NAMES[role]))
        ),
        None,
    )  # fmt: skip


def _placed(step: FloatArray, marked: BoolArray, known: BoolArray) -> FloatArray:
    """Return steps with each mark one usual distance after the step before it."""
    moves = np.diff(step[known])
    rising = moves[moves > 0.0]
    usual = float(np.median(rising)) if rising.size else float(step[known].min())
    before = np.maximum.accumulate(np.where(known, np.arange(step.size), -1))
    made = np.where(marked & (before >= 0), step[before] + usual, step)
    return np.asarray(np.where(marked & (before < 0), np.nan, made), dtype=np.float64)
