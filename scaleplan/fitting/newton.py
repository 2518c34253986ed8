"""Damped Newton with exact derivatives for many fits of one problem at once.

All starts, or all resamples, advance together as one array computation; finished ones leave the
batch. The objective of each is a SUM of Huber losses of log residuals: as a mean, its gradients
shrink with the number of runs and an optimiser with absolute tolerances stops early, which is how
the constants of Hoffmann et al. 2022 came about (Besiroglu et al. 2024, arXiv 2404.10102).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.surface import Surface

if TYPE_CHECKING:
    from scaleplan.fitting.problem import Problem
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

# Stop when the predicted fall is below 1e-13 of the objective; the absolute part is for noise-free
# data, whose objective goes to zero.
_RELATIVE_STOP, _ABSOLUTE_STOP = 1e-13, 1e-26
_LONGEST_STEP = 2.0  # in log units: a factor of 7 in a coefficient
_FIRST_DAMPING = 0.1
_NO_STEP_LEFT = 1e12  # damping at which no step changes the objective
# Doubles per array: larger blocks leave the processor's cache (measured best: 60,000-100,000).
_BLOCK = 80_000
_METRIC_LASTS = 10  # steps of a refit


@dataclass(frozen=True, slots=True, eq=False)
class Minima:
    """Where each fit of a batch ended.

    Args:
        phi: Shape (batch, p).
        objective: Shape (batch,).
        converged: Shape (batch,), bool.
        steps: Shape (batch,), Newton steps taken.
    """

    phi: FloatArray
    objective: FloatArray
    converged: BoolArray
    steps: IndexArray


def minimise(
    problem: Problem,
    starts: FloatArray,
    *,
    delta: float,
    weights: FloatArray | None = None,
    values: FloatArray | None = None,
    held: int | None = None,
    max_steps: int = 200,
) -> Minima:
    """Minimise the weighted Huber objective from each start.

    Args:
        problem: The law and its runs.
        starts: Shape (batch, p), in the problem's coordinates.
        delta: Where Huber's loss turns linear, in log units; infinity gives least squares.
        weights: Shape (batch, n), how often each run counts in each fit; None for once.
        values: Shape (batch, n), each fit's own y; None for the problem's.
        held: Index of a coordinate that stays where it starts, None for none.
        max_steps: Give up after so many steps.

    Returns:
        The end of each fit, in the order of the starts.
    """
    block = max(1, _BLOCK // max(1, problem.y.size))
    parts = [
        _minimise_block(
            problem, starts[rows], delta, None if weights is None else weights[rows],
            None if values is None else values[rows], held, max_steps,
        )
        for rows in (slice(first, first + block) for first in range(0, len(starts), block))
    ]  # fmt: skip
    return Minima(
        np.concatenate([p.phi for p in parts]),
        np.concatenate([p.objective for p in parts]),
        np.concatenate([p.converged for p in parts]),
        np.concatenate([p.steps for p in parts]),
    )


def _minimise_block(
    problem: Problem, starts: FloatArray, delta: float, weights: FloatArray | None,
    values: FloatArray | None, held: int | None, max_steps: int,
) -> Minima:  # fmt: skip
    batch = len(starts)
    end = Minima(
        starts.copy(), np.full(batch, np.inf), np.zeros(batch, bool), np.zeros(batch, np.intp)
    )
    alive = np.arange(batch)
    phi = starts.copy()
    surface = Surface(problem, delta)
    value, gradient, hessian, metric = surface.at(phi, weights, values)
    damping = np.full(batch, _FIRST_DAMPING)
    for step in range(max_steps + 1):
        move, fall = _newton_step(phi, gradient, hessian, metric, damping, problem.law.floor, held)
        done = (fall <= _RELATIVE_STOP * value + _ABSOLUTE_STOP) & (damping <= 1.0) & (fall >= 0.0)
        stop = done | ~np.isfinite(value) | (damping > _NO_STEP_LEFT)
        if step == max_steps:
            stop[:] = True
        if stop.any():
            gone = alive[stop]
            end.phi[gone], end.objective[gone] = phi[stop], value[stop]
            end.converged[gone], end.steps[gone] = done[stop], step
            keep = ~stop
            if not keep.any():
                return end
            alive, phi, value, damping = alive[keep], phi[keep], value[keep], damping[keep]
            gradient, hessian, metric = gradient[keep], hessian[keep], metric[keep]
            move, fall = move[keep], fall[keep]
            weights = None if weights is None else weights[keep]
            values = None if values is None else values[keep]
        trial = phi + move
        # Refits stay near their start: there the metric of the first point serves for some steps.
        renew = weights is None or step % _METRIC_LASTS == _METRIC_LASTS - 1
        new_value, new_gradient, new_hessian, new_metric = surface.at(
            trial, weights, values, metric=None if renew else metric
        )
        # A rise within rounding of the objective is no rise: without this, noise-free fits stall.
        accept = (new_value <= value * (1.0 + 1e-15)) & (fall > 0.0)
        gain = np.where(accept, (value - new_value) / np.maximum(fall, 1e-300), 0.0)
        damping = np.where(
            accept,
            np.where(gain > 0.7, damping * 0.1, np.where(gain < 0.2, damping * 2.0, damping)),
            np.maximum(damping, 1e-8) * 8.0,
        )
        damping = np.where(accept & (damping < 1e-9), 0.0, damping)
        phi = np.where(accept[:, None], trial, phi)
        value = np.where(accept, new_value, value)
        gradient = np.where(accept[:, None], new_gradient, gradient)
        hessian = np.where(accept[:, None, None], new_hessian, hessian)
        metric = np.where(accept[:, None, None], new_metric, metric)
    return end


def _newton_step(
    phi: FloatArray, gradient: FloatArray, hessian: FloatArray, metric: FloatArray,
    damping: FloatArray, floor: bool, fixed: int | None,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Return the damped step, shape (batch, p), and the fall it predicts, shape (batch,)."""
    size = phi.shape[1]
    trace = np.trace(metric, axis1=1, axis2=2)
    matrix = hessian + damping[:, None, None] * metric
    matrix.reshape(len(phi), -1)[:, :: size + 1] += (1e-13 * trace + 1e-300)[:, None]
    target = -gradient
    if fixed is not None:
        matrix[:, fixed, :] = matrix[:, :, fixed] = target[:, fixed] = 0.0
        matrix[:, fixed, fixed] = 1.0
    if floor:
        # E >= 0: at the bound with the gradient pushing outwards, E is held.
        held: BoolArray = np.logical_and(phi[:, -1] <= 0.0, gradient[:, -1] >= 0.0)
        if held.any():
            _hold_last(matrix, target, held, np.zeros(len(phi)))
    move = solve_systems(matrix, target)
    if floor:
        beyond: BoolArray = np.less(phi[:, -1] + move[:, -1], 0.0)
        if beyond.any():
            _hold_last(matrix, target, beyond, -phi[:, -1])
            move[beyond] = solve_systems(matrix[beyond], target[beyond])
    longest = np.abs(move).max(axis=1)
    move *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))[:, None]
    fall = -np.einsum("bi,bi->b", gradient, move) - 0.5 * np.einsum(
        "bi,bij,bj->b", move, hessian, move
    )
    # Where the exact Hessian is indefinite the model may predict a rise; the damping then grows.
    return move, fall


def _hold_last(matrix: FloatArray, target: FloatArray, held: BoolArray, to: FloatArray) -> None:
    """Fix the last component of the step to `to` in the rows `held`, in place."""
    target[held, :-1] -= matrix[held, :-1, -1] * to[held, None]
    matrix[held, :-1, -1] = 0.0
    matrix[held, -1, :] = 0.0
    matrix[held, -1, -1] = 1.0
    target[held, -1] = to[held]


def solve_systems(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Solve each system; a singular or non-finite one gives no step, so that its damping grows."""
    sane: BoolArray = np.isfinite(np.einsum("bij->b", matrix) + target.sum(axis=1))
    if not sane.all():
        matrix = np.where(sane[:, None, None], matrix, np.eye(matrix.shape[1]))
        target = np.where(sane[:, None], target, 0.0)
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(matrix, axis1=1, axis2=2)), 1e-300))
    scaled = matrix / (scale[:, :, None] * scale[:, None, :])
    right = target / scale
    try:
        solution: FloatArray = np.linalg.solve(scaled, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        solution = np.einsum("bij,bj->bi", np.linalg.pinv(scaled), right)
    return np.asarray(solution / scale)
