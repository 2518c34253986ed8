"""Back-test over scale: fit the smaller runs, predict the larger ones, and learn from the misses.

A textbook interval fails on real extrapolation because the form is only nearly right. The ratio of
observed to claimed error, as a function of the distance in decades, is what widens our intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.fitted import Fitted, evaluate_batch, fit_law, noise_scale
from scaleplan.fitting.starts import spread_rows
from scaleplan.records import Widening

if TYPE_CHECKING:
    from scaleplan.laws.base import BoolArray, FloatArray

_CUTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # quantiles of scale below which a fit is made
_SPARE_RUNS = 2  # runs below a cut beyond the number of parameters
_FEWEST_FOR_TREND = 9  # three errors in each third of the distances
_MANY_RUNS, _SAMPLE = 4000, 2000  # more runs do not change a quantile of errors
_TREND_DECADES = 0.3  # thirds of distances closer together than this show no trend
_COVERED = 0.9  # the error ratio is taken at this quantile
# Model error per (1 + decade), in log units: seed-to-seed and form error that no fit to smaller
# runs can see. Chosen on two public sweeps (own calculation, 2026), to be read as fitted.
_FLOOR_LOG = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class BackTest:
    """Errors of forecasts from smaller to larger runs.

    Args:
        decades: Shape (m,), log10 of target scale over the largest fitted scale.
        ratio: Shape (m,), |error| over the half-width that a 90% interval for a new run claims.
        log_error: Shape (m,), ln(predicted / observed), NaN where a prediction is not positive.
    """

    decades: FloatArray
    ratio: FloatArray
    log_error: FloatArray

    @property
    def rmse_log(self) -> float | None:
        """Return the root mean square log error, None without errors or if any is undefined."""
        if not self.log_error.size or not np.isfinite(self.log_error).all():
            return None
        return float(np.sqrt(np.mean(self.log_error**2)))


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
    below = [logs <= cut + 1e-12 for cut in cuts]
    usable = [b for b in below if b.sum() >= fewest and not b.all() and _varied(fitted, b)]
    if not usable:
        empty = np.empty(0)
        return BackTest(empty, empty, empty)
    thetas = fitted.refit(np.stack(usable).astype(float), careful=True)
    decades, ratios, errors = [], [], []
    for rows, theta in zip(usable, thetas, strict=True):
        if not np.isfinite(theta).all():
            continue
        above = ~rows
        miss, claimed, log_error = _misses(fitted, theta, rows, above)
        decades.append(logs[above] - logs[rows].max())
        factor = t_quantile(0.95, float(rows.sum() - fitted.free))
        ratios.append(np.abs(miss) / np.maximum(factor * claimed, 1e-12))
        errors.append(log_error)
    if not decades:
        empty = np.empty(0)
        return BackTest(empty, empty, empty)
    return BackTest(np.concatenate(decades), np.concatenate(ratios), np.concatenate(errors))


def _varied(fitted: Fitted, rows: BoolArray) -> bool:
    """Tell whether every input takes at least three values among these rows."""
    return all(np.unique(column[rows]).size > 2 for column in fitted.inputs)


def _misses(
    fitted: Fitted, theta: FloatArray, rows: BoolArray, above: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (error, claimed standard deviation, log error) of each run above the cut."""
    law, inputs, values = fitted.law, fitted.inputs, fitted.values
    predicted = evaluate_batch(law, theta[None], inputs)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predicted / values)
    error = logs if fitted.residual == "log" else predicted - values
    noise = noise_scale(error[rows], fitted.free)
    claimed = noise * np.sqrt(1.0 + leverage(fitted, theta, inputs[:, rows], inputs[:, above]))
    return error[above], claimed, logs[above]


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
<<<<<<< HEAD
    jacobian, gradient = _jacobian(law, theta, at), _jacobian(law, theta, new)
    if not np.isfinite(jacobian).all():
        return np.full(new.shape[1], np.inf)
=======
    jacobian, gradient = _jacobian(fitted, theta, at), _jacobian(fitted, theta, new)
>>>>>>> main
    scale = np.sqrt((jacobian**2).sum(axis=0))
    scale = np.where(scale > 0.0, scale, 1.0)
    _, values, directions = np.linalg.svd(jacobian / scale, full_matrices=False)
    kept = values > 1e-10 * values[0]
    projected = (gradient / scale) @ directions[kept].T / values[kept]
    return np.asarray((projected**2).sum(axis=1))


def _jacobian(fitted: Fitted, theta: FloatArray, inputs: FloatArray) -> FloatArray:
    parts = [np.full(inputs.shape[1], value) for value in theta]
    columns: FloatArray = np.stack(fitted.law.gradient(parts, list(inputs)), axis=1)
    columns = columns[:, ~fitted.fixed]
    if fitted.residual == "raw":
        return columns
    return np.asarray(columns / fitted.law.evaluate(parts, list(inputs))[:, None])


def widening_of(test: BackTest) -> Widening:
    """Return how the back-test widens intervals with the distance beyond the data."""
    count = int(test.ratio.size)
    if count == 0:
        return Widening(
            kappa0=1.0, kappa1=0.0, floor_log=_FLOOR_LOG, decades_tested=0.0, errors=0,
            median_error=None,
        )  # fmt: skip
    finite = test.log_error[np.isfinite(test.log_error)]
    kappa0, kappa1 = _trend(test)
    return Widening(
        kappa0=kappa0, kappa1=kappa1, floor_log=_FLOOR_LOG,
        decades_tested=float(test.decades.max()), errors=count,
        median_error=float(np.median(np.abs(finite))) if finite.size else None,
    )  # fmt: skip


def _trend(test: BackTest) -> tuple[float, float]:
    """Return (k0, k1) of the error ratio k0 + k1 d, from its 90% quantile in thirds of d."""
    ratio = np.where(np.isfinite(test.ratio), test.ratio, 100.0)
    overall = float(np.quantile(ratio, _COVERED))
    if ratio.size < _FEWEST_FOR_TREND:
        return max(1.0, overall), 0.0
    order = np.argsort(test.decades, kind="stable")
    thirds = np.array_split(order, 3)
    middle = np.array([test.decades[rows].mean() for rows in thirds])
    heights = np.array([np.quantile(ratio[rows], _COVERED) for rows in thirds])
    if np.ptp(middle) < _TREND_DECADES:
        return max(1.0, overall), 0.0
    slope, intercept = np.polyfit(middle, heights, 1)
    if slope <= 0.0:
        return max(1.0, overall), 0.0
    if intercept < 0.0:
        # A ratio cannot be negative: the line through the origin that fits best.
        intercept, slope = 0.0, float(middle @ heights) / float(middle @ middle)
    return float(intercept), float(slope)
