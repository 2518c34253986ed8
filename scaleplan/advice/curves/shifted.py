"""A sudden shift of the level, after which a curve goes on as before: other data, not a bad run."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from scaleplan.advice.curves.seen import Seen
from scaleplan.advice.curves.trend import slope_t
from scaleplan.records import Verdict
from scaleplan.runs.series import Curve, Series

_AROUND = 3  # blocks on each side, fewer tell no trend
# Readings of longer curves are averaged, which takes noise out: over few blocks where it must be.
_BLOCKS = (60,)
_ERRORS = 5.0  # of the difference of two levels: a shift is searched for, hence more than 3
_SUDDEN = 0.6  # of a shift happens between two readings (or over one block)
_NEXT = 0.35  # the next largest step up after it is below this share of it
_CHANCE = 4.0  # standard errors that later steps may scatter by
_MOST_OF_FALL = 0.75  # a run thrown back farther has diverged
_LOST_SHARE = 0.25  # above this share the curve has to be seen falling again
_FALLING_T = 2.0


def shift_of(seen: Seen, verdict: Verdict) -> tuple[float, float] | None:
    """Find a sudden shift upwards after which the metric does not go on rising.

    Args:
        seen: The curve.
        verdict: What it is called without it, `overfitting` or `diverged`.

    Returns:
        The position of the first reading after it, and its size; None if there is none.
    """
    for blocks in _BLOCKS:
        found = _shift(seen, verdict, -(-seen.trend.raw.size // blocks))
        if found is not None:
            return found
    return None


def _shift(seen: Seen, verdict: Verdict, count: int) -> tuple[float, float] | None:
    """Find a shift in means over blocks of this many readings."""
    trend = seen.trend
    starts = np.arange(trend.raw.size % count, trend.raw.size, count)
    values = np.add.reduceat(trend.raw, starts) / count
    # A shift within a block is seen over the block: steps from the one before to the one after.
    over = 1 if count == 1 else 2
    places = np.arange(_AROUND + over - 1, values.size - _AROUND + 1)
    if not places.size:
        return None
    middles = np.median(np.lib.stride_tricks.sliding_window_view(values, _AROUND), axis=1)
    sizes = middles[places] - middles[places - over + 1 - _AROUND]
    most = int(np.argmax(sizes))
    place, size = int(places[most]), float(sizes[most])
    error = trend.error_of_mean(count)
    others = np.diff(middles[place:])
    step = float((values[over:] - values[:-over])[max(0, place - 1 - over) : place + 2].max())
    stands_out = step >= _SUDDEN * size and (
        float(others.max(initial=0.0)) <= max(_NEXT * size, _CHANCE * error)
    )
    fall = float(trend.smooth[0] - values[: place - over + 1].min())
    if not stands_out or not _ERRORS * error < size <= _MOST_OF_FALL * fall:
        return None
    later = trend.raw[starts[place] :]
    falls = slope_t(later) / math.sqrt(trend.readings_for_one) <= -_FALLING_T
    if not falls and verdict == "diverged" and size > _LOST_SHARE * fall:
        return None
    # Where within the block: before the largest step of the readings themselves.
    first = max(1, int(starts[place - over]))
    near = np.diff(trend.raw[first - 1 : int(starts[place]) + count])
    if float(near.max()) > 0.5 * size:
        return float(trend.at[first + int(np.argmax(near))]), size
    return float(trend.at[starts[place]]), size


def without_shift(curve: Curve, sign: float, at: float, size: float) -> Curve:
    """Return the curve with what came before a shift moved to the level after it.

    Args:
        curve: The run.
        sign: 1 if its metric falls as training succeeds, -1 if it rises.
        at: Position of the first reading after the shift.
        size: How far the level moved, for a falling metric upwards.
    """
    training = curve.training
    if len(curve.validation) and len(training):
        near = _step_at(training, sign, at)
        training = _moved(training, at, sign * near)
    elif len(training):
        training = _moved(training, at, sign * size)
    return replace(curve, validation=_moved(curve.validation, at, sign * size), training=training)


def _step_at(series: Series, sign: float, at: float) -> float:
    """Return by how much a series beside the judged one moves there."""
    place = int(np.searchsorted(series.at, at))
    width = max(_AROUND, len(series) // _BLOCKS[0])
    before, after = series.value[max(0, place - width) : place], series.value[place:][:width]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if not before.size or not after.size:
        return 0.0
    return max(0.0, sign * float(np.median(after) - np.median(before)))


def _moved(series: Series, at: float, size: float) -> Series:
    return Series(series.at, series.value + np.where(series.at < at, size, 0.0))
