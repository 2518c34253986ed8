"""Intervals of parameters and of the compute-optimal size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import Interval, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws import ParameterSpec
    from scaleplan.laws.base import FloatArray

# With fewer runs than this multiple of the parameters most resamples repeat so few distinct runs
# that their fits are exact or degenerate (8 runs and 5 parameters: 60% have <= 5 distinct runs).
_BOOTSTRAP_RATIO = 4
# Beyond this the sampling distribution is normal to the digits that are printed, and the delta
# method costs nothing.
_BOOTSTRAP_MOST_RUNS = 5_000
_BLOCK_DOUBLES = 4_000_000  # weights held at once while resampling


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Parameters refitted to resampled runs.

    Args:
        theta: Shape (resamples, p).
        method: How runs were drawn.
    """

    theta: FloatArray
    method: str


def resample(
    fitted: Fitted,
    *,
    resamples: int,
    seed: int,
    clusters: Sequence[str] | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Resamples | None:
    """Refit to runs drawn with replacement, or return None where that cannot be trusted.

    Args:
        fitted: The fit to all runs.
        resamples: How many; 0 for none.
        seed: Seed of the draws.
        clusters: A family name a run; whole families are drawn together. None draws single runs.
        on_progress: Called with (done, all) resamples now and then.
    """
    runs = fitted.values.size
    if resamples < 1 or runs > _BOOTSTRAP_MOST_RUNS or not fitted.free:
        return None
    codes = np.arange(runs)
    method = f"case bootstrap, {resamples} resamples"
    if clusters is not None:
        codes = np.unique(np.array(clusters), return_inverse=True)[1]
        method = f"bootstrap of {codes.max() + 1} clusters, {resamples} resamples"
    groups = int(codes.max()) + 1
    if groups < _BOOTSTRAP_RATIO * fitted.free:
        return None
    rng = np.random.default_rng(seed)
    block = max(1, min(resamples, _BLOCK_DOUBLES // runs, 500))
    parts = []
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        draws = rng.integers(0, groups, (count, groups))
        offsets = np.arange(count)[:, None] * groups
        counts = np.bincount((draws + offsets).ravel(), minlength=count * groups)
        parts.append(fitted.refit(counts.reshape(count, groups)[:, codes].astype(float)))
        if on_progress is not None:
            on_progress(first + count, resamples)
    return Resamples(np.concatenate(parts), method)


def percentile(values: FloatArray, level: float) -> tuple[float, float] | None:
    """Return the central percentile interval of finite values, None if over 1% are not finite."""
    finite = values[np.isfinite(values)]
    if finite.size < 0.99 * values.size:
        return None
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(finite, [tail, 100.0 - tail])
    return float(low), float(high)


def parameters_of(
    fitted: Fitted, draws: Resamples | None, *, level: float, unit: str
) -> tuple[tuple[Parameter, ...], Interval | None]:
    """Return the parameters with intervals, and how these were made.

    Args:
        fitted: The fit.
        draws: Resampled parameters; None uses the delta method.
        level: For example 0.9.
        unit: The metric's unit, for parameters measured in it.
    """
    runs = fitted.values.size
    method = "none: no runs to spare"
    if draws is not None:
        method = draws.method
    elif fitted.covariance is not None and fitted.dof >= 1:
        method = f"delta method, t quantile with {fitted.dof} degrees of freedom"
    records = []
    for k, spec in enumerate(fitted.law.parameters):
        value = float(fitted.theta[k])
        bounds = None
        fixed = bool(fitted.fixed[k])
        if draws is not None and not fixed:  # what is held is given, not estimated
            bounds = percentile(draws.theta[:, k], level)
        elif not fixed and fitted.covariance is not None and fitted.dof >= 1:
            bounds = _delta_bounds(fitted, k, level)
        low, high = bounds or (None, None)
        records.append(
            Parameter(
                symbol=spec.symbol, meaning=spec.meaning, value=value, low=low, high=high,
                unit=unit if spec.unit == "metric" else spec.unit,
                at_bound=not fixed and (_at_bound(spec, value) or _at_limit(fitted, spec, value)),
                fixed=fixed,
            )
        )  # fmt: skip
    interval = Interval(level=level, method=method, n=runs) if runs > fitted.free else None
    return tuple(records), interval


def _delta_bounds(fitted: Fitted, k: int, level: float) -> tuple[float, float] | None:
    if fitted.covariance is None:
        return None
    value = float(fitted.theta[k])
    error = math.sqrt(max(0.0, float(fitted.covariance[k, k])))
    factor = t_quantile(0.5 + 0.5 * level, float(fitted.dof))
    spec = fitted.law.parameters[k]
    if spec.scale == "log" and value > 0.0:
        # Coefficients are log-normal to first order: their interval is a factor, not a sum.
        stretch = math.exp(min(factor * error / value, 50.0))
        return value / stretch, value * stretch
    return max(spec.low, value - factor * error), min(spec.high, value + factor * error)


def _at_limit(fitted: Fitted, spec: ParameterSpec, value: float) -> bool:
    """Tell whether a parameter ended at a bound that the user gave."""
    return any(
        limit.symbol == spec.symbol and math.isclose(value, bound, rel_tol=1e-9, abs_tol=1e-12)
        for limit in fitted.recipe.limits
        for bound in (limit.low, limit.high)
    )


def _at_bound(spec: ParameterSpec, value: float) -> bool:
    """Tell whether a floor is zero, or an exponent within 1e-3 of an end of its range."""
    if spec.is_floor:
        return value <= spec.low
    if spec.unit:
        return False
    return any(
        math.isfinite(bound) and abs(value - bound) <= 1e-3 * max(1.0, abs(bound))
        for bound in (spec.low, spec.high)
    )
