"""Evaluations whose step is the number of the epoch before them, as MMEngine logs them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.raw import RawTable, numeric_column
from scaleplan.runs.roles import rank


def with_evaluations_placed(table: RawTable) -> RawTable:
    """Return a table whose evaluations stand at the step that training has reached.

    `{"epoch": 2, "step": 500, "loss": 1.9}` is followed by `{"step": 2, "coco/bbox_mAP": 0.3}`.

    Args:
        table: Any table.

    Returns:
        The same table unless each row without an epoch has that of the row before it as its step.
    """
    found = [
        next((name for name in table.columns if rank(role, name) == 0), None)
        for role in ("step", "epoch")
    ]
    if table.printed or len(table) < 2 or None in found:
        return table
    at, during = (str(name) for name in found)
    step, epoch = (table.columns[name].numbers for name in (at, during))
    alone = np.flatnonzero(np.isnan(epoch) & np.isfinite(step))
    trained = np.flatnonzero(np.isfinite(epoch) & np.isfinite(step))
    if not alone.size or not trained.size or alone[0] < trained[0]:
        return table
    before = trained[np.searchsorted(trained, alone) - 1]
    if not bool(((step[alone] == epoch[before]) & (step[before] > step[alone])).all()):
        return table
    steps, epochs = step.copy(), epoch.copy()
    steps[alone], epochs[alone] = step[before], epoch[before]
    note = Note(
        id="EPOCHS_AS_STEPS", severity="info",
        text=f"In {table.file} the {at} of {alone.size} rows without {during} is the {during} of "
        f"the row before: they are taken as measured at the {at} of that row.",
        numbers=(("rows", float(alone.size)),),
    )  # fmt: skip
    columns = {**table.columns, at: numeric_column(steps), during: numeric_column(epochs)}
    return replace(table, columns=columns, notes=(*table.notes, note))
