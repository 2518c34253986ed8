"""How much the advice depends on what is minimised: the same law and runs, other objectives."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.recipe import Recipe
from scaleplan.fitting.solver import SMALLEST_DELTA
from scaleplan.laws import CurvedLaw, HasOptimum, PowerSumLaw
from scaleplan.records import ObjectiveRow

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.solver import AnyProblem
    from scaleplan.laws.base import FloatArray

# Without an optimum the forecast is compared this far beyond the largest run.
_FURTHER = 10.0
_MANY_RUNS = 4000  # beyond this each objective is started from the fit itself only


def objective_rows(
    fitted: Fitted, *, budget: float | None, flops_per_param_token: float
) -> tuple[ObjectiveRow, ...]:
    """Return what the law says under each objective, the fit's own first.

    Args:
        fitted: The fit.
        budget: Training compute in FLOP at which optimal sizes are compared; None where no
            optimal size is known.
        flops_per_param_token: k in C = k N D.

    Returns:
        Nothing for laws in closed form, which have one objective only.
    """
    law = fitted.law
    if not isinstance(law, CurvedLaw) or fitted.solution is None or law.residual == "raw":
        return ()
    recipe, own = fitted.recipe, fitted.recipe.objective
    others = [
        (f"Huber of log residuals, delta {SMALLEST_DELTA:g}",
         replace(recipe, objective="huber", delta=SMALLEST_DELTA)),
        ("least squares of log residuals", replace(recipe, objective="log", delta=None)),
        ("least squares of the metric", replace(recipe, objective="raw", delta=None)),
    ]  # fmt: skip
    same = own == "huber" and fitted.delta != SMALLEST_DELTA
    others = [(name, r) for name, r in others if r.objective != own or (same and r.delta)]
    names = {"log": "least squares of log residuals", "raw": "least squares of the metric"}
    used = names.get(own, f"Huber of log residuals, delta {fitted.delta:g}")
    rows = [_row(fitted, used, fitted.theta, budget, flops_per_param_token, used=True)]
    for name, other in others:
        theta = _refit(fitted, law, other)
        if theta is not None:
            rows.append(_row(fitted, name, theta, budget, flops_per_param_token, used=False))
    return tuple(rows)


def _refit(fitted: Fitted, law: CurvedLaw, recipe: Recipe) -> FloatArray | None:
    """Return the parameters under another objective, from all ends of the fit's own starts."""
    if fitted.problem is None or fitted.solution is None:  # pragma: no cover - asked before
        raise TypeError(law.name)
    raw = recipe.objective == "raw"
    problem: AnyProblem
    if isinstance(law, PowerSumLaw) and not raw and not recipe.limits:
        problem = Problem.of(law, fitted.inputs, fitted.values)
    else:
        problem = CurvedProblem.of(law, fitted.inputs, fitted.values, raw=raw, limits=recipe.limits)
    ends = fitted.solution.phi[None]
    if fitted.values.size <= _MANY_RUNS:
        ends = np.concatenate([ends, fitted.solution.pool])
    starts = problem.from_theta(fitted.problem.to_theta(ends))
    starts = starts[np.isfinite(starts).all(axis=1)]
    if not len(starts):
        return None
    found = problem.minimise(starts, delta=recipe.threshold or math.inf)
    best = int(np.argmin(found.objective))
    theta = problem.to_theta(found.phi[best])
    return theta if np.isfinite(theta).all() else None


def _row(
    fitted: Fitted, name: str, theta: FloatArray, budget: float | None,
    flops_per_param_token: float, *, used: bool,
) -> ObjectiveRow:  # fmt: skip
    parts = [float(v) for v in theta]
    law = fitted.law
    if isinstance(law, HasOptimum) and budget is not None and min(parts[1:]) > 0.0:
        params, tokens = law.optimum(parts, float(budget), flops_per_param_token)
        value = law.evaluate(parts, [params, tokens, *_rest(fitted)])
        return ObjectiveRow(
            objective=name, used=used, flops=budget, params=params, tokens=tokens,
            input_value=None, value=value,
        )  # fmt: skip
    at = [_FURTHER * float(column.max()) for column in fitted.inputs]
    return ObjectiveRow(
        objective=name, used=used, flops=None, params=None, tokens=None, input_value=_FURTHER,
        value=law.evaluate(parts, at),
    )  # fmt: skip


def _rest(fitted: Fitted) -> list[float]:
    """Return the largest value of every input after params and tokens."""
    return [float(column.max()) for column in fitted.inputs[2:]]
