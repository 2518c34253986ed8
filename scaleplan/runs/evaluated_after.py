"""Evaluations after training: readings that stand at the last step of a run a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaleplan.runs.table import BoolArray, FloatArray

# Fewer other steps do not show that a run writes each of its steps once.
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """One series in the rows of a run.

    Args:
        values: What the rows say, shape (n,).
        there: Which of them say something, shape (n,).
    """

    values: FloatArray
    there: BoolArray


def evaluated_after(at: FloatArray, series: Sequence[Logged]) -> BoolArray | None:
    """Return the rows that evaluate a finished run again, such as its best checkpoint.

    They end the log, repeat the last step when all series have been written there, and hold one
    series alone with another value. A run that is resumed writes all of them again, and one that
    writes steps several times does so elsewhere too. Of a log of one series alone that cannot be
    told: its last row counts.

    Args:
        at: Where the rows stand, shape (n,), in the order of the log.
        series: Validation, and training where it is logged.

    Returns:
        Shape (n,); None if there are none.
    """
    if len(series) < 2 or not all(bool(one.there.any()) for one in series):
        return None
    filled = np.logical_or.reduce([one.there for one in series])
    last = filled & (at == at[filled].max())
    present = [one for one in series if bool((last & one.there).any())]
    firsts = [int(np.argmax(last & one.there)) for one in present]
    written = max(firsts)
    later = filled & (np.arange(at.size) > written)
    together = np.logical_and.reduce([one.there for one in series])
    if not later.any() or bool((later & (~last | together)).any()):
        return None
    other = False
    for one, first in zip(present, firsts, strict=True):
        again = later & one.there
        if not again.any():
            continue
        before = at[one.there & ~last]
        if before.size < _FEWEST or np.unique(before).size < before.size:
            return None
        if int((last & one.there & ~later).sum()) > 1:
            return None
        other |= bool((one.values[again] != one.values[first]).any())
    return later if other else None
