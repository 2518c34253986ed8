"""Forecasts that could have been made earlier in a run, and what came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.trend import medians
from scaleplan.runs.table import FloatArray

FEWEST_READINGS = 6  # that a forecast is made from
_CUTS = (0.35, 0.42, 0.5, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Test:
    """A forecast that could have been made earlier in the run.

    Args:
        count: Readings that it sees.
        at: The position that it is made for.
        near: The readings around there that tell what came.
    """

    count: int
    at: float
    near: slice


def tests_of(at: FloatArray, ratio: float) -> list[Test]:
    """Return forecasts of the same reach from earlier in the run; those beyond its end, to there.

    Args:
        at: Positions, shape (n,).
        ratio: The position that is asked for over the last one.
    """
    found: list[Test] = []
    end = float(at[-1])
    width = max(1, at.size // 25)
    for cut in _CUTS:
        count = int(np.searchsorted(at, cut * end, side="right"))
        if count < FEWEST_READINGS or (found and count == found[-1].count):
            continue
        last = float(at[count - 1])
        target = min(last * ratio, end)
        if target <= last * 1.02:
            continue
        stop = int(np.searchsorted(at, target, side="right"))
        near = slice(max(count, stop - width), stop)
        if near.start < near.stop:
            found.append(Test(count, float(at[near].mean()), near))
    return found


def outcomes(values: FloatArray, tests: Sequence[Test]) -> tuple[FloatArray, FloatArray]:
    """Return what came where forecasts were tried, and its standard error.

    Args:
        values: Readings, shape (curves, n).
        tests: The forecasts.

    Returns:
        Two arrays of shape (curves, tests).
    """
    rough = np.abs(np.diff(values[:, values.shape[1] // 2 :], axis=1))
    noise = medians(rough) * 1.4826 / math.sqrt(2.0) if rough.size else np.zeros(len(values))
    sizes = np.array([test.near.stop - test.near.start for test in tests])
    came = [values[:, test.near].mean(axis=1) for test in tests]
    return (
        np.stack(came, axis=1) if came else np.empty((len(values), 0)),
        noise[:, None] / np.sqrt(sizes),
    )
