"""What more steps would bring: an average of shapes, and how wrong it was before."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.forms import blends
from scaleplan.advice.curves.schedule import course_of
from scaleplan.advice.curves.trend import Trend
from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import CurveForecast
from scaleplan.runs.curve import NOTHING, Series
from scaleplan.runs.table import FloatArray
from scaleplan.units import format_number_of

_SKIPPED = 0.1  # of the run: warm-up and the first fall follow no law (Choshen et al. 2024)
# A straight line has made a quarter of its fall in the middle of the way to its half. A curve that
# has made less than this bends downwards first, and follows these shapes only after that.
_BENDS_DOWN, _SEEN_FALL, _IS_OVER = 0.2, 4.0, 0.85
_FEWEST = 6
_MOST = 150  # points that are fitted; more are averages of neighbours
_CUTS = (0.35, 0.42, 0.5, 0.6, 0.7)
# Errors are taken this much larger than the shapes say, before the curve's own past has its say,
# which counts as much as that many forecasts: chosen on simulated curves so that 90% intervals
# hold about 90% (tests/benchmark/curve_verdicts.py).
_CAUTION, _CAUTION_COUNTS = 1.0, 3.0
_MOST_CAUTION = 6.0
# What no shape tells, as a share of what is forecast to come, without and with a schedule.
_UNKNOWN, _UNKNOWN_UNDER_SCHEDULE = 0.03, 0.2
# A rate that was not logged may come down before the end: so much lower the end may lie, as a share
# of the fall so far.
_DROP = 0.05
# A learning rate that stays is believed to come down before the end with this chance.
_COMES_DOWN = 0.5


def forecast_at(
    trend: Trend,
    where: float,
    *,
    level: float,
    lowest: float = -math.inf,
    highest: float = math.inf,
    rate: Series = NOTHING,
) -> CurveForecast | None:
    """Forecast one reading farther along a run.

    Args:
        trend: The curve so far.
        where: The position to forecast.
        level: For example 0.9 for a 90% interval.
        lowest: What the series cannot fall below, 0 for a loss.
        highest: What it cannot rise above, 1 for a rate of errors.
        rate: The learning rate as it was logged.

    Returns:
        The forecast, None for too few points; it does not lie above where the curve stands.
    """
    at, values, share = _thinned(trend)
    if at.size < _FEWEST or where <= 0.0:
        return None
    course = course_of(rate, float(trend.at[0]), where)
    height = max(float(trend.smooth[0] - trend.smooth.min()), 0.0)
    tests = _tests(at, values, where / float(at[-1]))
    counts = np.array([*(test.count for test in tests), at.size], dtype=np.int64)
    places = np.array([*(test.at for test in tests), where])
    clock, decay = (at, None) if course is None else (course.area_at(at), course.decay_at(at))
    there = places if course is None else course.area_at(places)
    down = np.zeros(places.size) if course is None else course.decay_at(places)
    now = float(clock[-1])
    if not now > 0.0:
        return None
    fits = blends(clock / now, decay, values, counts, height=height, lowest=lowest)
    means, spreads = fits.at(there / now, down)
    value, own = float(means[-1]), float(spreads[-1])
    errors = [
        (test.value - mean) / sure
        for test, mean, spread in zip(tests, means.tolist(), spreads.tolist(), strict=False)
        if (sure := math.hypot(spread, test.scatter)) > 0.0
    ]  # fmt: skip
    left_open = 0.0
    told = "area under the logged learning rate; " if course is not None else ""
    if course is not None and not course.ends:
        # A decay over the last fifth trains on half the area there.
        ahead = now + 0.9 * (float(there[-1]) - now)
        lower, spread = (
            float(one[0]) for one in fits.last().at(np.array([ahead / now]), np.ones(1))
        )
        value, left_open = _left_open((value, own), (lower, spread))
    caution = math.sqrt(
        (_CAUTION_COUNTS * _CAUTION**2 + sum(e * e for e in errors))
        / (_CAUTION_COUNTS + len(errors))
    )
    unknown = (_UNKNOWN if course is None else _UNKNOWN_UNDER_SCHEDULE) * (
        float(values[-1]) - value
    )
    stands = max(float(trend.smooth[-1]), float(trend.settled[-trend.window :].mean()))
    value = max(min(value, stands, highest), lowest)  # a sum of weights may round it below
    quantile = t_quantile(0.5 + 0.5 * level, 6.0)
    spread = math.hypot(min(caution, _MOST_CAUTION) * own, unknown, left_open, trend.reading_noise)
    drop = _DROP * height if course is None else 0.0
    low, high = value - math.hypot(quantile * spread, drop), value + quantile * spread
    # No shape rises: a curve that goes on as it did does not come back to where it was.
    noisy = stands + quantile * math.hypot(trend.reading_noise, trend.error)
    high = min(high, max(float(values.max()), noisy), highest)
    return CurveForecast(
        at=where, value=value, low=max(low, lowest), high=max(high, value), level=level,
        method="average of power laws and exponentials over the curve's last "
        f"{share:.0%}, weighed by fit; {told}error from the shapes and "
        f"{format_number_of(len(errors), 'forecast')} from its own past",
    )  # fmt: skip


def _thinned(trend: Trend) -> tuple[FloatArray, FloatArray, float]:
    """Return the readings that are fitted, averaged down to a few hundred, and their share of all.

    They are those after the first tenth of the run; of a curve whose main fall comes late, those
    after half of it.
    """
    start, end = float(trend.at[0]), float(trend.at[-1])
    late = _half_of_a_late_fall(trend)
    since = max(start + _SKIPPED * (end - start), _SKIPPED * end) if late is None else late
    share = 1.0 - _SKIPPED if late is None else (end - late) / (end - start)
    kept = (trend.at >= since) & (trend.at > 0.0)
    at, values = trend.at[kept], trend.settled[kept]
    if at.size > _MOST:
        edges = np.linspace(0, at.size, _MOST + 1).astype(int)[:-1]
        sizes = np.diff(np.r_[edges, at.size])
        at = np.add.reduceat(at, edges) / sizes
        values = np.add.reduceat(values, edges) / sizes
    return at, values, share


def _half_of_a_late_fall(trend: Trend) -> float | None:
    """Return where a curve that bends downwards first has made half of its fall; else None."""
    start = float(trend.at[0])
    height = float(trend.smooth[0] - trend.smooth.min())
    if height <= _SEEN_FALL * trend.noise:
        return None
    fallen = (trend.smooth[0] - trend.smooth) / height
    half = int(np.argmax(fallen >= 0.5))
    middle = 0.5 * (start + float(trend.at[half]))
    late = float(np.interp(middle, trend.at, fallen)) < _BENDS_DOWN
    after = 0.5 * (float(trend.at[half]) + float(trend.at[-1]))
    late &= float(np.interp(after, trend.at, fallen)) > _IS_OVER
    return float(trend.at[half]) if late and trend.at.size - half >= _FEWEST else None


def _left_open(stays: tuple[float, float], decays: tuple[float, float]) -> tuple[float, float]:
    """Return the mean if a learning rate may stay or come down, and the deviation that adds.

    Args:
        stays: Mean and standard deviation of the forecast if it stays.
        decays: The same if it comes down.
    """
    mean = (1.0 - _COMES_DOWN) * stays[0] + _COMES_DOWN * decays[0]
    between = _COMES_DOWN * (1.0 - _COMES_DOWN) * (stays[0] - decays[0]) ** 2
    more = _COMES_DOWN * max(decays[1] ** 2 - stays[1] ** 2, 0.0)
    return mean, math.sqrt(between + more)


@dataclass(frozen=True, slots=True)
class _Test:
    """A forecast that could have been made earlier in the run, and what came.

    Args:
        count: Readings that it sees.
        at: The position that it is made for.
        value: The mean of the readings around there.
        scatter: The standard error of that mean.
    """

    count: int
    at: float
    value: float
    scatter: float


def _tests(at: FloatArray, values: FloatArray, ratio: float) -> list[_Test]:
    """Return forecasts of the same reach from earlier in the run; those beyond its end, to there.

    Args:
        at: Positions, shape (n,).
        values: Readings, shape (n,).
        ratio: The position that is asked for over the last one.
    """
    found: list[_Test] = []
    end = float(at[-1])
    width = max(1, values.size // 25)
    rough = np.diff(values[values.size // 2 :])
    noise = float(np.median(np.abs(rough))) * 1.4826 / math.sqrt(2.0) if rough.size else 0.0
    for cut in _CUTS:
        count = int(np.searchsorted(at, cut * end, side="right"))
        if count < _FEWEST or (found and count == found[-1].count):
            continue
        last = float(at[count - 1])
        target = min(last * ratio, end)
        if target <= last * 1.02:
            continue
        near = int(np.searchsorted(at, target, side="right"))
        seen = slice(max(count, near - width), near)
        readings = values[seen]
        if readings.size:
            found.append(_Test(
                count, float(at[seen].mean()), float(readings.mean()),
                noise / math.sqrt(readings.size),
            ))  # fmt: skip
    return found
