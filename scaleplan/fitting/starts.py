"""Starts by variable projection: a grid of exponents, the other parameters in closed form.

For given exponents the law is linear in (E, A, B), so the best non-negative ones in relative error
follow from small linear systems; a grid over the exponents alone then sees every valley.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.fitting.problem import Problem
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.02, 3.0)  # outside this range no published exponent of training lies
_GRID = {1: 40, 2: 14}  # grid points an exponent, by number of terms
_REWEIGHTINGS = 2  # rounds of Huber reweighting before the grid points are ranked
_MOST_RUNS = 500  # grid on so many runs; the polish sees all of them
_BEST, _VALLEYS = 4, 6  # starts kept: the best, and local minima of the grid
# A coefficient that comes out zero is given this share of the smallest value, so that the polish
# can move it: at exactly zero its logarithm is minus infinity.
_SMALLEST_SHARE = 1e-3


def grid_starts(problem: Problem, *, delta: float) -> FloatArray:
    """Return the most promising starts, shape (starts, p), best first.

    Args:
        problem: The law and its runs.
        delta: Where Huber's loss turns linear, in log units.
    """
    if problem.y.size > _MOST_RUNS:
        # Evenly spread over the metric, so that both ends of the sweep are seen.
        order = np.argsort(problem.y, kind="stable")
        rows = order[np.linspace(0, order.size - 1, _MOST_RUNS).astype(np.intp)]
        problem = problem.subset(rows)
    if not problem.law.floor and len(problem.x) == 1:
        return _line_starts(problem)
    axis = np.geomspace(*_EXPONENTS, _GRID[len(problem.x)])
    exponents = np.array(list(itertools.product(axis, repeat=len(problem.x))))
    values = np.exp(problem.y)
    powers = [np.exp(-exponents[:, k, None] * x) for k, x in enumerate(problem.x)]
    columns = np.stack([np.ones_like(powers[0]), *powers], axis=2) / values[:, None]
    weights = np.ones(columns.shape[:2])
    linear = _non_negative(columns, weights)
    residual = _log_residual(columns, linear)
    for _ in range(_REWEIGHTINGS):
        weights = np.minimum(1.0, delta / np.maximum(np.abs(residual), 1e-300))
        linear = _non_negative(columns, weights)
        residual = _log_residual(columns, linear)
    psi = np.clip(residual, -delta, delta)
    objective = (psi * (residual - 0.5 * psi)).sum(axis=1)
    chosen = _choose(objective, (axis.size,) * len(problem.x))
    smallest = _SMALLEST_SHARE * float(values.min())
    phi = np.empty((chosen.size, problem.size))
    for k in range(len(problem.x)):
        phi[:, 2 * k] = np.log(np.maximum(linear[chosen, k + 1], smallest))
        phi[:, 2 * k + 1] = exponents[chosen, k]
    phi[:, -1] = linear[chosen, 0]
    return phi


def _line_starts(problem: Problem) -> FloatArray:
    """Return the least-squares line in logs: a power law without a floor is linear there."""
    x = problem.x[0]
    slope = float(x @ problem.y) / float(x @ x)
    return np.array([[problem.y.mean(), -slope], [problem.y.mean(), -0.5 * slope]])


def _log_residual(columns: FloatArray, linear: FloatArray) -> FloatArray:
    fitted = np.einsum("gnk,gk->gn", columns, linear)
    return np.asarray(np.log(np.maximum(fitted, 1e-300)))


def _non_negative(columns: FloatArray, weights: FloatArray) -> FloatArray:
    """Solve min ||sqrt(w) (columns c - 1)|| with c >= 0 for each grid point.

    Args:
        columns: Shape (grid, n, k).
        weights: Shape (grid, n).

    Returns:
        Shape (grid, k). With k <= 3 all supports are tried: exact, and faster than iterating.
    """
    size = columns.shape[2]
    weighted = columns * weights[:, :, None]
    gram = np.einsum("gni,gnj->gij", weighted, columns)
    right = weighted.sum(axis=1)
    best = np.zeros((len(columns), size))
    best_value = np.zeros(len(columns))
    supports = [
        s for count in range(1, size + 1) for s in itertools.combinations(range(size), count)
    ]
    for support in supports:
        index = np.array(support)
        sub = gram[:, index[:, None], index]
        scale = np.sqrt(np.maximum(np.diagonal(sub, axis1=1, axis2=2), 1e-300))
        scaled = sub / (scale[:, :, None] * scale[:, None, :]) + 1e-14 * np.eye(index.size)
        solution = np.linalg.solve(scaled, (right[:, index] / scale)[:, :, None])[:, :, 0] / scale
        # Value of the quadratic at its minimum, up to the constant sum of weights.
        value = -np.einsum("gi,gi->g", right[:, index], solution)
        better = (solution >= 0.0).all(axis=1) & (value < best_value)
        rows = np.flatnonzero(better)
        best[rows] = 0.0
        best[rows[:, None], index] = solution[rows]
        best_value[rows] = value[rows]
    return best


def _choose(objective: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return indices of the best grid points and of its local minima, best first, no repeats."""
    order = np.argsort(objective, kind="stable")
    padded = np.pad(objective.reshape(shape), 1, constant_values=np.inf)
    lowest = np.ones(shape, bool)
    for shift in itertools.product((-1, 0, 1), repeat=len(shape)):
        if any(shift):
            window = tuple(slice(1 + s, 1 + s + n) for s, n in zip(shift, shape, strict=True))
            lowest &= objective.reshape(shape) <= padded[window]
    valleys = np.flatnonzero(lowest.ravel())
    valleys = valleys[np.argsort(objective[valleys], kind="stable")][:_VALLEYS]
    chosen = dict.fromkeys([*order[:_BEST].tolist(), *valleys.tolist()])
    return np.array(list(chosen), dtype=np.intp)
