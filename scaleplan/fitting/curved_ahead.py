"""The first steps of refits, on a second-order model around the start that they share.

There slopes and curvatures are the same for all refits, so that a step of all of them is a few
products of matrices: several cost less than one evaluation of the law. What they leave to the law's
own steps is of third order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.curved_start import StartCurvature
from scaleplan.fitting.curved_steps import (
    FIRST_DAMPING,
    best_length,
    damped,
    next_damping,
    solve_restricted,
)

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.laws.base import BoolArray, FloatArray

_ROUNDS = 2  # a third took as long as it saved the law's own steps, for all laws of fit_speed.py
_LEAST_DAMPING = 1e-3
_LONGEST_STEP = 1.0  # beyond it a model of second order says little


@dataclass(frozen=True, slots=True, eq=False)
class SharedStart:
    """A law and its runs to second order around one start.

    Args:
        problem: The law and its runs.
        start: Shape (p,).
        curvature: The second derivatives there.
        predicted: Shape (n,), the predictions there.
        slopes: Shape (p, n).
        pairs: Shape (n, p (p + 1) / 2), products of the slopes, each pair of parameters once.
        weighed: Shape (n,), the least of 1 and delta over the size of the residual there.
        delta: Where Huber's loss turns linear.
    """

    problem: CurvedProblem
    start: FloatArray
    curvature: StartCurvature
    predicted: FloatArray
    slopes: FloatArray
    pairs: FloatArray
    weighed: FloatArray
    delta: float

    @classmethod
    def at(cls, problem: CurvedProblem, start: FloatArray, delta: float) -> SharedStart | None:
        """Return it for a start of shape (p,); None if predictions there are no numbers."""
        curvature = StartCurvature.at(problem, start)
        if curvature is None:
            return None
        with np.errstate(all="ignore"):
            predicted, slopes = (found[0] for found in problem.model(start[None]))
            one, other = np.triu_indices(start.size)
            pairs = np.ascontiguousarray((slopes[one] * slopes[other]).T)
            size = np.abs(predicted - problem.y)
            weighed = np.where(size > delta, delta / size, 1.0)
        if not (np.isfinite(predicted).all() and np.isfinite(pairs).all()):
            return None
        return cls(problem, start, curvature, predicted, slopes, pairs, weighed, delta)

    def ahead(
        self, weights: FloatArray, values: FloatArray | None, held: int | None
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return where refits start (b, p), their dampings (b,) and their metrics (b, p, p).

        Args:
            weights: Shape (b, n), how often each run counts in each refit.
            values: Shape (b, n), each refit's own y; None for the problem's.
            held: Index of a coordinate that stays where it is, None for none.
        """
        size = self.start.size
        low, high = self.problem.low - self.start, self.problem.high - self.start
        move = np.zeros((len(weights), size))
        damping = np.full(len(weights), FIRST_DAMPING)
        metric = _square((weights * self.weighed) @ self.pairs, size)
        y = self.problem.y if values is None else values
        residual = np.broadcast_to(self.predicted - y, weights.shape)
        value, pull, inside = self._loss(residual, weights)
        for _ in range(_ROUNDS):
            bend = _square(pull @ self.curvature.second, size)
            gradient = pull @ self.slopes.T + np.einsum("bij,bj->bi", bend, move)
            hessian = _square(inside @ self.pairs, size) + bend
            step = _step(hessian, metric, damping, gradient, (move <= low, move >= high), held)
            step = np.clip(move + step, low, high) - move
            fall = -np.einsum("bi,bi->b", gradient, step) - 0.5 * np.einsum(
                "bi,bij,bj->b", step, hessian, step
            )
            along = step @ self.slopes + self.curvature.across(move, step)
            curved = 0.5 * self.curvature.across(step, step)
            length, found = best_length(residual, along, curved, weights, self.delta)
            accept = found <= value
            damping = next_damping(damping, accept, value - found, fall)
            length = np.where(accept, length, 0.0)[:, None]
            move = np.clip(move + length * step, low, high)
            residual = residual + length * (along + length * curved)
            value, pull, inside = self._loss(residual, weights)
        phi = np.clip(self.start + move, self.problem.low, self.problem.high)
        return phi, np.maximum(damping, _LEAST_DAMPING), metric

    def objective(self, weights: FloatArray, values: FloatArray | None) -> FloatArray:
        """Return the objective of refits at the start itself, shape (b,)."""
        y = self.problem.y if values is None else values
        return self._loss(np.broadcast_to(self.predicted - y, weights.shape), weights)[0]

    def _loss(
        self, residual: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the loss (b,), its slope for each run (b, n), and the weights inside delta."""
        psi = np.clip(residual, -self.delta, self.delta)
        pull = weights * psi
        value = np.einsum("bn,bn->b", pull, residual - 0.5 * psi)
        return value, pull, np.asarray((psi == residual) * weights)


def _step(
    hessian: FloatArray, metric: FloatArray, damping: FloatArray, gradient: FloatArray,
    bounds: tuple[BoolArray, BoolArray], held: int | None,
) -> FloatArray:  # fmt: skip
    """Return damped steps (b, p), no coordinate of them longer than a model of them holds."""
    matrix = damped(hessian, metric, damping)
    at_low, at_high = bounds
    kept = (at_low & (gradient >= 0.0)) | (at_high & (gradient <= 0.0))
    if held is not None:
        kept[:, held] = True
    step = solve_restricted(matrix, -gradient, kept, np.zeros_like(gradient))
    longest = np.abs(step).max(axis=1)
    shorter = np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))
    return np.asarray(step * shorter[:, None])


def _square(packed: FloatArray, size: int) -> FloatArray:
    """Return symmetric matrices (b, p, p) from their upper halves (b, p (p + 1) / 2)."""
    one, other = np.triu_indices(size)
    found: FloatArray = np.empty((len(packed), size, size))
    found[:, one, other] = packed
    found[:, other, one] = packed
    return found
