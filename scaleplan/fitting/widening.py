"""What a back-test over scale teaches about forecasts: weights of forms, and the error they share.

The recipe, chosen on one half of the sweeps in tests/benchmark and scored on the other:

1. The forms that describe the runs are averaged with weights 1 / (back-test error)^2.
2. All of them share an error that grows with distance like a random walk: its variance d decades
   beyond the data is (share x change)^2 d, with `change` the metric's own pace in these runs.
3. `share` is what makes nine in ten back-test forecasts fall inside their 90% interval, every cut
   counting the same; its square is averaged with that of a prior which counts as two cuts.
4. Few runs of one input see the start of a fall, where it has hardly begun or seems to end soon:
   larger ones lie beyond the forecast, where the metric is on its way to, more often than short of
   it. There the error of the form counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from scaleplan.fitting.backtest import LOST, BackTest, shared_forecasts
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.interval import PRIOR_SHARE
from scaleplan.records import BackTestBin, Widening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.selection import Tried
    from scaleplan.laws.base import FloatArray, IndexArray

# Errors above one cut are those of one and the same fit, so a cut counts once however many runs lie
# above it. Priors worth one to four cuts scored within 1% of each other on the choosing half.
_PRIOR_CUTS = 2.0
_COVERED = 0.9
# A form that is wrong by far more than the scatter of the runs would show among them, so runs that
# lie on a law exactly do not get the prior of those that do not. 0.5% was the error of the form
# before there was a better rule; a hundred times the scatter binds on hardly any measured runs.
_EXACT_ERROR, _VISIBLE = 0.005, 100.0
_EXACT = 1e-18  # of the metric's variance: rounding, which keeps the weights of exact forms finite
# Below so many runs of one input 13% of 722 larger ones lay beyond their 90% interval and 3% short
# of it, on the choosing half of tests/benchmark/coverage.py without CLIP and with a factor of 1; 2
# is the least, in steps of a quarter, that holds 90% there, at a score 5% better (2026). With more
# runs 94% lay inside as it was.
_MANY_RUNS, _BEYOND = 20, 2.0
_EDGES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # decades; the last bin is open
_FEWEST_IN_BIN = 3  # fewer at the far end join the bin before


def widening_of(tried: Sequence[Tried], scale: FloatArray) -> Widening:
    """Return how forecasts by these laws together are widened beyond the data.

    Args:
        tried: The main law first, then its alternatives, all fitted to the same runs.
        scale: Shape (n,), what orders the runs.
    """
    main = tried[0]
    if main.fitted is None or main.test is None:  # pragma: no cover - callers pass fitted laws
        raise TypeError(main.law.name)
    relative = main.fitted.residual == "log"
    values = np.log(main.fitted.values) if relative else main.fitted.values
    change = change_per_decade(values, scale)
    tests = [t.test for t in tried if t.test is not None and t.test.error.size]
    lost = LOST if relative else LOST * float(np.std(values))
    weights = np.ones(len(tried))
    shared = shared_forecasts(tests) if len(tests) == len(tried) else []
    if shared:
        errors = np.stack([np.where(np.isfinite(t.error), t.error, lost) for t in shared])
        weights = 1.0 / (np.mean(errors**2, axis=1) + _EXACT * float(np.var(values)))
    weights /= weights.sum()
    mixed = None
    if tests:
        used = shared or tests[:1]
        mixed = _mixture(used, weights if shared else np.ones(1), change, lost)
    seen = _EXACT_ERROR * (1.0 if relative else float(np.std(values)))
    prior = min(PRIOR_SHARE, (seen + _VISIBLE * main.fitted.noise) / (change or 1.0))
    share = _share(mixed, change, prior)
    below, above = _sides(values, scale, len(main.law.inputs))
    return Widening(
        share=share, change=change, weights=tuple(float(w) for w in weights), below=below,
        above=above, **_reach(mixed, share * change),
    )  # fmt: skip


def _sides(values: FloatArray, scale: FloatArray, inputs: int) -> tuple[float, float]:
    """Return how many times the error of the form counts below and above a forecast.

    Args:
        values: Shape (n,), the metric as it was fitted.
        scale: Shape (n,), what orders the runs.
        inputs: Of the law.
    """
    if inputs > 1 or values.size >= _MANY_RUNS:
        return 1.0, 1.0
    logs = np.log10(scale)
    falls = float((logs - logs.mean()) @ values) <= 0.0
    return (_BEYOND, 1.0) if falls else (1.0, _BEYOND)


def change_per_decade(values: FloatArray, scale: FloatArray) -> float:
    """Return how much a metric changes in a decade of scale: the ratio of their spreads.

    Args:
        values: Shape (n,), the metric, in logs where errors are relative.
        scale: Shape (n,).
    """
    spread = float(np.std(np.log10(scale)))
    return float(np.std(values)) / spread if spread > 0.0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Mixed:
    """Back-test forecasts by all forms together, each array of shape (m,).

    `variance` is what the forms claim, without the error that they share; `factor` is the t
    quantile that belongs to it; `log_error` is that of the main law.
    """

    cut: IndexArray
    decades: FloatArray
    error: FloatArray
    variance: FloatArray
    factor: FloatArray
    log_error: FloatArray


def _mixture(tests: Sequence[BackTest], weights: FloatArray, change: float, lost: float) -> _Mixed:
    """Return the forecasts of the mixture of forms; `interval.predict` makes the same of a fit."""
    first = tests[0]
    error = np.stack([np.where(np.isfinite(t.error), t.error, lost) for t in tests])
    limit = change**2 * (1.0 + first.decades)
    with np.errstate(over="ignore", invalid="ignore"):
        # fmin: an unknown leverage of an exact fit is 0 x inf.
        claimed = np.stack([
            t.noise**2 + np.fmin(t.noise**2 * t.leverage, limit) for t in tests
        ])  # fmt: skip
    reach = np.sqrt(limit)
    move = np.clip(error - error[0], -reach, reach) if change > 0.0 else error - error[0]
    centre = error[0] + weights @ move
    dof = np.min([t.dof for t in tests], axis=0)
    quantiles = {int(d): t_quantile(0.5 + 0.5 * _COVERED, float(d)) for d in np.unique(dof)}
    return _Mixed(
        cut=first.cut, decades=first.decades, error=centre,
        variance=weights @ (claimed + (error[0] + move - centre) ** 2),
        factor=np.array([quantiles[int(d)] for d in dof]), log_error=first.log_error,
    )  # fmt: skip


def _share(mixed: _Mixed | None, change: float, prior: float) -> float:
    """Return the error of the form at one decade as a share of the change in a decade."""
    if mixed is None or change <= 0.0:
        return prior
    beyond = mixed.decades > 0.0
    if not beyond.any():
        return prior
    cut = mixed.cut[beyond]
    excess = (mixed.error / mixed.factor) ** 2 - mixed.variance
    needed = np.maximum(excess[beyond], 0.0) / (change**2 * mixed.decades[beyond])
    cuts, place, counts = np.unique(cut, return_inverse=True, return_counts=True)
    found = weighted_quantile(needed, 1.0 / counts[place], _COVERED)
    total = cuts.size * found + _PRIOR_CUTS * prior**2
    return float(np.sqrt(total / (cuts.size + _PRIOR_CUTS)))


def weighted_quantile(values: FloatArray, weights: FloatArray, level: float) -> float:
    """Return the smallest value with at least `level` of the weight at or below it.

    Args:
        values: Shape (n,).
        weights: Shape (n,), positive.
        level: Between 0 and 1.
    """
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    # Rounding of the sum must not skip the value that reaches the level exactly.
    place = min(int(np.searchsorted(below, level - 1e-12)), values.size - 1)
    return float(values[order][place])


class _Reach(TypedDict):
    """The fields of `Widening` that say how much was tested."""

    decades_tested: float
    cuts: int
    errors: int
    median_error: float | None
    bins: tuple[BackTestBin, ...]


def _reach(mixed: _Mixed | None, growth: float) -> _Reach:
    if mixed is None:
        return _Reach(decades_tested=0.0, cuts=0, errors=0, median_error=None, bins=())
    return _Reach(
        decades_tested=float(mixed.decades.max()), cuts=int(np.unique(mixed.cut).size),
        errors=int(mixed.error.size), median_error=_median(mixed.log_error),
        bins=_bins(mixed, growth),
    )  # fmt: skip


def _bins(mixed: _Mixed, growth: float) -> tuple[BackTestBin, ...]:
    """Return how large the errors are by distance, and how many their widened intervals hold."""
    spread = mixed.factor * np.sqrt(mixed.variance + growth**2 * mixed.decades)
    inside = np.abs(mixed.error) <= spread
    # Rounded: runs of one distance differ in the last digit of their logarithms.
    place = np.searchsorted(_EDGES, np.round(mixed.decades, 9), side="right") - 1
    while place.max() > 0 and (place == place.max()).sum() < _FEWEST_IN_BIN:
        place = np.minimum(place, place.max() - 1)
    highs = [*_EDGES[1:], np.inf]
    highs[int(place.max())] = float(mixed.decades.max())
    return tuple(
        BackTestBin(
            decades_low=_EDGES[k], decades_high=highs[k],
            forecasts=int((place == k).sum()), median_error=_median(mixed.log_error[place == k]),
            inside=float(inside[place == k].mean()),
        )
        for k in np.unique(place)
    )  # fmt: skip


def _median(log_error: FloatArray) -> float | None:
    finite = np.abs(log_error[np.isfinite(log_error)])
    return float(np.median(finite)) if finite.size else None
