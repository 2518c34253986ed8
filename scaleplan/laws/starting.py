"""Starts in closed form: coefficients that follow from given shapes by small linear systems.

numpy is imported here and nowhere else in this folder; laws import this file when they are fitted,
not when they are evaluated.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

# A coefficient that comes out zero is given this share of the metric, so that the solver can move
# it: at exactly zero its logarithm is minus infinity.
SMALLEST_SHARE = 1e-3


def grid(*axes: Iterable[float]) -> FloatArray:
    """Return all combinations of some values, shape (combinations, axes)."""
    return np.array(list(itertools.product(*axes)), dtype=float)


def line(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (intercept, slope) of least-squares lines.

    Args:
        x: Shape (g, n) or (n,).
        y: Shape (g, n) or (n,).

    Returns:
        Two arrays of shape (g,).
    """
    x, y = np.broadcast_arrays(np.atleast_2d(x), np.atleast_2d(y))
    mean_x, mean_y = x.mean(axis=1), y.mean(axis=1)
    spread = ((x - mean_x[:, None]) ** 2).sum(axis=1)
    slope = ((x - mean_x[:, None]) * y).sum(axis=1) / np.maximum(spread, 1e-300)
    return mean_y - slope * mean_x, slope


def non_negative(columns: FloatArray, values: FloatArray) -> FloatArray:
    """Return the non-negative coefficients of columns that fit the values best, relatively.

    Args:
        columns: Shape (g, n, k), k at most 3.
        values: Shape (n,) or (g, n), positive.

    Returns:
        Shape (g, k).
    """
    relative = columns / values[..., None]
    gram = relative.transpose(0, 2, 1) @ relative
    return solve_non_negative(gram, relative.sum(axis=1))


def solve_non_negative(gram: FloatArray, right: FloatArray) -> FloatArray:
    """Minimise c^T G c / 2 - r^T c over c >= 0 for each system.

    Args:
        gram: Shape (grid, k, k).
        right: Shape (grid, k).

    Returns:
        Shape (grid, k). With k <= 3 all supports are tried: exact, and faster than iterating.
    """
    size = right.shape[1]
    best = np.zeros((len(right), size))
    best_value = np.zeros(len(right))
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
