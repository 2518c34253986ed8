"""What more steps would bring: an average of shapes, and how wrong it was before."""

from __future__ import annotations

import math

import numpy as np

from scaleplan.advice.curves.forms import blend
from scaleplan.advice.curves.schedule import Course, course_of
from scaleplan.advice.curves.trend import Trend
from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import CurveForecast
from scaleplan.runs.curve import NOTHING, Series
from scaleplan.runs.table import FloatArray

_SKIPPED = 0.1  # of the run: warm-up and the first fall follow no law (Choshen et al. 2024)
_FEWEST = 6
_MOST = 240  # points that are fitted; more are averages of neighbours
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
    rate: Series = NOTHING,
) -> CurveForecast | None:
    """Forecast one reading farther along a run.

    Args:
        trend: The curve so far.
        where: The position to forecast.
        level: For example 0.9 for a 90% interval.
        lowest: What the series cannot fall below, 0 for a loss.
        rate: The learning rate as it was logged.

    Returns:
        The forecast, None for too few points.
    """
    at, values = _thinned(trend)
    if at.size < _FEWEST or where <= 0.0:
        return None
    course = course_of(rate, float(trend.at[0]), where)
    height = max(float(trend.smooth[0] - trend.smooth.min()), 0.0)
    past = _Past(at, values, height, lowest, course)
    value, own = past.ahead(at.size, where)
    left_open = 0.0
    told = "area under the logged learning rate; " if course is not None else ""
    if course is not None and not course.ends:
        value, left_open = past.with_decay(where, value, own)
    errors = past.errors(where / float(at[-1]))
    caution = math.sqrt(
        (_CAUTION_COUNTS * _CAUTION**2 + sum(e * e for e in errors))
        / (_CAUTION_COUNTS + len(errors))
    )
    unknown = (_UNKNOWN if course is None else _UNKNOWN_UNDER_SCHEDULE) * (
        float(values[-1]) - value
    )
    quantile = t_quantile(0.5 + 0.5 * level, 6.0)
    spread = math.hypot(min(caution, _MOST_CAUTION) * own, unknown, left_open, trend.reading_noise)
    drop = _DROP * height if course is None else 0.0
    low, high = value - math.hypot(quantile * spread, drop), value + quantile * spread
    return CurveForecast(
        at=where, value=value, low=max(low, lowest), high=max(high, lowest), level=level,
        method="average of power laws and exponentials over the curve's last "
        f"{1.0 - _SKIPPED:.0%}, weighed by fit; {told}error from the shapes and {len(errors)} "
        "forecasts from its own past",
    )  # fmt: skip


def _thinned(trend: Trend) -> tuple[FloatArray, FloatArray]:
    """Return the readings after the first tenth of the run, averaged down to a few hundred."""
    start, end = float(trend.at[0]), float(trend.at[-1])
    kept = trend.at >= max(start + _SKIPPED * (end - start), _SKIPPED * end)
    kept &= trend.at > 0.0
    at, values = trend.at[kept], trend.raw[kept]
    if at.size > _MOST:
        edges = np.linspace(0, at.size, _MOST + 1).astype(int)[:-1]
        sizes = np.diff(np.r_[edges, at.size])
        at = np.add.reduceat(at, edges) / sizes
        values = np.add.reduceat(values, edges) / sizes
    return at, values


class _Past:
    """The curve so far, and forecasts from its first part."""

    def __init__(
        self, at: FloatArray, values: FloatArray, height: float, lowest: float,
        course: Course | None,
    ) -> None:  # fmt: skip
        self._at, self._values = at, values
        self._height, self._lowest = height, lowest
        self._course = course

    def ahead(
        self, count: int, where: float, *, decays_to: float | None = None
    ) -> tuple[float, float]:
        """Forecast the curve at a position from its first readings.

        Args:
            count: How many readings are known.
            where: The position.
            decays_to: Share of the peak by which the learning rate will have come down, where the
                schedule does not say.

        Returns:
            The mean and its standard deviation, without the noise of a reading.
        """
        at, values = self._at[:count], self._values[:count]
        if self._course is None:
            clock, decay, there, down = at, None, where, None
        else:
            clock = self._course.area_at(at)
            decay = self._course.decay_at(at)
            there = float(self._course.area_at(np.array([where]))[0])
            down = float(self._course.decay_at(np.array([where]))[0])
            if decays_to is not None:
                down = decays_to
                # A decay over the last fifth trains on half the area there.
                there -= 0.1 * (there - float(clock[-1]))
        end = float(clock[-1])
        found = blend(clock / end, decay, values, height=self._height, lowest=self._lowest)
        return found.at(there / end, down, self._lowest)

    def with_decay(self, where: float, value: float, own: float) -> tuple[float, float]:
        """Return a forecast that leaves open whether a rate that stays comes down at the end."""
        down, spread = self.ahead(self._at.size, where, decays_to=1.0)
        mean = (1.0 - _COMES_DOWN) * value + _COMES_DOWN * down
        between = _COMES_DOWN * (1.0 - _COMES_DOWN) * (value - down) ** 2
        more = _COMES_DOWN * max(spread**2 - own**2, 0.0)
        return mean, math.sqrt(between + more)

    def errors(self, ratio: float) -> list[float]:
        """Return errors of forecasts earlier in the run, over what they said of themselves.

        Forecasts that would reach beyond the end are scored at the end.
        """
        found = []
        end = float(self._at[-1])
        width = max(1, self._values.size // 25)
        rough = np.diff(self._values[self._values.size // 2 :])
        noise = float(np.median(np.abs(rough))) * 1.4826 / math.sqrt(2.0) if rough.size else 0.0
        for cut in _CUTS:
            count = int(np.searchsorted(self._at, cut * end, side="right"))
            if count < _FEWEST:
                continue
            last = float(self._at[count - 1])
            target = min(last * ratio, end)
            if target <= last * 1.02:
                continue
            near = int(np.searchsorted(self._at, target, side="right"))
            seen = slice(max(count, near - width), near)
            if not self._values[seen].size:
                continue
            value, own = self.ahead(count, float(self._at[seen].mean()))
            scatter = noise / math.sqrt(self._values[seen].size)
            error = float(self._values[seen].mean()) - value
            sure = math.hypot(own, scatter)
            if sure > 0.0:
                found.append(error / sure)
        return found
