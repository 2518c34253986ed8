"""Rows of a sweep: finished runs that differ in a setting, where no column counts their steps."""

from __future__ import annotations

import numpy as np

from scaleplan.runs.gathering import Gathered
from scaleplan.runs.learning_rates import is_swept
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.table import FloatArray, IntArray

_SET_ONCE = ("seed", "batch_size", "batch_tokens")


def settings_apart(rows: Gathered, run: IntArray) -> dict[str, RawColumn]:
    """Return by name the settings that may tell apart rows of one name or file.

    Args:
        rows: Rows that no column counts.
        run: Shape (n,), what the rows would be joined by.
    """
    roles = [
        role for role in _SET_ONCE
        if role in rows.roles and bool(np.isfinite(rows.roles[role].numbers).all())
    ]  # fmt: skip
    if "learning_rate" in rows.roles and _any_swept(rows.roles["learning_rate"].numbers, run):
        roles.append("learning_rate")
    return {rows.names[role]: rows.roles[role] for role in roles}


def _any_swept(rates: FloatArray, run: IntArray) -> bool:
    """Tell whether the learning rates of some run are those of different runs, not a schedule."""
    order = np.argsort(run, kind="stable")
    starts = np.flatnonzero(np.diff(run[order])) + 1
    return any(is_swept(part) for part in np.split(rates[order], starts))
