"""The interval of one forecast: parameters, noise, form and back-tested distance together.

Plain Python on purpose: `predict` and `budget` with a saved fit import no numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaleplan.fitting.distributions import t_quantile
from scaleplan.laws import get_law
from scaleplan.records import LawFit, Range, Widening

# The model-error floor grows in over the first 0.3 decade beyond the data: inside the fitted range
# the residual noise already contains it.
_RAMP_DECADES = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A predicted value with the bounds of one new run; None where they are not known."""

    value: float
    low: float | None
    high: float | None
    mean_low: float | None
    mean_high: float | None


def predict(
    fits: Sequence[LawFit],
    inputs: Sequence[Sequence[float]],
    *,
    widening: Widening,
    decades: float,
    level: float,
) -> Prediction:
    """Predict one new run from the main law, with bounds over all admissible laws.

    Args:
        fits: The main law first, then its alternatives.
        inputs: For each of them, its inputs in base units.
        widening: What the back-test said about claimed errors.
        decades: How far the inputs lie beyond the fitted runs, log10.
        level: For example 0.9 for a 90% interval.

    Returns:
        The value of the main law, and the union of all laws' intervals.
    """
    main, at = fits[0], inputs[0]
    value = float(get_law(main.law).evaluate(list(main.theta), list(at)))
    bounds = _bounds(main, at, widening, decades, level)
    mean = _bounds(main, at, None, decades, level)
    if bounds is None or mean is None:
        return Prediction(value=value, low=None, high=None, mean_low=None, mean_high=None)
    low, high = bounds
    for other, where in zip(fits[1:], inputs[1:], strict=True):
        more = _bounds(other, where, widening, decades, level)
        if more is not None:
            low, high = min(low, more[0]), max(high, more[1])
    return Prediction(value=value, low=low, high=high, mean_low=mean[0], mean_high=mean[1])


def _bounds(
    fit: LawFit,
    inputs: Sequence[float],
    widening: Widening | None,
    decades: float,
    level: float,
) -> tuple[float, float] | None:
    """Return the bounds of a new run, or with no widening those of the law's mean."""
    if fit.covariance is None or fit.noise is None or fit.dof < 1:
        return None
    law = get_law(fit.law)
    value = float(law.evaluate(list(fit.theta), list(inputs)))
    gradient = [float(g) for g in law.gradient(list(fit.theta), list(inputs))]
    variance = max(0.0, quadratic_form(fit.covariance, gradient))
    relative = fit.residual == "log"
    if relative:
        variance /= value * value
    factor = t_quantile(0.5 + 0.5 * level, float(fit.dof))
    if widening is None:
        spread = factor * math.sqrt(variance)
    else:
        kappa = max(1.0, widening.kappa0 + widening.kappa1 * decades)
        floor = widening.floor_log * (1.0 + decades) * min(1.0, decades / _RAMP_DECADES)
        floor *= 1.0 if relative else abs(value)
        spread = factor * math.hypot(kappa * math.sqrt(variance + fit.noise**2), floor)
    if relative:
        # Beyond e^50 an interval says nothing; the cap keeps the numbers finite.
        stretch = math.exp(min(spread, 50.0))
        return value / stretch, value * stretch
    return value - spread, value + spread


def quadratic_form(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> float:
    """Return v^T M v, summed exactly: with near-collinear parameters the terms cancel."""
    return math.fsum(
        left * entry * right
        for left, row in zip(vector, matrix, strict=True)
        for entry, right in zip(row, vector, strict=True)
    )


def decades_beyond(ranges: Sequence[Range], at: Mapping[str, float]) -> float:
    """Return how many decades a point lies outside the fitted runs, over all known inputs.

    Args:
        ranges: Smallest and largest fitted value by role.
        at: The point, by role.
    """
    worst = 0.0
    for known in ranges:
        value = at.get(known.role)
        if value is None or value <= 0.0 or known.low <= 0.0:
            continue
        worst = max(worst, math.log10(value / known.high), math.log10(known.low / value))
    # Rounding of a point on the edge is not extrapolation.
    return worst if worst > 1e-9 else 0.0
