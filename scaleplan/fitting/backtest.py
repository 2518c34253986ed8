"""Back-test over scale: fit the smaller runs, predict the larger ones, and learn from the misses.

A textbook interval fails on real extrapolation because the form is only nearly right. What the
errors of these forecasts exceed their claims by is what widens our intervals; see `widening`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.fitted import Fitted, evaluate_batch, fit_law
from scaleplan.fitting.noise import noise_scale
from scaleplan.fitting.starts import spread_rows
from scaleplan.laws import ComputeFactors, CurvedLaw, OptimizerFactors
from scaleplan.laws.base import COUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

_CUTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # quantiles of scale below which a fit is made
# Refits that start at the optimum of all runs, with a second look at odd ends, are as good as
# those from everywhere with so many runs: in 1104 of 1104 cuts of made sweeps; with 14 runs in 166
# of 168 (own calculation, 2026).
_SURE_RUNS = 20
_SPARE_RUNS = 2  # runs below a cut beyond the number of parameters
_MANY_RUNS, _SAMPLE = 4000, 2000  # more runs do not change a quantile of errors
# Log error that stands for a prediction that is not positive (a factor of 150); times the spread of
# the metric where errors are absolute.
LOST = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class BackTest:
    """Errors of forecasts from smaller to larger runs, one entry a forecast.

    Args:
        cut: Shape (m,), which cut of scale it was made below, counted from 0.
        run: Shape (m,), which run it was a forecast of.
        decades: Shape (m,), log10 of how far that run lies beyond the runs below the cut, in
            scale or in the input that is farthest.
        error: Shape (m,), predicted less observed: in logs for log laws, else in metric units.
        noise: Shape (m,), the scale of one run's residual below the cut.
        leverage: Shape (m,), variance of the prediction in units of the noise's.
        dof: Shape (m,), degrees of freedom below the cut.
        log_error: Shape (m,), ln(predicted / observed), NaN where a prediction is not positive.
    """

    cut: IndexArray
    run: IndexArray
    decades: FloatArray
    error: FloatArray
    noise: FloatArray
    leverage: FloatArray
    dof: IndexArray
    log_error: FloatArray

    @property
    def rmse_log(self) -> float | None:
        """Return the root mean square log error, None without errors or if any is undefined."""
        if not self.log_error.size or not np.isfinite(self.log_error).all():
            return None
        return float(np.sqrt(np.mean(self.log_error**2)))

    def rows(self, kept: BoolArray | IndexArray) -> BackTest:
        """Return some of the forecasts."""
        return BackTest(*(getattr(self, field.name)[kept] for field in fields(self)))


def back_test(fitted: Fitted, scale: FloatArray) -> BackTest:
    """Fit below each of several cuts of scale and predict above it.

    Args:
        fitted: The law fitted to all runs.
        scale: Shape (n,), what orders the runs: compute, or the single input.
    """
    if scale.size > _MANY_RUNS:
        kept = spread_rows(scale, _SAMPLE)
        sample = fit_law(
            fitted.law, fitted.inputs[:, kept], fitted.values[kept], recipe=fitted.recipe,
        )  # fmt: skip
        return back_test(sample, scale[kept])
    logs = np.log10(scale)
    cuts = sorted({float(q) for q in np.quantile(logs, _CUTS, method="lower")})
    fewest = fitted.free + _SPARE_RUNS
    below = {number: logs <= cut + 1e-12 for number, cut in enumerate(cuts)}
    usable = {
        number: rows for number, rows in below.items()
        if rows.sum() >= fewest and not rows.all() and _varied(fitted, rows)
    }  # fmt: skip
    if not usable:
        return _joined([])
    weights = np.stack(list(usable.values())).astype(float)
    thetas = fitted.refit(weights, careful=scale.size < _SURE_RUNS)
    sizes = np.concatenate([np.log10(np.abs(fitted.inputs)), logs[None]])
    parts = [
        _above(fitted, theta, number, rows, sizes)
        for (number, rows), theta in zip(usable.items(), thetas, strict=True)
        if np.isfinite(theta).all()
    ]
    # A refit that overflows on its own runs is none.
    return _joined([part for part in parts if np.isfinite(part.noise).all()])


def _joined(parts: Sequence[BackTest]) -> BackTest:
    """Return the forecasts of all cuts as one."""
    if not parts:
        none, counts = np.empty(0), np.empty(0, np.intp)
        return BackTest(counts, counts, none, none, none, none, counts, none)
    columns = [[getattr(part, field.name) for part in parts] for field in fields(BackTest)]
    return BackTest(*(np.concatenate(column) for column in columns))


def shared_forecasts(tests: Sequence[BackTest]) -> list[BackTest]:
    """Return the forecasts that every form made, in the same order; empty if there are none."""
    # A larger law needs more runs below a cut, so its first cuts can be missing.
    most = 1 + max(int(test.run.max()) for test in tests)
    keys = [test.cut * most + test.run for test in tests]
    common = keys[0]
    for key in keys[1:]:
        common = np.intersect1d(common, key)
    if not common.size:
        return []
    return [
        test.rows(np.flatnonzero(np.isin(key, common)))
        for test, key in zip(tests, keys, strict=True)
    ]


def _varied(fitted: Fitted, rows: BoolArray) -> bool:
    """Tell whether every input takes enough values among these rows to fit the law to them.

    Three values for a curve; two for a count; every level of a label, which nothing else tells.
    """
    law = fitted.law
    units = law.units if isinstance(law, CurvedLaw) else ()
    for k, column in enumerate(fitted.inputs):
        fewest = 2 if units and units[k] == COUNT else 3
        if isinstance(law, OptimizerFactors | ComputeFactors) and law.inputs[k] == "level":
            fewest = np.unique(column).size
        if np.unique(column[rows]).size < fewest:
            return False
    return True


def _above(
    fitted: Fitted, theta: FloatArray, number: int, rows: BoolArray, sizes: FloatArray
) -> BackTest:
    """Return the forecasts of the runs above one cut by the fit to the rows below it."""
    law, inputs, values = fitted.law, fitted.inputs, fitted.values
    above = np.flatnonzero(~rows)
    # A law without parameters knows no batch.
    predicted = np.atleast_2d(evaluate_batch(law, theta[None], inputs))[0]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        logs = np.log(predicted / values)
    error = logs if fitted.residual == "log" else predicted - values
    known, new = sizes[:, rows], sizes[:, above]
    beyond = np.maximum(
        new - known.max(axis=1, keepdims=True), known.min(axis=1, keepdims=True) - new
    )
    count = above.size
    return BackTest(
        cut=np.full(count, number), run=above, decades=np.maximum(beyond.max(axis=0), 0.0),
        error=error[above], noise=np.full(count, noise_scale(error[rows], fitted.free)),
        leverage=leverage(fitted, theta, inputs[:, rows], inputs[:, above]),
        dof=np.full(count, int(rows.sum()) - fitted.free), log_error=logs[above],
    )  # fmt: skip


def leverage(fitted: Fitted, theta: FloatArray, at: FloatArray, new: FloatArray) -> FloatArray:
    """Return g (J^T J)^-1 g of each new run: its prediction variance in units of the noise.

    Args:
        fitted: Which law it is, how its residuals are counted, and which parameters are held.
        theta: Shape (p,).
        at: Shape (inputs, n), the fitted runs.
        new: Shape (inputs, m), the runs to predict.

    Returns:
        Shape (m,).
    """
    if not fitted.free:
        return np.zeros(new.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):  # absurd exponents: seen in the result
        known, gradient = jacobian(fitted, theta, at), jacobian(fitted, theta, new)
    if not np.isfinite(known).all():
        return np.full(new.shape[1], np.inf)
    scale = np.abs(known).max(axis=0)  # squares of a diverging exponent would overflow
    scale = np.where(scale > 0.0, scale, 1.0)
    _, values, directions = np.linalg.svd(known / scale, full_matrices=False)
    kept = values > 1e-10 * values[0]
    with np.errstate(over="ignore", invalid="ignore"):
        projected = (gradient / scale) @ directions[kept].T / values[kept]
        found = (projected**2).sum(axis=1)
    return np.where(np.isnan(found), np.inf, found)


def jacobian(fitted: Fitted, theta: FloatArray, inputs: FloatArray) -> FloatArray:
    """Return how predictions, in logs for log laws, change with each free parameter: (n, free).

    Args:
        fitted: Which law it is, how its residuals are counted, and which parameters are held.
        theta: Shape (p,).
        inputs: Shape (inputs, n).
    """
    parts = [np.full(inputs.shape[1], value) for value in theta]
    columns: FloatArray = np.stack(fitted.law.gradient(parts, list(inputs)), axis=1)
    columns = columns[:, ~fitted.fixed]
    if fitted.residual == "raw":
        return columns
    return np.asarray(columns / fitted.law.evaluate(parts, list(inputs))[:, None])
