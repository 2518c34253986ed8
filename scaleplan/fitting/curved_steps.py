"""What one damped Newton step of many curved fits is made of: systems, lengths and damping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.newton import solve_systems

if TYPE_CHECKING:
    from scaleplan.laws.base import BoolArray, FloatArray

# Of a step, tried on residuals that are known to second order along it; backwards from a saddle.
_FIRST_LENGTHS = (0.5, 1.0, 1.5)
_FURTHER_LENGTHS = {0.5: (0.25, 0.1, -0.5), 1.5: (2.5, 4.0, 8.0)}
FIRST_DAMPING = 0.03
DIAGONAL = 0.1  # share of the damping that acts along the axes: it holds directions without slope
_SMALLEST_EIGENVALUE = 1e-14  # of a system whose diagonal is 1


def damped(hessian: FloatArray, metric: FloatArray, damping: FloatArray) -> FloatArray:
    """Return the matrices of damped steps, shape (b, p, p).

    Args:
        hessian: Shape (b, p, p).
        metric: Shape (b, p, p), what the damping holds steps by.
        damping: Shape (b,).
    """
    diagonal = np.diagonal(metric, axis1=1, axis2=2)
    ridge = damping[:, None] * DIAGONAL * diagonal
    ridge = ridge + 1e-13 * diagonal.sum(axis=1, keepdims=True) + 1e-300
    matrix = hessian + damping[:, None, None] * metric
    return np.asarray(matrix + ridge[:, :, None] * np.eye(metric.shape[1]))


def solve_restricted(
    matrix: FloatArray,
    target: FloatArray,
    held: BoolArray,
    to: FloatArray,
    *,
    definite: bool = False,
) -> FloatArray:
    """Solve each symmetric system with the components `held` fixed at `to`.

    Args:
        matrix: Shape (b, p, p).
        target: Shape (b, p).
        held: Shape (b, p), which components are fixed.
        to: Shape (b, p), where.
        definite: Whether no matrix has a negative eigenvalue; else their signs are turned, so that
            steps away from a saddle lead downhill (Dauphin et al. 2014, arXiv 1406.2572).

    Returns:
        Shape (b, p).
    """
    if not held.any():
        return (solve_systems if definite else _uphill_turned)(matrix, target)
    fixed = np.where(held, to, 0.0)
    free = ~held
    right = np.where(free, target - np.einsum("bij,bj->bi", matrix, fixed), fixed)
    inner = matrix * (free[:, :, None] & free[:, None, :])
    inner = inner + held[:, :, None] * np.eye(held.shape[1])
    return (solve_systems if definite else _uphill_turned)(inner, right)


def _uphill_turned(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Solve each symmetric system, with the sign of negative eigenvalues turned."""
    rows = np.flatnonzero(_indefinite(matrix))
    solution = solve_systems(matrix, target)
    if rows.size:
        solution[rows] = _turned(matrix[rows], target[rows])
    return solution


def _indefinite(matrix: FloatArray) -> BoolArray:
    """Tell which symmetric matrices are not positive definite, by the pivots of elimination."""
    left = matrix
    found = np.zeros(len(matrix), bool)
    with np.errstate(all="ignore"):
        for _ in range(matrix.shape[1]):
            pivot = left[:, 0, 0]
            found |= ~(pivot > 0.0)
            column = left[:, 1:, 0]
            shares = column / pivot[:, None]
            left = left[:, 1:, 1:] - shares[:, :, None] * column[:, None, :]
    return found


def _turned(matrix: FloatArray, target: FloatArray) -> FloatArray:
    sane = np.isfinite(np.einsum("bij->b", matrix) + target.sum(axis=1))
    if not sane.all():
        matrix = np.where(sane[:, None, None], matrix, np.eye(matrix.shape[1]))
        target = np.where(sane[:, None], target, 0.0)
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(matrix, axis1=1, axis2=2)), 1e-300))
    values, vectors = np.linalg.eigh(matrix / (scale[:, :, None] * scale[:, None, :]))
    values = np.maximum(np.abs(values), _SMALLEST_EIGENVALUE)
    turned = (target / scale)[:, None, :] @ vectors
    return np.asarray(((turned / values[:, None, :]) @ vectors.transpose(0, 2, 1))[:, 0] / scale)


def best_length(
    residual: FloatArray, along: FloatArray, bend: FloatArray, weights: FloatArray | None,
    delta: float,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Return t (b,) with the lowest Huber loss of residual + t along + t^2 bend, and that loss.

    Shorter and longer steps are looked at only where the first ones get better that way.
    """
    values = [_loss_at(length, residual, along, bend, weights, delta) for length in _FIRST_LENGTHS]
    lowest = np.minimum(np.minimum(values[0], values[1]), values[2])
    best = np.where(lowest == values[1], 1.0, np.where(lowest == values[0], 0.5, 1.5))
    for first, lengths in _FURTHER_LENGTHS.items():
        rows = np.flatnonzero(best == first)
        if not rows.size:
            continue
        some = residual[rows], along[rows], bend[rows]
        counted = None if weights is None else weights[rows]
        for length in lengths:
            value = _loss_at(length, *some, counted, delta)
            lower = value < lowest[rows]
            best[rows[lower]], lowest[rows[lower]] = length, value[lower]
    return best, lowest


def _loss_at(
    length: float, residual: FloatArray, along: FloatArray, bend: FloatArray,
    weights: FloatArray | None, delta: float,
) -> FloatArray:  # fmt: skip
    away = bend * length
    away += along
    away *= length
    away += residual
    np.abs(away, out=away)
    psi = np.minimum(away, delta)
    away -= 0.5 * psi
    away *= psi
    return np.asarray(away.sum(axis=1) if weights is None else np.einsum("bn,bn->b", weights, away))


def next_damping(
    damping: FloatArray, accept: BoolArray, fallen: FloatArray, predicted: FloatArray
) -> FloatArray:
    """Return the damping (b,) after steps, by how the fall compares with the predicted one."""
    # Where next to no fall was predicted the ratio may be infinite, which is above 0.7 as well.
    with np.errstate(over="ignore", invalid="ignore"):
        gain = np.where(accept, fallen / np.maximum(predicted, 1e-300), 0.0)
    after = np.where(gain > 0.7, damping * 0.1, np.where(gain < 0.2, damping * 2.0, damping))
    after = np.where(accept, after, np.maximum(damping, 1e-8) * 8.0)
    return np.where(accept & (after < 1e-9), 0.0, after)
