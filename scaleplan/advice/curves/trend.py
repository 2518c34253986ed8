"""A curve without its noise: smoothing, the scatter of one reading, and slopes with their error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.runs.table import FloatArray

# The window of the running median and mean, as a share of the points; a choice on simulated curves.
_WINDOW_SHARE = 0.04
_MOST_POINTS = 1200  # a longer curve is averaged over blocks first
_MAD_TO_SIGMA = 1.4826
# Correlations of neighbouring readings that are weighed against each other, and what their
# variances at different distances are taken to be worth: the variance of the logarithm of a robust
# variance is about 5 over the number of readings apart; distances up to 1/10 of the readings, and
# no growth faster than that of a random walk with some room.
_CORRELATIONS = np.array([0.0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97])
_LOG_VARIANCE, _LAG_SHARE, _MOST_GROWTH = 5.0, 10, 6.0
# A jump of this many standard deviations that is gone within a window is a spike.
_SPIKE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trend:
    """A series that falls as training succeeds, smoothed.

    Args:
        at: Positions, shape (n,), rising.
        raw: The finite readings, shape (n,).
        settled: The same with the running median in the place of readings that jumped.
        smooth: Their trend, shape (n,).
        noise: Standard deviation of one reading around it.
        correlation: Of the noise of neighbouring readings, as of an autoregression; 0 where
            readings are independent or too few to tell.
        window: Readings that each point of the trend rests on.
        spikes: How often readings jumped and came back.
        reading_noise: Standard deviation of one reading as it was logged; `noise` is that of an
            average where a long curve was averaged over blocks.
    """

    at: FloatArray
    raw: FloatArray
    settled: FloatArray
    smooth: FloatArray
    noise: float
    correlation: float
    window: int
    spikes: int
    reading_noise: float

    @property
    def error(self) -> float:
        """Return the standard error of one point of the trend."""
        return self.error_of_mean(self.window)

    def error_of_mean(self, count: int) -> float:
        """Return the standard error of the mean of neighbouring readings.

        Args:
            count: How many they are.
        """
        lags = np.arange(1, count)
        shared = 2.0 * float(((1.0 - lags / count) * self.correlation**lags).sum())
        return self.noise * math.sqrt((1.0 + shared) / count)

    @property
    def readings_for_one(self) -> float:
        """Return how many neighbouring readings say as much as one independent one would."""
        return (1.0 + self.correlation) / (1.0 - self.correlation)


def trend_of(at: FloatArray, values: FloatArray) -> Trend:
    """Return the trend of a series without infinite or missing readings.

    A running median takes out single spikes, a running mean the rest.

    Args:
        at: Positions, shape (n,), rising.
        values: Readings, shape (n,), finite.
    """
    logged = values
    if values.size > _MOST_POINTS:
        at, values = _blocks(at, values)
    window = max(1, round(_WINDOW_SHARE * values.size))
    if values.size >= 12:
        window = max(3, window)
    window |= 1  # odd, so that it has a middle
    median = _running_median(values, window)
    noise, correlation = noise_of(values)
    smooth = _running_mean(median, window)
    apart = np.abs(values - median)
    limit = max(_SPIKE * noise, 1e-12 * float(np.abs(values).max(initial=0.0)))
    jumps = apart > limit
    starts = jumps & ~np.r_[False, jumps[:-1]]
    return Trend(
        at=at, raw=values, settled=np.where(jumps, median, values), smooth=smooth, noise=noise,
        correlation=correlation, window=window, spikes=int(starts.sum()),
        reading_noise=noise if logged is values else max(
            noise, math.sqrt(_second_difference(logged[-_MOST_POINTS:], 1) / 6.0)
        ),
    )  # fmt: skip


def _blocks(at: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means over blocks of readings: a trend needs no more than a few hundred."""
    edges = np.linspace(0, values.size, _MOST_POINTS // 2 + 1).astype(np.int64)[:-1]
    sizes = np.diff(np.r_[edges, values.size])
    return np.add.reduceat(at, edges) / sizes, np.add.reduceat(values, edges) / sizes


def _running_median(values: FloatArray, window: int) -> FloatArray:
    """Return medians of an odd window around each reading.

    At the ends windows shrink and stay centred, so that a slope is not taken for a level.
    """
    if window <= 1 or values.size < 3:
        return values.copy()
    half = window // 2
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    middle = np.partition(views, half, axis=1)[:, half]
    left = _shrinking_medians(values[: window - 1], half)
    right = _shrinking_medians(values[: values.size - window : -1], half)[::-1]
    return np.concatenate([left, middle, right])


def _shrinking_medians(values: FloatArray, count: int) -> FloatArray:
    """Return the medians of the first 1, 3, 5 ... of values, so many."""
    rows = np.broadcast_to(values[: 2 * count - 1], (count, 2 * count - 1)).copy()
    # What a window does not reach sorts behind all of it.
    rows[np.arange(2 * count - 1) > 2 * np.arange(count)[:, None]] = np.inf
    rows.sort(axis=1)
    return rows[np.arange(count), np.arange(count)]


def _running_mean(values: FloatArray, window: int) -> FloatArray:
    """Return means of an odd window around each reading, which shrinks at the ends."""
    if window <= 1 or values.size < 3:
        return values.copy()
    half = window // 2
    middle = np.convolve(values, np.full(window, 1.0 / window), mode="valid")
    counts = 2.0 * np.arange(half) + 1.0
    left = np.cumsum(values[: window - 2])[::2] / counts
    right = np.cumsum(values[: values.size - window + 1 : -1])[::2] / counts
    return np.concatenate([left, middle, right[::-1]])


def noise_of(values: FloatArray) -> tuple[float, float]:
    """Return the standard deviation of a reading around a smooth trend, and its correlation.

    Second differences at growing distances h take out the trend; those of first-order
    autoregressive noise have the variance sigma^2 (6 - 8 rho^h + 2 rho^2h), so that a slow wander
    shows as a variance that grows with h. Robust (median absolute deviation), over the later two
    thirds of the curve, where the trend hardly bends; rho is the mean over a grid, weighted by
    likelihood, and 0 for curves too short to tell.

    Args:
        values: Readings, shape (n,), in order.
    """
    later = values[values.size // 3 :] if values.size >= 9 else values
    if later.size < 3:
        return 0.0, 0.0
    variances, counts = [_second_difference(later, 1)], [float(later.size)]
    while (lag := 2 ** len(variances)) * _LAG_SHARE <= later.size and variances[0] > 0.0:
        variance = _second_difference(later, lag)
        if not 0.0 < variance <= _MOST_GROWTH * variances[-1]:
            # No wander grows so fast: this is the trend itself, which bends. And what is nothing
            # but rounding vanishes at a distance.
            break
        variances.append(variance)
        counts.append(later.size / lag)
    if len(variances) == 1 or variances[0] <= 0.0:
        return math.sqrt(variances[0] / 6.0), 0.0
    seen, weights = np.log(np.array(variances)), np.array(counts) / _LOG_VARIANCE
    lags = 2.0 ** np.arange(seen.size)
    powers = _CORRELATIONS[:, None] ** lags
    apart = seen - np.log(6.0 - 8.0 * powers + 2.0 * powers**2)
    level = apart @ weights / weights.sum()
    misfit = ((apart - level[:, None]) ** 2) @ weights
    likely = np.exp(-0.5 * (misfit - misfit.min()))
    likely /= likely.sum()
    return math.exp(0.5 * float(likely @ level)), float(likely @ _CORRELATIONS)


def _second_difference(values: FloatArray, lag: int) -> float:
    """Return the robust variance of each reading's second difference at a distance."""
    second = values[2 * lag :] - 2.0 * values[lag:-lag] + values[: -2 * lag]
    return (_MAD_TO_SIGMA * _median(np.abs(second - _median(second)))) ** 2


def _median(values: FloatArray) -> float:
    """Return the median; for the short series here twice as fast as numpy's."""
    half = values.size // 2
    if values.size % 2:
        return float(np.partition(values, half)[half])
    parted = np.partition(values, (half - 1, half))
    return 0.5 * float(parted[half - 1] + parted[half])


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
