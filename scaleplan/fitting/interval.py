"""The interval of one forecast: parameters, noise, form and back-tested distance together.

The laws that describe the runs are a mixture, weighted by how well each forecast larger runs; the
interval is that of the mixture. Its variance is that of the parameters and of one run's noise, of
the laws around their mean, and of the error that all forms share, which grows with distance.

An S-curve is two things more. Its limit may lie far beyond what the delta method says: towards it
the scale of the parameters is that of their profile. And it never turns: beyond the runs a new one
is taken to be no worse than where they end.

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
# Laws that begin flat, with the parameter that says what they come to: how much the metric changed
# among the runs bounds nothing beyond them.
S_CURVES = {"sigmoid": "e_inf", "saturating": "e_inf", "loss_to_accuracy": "p"}
FURTHER_LEVEL = 0.9  # of the profile at whose end `LawFit.further` lies


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
    edge: Sequence[float] | None = None,
) -> Prediction:
    """Predict one new run from the main law, with the bounds of all admissible laws together.

    Args:
        fits: The main law first, then its alternatives; all relative, or all absolute.
        inputs: For each of them, its inputs in base units.
        widening: What the back-test said about their forecasts.
        decades: How far the inputs lie beyond the fitted runs, log10.
        level: For example 0.9 for a 90% interval.
        edge: The inputs where the fitted runs end towards the point; None looks at none.

    Returns:
        The value of the main law, and the interval of the mixture, stretched to hold it.
    """
    main, at = fits[0], inputs[0]
    value = float(get_law(main.law).evaluate(list(main.theta), list(at)))
    said = distribution(fits, inputs, widening=widening, decades=decades, edge=edge)
    if said is None:
        return Prediction(value=value, low=None, high=None, mean_low=None, mean_high=None)
    low, high = said.bounds(level)
    mean_low, mean_high = said.mean_bounds(level)
    return Prediction(
        value=value, low=min(low, value), high=max(high, value), mean_low=mean_low,
        mean_high=mean_high,
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
        mean_below: Scale of the main law's own value below it.
        mean_above: The same above it.
        main_dof: Degrees of freedom of the main law.
        relative: Whether all of it is in logarithms.
        edge: Of a law that never turns: what a run may reach where the fitted runs end towards the
            point. One on the far side is as good as that, or better: its probability of lying
            beyond any value is no less.
    """

    centre: float
    below: float
    above: float
    dof: int
    main_centre: float
    mean_below: float
    mean_above: float
    main_dof: int
    relative: bool
    edge: Distribution | None = None

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the central interval of one new run, in the metric."""
        return self.quantile(0.5 - 0.5 * level), self.quantile(0.5 + 0.5 * level)

    def mean_bounds(self, level: float) -> tuple[float, float]:
        """Return the central interval of the main law's own value, in the metric."""
        factor = t_quantile(0.5 + 0.5 * level, float(self.main_dof))
        low = self.metric(self.main_centre - factor * self.mean_below)
        high = self.metric(self.main_centre + factor * self.mean_above)
        if self.edge is None:
            return low, high
        low_seen, high_seen = self.edge.mean_bounds(level)
        return self._no_nearer(low, low_seen), self._no_nearer(high, high_seen)

    def quantile(self, probability: float) -> float:
        """Return a quantile of one new run, in the metric."""
        scale = self.below if probability < 0.5 else self.above
        own = self.metric(self.centre + t_quantile(probability, float(self.dof)) * scale)
        return own if self.edge is None else self._no_nearer(own, self.edge.quantile(probability))

    def _no_nearer(self, own: float, seen: float) -> float:
        """Return a value here, or the same one at the edge if that lies farther on."""
        return min(own, seen) if self._falls() else max(own, seen)

    def _falls(self) -> bool:
        """Tell whether the law falls from the edge to here."""
        return self.edge is not None and self.main_centre < self.edge.main_centre

    def chance_below(self, value: float) -> float:
        """Return the probability that one new run lies below a value of the metric."""
        own = self._own_chance_below(value)
        if self.edge is None:
            return own
        seen = self.edge.chance_below(value)
        return max(own, seen) if self._falls() else min(own, seen)

    def _own_chance_below(self, value: float) -> float:
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
    edge: Sequence[float] | None = None,
) -> Distribution | None:
    """Return what the admissible laws together say of one new run; None without an interval.

    The arguments are those of `predict`.
    """
    seen = None
    if edge is not None and tuple(edge) != tuple(inputs[0]) and fits[0].law in S_CURVES:
        seen = distribution(fits[:1], [edge], widening=widening, decades=0.0)
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
    apart = math.fsum(w * (m - move) ** 2 for w, m in moves)
    form = (widening.share * widening.change) ** 2 * decades
    below = math.fsum(w * (part.below + part.noise) for w, part in known) + apart
    above = math.fsum(w * (part.above + part.noise) for w, part in known) + apart
    return Distribution(
        centre=first.centre + move, below=math.sqrt(below / total + widening.below**2 * form),
        above=math.sqrt(above / total + widening.above**2 * form),
        dof=min(part.dof for _, part in known), main_centre=first.centre,
        mean_below=math.sqrt(first.below), mean_above=math.sqrt(first.above), main_dof=first.dof,
        relative=fits[0].residual == "log", edge=seen,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Part(Record):
    """One law at one point: the variances of its parameters, on both sides, and of one run."""

    centre: float
    below: float
    above: float
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
    if widening.change > 0.0 and fit.law not in S_CURVES:
        variance = min(variance, limit)
    below = above = variance
    if fit.further:
        other = float(law.evaluate(list(fit.further), list(inputs)))
        away = _apart(other, value, relative=relative)
        scale = (away / t_quantile(0.5 + 0.5 * FURTHER_LEVEL, float(fit.dof))) ** 2
        below, above = (max(below, scale), above) if away < 0.0 else (below, max(above, scale))
    return _Part(math.log(value) if relative else value, below, above, fit.noise**2, fit.dof)


def _within(distance: float, reach: float) -> float:
    """Return a distance no larger than `reach`, where a reach is known."""
    return max(-reach, min(distance, reach)) if reach > 0.0 else distance


def _apart(one: float, other: float, *, relative: bool) -> float:
    """Return how far a value lies above another, in logarithms where `relative`."""
    if not relative:
        return one - other
    return math.log(one / other) if one > 0.0 else -_LARGEST_LOG


def quadratic_form(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> float:
    """Return v^T M v, summed exactly: with near-collinear parameters the terms cancel."""
    return math.fsum(
        left * entry * right
        for left, row in zip(vector, matrix, strict=True)
        for entry, right in zip(row, vector, strict=True)
    )


def edge_of(
    ranges: Sequence[Range], roles: Sequence[str], at: Mapping[str, float]
) -> tuple[float, ...] | None:
    """Return the input where the fitted runs end towards a point; None for several inputs.

    Args:
        ranges: Smallest and largest fitted value by role.
        roles: The inputs of the law.
        at: The point, by role.
    """
    known = next((one for one in ranges if one.role == roles[0]), None)
    if len(roles) != 1 or known is None:
        return None
    return (min(max(at[known.role], known.low), known.high),)


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
