"""The interval of one forecast: parameters, noise, form and back-tested distance together.

The laws that describe the runs are a mixture, weighted by how well each forecast larger runs; the
interval is that of the mixture. Its variance is that of the parameters and of one run's noise, of
the laws around their mean, and of the error that all forms share, which grows with distance.

Plain Python on purpose: `predict` and `budget` with a saved fit import no numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaleplan.fitting.distributions import t_quantile, t_tail
from scaleplan.laws import get_law
from scaleplan.records import LawFit, Range, Widening
from scaleplan.records.base import Record

# Error of a form one decade beyond the data as a share of the metric's change in a decade, for
# laws that no back-test has tried. On the choosing half of tests/benchmark/coverage.py, with 8 runs
# or more, 0.1 covers 90% of larger runs by forecast and 92% by set, 0.15 covers 93% and 94% (2026).
PRIOR_SHARE = 0.125
# Beyond e^50 an interval says nothing; the cap keeps the numbers finite.
_LARGEST_LOG = 50.0
# Laws that begin flat: how much the metric changed among the runs bounds nothing beyond them.
_WITHOUT_PACE = frozenset({"sigmoid", "saturating"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Prediction(Record):
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
    """Predict one new run from the main law, with the bounds of all admissible laws together.

    Args:
        fits: The main law first, then its alternatives; all relative, or all absolute.
        inputs: For each of them, its inputs in base units.
        widening: What the back-test said about their forecasts.
        decades: How far the inputs lie beyond the fitted runs, log10.
        level: For example 0.9 for a 90% interval.

    Returns:
        The value of the main law, and the interval of the mixture, stretched to hold it.
    """
    main, at = fits[0], inputs[0]
    value = float(get_law(main.law).evaluate(list(main.theta), list(at)))
    said = distribution(fits, inputs, widening=widening, decades=decades)
    if said is None:
        return Prediction(value=value, low=None, high=None, mean_low=None, mean_high=None)
    low, high = said.bounds(level)
    mean = _factor(level, said.main_dof) * said.mean_scale
    return Prediction(
        value=value, low=min(low, value), high=max(high, value),
        mean_low=said.metric(said.main_centre - mean),
        mean_high=said.metric(said.main_centre + mean),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Distribution(Record):
    """What one new run may reach: a t distribution, of the metric's logarithm where `relative`.

    Args:
        centre: Of the mixture of laws, its median.
        below: Its scale below the median.
        above: Its scale above the median.
        dof: Its degrees of freedom.
        main_centre: What the main law says.
        mean_scale: Scale of the main law's own value.
        main_dof: Degrees of freedom of the main law.
        relative: Whether all of it is in logarithms.
    """

    centre: float
    below: float
    above: float
    dof: int
    main_centre: float
    mean_scale: float
    main_dof: int
    relative: bool

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the central interval of one new run, in the metric."""
        factor = _factor(level, self.dof)
        return (
            self.metric(self.centre - factor * self.below),
            self.metric(self.centre + factor * self.above),
        )

    def quantile(self, probability: float) -> float:
        """Return a quantile of one new run, in the metric."""
        scale = self.below if probability < 0.5 else self.above
        return self.metric(self.centre + t_quantile(probability, float(self.dof)) * scale)

    def chance_below(self, value: float) -> float:
        """Return the probability that one new run lies below a value of the metric."""
        if self.relative and value <= 0.0:
            return 0.0
        away = (math.log(value) if self.relative else value) - self.centre
        scale = self.above if away > 0.0 else self.below
        if scale <= 0.0:
            return 1.0 if away > 0.0 else 0.0
        tail = 0.5 * t_tail(abs(away) / scale, float(self.dof))  # of both sides together
        return 1.0 - tail if away > 0.0 else tail

    def metric(self, centre: float) -> float:
        """Return a centre or bound as the metric."""
        if not self.relative:
            return float(centre)
        return math.exp(max(-_LARGEST_LOG, min(centre, _LARGEST_LOG)))


def distribution(
    fits: Sequence[LawFit],
    inputs: Sequence[Sequence[float]],
    *,
    widening: Widening,
    decades: float,
) -> Distribution | None:
    """Return what the admissible laws together say of one new run; None without an interval.

    The arguments are those of `predict`.
    """
    parts = [_part(fit, where, widening, decades) for fit, where in zip(fits, inputs, strict=True)]
    first = parts[0]
    if first is None:
        return None
    weights = widening.weights if len(widening.weights) == len(fits) else (1.0,) * len(fits)
    known = [(w, part) for w, part in zip(weights, parts, strict=True) if part and w > 0.0]
    total = math.fsum(w for w, _ in known)
    reach = widening.change * math.sqrt(1.0 + decades)
    moves = [(w, _within(part.centre - first.centre, reach)) for w, part in known]
    move = math.fsum(w * m for w, m in moves) / total
    variance = math.fsum(w * (part.parameters + part.noise) for w, part in known)
    variance += math.fsum(w * (m - move) ** 2 for w, m in moves)
    variance /= total
    form = (widening.share * widening.change) ** 2 * decades
    return Distribution(
        centre=first.centre + move, below=math.sqrt(variance + widening.below**2 * form),
        above=math.sqrt(variance + widening.above**2 * form),
        dof=min(part.dof for _, part in known), main_centre=first.centre,
        mean_scale=math.sqrt(first.parameters), main_dof=first.dof,
        relative=fits[0].residual == "log",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Part(Record):
    """One law at one point: the variances of its parameters and of one run around `centre`."""

    centre: float
    parameters: float
    noise: float
    dof: int


def _part(fit: LawFit, inputs: Sequence[float], widening: Widening, decades: float) -> _Part | None:
    """Return what a law says at a point, None where it has no interval."""
    if fit.covariance is None or fit.noise is None or fit.dof < 1:
        return None
    law = get_law(fit.law)
    value = float(law.evaluate(list(fit.theta), list(inputs)))
    relative = fit.residual == "log"
    if not math.isfinite(value) or (relative and value <= 0.0):
        return None
    gradient = [float(g) for g in law.gradient(list(fit.theta), list(inputs))]
    variance = math.inf
    if all(map(math.isfinite, (*gradient, *(v for row in fit.covariance for v in row)))):
        variance = max(0.0, quadratic_form(fit.covariance, gradient))
    if relative:
        variance /= value * value
    # Parameters known so badly that the metric could do anything still leave it its own pace: no
    # law is less sure than one that is wholly wrong from a decade inside the data on. Nor does a
    # second form lie farther from the first than that (see `reach`).
    # An S-curve that has hardly left chance has no pace yet: what it comes to is not known.
    limit = widening.change**2 * (1.0 + decades)
    if widening.change > 0.0 and fit.law not in _WITHOUT_PACE:
        variance = min(variance, limit)
    return _Part(math.log(value) if relative else value, variance, fit.noise**2, fit.dof)


def _within(distance: float, reach: float) -> float:
    """Return a distance no larger than `reach`, where a reach is known."""
    return max(-reach, min(distance, reach)) if reach > 0.0 else distance


def _factor(level: float, dof: int) -> float:
    return t_quantile(0.5 + 0.5 * level, float(dof))


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
