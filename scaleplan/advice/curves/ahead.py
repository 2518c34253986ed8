"""What more steps would bring: a power law along the curve, with an interval from its own past."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.trend import Trend
from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import CurveForecast
from scaleplan.runs.table import FloatArray

_EXPONENTS = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0])
_SKIPPED = 0.1  # of the run: warm-up and the first fall follow no power law (Choshen et al. 2024)
_FEWEST = 6
_MOST = 400  # points that are fitted; more are averages of neighbours
_CUTS = (0.35, 0.42, 0.5, 0.6, 0.7)
# Errors of the form are taken this much larger than the past showed: chosen on simulated curves so
# that 90% intervals hold about 90% (tests/benchmark/curve_verdicts.py).
_CAUTION = 1.8
# Without a past to test on: share of the change in the last half that a forecast may miss.
_UNTESTED = 0.5


@dataclass(frozen=True, slots=True)
class _Power:
    """y = E + A x^-alpha with alpha = 0 standing for E - A ln x."""

    floor: float
    size: float
    exponent: float

    def at(self, x: float) -> float:
        base = -math.log(x) if self.exponent == 0.0 else x**-self.exponent
        return self.floor + self.size * base


def forecast_at(
    trend: Trend, where: float, *, level: float, lowest: float = -math.inf
) -> CurveForecast | None:
    """Forecast one reading farther along a run.

    Args:
        trend: The curve so far.
        where: The position to forecast.
        level: For example 0.9 for a 90% interval.
        lowest: What the series cannot fall below, 0 for a loss.

    Returns:
        The forecast, None for too few points.
    """
    at, values = _thinned(trend)
    law = _fit(at, values, lowest)
    if law is None or where <= 0.0:
        return None
    now = float(at[-1])
    value = law.at(where / now)
    errors = _past_errors(at, values, where / now, lowest)
    fell = abs(float(values[values.size // 2]) - float(values[-1]))
    if errors:
        form = _CAUTION * math.sqrt(sum(e * e for e in errors) / len(errors))
        dof, tested = len(errors) + 2, f"{len(errors)} forecasts from its own past"
    else:
        form, dof, tested = _UNTESTED * fell, 3, "its fall in the last half, no past to test on"
    reach = t_quantile(0.5 + 0.5 * level, float(dof)) * math.hypot(form, trend.noise)
    return CurveForecast(
        at=where, value=max(value, lowest), low=max(value - reach, lowest),
        high=max(value + reach, lowest),
        level=level,
        method=f"power law of the curve's last {1.0 - _SKIPPED:.0%}, error from {tested}",
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


def _fit(at: FloatArray, values: FloatArray, lowest: float) -> _Power | None:
    """Fit E + A x^-alpha by least squares, x relative to the last position, A >= 0, E >= lowest."""
    if at.size < _FEWEST:
        return None
    x = np.log(at / at[-1])
    # One row an exponent; the first stands for the logarithm, the limit of small exponents.
    base = np.exp(-_EXPONENTS[:, None] * x)
    base[0] = -x
    middle = base.mean(axis=1, keepdims=True)
    centred = base - middle
    spread = (centred**2).sum(axis=1)
    size = np.maximum(centred @ values, 0.0) / np.where(spread > 0.0, spread, np.inf)
    floor = values.mean() - size * middle[:, 0]
    low = (floor < lowest) & (_EXPONENTS > 0.0)
    if low.any():
        held = np.maximum(base[low] @ (values - lowest), 0.0) / (base[low] ** 2).sum(axis=1)
        floor, size = np.where(low, lowest, floor), size.copy()
        size[low] = held
    rest = values - floor[:, None] - size[:, None] * base
    place = int(np.argmin((rest**2).sum(axis=1)))
    return _Power(float(floor[place]), float(size[place]), float(_EXPONENTS[place]))


def _past_errors(at: FloatArray, values: FloatArray, ratio: float, lowest: float) -> list[float]:
    """Return how wrong forecasts of the same reach would have been earlier in the run.

    Forecasts that would reach beyond the end are scored at the end, and scaled by the root of the
    distance in logs, as errors of a drifting form grow.
    """
    errors = []
    end = float(at[-1])
    width = max(1, values.size // 25)
    for cut in _CUTS:
        below = at <= cut * end
        law = _fit(at[below], values[below], lowest)
        if law is None:
            continue
        last = float(at[below][-1])
        target = min(last * ratio, end)
        if target <= last * 1.02:
            continue
        near = int(np.searchsorted(at, target, side="right"))
        seen = values[max(0, near - width) : near]
        if not seen.size:
            continue
        where = float(at[max(0, near - width) : near].mean())
        error = float(seen.mean()) - law.at(where / last)
        scale = math.sqrt(max(1.0, math.log(ratio) / math.log(where / last)))
        errors.append(error * scale)
    return errors
