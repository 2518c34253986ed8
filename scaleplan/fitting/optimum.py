"""The compute-optimal size for a few budgets, with intervals from the resamples.

Without resamples it is plain Python: `budget` with a saved fit imports no numpy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.interval import decades_beyond, predict, quadratic_form
from scaleplan.fitting.valley import valley
from scaleplan.laws import HasOptimum, get_law
from scaleplan.records import Interval, OptimumRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.resampling import Resamples
    from scaleplan.records import LawFit, Range, Widening


def default_budgets(ranges: Sequence[Range]) -> tuple[float, ...]:
    """Return four budgets: the power of ten at the largest fitted run, and three decades up."""
    largest = next((r.high for r in ranges if r.role == "flops"), None)
    if largest is None:
        return ()
    exponent = math.floor(math.log10(largest) + 1e-9)
    return tuple(float(f"1e{exponent + k}") for k in range(4))


def optimum_rows(
    fits: Sequence[LawFit],
    *,
    budgets: Sequence[float],
    flops_per_param_token: float,
    widening: Widening,
    ranges: Sequence[Range],
    level: float,
    draws: Resamples | None = None,
    unit: str = "",
    complement: bool = False,
) -> tuple[OptimumRow, ...]:
    """Return the compute-optimal split for each budget in FLOP.

    Args:
        fits: The law of params and tokens first, then its alternatives.
        budgets: Training compute, FLOP.
        flops_per_param_token: k in C = k N D.
        widening: From the back-test.
        ranges: What was fitted.
        level: Interval level.
        draws: Resampled parameters, for the intervals of sizes; None uses the delta method.
        unit: The metric's unit, which decides on the width of the valley.
        complement: Whether the laws are of 1 - metric.
    """
    law = get_law(fits[0].law)
    if not isinstance(law, HasOptimum):
        return ()
    rows = []
    for budget in map(float, budgets):
        params, tokens = law.optimum(list(fits[0].theta), budget, flops_per_param_token)
        low, high = _size_bounds(fits[0], law, budget, flops_per_param_token, level, draws)
        at = {"params": params, "tokens": tokens, "flops": budget}
        found = predict(
            fits, [(params, tokens)] * len(fits), widening=widening,
            decades=decades_beyond(ranges, at), level=level,
        )  # fmt: skip
        value, worst, best = found.value, found.low, found.high
        if complement:
            value = 1.0 - value
            worst, best = (None if b is None else 1.0 - b for b in (best, worst))
        # C = k N D ties all sizes to N: their bounds follow from those of N exactly.
        products = budget / flops_per_param_token
        valley_low, valley_high = valley(fits[0], budget, flops_per_param_token, unit=unit)
        forms = _by_form(fits, budget, flops_per_param_token)
        rows.append(
            OptimumRow(
                flops=budget, params=params, params_low=low, params_high=high, tokens=tokens,
                value=value, low=worst, high=best,
                tokens_low=None if high is None else products / high,
                tokens_high=None if low is None else products / low,
                tokens_per_param_low=None if high is None else products / high**2,
                tokens_per_param_high=None if low is None else products / low**2,
                params_valley_low=valley_low, params_valley_high=valley_high,
                params_forms_low=min(forms) if len(forms) > 1 else None,
                params_forms_high=max(forms) if len(forms) > 1 else None,
            )
        )  # fmt: skip
    return tuple(rows)


def _by_form(
    fits: Sequence[LawFit], budget: float, flops_per_param_token: float
) -> tuple[float, ...]:
    """Return N* of each form that has one: their spread is no part of the intervals."""
    laws = [(fit, get_law(fit.law)) for fit in fits]
    sizes = [
        law.optimum(list(fit.theta), budget, flops_per_param_token)[0]
        for fit, law in laws if isinstance(law, HasOptimum)
    ]  # fmt: skip
    return tuple(size for size in sizes if math.isfinite(size) and size > 0.0)


def size_interval(
    fit: LawFit, draws: Resamples | None, *, level: float, runs: int, profiles: bool = False
) -> Interval | None:
    """Return how the intervals of the sizes in `optimum_rows` are made.

    Args:
        fit: The law of params and tokens.
        draws: What `optimum_rows` is given.
        level: Interval level.
        runs: Number of fitted runs.
        profiles: Whether the parameters' intervals are profiles. N* is no single parameter of the
            law, so that its interval is not.
    """
    if draws is not None:
        return Interval(level=level, method=draws.method, n=runs)
    if fit.covariance is None or fit.dof < 1:
        return None
    method = f"delta method in ln N*, t quantile with {fit.dof} degrees of freedom"
    if profiles:
        method = f"{method}; profiles are of the law's own parameters only"
    return Interval(level=level, method=method, n=runs)


def _size_bounds(
    fit: LawFit, law: HasOptimum, budget: float, flops_per_param_token: float, level: float,
    draws: Resamples | None,
) -> tuple[float | None, float | None]:  # fmt: skip
    """Return the interval of N*, from the resamples or by the delta method."""
    if draws is None:
        bounds = _delta_bounds(fit, law, budget, flops_per_param_token, level)
    else:
        import numpy as np

        from scaleplan.fitting.resampling import percentile

        parts = [np.asarray(draws.theta[:, k]) for k in range(draws.theta.shape[1])]
        with np.errstate(all="ignore"):  # a degenerate resample gives nan, which is counted
            sizes, _ = law.optimum(parts, np.asarray(budget), flops_per_param_token)
        bounds = percentile(sizes, level)
    return (None, None) if bounds is None else bounds


def _delta_bounds(
    fit: LawFit, law: HasOptimum, budget: float, flops_per_param_token: float, level: float
) -> tuple[float, float] | None:
    """Return the interval of N* from the covariance, symmetric in ln N*."""
    error = log_size_error(fit, law, budget, flops_per_param_token)
    if error is None or fit.dof < 1:
        return None
    spread = min(t_quantile(0.5 + 0.5 * level, float(fit.dof)) * error, 50.0)
    centre = math.log(law.optimum(list(fit.theta), budget, flops_per_param_token)[0])
    return math.exp(centre - spread), math.exp(centre + spread)


def log_size_error(
    fit: LawFit, law: HasOptimum, budget: float, flops_per_param_token: float
) -> float | None:
    """Return the standard error of ln N* at a budget in FLOP, None without a covariance."""
    if fit.covariance is None:
        return None
    theta = list(fit.theta)

    def log_size(values: list[float]) -> float:
        return math.log(law.optimum(values, budget, flops_per_param_token)[0])

    gradient = []
    for k, value in enumerate(theta):
        step = 1e-6 * (abs(value) or 1e-12)  # a coefficient of any size keeps its sign
        up, down = theta.copy(), theta.copy()
        up[k], down[k] = value + step, value - step
        gradient.append((log_size(up) - log_size(down)) / (2.0 * step))
    return math.sqrt(max(0.0, quadratic_form(fit.covariance, gradient)))
