"""Epochs that were not validated, in the tables of trainers that write zeros there."""

from __future__ import annotations

import numpy as np

from scaleplan.runs.frame import Frame
from scaleplan.runs.metrics import describe
from scaleplan.runs.table import BoolArray

_HELD_OUT = {"validation", "test"}


def unvalidated(frame: Frame, column: str, split: str) -> BoolArray | None:
    """Return the rows whose score of held-out data is a zero that stands for no validation.

    Ultralytics writes zeros with val=False: the scores, and the losses of the same validation too,
    which are never exactly 0 where something was validated.

    Args:
        frame: The rows by their columns.
        column: The score.
        split: What it was measured on.

    Returns:
        Shape (n,); None if there are none.
    """
    if split not in _HELD_OUT:
        return None
    losses = [
        frame.columns[name].numbers for name in frame.columns
        for c in [describe(name)] if c is not None and c.kind == "loss" and c.split == split
        and name != column and not frame.columns[name].is_text
    ]  # fmt: skip
    losses = [numbers for numbers in losses if bool((numbers > 0.0).any())]
    if not losses:
        return None
    found = frame.columns[column].numbers == 0.0
    for numbers in losses:
        found &= numbers == 0.0
    return np.asarray(found) if bool(found.any()) else None
