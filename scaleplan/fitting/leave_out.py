"""What the compute-optimal size would be without each run, and without each end of the ratios.

All refits are one batch of reweighted fits. Nothing is dropped: what moves the advice is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.fitted import evaluate_batch, fit_law
from scaleplan.fitting.missing import COLLINEAR
from scaleplan.fitting.starts import spread_rows
from scaleplan.laws import HasOptimum
from scaleplan.records import Influence
from scaleplan.units import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

# Beyond a factor of 1.25 up or down N* moves by more than the 15% that is ordinary between two
# methods of fitting it (methods compared on public sweeps, own calculation, 2026).
MOVES = 0.25
# And the runs left out have to miss what the rest says of them by more than chance: far beyond the
# data the share above alone is reached by chance in nearly every sweep. Without a run N* moves in
# proportion to how far the rest misses it, so that its own distribution is that of an outlier test:
# F of the squares with and without the runs, shared among all that are tried (Cook & Weisberg 1982,
# section 2.2). Of clean sweeps of 40 to 60 runs (2-3% noise, 160 made ones, N* three decades of
# compute beyond them) 1 names a run and 4 an end, where the share alone named 18 and 17 of 20; of
# 30 with a bent end 27 are named, and of 30 with one run 30% off all have it named here or as an
# outlier: Huber's loss lets such a run move N* in a third of them only (own simulation, 2026).
CHANCE = 0.05
_TAIL = 0.10  # share of the runs at either end of tokens per parameter
_SAME_RATIO = 0.02  # relative difference of tokens per parameter below which runs are one ladder
_FEWEST_LEFT = 2  # runs beyond the number of parameters that must be left
# Above this only runs that a first-order estimate finds influential are refitted without: the full
# batch grows with the square of the runs, and single runs among thousands hardly ever matter.
MOST_REFITTED = 1000
_CANDIDATES = 50
_WORTH = 0.1  # first-order change of ln N*, of the 0.22 that is reported, that is worth a refit
_MANY_RUNS, _SAMPLE = 4000, 2000  # tails of more runs are left out of a sample
_BLOCK_DOUBLES = 2_000_000  # weights held at once


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Runs that are left out together."""

    name: str
    rows: IndexArray


def influences(
    fitted: Fitted, names: Sequence[str], *, budget: float | None, flops_per_param_token: float
) -> tuple[Influence, ...]:
    """Return the runs and tails that the rest misses and that move N*, strongest first.

    Without them N* moves by over a factor of 1.25 or is not told, and what the rest says of them is
    off by more than chance.

    Args:
        fitted: The fit to all runs, of a law of params and tokens.
        names: A name a run.
        budget: Training compute at which N* is compared, FLOP; None compares nothing.
        flops_per_param_token: k in C = k N D.

    Returns:
        Empty where the law has no optimum, or hardly more runs than parameters.
    """
    law = fitted.law
    runs = fitted.values.size
    if (
        budget is None
        or not isinstance(law, HasOptimum)
        or runs < fitted.theta.size + _FEWEST_LEFT + 1
    ):
        return ()
    alone = [
        _Part(names[i], np.array([i]))
        for i in candidates(fitted, budget, flops_per_param_token).tolist()
    ]
    found = _moving(fitted, alone, runs, budget, flops_per_param_token, careful=False)
    refitted = len(alone)
    sample = _sample(fitted)
    ends = _tails(sample.inputs[1] / sample.inputs[0], fewest=fitted.theta.size + _FEWEST_LEFT)
    # Without one run the optimum is next to that of all; without many it may be elsewhere.
    found += _moving(sample, ends, len(ends), budget, flops_per_param_token, careful=True)
    named = (replace(one, refitted=refitted) for one in found)
    return tuple(sorted(named, key=_strength, reverse=True))


def _sample(fitted: Fitted) -> Fitted:
    """Return the fit, or of very many runs that to a sample with both ends of the ratios."""
    if fitted.values.size <= _MANY_RUNS:
        return fitted
    kept = spread_rows(fitted.inputs[1] / fitted.inputs[0], _SAMPLE)
    recipe = fitted.recipe
    if recipe.objective == "huber":
        recipe = replace(recipe, delta=fitted.delta)
    return fit_law(fitted.law, fitted.inputs[:, kept], fitted.values[kept], recipe=recipe)


def _moving(
    fitted: Fitted, parts: Sequence[_Part], tested: int, budget: float,
    flops_per_param_token: float, *, careful: bool,
) -> list[Influence]:  # fmt: skip
    """Return the parts that `tested` tests find, and without which N* moves more than ordinary."""
    base = float(_sizes(fitted, fitted.theta[None], budget, flops_per_param_token)[0])
    sizes, chances = _without(fitted, parts, budget, flops_per_param_token, careful=careful)
    found = []
    for part, size, p in zip(parts, sizes.tolist(), chances, strict=True):
        known = math.isfinite(size)
        if known and (max(size / base, base / size) <= 1.0 + MOVES or p * tested > CHANCE):
            continue
        found.append(
            Influence(
                without=part.name, runs=int(part.rows.size), at_flops=budget, params=base,
                params_without=size if known else None, refitted=0,
            )
        )  # fmt: skip
    return found


def _strength(one: Influence) -> tuple[bool, float]:
    if one.params_without is None:
        return True, float(one.runs == 1)
    return False, abs(math.log(one.params_without / one.params))


def candidates(fitted: Fitted, budget: float, flops_per_param_token: float) -> IndexArray:
    """Return the runs that are worth a refit without them: all, or of many the most influential.

    Args:
        fitted: The fit.
        budget: Training compute at which N* is compared, FLOP.
        flops_per_param_token: k in C = k N D.

    Returns:
        Row numbers. Of more than a thousand runs, at most 50 with the largest first-order change
        of ln N* if it is above 0.1: gradient of ln N* x (J^T W J)^-1 J_i psi_i / (1 - leverage),
        with the weights W of iteratively reweighted least squares (Cook 1977; Huber 1981, section
        7.2).
    """
    runs = fitted.values.size
    if runs <= MOST_REFITTED:
        return np.arange(runs)
    problem, solution = fitted.problem, fitted.solution
    if problem is None or solution is None:
        return np.arange(0)
    jacobian, residual = problem.jacobian(solution.phi), problem.residuals(solution.phi)
    scale = np.sqrt((jacobian**2).sum(axis=0))
    jacobian = jacobian / np.where(scale > 0.0, scale, 1.0)
    delta = solution.delta
    with np.errstate(divide="ignore"):
        weight = np.minimum(1.0, delta / np.abs(residual))
    inverse = np.linalg.pinv((jacobian * weight[:, None]).T @ jacobian)
    projected = jacobian @ inverse
    leverage = np.minimum(weight * (projected * jacobian).sum(axis=1), 0.99)
    moves = projected * (weight * residual / (1.0 - leverage))[:, None]
    change = np.abs(moves @ _slope(fitted, scale, budget, flops_per_param_token))
    largest = np.argsort(-change, kind="stable")[:_CANDIDATES]
    return np.sort(largest[change[largest] > _WORTH])


def _slope(
    fitted: Fitted, scale: FloatArray, budget: float, flops_per_param_token: float
) -> FloatArray:
    """Return d ln N* / d phi in scaled coordinates, by central differences, shape (p,)."""
    problem, solution = fitted.problem, fitted.solution
    if problem is None or solution is None:  # pragma: no cover - the caller has looked
        raise TypeError(fitted.law.name)
    step = 1e-6
    moves = np.concatenate([np.eye(scale.size), -np.eye(scale.size)]) * step
    phi = solution.phi + moves / np.where(scale > 0.0, scale, 1.0)
    sizes = _sizes(fitted, problem.to_theta(phi), budget, flops_per_param_token)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.log(sizes[: scale.size] / sizes[scale.size :]) / (2.0 * step)
    return np.where(np.isfinite(slope), slope, 0.0)


def _tails(ratio: FloatArray, *, fewest: int) -> list[_Part]:
    """Return the runs with the fewest and the most tokens per parameter: tenths and ladders."""
    order = np.sort(ratio)
    edge = max(1, int(_TAIL * ratio.size))
    found: list[tuple[str, BoolArray]] = []
    for word, low, high in (
        ("fewest", order[0] * (1.0 + _SAME_RATIO), order[edge - 1]),
        ("most", order[-1] / (1.0 + _SAME_RATIO), order[-edge]),
    ):
        for limit in (low, high):
            rows = ratio <= limit if word == "fewest" else ratio >= limit
            found.append((f"the {{}} with the {word} tokens per parameter", rows))
    parts: list[_Part] = []
    for name, rows in found:
        index = np.flatnonzero(rows)
        seen = any(np.array_equal(index, part.rows) for part in parts)
        # One run alone is among the single ones.
        if index.size < 2 or ratio.size - index.size < fewest or seen:
            continue
        span = f"{format_count(ratio[rows].min())} to {format_count(ratio[rows].max())}"
        parts.append(_Part(f"{name.format(f'{index.size} runs')} ({span})", index))
    return parts


def _without(
    fitted: Fitted, parts: Sequence[_Part], budget: float, flops_per_param_token: float,
    *, careful: bool,
) -> tuple[FloatArray, list[float]]:  # fmt: skip
    """Return N* without each part, NaN where the rest does not tell it, and the part's chance."""
    runs = fitted.values.size
    block = max(1, _BLOCK_DOUBLES // runs)
    sizes, chances = [np.empty(0)], []
    for first in range(0, len(parts), block):
        chosen = parts[first : first + block]
        weights = np.ones((len(chosen), runs))
        for row, part in enumerate(chosen):
            weights[row, part.rows] = 0.0
        theta = fitted.refit(weights, careful=careful)
        found = _sizes(fitted, theta, budget, flops_per_param_token)
        sizes.append(np.where(_collinear(fitted.inputs, weights), np.nan, found))
        chances += _chances(fitted, theta, weights)
    return np.concatenate(sizes), chances


def _chances(fitted: Fitted, theta: FloatArray, weights: FloatArray) -> list[float]:
    """Return the chance that the rest misses each part left out as it does, by an F test.

    Args:
        fitted: The fit to all runs.
        theta: Shape (parts, p), the refits without each part.
        weights: Shape (parts, n), 0 for the runs that are left out.
    """
    with np.errstate(all="ignore"):  # a refit that left its range says nothing, and is no miss
        said = evaluate_batch(fitted.law, theta, fitted.inputs)
        off = np.log(said / fitted.values) if fitted.residual == "log" else said - fitted.values
    rest = np.where(weights > 0.0, off**2, 0.0).sum(axis=1)
    missing = (weights == 0.0).sum(axis=1)
    gained = float((fitted.residuals() ** 2).sum()) - rest
    found = []
    for more, left, out in zip(gained.tolist(), rest.tolist(), missing.tolist(), strict=True):
        # Of points, not of groups of them; with none to spare nothing is known.
        spare = float(fitted.values.size - fitted.free - out)
        known = math.isfinite(left) and left > 0.0 and more > 0.0 and spare >= 1.0
        found.append(f_tail(more / out / (left / spare), float(out), spare) if known else 1.0)
    return found


def _sizes(
    fitted: Fitted, theta: FloatArray, budget: float, flops_per_param_token: float
) -> FloatArray:
    """Return N* for each theta, shape (batch, p) to (batch,); NaN where there is none."""
    law = fitted.law
    if not isinstance(law, HasOptimum):  # pragma: no cover - the callers have looked
        raise TypeError(law.name)
    parts = [np.asarray(theta[:, k]) for k in range(theta.shape[1])]
    with np.errstate(all="ignore"):  # a refit without exponents has no optimum
        sizes, _ = law.optimum(parts, np.asarray(float(budget)), flops_per_param_token)
    sizes = np.broadcast_to(sizes, (len(theta),))
    return np.where(np.isfinite(sizes) & (sizes > 0.0), sizes, np.nan)


def _collinear(inputs: FloatArray, weights: FloatArray) -> BoolArray:
    """Tell for each row of weights (batch, n) whether the rest lies on one ray."""
    x, y = (np.log(column) - np.log(column).mean() for column in inputs[:2])
    total = weights.sum(axis=1)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    xx = weights @ (x * x) / total - mean_x**2
    yy = weights @ (y * y) / total - mean_y**2
    xy = weights @ (x * y) / total - mean_x * mean_y
    return np.asarray(np.abs(xy) >= COLLINEAR * np.sqrt(np.maximum(xx * yy, 1e-300)))
