"""Damped Newton for many fits of one curved law at once, inside bounds.

The Hessian is the Gauss-Newton part, exact from the law's gradient, plus a secant estimate of what
the curvature of the law adds (Dennis, Gay & Welsch 1981, NL2SOL): near an optimum whose residuals
are not small Gauss-Newton alone converges slowly. A damped step is bent along its valley (geodesic
acceleration, Transtrum & Sethna 2012, arXiv 1201.5885): floors, exponents and coefficients trade
off along curves, which straight steps follow in hundreds of small ones. All starts, or all
resamples, advance together as one array computation; finished ones leave the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.newton import Minima, solve_systems

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.laws.base import BoolArray, FloatArray

# Stop when the predicted fall is below 1e-13 of the objective; the absolute part is for noise-free
# data, whose objective goes to zero.
_RELATIVE_STOP, _ABSOLUTE_STOP = 1e-13, 1e-26
_LONGEST_STEP = 2.0  # in logarithms, or as a multiple of a linear coordinate above 1
_FIRST_DAMPING = 0.1
_NO_STEP_LEFT = 1e12  # damping at which no step changes the objective
_DIAGONAL = 0.01  # share of the damping that acts along the axes: it holds directions without slope
_PROBE = 0.1  # share of a step over which its curvature is measured, as the authors advise
_LARGEST_BEND = 0.75  # of the step's length, beyond which the bend is not to be trusted
_METRIC_LASTS = 10  # steps of a refit
_BLOCK = 200_000  # doubles of derivatives held at once


def minimise_curved(
    problem: CurvedProblem,
    starts: FloatArray,
    *,
    delta: float,
    weights: FloatArray | None = None,
    values: FloatArray | None = None,
    held: int | None = None,
    max_steps: int = 400,
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
    block = max(1, _BLOCK // max(1, problem.y.size * problem.size))
    parts = []
    for first in range(0, len(starts), block):
        rows = slice(first, first + block)
        batch = _Batch(
            problem, delta, None if weights is None else weights[rows],
            None if values is None else values[rows], held,
        )  # fmt: skip
        parts.append(batch.run(np.clip(starts[rows], problem.low, problem.high), max_steps))
    return Minima(
        np.concatenate([p.phi for p in parts]),
        np.concatenate([p.objective for p in parts]),
        np.concatenate([p.converged for p in parts]),
        np.concatenate([p.steps for p in parts]),
    )


@dataclass(slots=True, eq=False)
class _Point:
    """The objective around one phi of each fit."""

    phi: FloatArray  # (b, p)
    predicted: FloatArray  # (b, n)
    value: FloatArray  # (b,)
    gradient: FloatArray  # (b, p)
    gauss: FloatArray  # (b, p, p), sum w psi' J J^T
    metric: FloatArray  # (b, p, p), sum w min(1, delta/|r|) J J^T
    derivatives: FloatArray  # (b, p, n), J
    pull: FloatArray  # (b, n), w psi

    def kept(self, rows: BoolArray) -> _Point:
        return _Point(
            self.phi[rows], self.predicted[rows], self.value[rows], self.gradient[rows],
            self.gauss[rows], self.metric[rows], self.derivatives[rows], self.pull[rows],
        )  # fmt: skip

    def replace(self, rows: BoolArray, other: _Point) -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)[rows]


class _Batch:
    """Some fits that advance together; for the solver."""

    def __init__(
        self, problem: CurvedProblem, delta: float, weights: FloatArray | None,
        values: FloatArray | None, held: int | None,
    ) -> None:  # fmt: skip
        self.problem, self.delta, self.weights = problem, delta, weights
        self.values, self.held = values, held
        self.linear = (~problem.logs).astype(float)

    def run(self, starts: FloatArray, max_steps: int) -> Minima:
        """Return the ends of these starts."""
        batch, size = starts.shape
        end = Minima(
            starts.copy(), np.full(batch, np.inf), np.zeros(batch, bool), np.zeros(batch, np.intp)
        )
        alive = np.arange(batch)
        at = self.point(starts)
        secant = np.zeros((batch, size, size))
        damping = np.full(batch, _FIRST_DAMPING)
        for step in range(max_steps + 1):
            move, fall = self.step(at, secant, damping)
            enough = _RELATIVE_STOP * at.value + _ABSOLUTE_STOP
            done = (fall <= enough) & (damping <= 1.0) & (fall >= 0.0)
            stop = done | ~np.isfinite(at.value) | (damping > _NO_STEP_LEFT)
            if step == max_steps:
                stop[:] = True
            if stop.any():
                gone = alive[stop]
                end.phi[gone], end.objective[gone] = at.phi[stop], at.value[stop]
                end.converged[gone], end.steps[gone] = done[stop], step
                keep = ~stop
                if not keep.any():
                    return end
                alive, at, damping, secant = alive[keep], at.kept(keep), damping[keep], secant[keep]
                move, fall = move[keep], fall[keep]
                self.weights = None if self.weights is None else self.weights[keep]
                self.values = None if self.values is None else self.values[keep]
            move = self.bent(at, move, damping)
            # Refits stay near their start: there the first metric serves for some steps.
            renew = self.weights is None or step % _METRIC_LASTS == _METRIC_LASTS - 1
            trial = self.point(at.phi + move, metric=None if renew else at.metric)
            # A rise within rounding of the objective is no rise: without it noise-free fits stall.
            accept = (trial.value <= at.value * (1.0 + 1e-15)) & (fall > 0.0)
            damping = _next_damping(damping, accept, at.value - trial.value, fall)
            secant = np.where(accept[:, None, None], _secant(secant, at, trial, move), secant)
            # Most steps are accepted: it is cheaper to put back the few points that are not.
            trial.replace(~accept, at)
            at = trial
        return end

    def point(self, phi: FloatArray, *, metric: FloatArray | None = None) -> _Point:
        """Return objective, slopes and curvatures at phi, shape (b, p).

        Args:
            phi: Shape (b, p).
            metric: A metric to keep instead of a new one.
        """
        with np.errstate(all="ignore"):
            predicted, derivatives = self.problem.model(phi)
            residual = predicted - (self.problem.y if self.values is None else self.values)
            psi = np.clip(residual, -self.delta, self.delta)
            pull = psi if self.weights is None else self.weights * psi
            value = np.einsum("bn,bn->b", pull, residual - 0.5 * psi)
            inside = (psi == residual).astype(float)
            share = inside if self.weights is None else inside * self.weights
            turned = derivatives.transpose(0, 2, 1)
            gradient = (derivatives @ pull[:, :, None])[:, :, 0]
            gauss = (derivatives * share[:, None, :]) @ turned
            if metric is None:
                relax = np.fmax(psi / residual, inside)  # min(1, delta / |r|), and 1 at r = 0
                relax = relax if self.weights is None else relax * self.weights
                metric = (derivatives * relax[:, None, :]) @ turned
        # Derivatives that are no numbers leave none in the sums.
        sane = np.isfinite(value) & np.isfinite(gradient).all(axis=1)
        sane &= np.isfinite(gauss).all(axis=(1, 2)) & np.isfinite(metric).all(axis=(1, 2))
        if not sane.all():
            value, pull = np.where(sane, value, np.inf), np.where(sane[:, None], pull, 0.0)
            derivatives = np.where(sane[:, None, None], derivatives, 0.0)
            gradient = np.where(sane[:, None], gradient, 0.0)
            gauss, metric = (np.where(sane[:, None, None], m, 0.0) for m in (gauss, metric))
        return _Point(phi, predicted, value, gradient, gauss, metric, derivatives, pull)

    def step(
        self, at: _Point, secant: FloatArray, damping: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the damped step inside the bounds (b, p) and the fall it predicts (b,)."""
        low, high = self.problem.low, self.problem.high
        hessian = at.gauss + secant
        diagonal = np.diagonal(at.metric, axis1=1, axis2=2)
        ridge = damping[:, None] * _DIAGONAL * diagonal
        ridge = ridge + 1e-13 * diagonal.sum(axis=1, keepdims=True) + 1e-300
        matrix = hessian + damping[:, None, None] * at.metric
        matrix = matrix + ridge[:, :, None] * np.eye(at.phi.shape[1])
        # At a bound with the slope pushing outwards a coordinate is held.
        to = np.zeros_like(at.phi)
        held = ((at.phi <= low) & (at.gradient >= 0.0)) | ((at.phi >= high) & (at.gradient <= 0.0))
        if self.held is not None:
            held[:, self.held] = True
        move = _restricted(matrix, -at.gradient, held, to)
        below, above = at.phi + move < low, at.phi + move > high
        if (below | above).any():
            to = np.where(below, low - at.phi, np.where(above, high - at.phi, to))
            move = _restricted(matrix, -at.gradient, held | below | above, to)
        longest = (np.abs(move) / np.maximum(1.0, self.linear * np.abs(at.phi))).max(axis=1)
        move = move * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))[:, None]
        move = np.clip(at.phi + move, low, high) - at.phi
        fall = -np.einsum("bi,bi->b", at.gradient, move) - 0.5 * np.einsum(
            "bi,bij,bj->b", move, hessian, move
        )
        return move, fall

    def bent(self, at: _Point, move: FloatArray, damping: FloatArray) -> FloatArray:
        """Return the steps (b, p), bent to second order along the law where they are damped.

        Half the acceleration a that solves (J^T W J + damping) a = -J^T W r'' is added, r'' the
        second derivative of the predictions along the step.
        """
        rows = np.flatnonzero(damping > 0.0)
        if not rows.size:
            return move
        low, high = self.problem.low, self.problem.high
        phi, step, metric = at.phi[rows], move[rows], at.metric[rows]
        with np.errstate(all="ignore"):
            ahead = self.problem.model(phi + _PROBE * step)[0]
            along = np.einsum("bpn,bp->bn", at.derivatives[rows], step)
            bend = 2.0 / _PROBE * ((ahead - at.predicted[rows]) / _PROBE - along)
            observed = self.problem.y if self.values is None else self.values[rows]
            inside = np.abs(at.predicted[rows] - observed) <= self.delta
            pull = bend * inside if self.weights is None else bend * inside * self.weights[rows]
            right = -np.einsum("bpn,bn->bp", at.derivatives[rows], pull)
        diagonal = np.diagonal(metric, axis1=1, axis2=2)
        ridge = (_DIAGONAL * damping[rows, None] + 1e-13) * diagonal + 1e-300
        matrix = at.gauss[rows] + damping[rows, None, None] * metric
        matrix = matrix + ridge[:, :, None] * np.eye(phi.shape[1])
        held = (phi + step <= low) | (phi + step >= high)
        if self.held is not None:
            held[:, self.held] = True
        usable = np.isfinite(right).all(axis=1)
        right = np.where(usable[:, None], right, 0.0)
        acceleration = _restricted(matrix, right, held, np.zeros_like(step))
        lengths = [np.einsum("bi,bi->b", v * v, diagonal) for v in (acceleration, step)]
        usable &= lengths[0] <= (2.0 * _LARGEST_BEND) ** 2 * lengths[1]
        moved = move.copy()
        step = step + np.where(usable[:, None], 0.5 * acceleration, 0.0)
        moved[rows] = np.clip(phi + step, low, high) - phi
        return moved


def _restricted(
    matrix: FloatArray, target: FloatArray, held: BoolArray, to: FloatArray
) -> FloatArray:
    """Solve each system with the components `held` fixed at `to`."""
    if not held.any():
        return solve_systems(matrix, target)
    fixed = np.where(held, to, 0.0)
    free = ~held
    right = np.where(free, target - np.einsum("bij,bj->bi", matrix, fixed), fixed)
    inner = matrix * (free[:, :, None] & free[:, None, :])
    return solve_systems(inner + held[:, :, None] * np.eye(held.shape[1]), right)


def _next_damping(
    damping: FloatArray, accept: BoolArray, fallen: FloatArray, predicted: FloatArray
) -> FloatArray:
    # Where next to no fall was predicted the ratio may be infinite, which is above 0.7 as well.
    with np.errstate(over="ignore", invalid="ignore"):
        gain = np.where(accept, fallen / np.maximum(predicted, 1e-300), 0.0)
    after = np.where(gain > 0.7, damping * 0.1, np.where(gain < 0.2, damping * 2.0, damping))
    after = np.where(accept, after, np.maximum(damping, 1e-8) * 8.0)
    return np.where(accept & (after < 1e-9), 0.0, after)


def _secant(secant: FloatArray, old: _Point, new: _Point, move: FloatArray) -> FloatArray:
    """Return the next estimate of sum w psi d2r from the change of the slopes along a step.

    The sized update of Dennis, Gay & Welsch 1981, equations 2.4 and 2.5.
    """
    with np.errstate(all="ignore"):
        change = new.gradient - old.gradient
        goal = new.gradient - (old.derivatives @ new.pull[:, :, None])[:, :, 0]
        now = np.einsum("bij,bj->bi", secant, move)
        along = np.einsum("bi,bi->b", move, now)
        wanted = np.abs(np.einsum("bi,bi->b", move, goal))
        size = np.where(np.abs(along) > 0.0, np.minimum(1.0, wanted / np.abs(along)), 1.0)
        miss = goal - size[:, None] * now
        across = np.einsum("bi,bi->b", change, move)
        direction = change / across[:, None]
        outer = miss[:, :, None] * direction[:, None, :]
        inner = np.einsum("bi,bi->b", miss, move)
        after = (
            size[:, None, None] * secant + outer + outer.transpose(0, 2, 1)
            - inner[:, None, None] * direction[:, :, None] * direction[:, None, :]
        )  # fmt: skip
        usable = (across > 0.0) & np.isfinite(after).all(axis=(1, 2))
    return np.where(usable[:, None, None], after, secant)
