"""Which column is the learning rate along a run, where its setting stands beside the log of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.runs.roles import rank

if TYPE_CHECKING:
    from scaleplan.runs.frame import Frame
    from scaleplan.runs.table import FloatArray

# Neighbours differ by this factor or more, most of them: no schedule moves so fast row by row.
_FACTOR = 1.4


def logged_rates(frame: Frame, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a learning rate that moves, or the chosen ones where none does.

    Lightning's `hparams.yaml` says the rate that a run began with (`lr`), its monitor logs what
    became of it (`lr-AdamW`): a run is known by the first, its curve bends with the second.

    Args:
        frame: The rows.
        chosen: The columns that play the role by their names.
    """
    if any(_moves(frame, name) for name in chosen):
        return chosen
    ranks = [(rank("learning_rate", name), name) for name in frame.columns]
    moving = sorted((r, name) for r, name in ranks if r is not None and _moves(frame, name))
    return (moving[0][1],) if moving else chosen


def _moves(frame: Frame, name: str) -> bool:
    """Tell whether a column has more than one value in a file."""
    numbers = frame.columns[name].numbers
    known = np.isfinite(numbers)
    if not known.all():
        numbers, file_of = numbers[known], frame.file_of[known]
    else:
        file_of = frame.file_of
    # The rows of a file stand together, so that a second value shows beside the first: no sorting
    # of what may be ten million rows.
    return bool(((numbers[1:] != numbers[:-1]) & (file_of[1:] == file_of[:-1])).any())


def is_swept(rates: FloatArray) -> bool:
    """Tell whether learning rates, row by row, are those of runs and not of a schedule."""
    if rates.size < 2 or not bool((rates > 0.0).all()) or np.unique(rates).size < rates.size:
        return False
    return float(np.median(np.abs(np.diff(np.log(rates))))) >= math.log(_FACTOR)
