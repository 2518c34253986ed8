"""What new runs are expected to do to the interval of a forecast, if the form of the law holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.laws import get_law
from scaleplan.planning.forecast import forecast_at
from scaleplan.records import Fit, LawFit, Range

if TYPE_CHECKING:
    from scaleplan.planning.next_runs_candidates import RunSet


def expected_fit(fit: Fit, runs: RunSet) -> Fit:
    """Return the fit as it is expected to be after more runs: same values, smaller covariance.

    Each run adds g g' / s^2 to the inverse covariance, with g the gradient of what the law was
    fitted to and s the noise of one run; it also adds a degree of freedom and widens the ranges.

    Args:
        fit: A fit with covariances, of a law of params and tokens.
        runs: The runs.
    """
    if not len(runs):
        return fit
    seen = {"params": runs.params, "tokens": runs.tokens, "flops": runs.flops}
    ranges = tuple(
        Range(
            role=one.role, low=min(one.low, float(seen[one.role].min())),
            high=max(one.high, float(seen[one.role].max())),
        ) if one.role in seen else one
        for one in fit.ranges
    )  # fmt: skip
    return replace(
        fit, main=_after(fit.main, runs), ranges=ranges,
        alternatives=tuple(_after(other, runs) for other in fit.alternatives),
    )  # fmt: skip


def _after(fit: LawFit, runs: RunSet) -> LawFit:
    """Return one law with the covariance that it should have after the runs."""
    if fit.covariance is None or fit.noise is None:
        return fit
    law, theta = get_law(fit.law), np.asarray(fit.theta)
    parts = [np.full(runs.params.shape, value) for value in theta]
    inputs = [runs.params, runs.tokens]
    with np.errstate(all="ignore"):
        rows = np.stack(law.gradient(parts, inputs), axis=1)
        if fit.residual == "log":
            rows = rows / law.evaluate(parts, inputs)[:, None]
    covariance = np.asarray(fit.covariance, dtype=float)
    # Coefficients of 1e3 beside exponents of 0.3: updated in units of their own errors.
    unit = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    unit = np.where(unit > 0.0, unit, 1.0)
    scaled = covariance / np.outer(unit, unit)
    for row in np.nan_to_num(rows, posinf=0.0, neginf=0.0) * unit:
        spread = scaled @ row
        scaled = scaled - np.outer(spread, spread) / (fit.noise**2 + max(float(row @ spread), 0.0))
    after = scaled * np.outer(unit, unit)
    return replace(
        fit, dof=fit.dof + len(runs),
        covariance=tuple(tuple(float(v) for v in row) for row in 0.5 * (after + after.T)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class HalfWidths:
    """Half the widths of intervals at the target, in the metric's unit; None where there is none.

    `run` is that of one new run, with the error of the form; `law` is that of the law's own value,
    which is what new runs can narrow.
    """

    run: float | None
    law: float | None


def half_widths(fit: Fit, params: float, tokens: float) -> HalfWidths:
    """Return half the widths of the intervals that a fit gives at a target."""
    point = {
        "params": params, "tokens": tokens, "flops": fit.flops_per_param_token * params * tokens,
    }  # fmt: skip
    found = forecast_at(fit, point)
    return HalfWidths(_half(found.low, found.high), _half(found.mean_low, found.mean_high))


def _half(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else 0.5 * (high - low)
