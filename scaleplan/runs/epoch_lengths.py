"""How many steps an epoch has, where a log counts steps within each epoch."""

from __future__ import annotations

import numpy as np

from scaleplan.runs.table import FloatArray

_FEWEST = 4  # rows of a run, in two epochs, that show how it counts
_UNEVEN = 0.99  # the last distance in an epoch over the usual one, if its last step is always there


def steps_an_epoch(step: FloatArray, epoch: FloatArray) -> float | None:
    """Return the number of steps of an epoch; None if steps are not counted within epochs.

    Args:
        step: Shape (n,), of one run or of one run after the other, in the order of the log.
        epoch: Shape (n,).
    """
    if step.size < _FEWEST or bool((epoch != np.floor(epoch)).any()):
        return None
    later, move = np.diff(epoch), np.diff(step)
    same, rises = later == 0.0, later > 0.0
    if not rises.any() or not (same & (move > 0.0)).any():
        return None
    if bool((move[same] < 0.0).any() or (later[rises] != 1.0).any() or (move[rises] >= 0.0).any()):
        return None
    starts = np.r_[0, np.flatnonzero(~same) + 1]
    ends = np.r_[starts[1:] - 1, step.size - 1]
    usual = float(np.median(move[same & (move > 0.0)]))
    first, last = step[starts], step[ends]
    # An epoch begins where the one before it began; a table of finished runs has any steps.
    if float(np.median(ends - starts)) < 1.0 or float(np.ptp(first)) > usual:
        return None
    before = ends[:-1][ends[:-1] > starts[:-1]]  # in an epoch that is over
    ragged = bool(np.median(move[before - 1]) < _UNEVEN * usual) if before.size else False
    next_one = rises[ends[:-1]]
    across = float(np.median((last[:-1] - first[1:])[next_one])) + (1.0 if ragged else usual)
    return max(across, float(last.max() - first.min()) + 1.0)
