"""A curve without its noise: smoothing, the scatter of one reading, and slopes with their error."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
# Two distances, which is all that 30 to 60 readings give, say next to nothing about a correlation:
# what is believed beforehand decides. Readings of whole epochs are nearly independent; chosen on
# simulated curves.
_BEFOREHAND = np.exp(-_CORRELATIONS / 0.2)
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
    """Return the trend of a series without infinite or missing readings, as `trends_of` does.

    Args:
        at: Positions, shape (n,), rising.
        values: Readings, shape (n,), finite.
    """
    return trends_of(at, [values])[0]


def trends_of(at: FloatArray, series: Sequence[FloatArray]) -> list[Trend]:
    """Return the trends of series with readings at the same places; none depends on the others.

    A running median takes out single spikes, a running mean the rest.

    Args:
        at: Positions, shape (n,), rising.
        series: Readings, each of shape (n,), finite.
    """
    latest = None
    if at.size > _MOST_POINTS:
        latest = np.stack([each[-_MOST_POINTS:] for each in series])
        at, *series = _blocks([at, *series])
    values = np.stack(series)
    window = max(1, round(_WINDOW_SHARE * at.size))
    if at.size >= 12:
        window = max(3, window)
    window |= 1  # odd, so that it has a middle
    median = _running_medians(values, window)
    noise, correlation = noises_of(values)
    smooth = _running_means(median, window)
    apart = np.abs(values - median)
    limit = np.maximum(_SPIKE * noise, 1e-12 * np.abs(values).max(axis=1, initial=0.0))
    jumps = apart > limit[:, None]
    starts = jumps.copy()
    starts[:, 1:] &= ~jumps[:, :-1]
    settled = np.where(jumps, median, values)
    spikes = np.count_nonzero(starts, axis=1)
    of_reading = noise
    if latest is not None:
        of_reading = np.maximum(noise, np.sqrt(_second_differences(latest, 1) / 6.0))
    return [
        Trend(
            at=at, raw=values[i], settled=settled[i], smooth=smooth[i], noise=float(noise[i]),
            correlation=float(correlation[i]), window=window, spikes=int(spikes[i]),
            reading_noise=float(of_reading[i]),
        )
        for i in range(len(values))
    ]  # fmt: skip


def _blocks(series: Sequence[FloatArray]) -> list[FloatArray]:
    """Return means over blocks of readings: a trend needs no more than a few hundred."""
    size = series[0].size
    edges = np.linspace(0, size, _MOST_POINTS // 2 + 1).astype(np.int64)[:-1]
    sizes = np.diff(np.r_[edges, size])
    return [np.add.reduceat(each, edges) / sizes for each in series]


def _running_medians(values: FloatArray, window: int) -> FloatArray:
    """Return medians of an odd window around each reading, shape (curves, n).

    At the ends windows shrink and stay centred, so that a slope is not taken for a level.
    """
    size = values.shape[1]
    if window <= 1 or size < 3:
        return values.copy()
    half = window // 2
    views = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)
    middle = np.partition(views, half, axis=2)[..., half]
    left = _shrinking_medians(values[:, : window - 1], half)
    right = _shrinking_medians(values[:, : size - window : -1], half)[:, ::-1]
    return np.concatenate([left, middle, right], axis=1)


def _shrinking_medians(values: FloatArray, count: int) -> FloatArray:
    """Return the medians of the first 1, 3, 5 ... of the values of each row, so many."""
    wide = 2 * count - 1
    rows = np.repeat(values[:, None, :wide], count, axis=1)
    # What a window does not reach sorts behind all of it.
    rows[:, np.arange(wide) > 2 * np.arange(count)[:, None]] = np.inf
    rows.sort(axis=2)
    return np.asarray(rows[:, np.arange(count), np.arange(count)])


def _running_means(values: FloatArray, window: int) -> FloatArray:
    """Return means of an odd window around each reading, which shrinks at the ends."""
    size = values.shape[1]
    if window <= 1 or size < 3:
        return values.copy()
    half = window // 2
    views = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)
    middle = views.sum(axis=2) / window
    counts = 2.0 * np.arange(half) + 1.0
    left = np.cumsum(values[:, : window - 2], axis=1)[:, ::2] / counts
    right = np.cumsum(values[:, : size - window + 1 : -1], axis=1)[:, ::2] / counts
    return np.concatenate([left, middle, right[:, ::-1]], axis=1)


def noise_of(values: FloatArray) -> tuple[float, float]:
    """Return the standard deviation of a reading and its correlation, as `noises_of` does.

    Args:
        values: Readings, shape (n,), in order.
    """
    deviation, correlation = noises_of(values[None])
    return float(deviation[0]), float(correlation[0])


def noises_of(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the standard deviations of a reading around a smooth trend, and its correlations.

    Second differences at growing distances h take out the trend; those of first-order
    autoregressive noise have the variance sigma^2 (6 - 8 rho^h + 2 rho^2h), so that a slow wander
    shows as a variance that grows with h. Robust (median absolute deviation), over the later two
    thirds of the curve, where the trend hardly bends; rho is the mean over a grid, weighted by
    likelihood and by what is believed beforehand, and 0 for curves too short to tell.

    Args:
        values: Readings, shape (curves, n), in order.

    Returns:
        Two arrays of shape (curves,).
    """
    size = values.shape[1]
    later = values[:, size // 3 :] if size >= 9 else values
    nothing = np.zeros(len(values))
    if later.shape[1] < 3:
        return nothing, nothing
    variances = [_second_differences(later, 1)]
    goes_on = variances[0] > 0.0
    known = [goes_on]
    while (lag := 2 ** len(variances)) * _LAG_SHARE <= later.shape[1] and goes_on.any():
        variance = _second_differences(later, lag)
        # No wander grows so fast: this is the trend itself, which bends. And what is nothing but
        # rounding vanishes at a distance.
        goes_on = goes_on & (variance > 0.0) & (variance <= _MOST_GROWTH * variances[-1])
        variances.append(variance)
        known.append(goes_on)
    alone = np.sqrt(variances[0] / 6.0)
    if len(variances) == 1:
        return alone, nothing
    used = np.stack(known, axis=1)
    seen = np.log(np.where(used, np.stack(variances, axis=1), 1.0))
    lags = np.exp2(np.arange(seen.shape[1], dtype=np.float64))
    weights = np.where(used, later.shape[1] / lags / _LOG_VARIANCE, 0.0)
    deviation, correlation = _by_likelihood(seen, weights, lags)
    several = used[:, 1]
    return np.where(several, deviation, alone), np.where(several, correlation, 0.0)


def _by_likelihood(
    seen: FloatArray, weights: FloatArray, lags: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the deviation and the correlation that variances at distances tell.

    Args:
        seen: Logarithms of the variances, shape (curves, lags).
        weights: One over their variances, 0 for those that tell nothing.
        lags: The distances, shape (lags,).
    """
    powers = _CORRELATIONS[:, None] ** lags
    apart = seen[:, None, :] - np.log(6.0 - 8.0 * powers + 2.0 * powers**2)
    all_weights = np.maximum(weights.sum(axis=1), 1e-300)[:, None]
    level = (apart * weights[:, None, :]).sum(axis=2) / all_weights
    misfit = ((apart - level[..., None]) ** 2 * weights[:, None, :]).sum(axis=2)
    likely = _BEFOREHAND * np.exp(-0.5 * (misfit - misfit.min(axis=1, keepdims=True)))
    likely /= likely.sum(axis=1, keepdims=True)
    return np.exp(0.5 * (likely * level).sum(axis=1)), (likely * _CORRELATIONS).sum(axis=1)


def _second_differences(values: FloatArray, lag: int) -> FloatArray:
    """Return the robust variance of each row's second differences at a distance."""
    second = values[:, 2 * lag :] - 2.0 * values[:, lag:-lag] + values[:, : -2 * lag]
    second -= medians(second)[:, None]
    return np.asarray((_MAD_TO_SIGMA * medians(np.abs(second))) ** 2)


def medians(values: FloatArray) -> FloatArray:
    """Return the median of each row; for the short series here twice as fast as numpy's."""
    half = values.shape[1] // 2
    if values.shape[1] % 2:
        return np.asarray(np.partition(values, half, axis=1)[:, half])
    parted = np.partition(values, (half - 1, half), axis=1)
    return np.asarray(0.5 * (parted[:, half - 1] + parted[:, half]))


def median_of(values: FloatArray) -> float:
    """Return the median of finite values, shape (n,)."""
    return float(medians(values[None])[0])


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
    return median_of(trend.raw[:count]), median_of(trend.raw[-count:])
