"""What a logged learning rate says about the rest of a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scaleplan.runs.series import Series
from scaleplan.runs.table import FloatArray

_Shape = Callable[[FloatArray], FloatArray]

_FEWEST = 6
_MOST = 400  # points of the schedule so far
_STEPS = 400  # points of the schedule to come
_MATCHED, _LENGTHS = 100, 60  # points and lengths that a decay is sought by
_STAYS = 0.98  # of its peak: a rate at or above this has not begun to come down
_DOWN, _UP = 0.2, 0.5  # of its peak: a rate that has come down, and one that has begun again
_MATCH = (
    0.01  # of the peak: a schedule that misses the log by more, in the root mean square, is none
)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A learning rate over its peak, as logged and as it goes on.

    Args:
        at: Positions, rising.
        area: Area under the rate over its peak, from the start to there.
        decay: Share of the peak by which the rate has come down since the peak.
        ends: Whether the schedule to come was read off a decay that has begun.
    """

    at: FloatArray
    area: FloatArray
    decay: FloatArray
    ends: bool

    def area_at(self, at: FloatArray) -> FloatArray:
        """Return the area under the rate up to these positions."""
        return np.asarray(np.interp(at, self.at, self.area))

    def decay_at(self, at: FloatArray) -> FloatArray:
        """Return by how much of its peak the rate has come down at these positions."""
        return np.asarray(np.interp(at, self.at, self.decay))


def cycle_begun(rate: Series) -> float | None:
    """Return since when a cycle of the learning rate goes on that is not the first (warm restarts).

    A rate that had come down to a fifth of its peak has gone back above half of it, and has not
    come down to a fifth since; a first rise is a warm-up.

    Args:
        rate: The log.

    Returns:
        Where the rate passed half of its peak again; None where no such cycle goes on.
    """
    kept = np.isfinite(rate.value) & (rate.value >= 0.0) & np.isfinite(rate.at)
    at, values = rate.at[kept], rate.value[kept]
    peak = float(values.max(initial=0.0))
    low = np.flatnonzero(values <= _DOWN * peak)
    up = np.flatnonzero(values > _UP * peak)
    if peak <= 0.0 or not low.size or not up.size or low[-1] > up[-1]:
        return None
    last = low[-1]  # the warm-up, where it has not been up before
    return float(at[up[up > last][0]]) if bool((up < last).any()) else None


def course_of(rate: Series, start: float, until: float) -> Course | None:
    """Return the course of a logged learning rate, gone on to a later position.

    A cosine or a straight line that has begun to come down is followed to its end, and the rate
    stays there; a rate that has not come down stays as it is.

    Args:
        rate: The log.
        start: The first position of the curve.
        until: The last position that is asked for.

    Returns:
        The course; None where no rate was logged or its future cannot be read off.
    """
    kept = np.isfinite(rate.value) & (rate.value >= 0.0) & np.isfinite(rate.at)
    at, values = rate.at[kept], rate.value[kept]
    if at.size < _FEWEST or not float(values.max(initial=0.0)) > 0.0:
        return None
    chosen = np.unique(np.linspace(0, at.size - 1, min(_MOST, at.size)).astype(np.int64))
    at, shares = at[chosen], values[chosen] / float(values.max())
    begin = min(0.0, start) if float(at[0]) > 0.0 else float(at[0])
    last = float(at[-1])
    ends = False
    later, coming = np.empty(0), np.empty(0)
    if until > last:
        later = np.linspace(last, until, _STEPS + 1)[1:]
        if float(shares[-1]) >= _STAYS:
            coming = np.full(_STEPS, float(shares[-1]))
        else:
            found = _followed(at, shares, later)
            if found is None:
                return None
            coming, ends = found, True
    where = np.r_[begin, at, later] if begin < at[0] else np.r_[at, later]
    known = np.r_[shares[0], shares, coming] if begin < at[0] else np.r_[shares, coming]
    area = np.r_[0.0, np.cumsum(0.5 * np.diff(where) * (known[1:] + known[:-1]))]
    peak = np.maximum.accumulate(known)
    return Course(where, area, peak - known, ends)


def _followed(at: FloatArray, shares: FloatArray, later: FloatArray) -> FloatArray | None:
    """Return how a decay goes on that has begun: the schedule nearest to the log, or None."""
    peak = int(shares.size - 1 - np.argmax(shares[::-1]))  # the last point at the peak
    chosen = np.unique(np.linspace(peak, shares.size - 1, _MATCHED).astype(np.int64))
    if chosen.size < _FEWEST:
        return None
    between = float(at[peak + 1] - at[peak])
    tried = []
    for shape in (_cosine_left, _line_left):
        # The decay may have begun between two points of the log, or one before the first.
        for begun in (0.0, 0.5, 1.0):
            start = float(at[peak]) - begun * between
            tried.append((*_nearest(shape, at[chosen] - start, shares[chosen]), shape, start))
    miss, length, end, height, shape, start = min(tried, key=lambda one: one[0])
    if math.sqrt(miss) > _MATCH:
        return None
    return np.asarray(np.clip(end + height * shape((later - start) / length), 0.0, 1.0))


def _nearest(shape: _Shape, x: FloatArray, y: FloatArray) -> tuple[float, float, float, float]:
    """Return the mean squared miss, length, end and height of the nearest decay of a shape."""
    # From one that has just ended to one that has hardly begun, then closer and closer.
    lengths = float(x[-1]) * np.geomspace(0.2, 20.0, _LENGTHS)
    best = (math.inf, float(lengths[0]), 0.0, 0.0)
    for _ in range(3):
        shapes = shape(x[None, :] / lengths[:, None])
        apart = shapes - shapes.mean(axis=1, keepdims=True)
        power = (apart * apart).sum(axis=1)
        heights = (apart @ y) / np.where(power > 0.0, power, 1.0)
        ends = y.mean() - heights * shapes.mean(axis=1)
        # An end below zero is none; the nearest possible one is.
        below = ends < 0.0
        held = (shapes @ y) / np.maximum((shapes * shapes).sum(axis=1), 1e-300)
        heights, ends = np.where(below, held, heights), np.where(below, 0.0, ends)
        misses = ((ends[:, None] + heights[:, None] * shapes - y) ** 2).mean(axis=1)
        place = int(np.argmin(misses))
        if float(misses[place]) < best[0]:
            best = (
                float(misses[place]), float(lengths[place]), float(ends[place]),
                float(heights[place]),
            )  # fmt: skip
        step = float(lengths[1] / lengths[0])
        lengths = best[1] * np.geomspace(1.0 / step, step, _LENGTHS)
    return best


def _cosine_left(gone: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * np.minimum(gone, 1.0))))


def _line_left(gone: FloatArray) -> FloatArray:
    return np.asarray(1.0 - np.minimum(gone, 1.0))
