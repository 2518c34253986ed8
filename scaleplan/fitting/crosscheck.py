"""The three approaches to the compute-optimal size side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.interval import quadratic_form
from scaleplan.fitting.isoflop import Sweep, by_envelope, by_minima, isoflop_minima
from scaleplan.fitting.resampling import percentile
from scaleplan.laws import HasOptimum
from scaleplan.records import AllocationApproach, SizeAt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.records import IsoflopMinimum
    from scaleplan.runs.table import Runs


def cross_check(
    runs: Runs,
    axes: Axes,
    fitted: Fitted,
    draws: Resamples | None,
    *,
    budgets: Sequence[float],
    flops_per_param_token: float,
    level: float,
) -> tuple[tuple[IsoflopMinimum, ...], tuple[AllocationApproach, ...]]:
    """Return the isoFLOP minima of the runs and all three approaches to the optimal size.

    Args:
        runs: Cleaned runs.
        axes: What was fitted.
        fitted: The fit of a law of params and tokens.
        draws: Its resamples; None uses the delta method for the exponents of Approach 3.
        budgets: The budgets of the table of optimal sizes, FLOP; the largest is compared at.
        flops_per_param_token: k in C = k N D, for runs that do not log their compute.
        level: Of the intervals of the exponents.

    Returns:
        Both empty where the law has no optimum or the runs hold no isoFLOP sweep.
    """
    if axes.roles != ("params", "tokens") or not isinstance(fitted.law, HasOptimum):
        return (), ()
    params, tokens = axes.inputs
    flops = flops_per_param_token * params * tokens
    if runs.has("flops"):
        logged = runs.column("flops")[axes.rows]
        flops = np.where(np.isfinite(logged) & (logged > 0.0), logged, flops)
    sweep = Sweep(params, tokens, flops, axes.values)
    minima = isoflop_minima(sweep)
    if not minima:
        return (), ()
    at = sorted({minima[-1].budget_flops, max((*budgets, minima[-1].budget_flops))})
    approaches = (
        by_envelope(sweep, at, level), by_minima(minima, at, level),
        by_law(fitted, draws, at, flops_per_param_token=flops_per_param_token, level=level),
    )  # fmt: skip
    return minima, tuple(a for a in approaches if a is not None)


def by_law(
    fitted: Fitted,
    draws: Resamples | None,
    budgets: Sequence[float],
    *,
    flops_per_param_token: float,
    level: float,
) -> AllocationApproach | None:
    """Return Approach 3: the closed-form optimum of a fitted law.

    With the metric rising in A / N^a + B / D^b only, N* grows as C^(b / (a + b)) (Hoffmann et al.
    2022, equation 4).

    Args:
        fitted: The fit.
        draws: Its resamples; None uses the delta method.
        budgets: Where to say the optimal size, FLOP.
        flops_per_param_token: k in C = k N D.
        level: Of the interval of the exponents.
    """
    law = fitted.law
    if not isinstance(law, HasOptimum):
        return None

    def share(theta: Sequence[float]) -> float:
        _, alpha, _, beta = law.balance(theta)
        return beta / (alpha + beta)

    theta = [float(v) for v in fitted.theta]
    exponent = share(theta)
    sizes = [law.optimum(theta, c, flops_per_param_token) for c in budgets]
    if not all(math.isfinite(v) for v in (exponent, *(v for size in sizes for v in size))):
        return None
    if draws is not None:
        parts = [np.asarray(draws.theta[:, k]) for k in range(draws.theta.shape[1])]
        _, alphas, _, betas = law.balance(parts)
        with np.errstate(all="ignore"):  # a degenerate resample gives nan, which is counted
            bounds = percentile(np.asarray(betas / (alphas + betas)), level)
    else:
        bounds = _delta_bounds(fitted, share, level)
    low, high = bounds or (None, None)
    return AllocationApproach(
        approach=3, points=int(fitted.values.size),
        params_exponent=exponent, params_exponent_low=low, params_exponent_high=high,
        tokens_exponent=1.0 - exponent,
        tokens_exponent_low=None if high is None else 1.0 - high,
        tokens_exponent_high=None if low is None else 1.0 - low,
        sizes=tuple(
            SizeAt(flops=c, params=n, tokens=d)
            for c, (n, d) in zip(budgets, sizes, strict=True)
        ),
    )  # fmt: skip


def _delta_bounds(
    fitted: Fitted, of: Callable[[Sequence[float]], float], level: float
) -> tuple[float, float] | None:
    """Return the interval of a function of theta from the covariance."""
    if fitted.covariance is None or fitted.dof < 1:
        return None
    theta = [float(v) for v in fitted.theta]
    gradient = []
    for k, value in enumerate(theta):
        step = 1e-6 * (abs(value) or 1e-12)  # a coefficient of any size keeps its sign
        up, down = theta.copy(), theta.copy()
        up[k], down[k] = value + step, value - step
        gradient.append((of(up) - of(down)) / (2.0 * step))
    covariance = [[float(v) for v in row] for row in fitted.covariance]
    error = math.sqrt(max(0.0, quadratic_form(covariance, gradient)))
    spread = t_quantile(0.5 + 0.5 * level, float(fitted.dof)) * error
    centre = of(theta)
    return centre - spread, centre + spread
