"""The numbers behind identifiability: ranges, collinearity, standard errors, starts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.laws import CurvedLaw, HasOptimum
from scaleplan.laws.base import COUNT
from scaleplan.records import Identifiability

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray

_STARTS = 3  # the best so many are compared
_EXACT = 1e-18  # an objective below this is rounding: differences of it say nothing
_SAME = 1e-6  # ends that are closer are the same: what is left of them is rounding
_MOST_RUNS = 4000  # above this starts end on a sample of the runs and do not compare
_TARGET_FACTOR = 100.0  # N* of the starts is compared at so many times the largest run


def diagnose(fitted: Fitted, roles: tuple[str, ...]) -> Identifiability:
    """Return what the design of these runs can tell about this law.

    Args:
        fitted: The fit.
        roles: The role of each input.
    """
    units = fitted.law.units if isinstance(fitted.law, CurvedLaw) else ()
    decades = [
        (role, float(np.log10(column.max() / column.min())))
        for k, (role, column) in enumerate(zip(roles, fitted.inputs, strict=True))
        if column.min() > 0.0 and not (units and units[k] == COUNT)  # a label has no decades
    ]
    correlation = None
    if len(roles) > 1:
        x, y = np.log(fitted.inputs[:2])
        ratio = y - x
        # Rounding differs between machines: of an uncorrelated grid it is all there is.
        correlation = round(float(np.corrcoef(x, y)[0, 1]), 9) + 0.0
        if roles[:2] == ("params", "tokens"):
            decades.append(("tokens_per_param", float(np.ptp(ratio)) / math.log(10.0)))
    error, of = worst_exponent(fitted)
    objective, params = _starts(fitted)
    return Identifiability(
        decades=tuple(decades), correlation=correlation, relative_error=error,
        relative_error_of=of, starts_objective=objective, starts_params=params,
    )  # fmt: skip


def worst_exponent(fitted: Fitted) -> tuple[float | None, str]:
    """Return the largest standard error of an exponent over its value, and that exponent.

    Args:
        fitted: The fit; without a covariance nothing is known.
    """
    worst: tuple[float | None, str] = (None, "")
    if fitted.covariance is None:
        return worst
    for k, spec in enumerate(fitted.law.parameters):
        value = float(fitted.theta[k])
        # Exponents are the pure numbers of a law; coefficients and floors have units.
        if spec.unit or spec.is_floor or fitted.fixed[k]:
            continue
        deviation = math.sqrt(max(0.0, float(fitted.covariance[k, k])))
        error = deviation / abs(value) if value != 0.0 else math.inf
        if worst[0] is None or error > worst[0]:
            worst = (error, spec.symbol)
    return worst


def _starts(fitted: Fitted) -> tuple[float | None, float | None]:
    """Return how far the best three starts differ: objective (relative) and N* (ratio less 1)."""
    problem, solution = fitted.problem, fitted.solution
    if problem is None or solution is None or problem.y.size > _MOST_RUNS:
        return None, None
    pool = solution.pool
    if len(pool) < _STARTS:
        return None, None
    with np.errstate(all="ignore"):  # a start may have run away; it is then not among the best
        objectives = np.array([_huber(problem.residuals(phi), solution.delta) for phi in pool])
    best = np.argsort(objectives, kind="stable")[:_STARTS]
    if not np.isfinite(objectives[best]).all():
        return None, None
    low, high = float(objectives[best[0]]), float(objectives[best[-1]])
    apart = 0.0 if high <= _EXACT else (high - low) / max(low, _EXACT)
    apart = apart if apart > _SAME else 0.0
    law = fitted.law
    if not isinstance(law, HasOptimum):
        return apart, None
    budget = _TARGET_FACTOR * float(np.prod(fitted.inputs[:2], axis=0).max())
    theta = problem.to_theta(pool[best])
    with np.errstate(all="ignore"):
        sizes, _ = law.optimum(
            [np.asarray(theta[:, k]) for k in range(theta.shape[1])], np.asarray(budget), 1.0
        )
    sizes = np.broadcast_to(sizes, (len(theta),))
    if not (np.isfinite(sizes) & (sizes > 0.0)).all():
        return apart, None
    params = float(sizes.max() / sizes.min()) - 1.0
    return apart, params if params > _SAME else 0.0


def _huber(residuals: FloatArray, delta: float) -> float:
    psi = np.clip(residuals, -delta, delta)
    return float((psi * (residuals - 0.5 * psi)).sum())
