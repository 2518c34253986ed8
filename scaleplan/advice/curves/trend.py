"""A curve without its noise: smoothing, the scatter of one reading, and slopes with their error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scaleplan.runs.table import FloatArray

# The window of the running median and mean, as a share of the points; a choice on simulated curves.
_WINDOW_SHARE = 0.04
_MOST_POINTS = 4000  # a longer curve is averaged over blocks first
_MAD_TO_SIGMA = 1.4826
# A point minus the mean of its two neighbours has 1.5 times the variance of a point.
_NEIGHBOUR_VARIANCE = 1.5
# A jump of this many standard deviations that is gone within a window is a spike.
_SPIKE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trend:
    """A series that falls as training succeeds, smoothed.

    Args:
        at: Positions, shape (n,), rising.
        raw: The finite readings, shape (n,).
        smooth: Their trend, shape (n,).
        noise: Standard deviation of one reading around it.
        window: Readings that each point of the trend rests on.
        spikes: Readings that jumped and came back.
    """

    at: FloatArray
    raw: FloatArray
    smooth: FloatArray
    noise: float
    window: int
    spikes: int

    @property
    def error(self) -> float:
        """Return the standard error of one point of the trend."""
        return self.noise / math.sqrt(self.window)


def trend_of(at: FloatArray, values: FloatArray) -> Trend:
    """Return the trend of a series without infinite or missing readings.

    A running median takes out single spikes, a running mean the rest.

    Args:
        at: Positions, shape (n,), rising.
        values: Readings, shape (n,), finite.
    """
    if values.size > _MOST_POINTS:
        at, values = _blocks(at, values)
    window = max(1, round(_WINDOW_SHARE * values.size))
    if values.size >= 12:
        window = max(3, window)
    window |= 1  # odd, so that it has a middle
    median = _running(values, window, np.median)
    noise = _scatter(values)
    smooth = _running(median, window, np.mean)
    apart = np.abs(values - median)
    limit = max(_SPIKE * noise, 1e-12 * float(np.abs(values).max(initial=0.0)))
    jumps = apart > limit
    starts = jumps & ~np.r_[False, jumps[:-1]]
    return Trend(
        at=at, raw=values, smooth=smooth, noise=noise, window=window, spikes=int(starts.sum())
    )


def _blocks(at: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means over blocks of readings: a trend needs no more than a few thousand."""
    edges = np.linspace(0, values.size, _MOST_POINTS // 2 + 1).astype(np.int64)[:-1]
    sizes = np.diff(np.r_[edges, values.size])
    return np.add.reduceat(at, edges) / sizes, np.add.reduceat(values, edges) / sizes


def _running(values: FloatArray, window: int, of: Callable[..., FloatArray]) -> FloatArray:
    if window <= 1 or values.size < 3:
        return values.copy()
    half = window // 2
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    middle = of(views, axis=1)
    # At the ends windows shrink and stay centred, so that a slope is not taken for a level.
    left = [of(values[: 2 * i + 1]) for i in range(half)]
    right = [of(values[values.size - 2 * i - 1 :]) for i in range(half)][::-1]
    return np.concatenate([left, middle, right])


def _scatter(values: FloatArray) -> float:
    """Return the robust standard deviation of readings around a smooth trend.

    From each reading minus the mean of its neighbours, over the later two thirds of the curve,
    where the trend hardly bends.
    """
    later = values[values.size // 3 :] if values.size >= 9 else values
    if later.size < 3:
        return 0.0
    second = later[1:-1] - 0.5 * (later[:-2] + later[2:])
    middle = float(np.median(second))
    mad = float(np.median(np.abs(second - middle)))
    return _MAD_TO_SIGMA * mad / math.sqrt(_NEIGHBOUR_VARIANCE)


def slope_t(values: FloatArray) -> float:
    """Return the t statistic of a straight line's slope over equally weighted readings.

    Args:
        values: Shape (n,), in order; fewer than 3 have no error and give 0.
    """
    n = values.size
    if n < 3:
        return 0.0
    x = np.arange(n, dtype=np.float64)
    x -= x.mean()
    y = values - values.mean()
    slope = float(x @ y / (x @ x))
    rest = y - slope * x
    variance = float(rest @ rest) / (n - 2)
    if variance <= 0.0:
        return math.copysign(math.inf, slope) if slope else 0.0
    return slope / math.sqrt(variance / float(x @ x))


def ends(trend: Trend, share: float) -> tuple[float, float]:
    """Return the level at the start and at the end: medians over this share of the readings."""
    count = max(1, int(share * trend.raw.size))
    return float(np.median(trend.raw[:count])), float(np.median(trend.raw[-count:]))
