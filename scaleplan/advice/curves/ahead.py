"""What more steps would bring: an average of shapes, and how wrong it was before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scaleplan.advice.curves.forms import blends
from scaleplan.advice.curves.past import FEWEST_READINGS, outcomes, tests_of
from scaleplan.advice.curves.schedule import Course, course_of
from scaleplan.advice.curves.trend import Trend
from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import CurveForecast
from scaleplan.runs.curve import NOTHING, Series
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.units import format_number_of

_SKIPPED = 0.1  # of the run: warm-up and the first fall follow no law (Choshen et al. 2024)
# A straight line has made a quarter of its fall in the middle of the way to its half. A curve that
# has made less than this bends downwards first, and follows these shapes only after that.
_BENDS_DOWN, _SEEN_FALL, _IS_OVER = 0.2, 4.0, 0.85
_MOST = 150  # points that are fitted; more are averages of neighbours
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One forecast that is wanted.

    Args:
        trend: The curve so far.
        where: The position to forecast.
        lowest: What the series cannot fall below, 0 for a loss.
        highest: What it cannot rise above, 1 for a rate of errors.
        rate: The learning rate as it was logged.
    """

    trend: Trend
    where: float
    lowest: float = -math.inf
    highest: float = math.inf
    rate: Series = NOTHING


def forecast_at(
    trend: Trend,
    where: float,
    *,
    level: float,
    lowest: float = -math.inf,
    highest: float = math.inf,
    rate: Series = NOTHING,
) -> CurveForecast | None:
    """Forecast one reading farther along one run, as `forecasts_at` does.

    Args:
        trend: The curve so far.
        where: The position to forecast.
        level: For example 0.9 for a 90% interval.
        lowest: What the series cannot fall below, 0 for a loss.
        highest: What it cannot rise above, 1 for a rate of errors.
        rate: The learning rate as it was logged.
    """
    ask = Ask(trend=trend, where=where, lowest=lowest, highest=highest, rate=rate)
    return forecasts_at([ask], level=level)[0]


def forecasts_at(asks: Sequence[Ask], *, level: float) -> list[CurveForecast | None]:
    """Forecast one reading farther along each of some runs.

    Args:
        asks: The runs so far and the positions.
        level: For example 0.9 for a 90% interval.

    Returns:
        The forecasts, None for too few points; none lies above where its curve stands.
    """
    found: list[CurveForecast | None] = [None] * len(asks)
    groups: list[_Group] = []
    for place, ask in enumerate(asks):
        at, values, share = _thinned(ask.trend)
        if at.size < FEWEST_READINGS or ask.where <= 0.0:
            continue
        start = float(ask.trend.at[0])
        # Runs of a sweep most often have the same clock as the one before.
        last = groups[-1] if groups else None
        if last is None or not last.takes(ask, start, at):
            course = course_of(ask.rate, start, ask.where)
            last = _Group(ask.where, start, ask.rate, at, course, [])
            groups.append(last)
        last.members.append((place, values, share))
    for group in groups:
        members = [(asks[place], values, share) for place, values, share in group.members]
        forecasts = _together(group, members, level)
        for (place, _, _), forecast in zip(group.members, forecasts, strict=True):
            found[place] = forecast
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Forecasts for the same position of runs with readings at the same places.

    Args:
        where: The position.
        start: The first position of the curves.
        rate: Their learning rate.
        at: Where they have readings, shape (n,).
        course: What the learning rate says of the rest.
        members: The place of each among all, its readings, and their share of the curve.
    """

    where: float
    start: float
    rate: Series
    at: FloatArray
    course: Course | None
    members: list[tuple[int, FloatArray, float]]

    def takes(self, ask: Ask, start: float, at: FloatArray) -> bool:
        """Tell whether a run has the same clock."""
        return (
            (self.where, self.start) == (ask.where, start)
            and np.array_equal(self.at, at)
            and _equal(self.rate.at, ask.rate.at)
            and _equal(self.rate.value, ask.rate.value)
        )


def _equal(first: FloatArray, second: FloatArray) -> bool:
    """Tell whether arrays are equal, not a number to not a number; most have none."""
    return np.array_equal(first, second) or np.array_equal(first, second, equal_nan=True)


def _together(
    group: _Group, members: Sequence[tuple[Ask, FloatArray, float]], level: float
) -> list[CurveForecast | None]:
    """Return the forecasts of a group."""
    at, course = group.at, group.course
    tests = tests_of(at, group.where / float(at[-1]))
    counts = np.array([*(test.count for test in tests), at.size], dtype=np.int64)
    places = np.array([*(test.at for test in tests), group.where])
    clock, decay = (at, None) if course is None else (course.area_at(at), course.decay_at(at))
    there = places if course is None else course.area_at(places)
    down = np.zeros(places.size) if course is None else course.decay_at(places)
    now = float(clock[-1])
    if not now > 0.0:
        return [None] * len(members)
    values = np.stack([readings for _, readings, _ in members])
    height = np.array([_height(ask.trend) for ask, _, _ in members])
    lowest = np.array([ask.lowest for ask, _, _ in members])
    fits = blends(clock / now, decay, values, counts, height=height, lowest=lowest)
    means, spreads = fits.at(there / now, down)
    lower, wider = np.full(len(members), np.nan), np.full(len(members), np.nan)
    if course is not None and not course.ends:
        # A decay over the last fifth trains on half the area there.
        ahead = now + 0.9 * (float(there[-1]) - now)
        one, other = fits.last().at(np.array([ahead / now]), np.ones(1))
        lower, wider = one[:, 0], other[:, 0]
    came, scatter = outcomes(values, tests)
    return [
        _forecast(
            ask, course, share=share, level=level, last=float(readings[-1]),
            most=float(readings.max()),
            stays=(float(means[i, -1]), float(spreads[i, -1])),
            decays=None if math.isnan(lower[i]) else (float(lower[i]), float(wider[i])),
            errors=_errors(came[i], means[i], spreads[i], scatter[i]),
        )
        for i, (ask, readings, share) in enumerate(members)
    ]  # fmt: skip


def _height(trend: Trend) -> float:
    """Return how far a curve has fallen."""
    return max(float(trend.smooth[0] - trend.smooth.min()), 0.0)


def _errors(
    came: FloatArray, means: FloatArray, spreads: FloatArray, scatter: FloatArray
) -> list[float]:
    """Return how wrong forecasts from earlier in a run were, in their standard deviations."""
    sure = np.hypot(spreads[:-1], scatter)
    known = sure > 0.0
    errors: list[float] = ((came - means[:-1])[known] / sure[known]).tolist()
    return errors


def _forecast(
    ask: Ask, course: Course | None, *, share: float, level: float, last: float, most: float,
    stays: tuple[float, float], decays: tuple[float, float] | None, errors: Sequence[float],
) -> CurveForecast:  # fmt: skip
    """Return a forecast with its interval.

    Args:
        ask: What is asked for.
        course: What the learning rate says of the rest.
        share: Of the curve that is fitted.
        level: Of the interval.
        last: The last reading.
        most: The largest reading.
        stays: Mean and standard deviation that the shapes tell, if the learning rate stays.
        decays: The same if it comes down; None where that is not open.
        errors: Of forecasts from earlier in the run, in their standard deviations.
    """
    trend = ask.trend
    value, own = stays
    left_open = 0.0
    if decays is not None:
        value, left_open = _left_open(stays, decays)
    caution = math.sqrt(
        (_CAUTION_COUNTS * _CAUTION**2 + sum(e * e for e in errors))
        / (_CAUTION_COUNTS + len(errors))
    )
    unknown = (_UNKNOWN if course is None else _UNKNOWN_UNDER_SCHEDULE) * (last - value)
    stands = max(float(trend.smooth[-1]), float(trend.settled[-trend.window :].mean()))
    value = max(min(value, stands, ask.highest), ask.lowest)  # a sum of weights may round it below
    quantile = t_quantile(0.5 + 0.5 * level, 6.0)
    spread = math.hypot(min(caution, _MOST_CAUTION) * own, unknown, left_open, trend.reading_noise)
    drop = _DROP * _height(trend) if course is None else 0.0
    low, high = value - math.hypot(quantile * spread, drop), value + quantile * spread
    # No shape rises: a curve that goes on as it did does not come back to where it was.
    noisy = stands + quantile * math.hypot(trend.reading_noise, trend.error)
    high = min(high, max(most, noisy), ask.highest)
    told = "area under the logged learning rate; " if course is not None else ""
    return CurveForecast(
        at=ask.where, value=value, low=max(low, ask.lowest), high=max(high, value), level=level,
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
        edges, sizes = _parts(at.size)
        at = np.add.reduceat(at, edges) / sizes
        values = np.add.reduceat(values, edges) / sizes
    return at, values, share


@lru_cache(maxsize=8)  # runs of a sweep are mostly equally long
def _parts(size: int) -> tuple[IntArray, IntArray]:
    """Return where equal parts of so many readings begin, and how many each has."""
    edges = np.linspace(0, size, _MOST + 1).astype(np.int64)
    return edges[:-1], np.diff(edges)


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
    return float(trend.at[half]) if late and trend.at.size - half >= FEWEST_READINGS else None


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
