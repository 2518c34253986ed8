"""Damped Newton for many fits of one curved law at once, inside bounds.

The Hessian is the Gauss-Newton part, exact from the law's gradient, plus what the curvature of the
law adds: near an optimum whose residuals are not small Gauss-Newton alone converges slowly. Refits
take it from the second derivatives at their common start, and all fits add a secant estimate of the
rest (Dennis, Gay & Welsch 1981, NL2SOL). A step is bent along its valley (geodesic acceleration,
Transtrum & Sethna 2012, arXiv 1201.5885): floors, exponents and coefficients trade off along
curves, which straight steps follow in hundreds of small ones. All starts, or all resamples, advance
together as one array computation; as some finish, others enter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.curved_ahead import SharedStart
from scaleplan.fitting.curved_point import Point, next_secant
from scaleplan.fitting.curved_runs import FittedRuns, drawn
from scaleplan.fitting.curved_steps import (
    DIAGONAL,
    FIRST_DAMPING,
    best_length,
    damped,
    next_damping,
    solve_restricted,
)
from scaleplan.fitting.newton import Minima

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

# Of the objective and in itself: that of noise-free data goes to zero.
_RELATIVE_STOP, _ABSOLUTE_STOP = 1e-13, 1e-26
_ROUNDING = 2.2e-16  # of a prediction near 1: falls below what it makes of the sum say nothing
# A refit stops this far from its end, as a share of its standard error. One standard error raises
# a sum of squares over n runs by its n-th part: the stop is the square of this share over n.
_REFIT_STOP = 1.5e-3
_LONGEST_STEP = 2.0  # in logarithms, or as a multiple of a linear coordinate above 1
_NO_STEP_LEFT = 1e12  # damping at which no step changes the objective
_PROBE = 0.1  # share of a step over which its curvature is measured, as the authors advise
_LARGEST_BEND = 0.75  # of the step's length, beyond which the bend is not to be trusted
_NEAR = 1e-8  # predicted fall, of the objective, below which a step is neither bent nor stretched
_BLOCK = 400_000  # doubles of derivatives held at once


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
    batch = _Batch(problem, delta, weights, values, held)
    return batch.run(np.clip(starts, problem.low, problem.high), max_steps)


class _Batch:
    """Some fits that advance together; for the solver."""

    def __init__(
        self, problem: CurvedProblem, delta: float, weights: FloatArray | None,
        values: FloatArray | None, held: int | None,
    ) -> None:  # fmt: skip
        self.problem, self.delta, self.held = problem, delta, held
        self.weights, self.values = weights, values
        self.refit = weights is not None
        self.drawn = drawn(weights, problem.y.size)
        of_refits = max(_RELATIVE_STOP, _REFIT_STOP**2 / problem.y.size)
        self.stop = of_refits if self.refit else _RELATIVE_STOP
        self.linear = (~problem.logs).astype(float)
        self.shared: SharedStart | None = None

    def run(self, starts: FloatArray, max_steps: int) -> Minima:
        """Return the ends of these starts; new ones enter as others leave, to keep blocks full."""
        batch, size = starts.shape
        block = max(1, _BLOCK // max(1, self.drawn * size))
        end = Minima(
            starts.copy(), np.full(batch, np.inf), np.zeros(batch, bool), np.zeros(batch, np.intp)
        )
        if self.refit and (starts == starts[0]).all():
            self.shared = SharedStart.at(self.problem, starts[0], self.delta)
        alive, runs, at, secant, damping, age = self.entered(starts, np.arange(min(block, batch)))
        waiting = alive.size
        while alive.size:
            move, fall = self.step(at, secant, damping)
            noise = _ABSOLUTE_STOP + _ROUNDING * np.abs(at.pull).sum(axis=1)
            enough = self.stop * at.value + noise
            # An exact fit is at its end, though rounding may keep every step from going down.
            exact = at.value <= _ABSOLUTE_STOP
            done = exact | ((fall <= enough) & (damping <= 1.0) & (fall >= 0.0))
            stop = done | ~np.isfinite(at.value) | (damping > _NO_STEP_LEFT) | (age == max_steps)
            if stop.any():
                gone = alive[stop]
                end.phi[gone], end.objective[gone] = at.phi[stop], at.value[stop]
                end.converged[gone], end.steps[gone] = done[stop], age[stop]
                keep = ~stop
                alive, at, damping, secant = alive[keep], at.kept(keep), damping[keep], secant[keep]
                age, move, fall, runs = age[keep], move[keep], fall[keep], runs.kept(keep)
            if alive.size:
                at, secant, damping = self.moved(runs, at, secant, damping, move, fall)
                age = age + 1
            if waiting < batch and 2 * alive.size <= block:
                new = np.arange(waiting, min(batch, waiting + block - alive.size))
                waiting += new.size
                rows, their, points, *others = self.entered(starts, new)
                at, runs = at.joined(points), runs.joined(their)
                alive, secant, damping, age = (
                    np.concatenate(pair)
                    for pair in zip((alive, secant, damping, age), (rows, *others), strict=True)
                )
        return end

    def moved(
        self, runs: FittedRuns, at: Point, secant: FloatArray, damping: FloatArray,
        move: FloatArray, fall: FloatArray,
    ) -> tuple[Point, FloatArray, FloatArray]:  # fmt: skip
        """Return points, secants and dampings after a step; who would rise stays."""
        move, fall = self.bent(runs, at, move, fall, damping)
        # Refits stay near their start: there its metric, which only shapes the damping, serves.
        metric = at.metric if self.refit else None
        trial = self.point(runs, at.phi + move, before=at.before, metric=metric)
        # A rise within rounding of the objective is no rise: without it noise-free fits stall.
        accept = (trial.value <= at.value * (1.0 + 1e-15)) & (fall > 0.0)
        damping = next_damping(damping, accept, at.value - trial.value, fall)
        secant = np.where(accept[:, None, None], next_secant(secant, at, trial, move), secant)
        # Most steps are accepted: it is cheaper to put back the few points that are not.
        trial.replace(~accept, at)
        return trial, secant, damping

    def entered(
        self, starts: FloatArray, rows: IndexArray
    ) -> tuple[IndexArray, FittedRuns, Point, FloatArray, FloatArray, IndexArray]:
        """Return rows of the batch at their starts: (rows, runs, points, secant, damping, age)."""
        weights, values = (
            None if given is None else given[rows] for given in (self.weights, self.values)
        )
        runs = FittedRuns.of(self.problem, weights, values, self.drawn)
        size = starts.shape[1]
        phi, damping = starts[rows], np.full(rows.size, FIRST_DAMPING)
        if self.shared is None or weights is None:
            at = self.point(runs, phi, before=np.ones((rows.size, size)))
        else:
            before = np.tile(
                self.shared.curvature.sizes(runs), (1 if runs.columns is not None else rows.size, 1)
            )
            ahead, eased, metric = self.shared.ahead(weights, values, self.held)
            at = self.point(runs, ahead, before=before, metric=metric)
            back = ~(at.value <= self.shared.objective(weights, values))
            if back.any():
                ahead = np.where(back[:, None], phi, ahead)
                at = self.point(runs, ahead, before=before, metric=metric)
            damping = np.where(back, damping, eased)
        secant = np.zeros((rows.size, size, size))
        return rows, runs, at, secant, damping, np.zeros(rows.size, np.intp)

    def point(
        self, runs: FittedRuns, phi: FloatArray, *, before: FloatArray,
        metric: FloatArray | None = None,
    ) -> Point:  # fmt: skip
        """Return objective, slopes and curvatures at phi, shape (b, p).

        Args:
            runs: The runs of each fit.
            phi: Shape (b, p).
            before: Shape (b, p), how large slopes were at the start of refits.
            metric: A metric to keep instead of a new one.
        """
        weights = runs.weights
        with np.errstate(all="ignore"):
            predicted, derivatives = self.problem.model(phi, runs.x)
            residual = predicted - runs.y
            psi = np.clip(residual, -self.delta, self.delta)
            pull = psi if weights is None else weights * psi
            value = np.einsum("bn,bn->b", pull, residual - 0.5 * psi)
            inside = (psi == residual).astype(float)
            share = inside if weights is None else inside * weights
            turned = derivatives.transpose(0, 2, 1)
            gradient = (derivatives @ pull[:, :, None])[:, :, 0]
            gauss = (derivatives * share[:, None, :]) @ turned
            bend = np.zeros_like(gauss)
            if self.shared is not None:
                everywhere = runs.spread_out(pull, self.problem.y.size)
                bend = self.shared.curvature.bend(everywhere, derivatives, before)
            if metric is None:
                relax = np.fmax(psi / residual, inside)  # min(1, delta / |r|), and 1 at r = 0
                relax = relax if weights is None else relax * weights
                metric = (derivatives * relax[:, None, :]) @ turned
        # Derivatives that are no numbers leave none in the sums.
        sane = np.isfinite(value) & np.isfinite(gradient).all(axis=1)
        sane &= np.isfinite(gauss).all(axis=(1, 2)) & np.isfinite(metric).all(axis=(1, 2))
        if not sane.all():
            value, pull = np.where(sane, value, np.inf), np.where(sane[:, None], pull, 0.0)
            derivatives = np.where(sane[:, None, None], derivatives, 0.0)
            gradient = np.where(sane[:, None], gradient, 0.0)
            gauss, metric = (np.where(sane[:, None, None], m, 0.0) for m in (gauss, metric))
        return Point(
            phi, predicted, value, gradient, gauss, bend, metric, derivatives, pull, before
        )

    def step(
        self, at: Point, secant: FloatArray, damping: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the damped step inside the bounds (b, p) and the fall it predicts (b,)."""
        low, high = self.problem.low, self.problem.high
        hessian = at.gauss + at.bend + secant
        matrix = damped(hessian, at.metric, damping)
        # At a bound with the slope pushing outwards a coordinate is held.
        to = np.zeros_like(at.phi)
        held = ((at.phi <= low) & (at.gradient >= 0.0)) | ((at.phi >= high) & (at.gradient <= 0.0))
        if self.held is not None:
            held[:, self.held] = True
        move = solve_restricted(matrix, -at.gradient, held, to)
        below, above = at.phi + move < low, at.phi + move > high
        rows = np.flatnonzero((below | above).any(axis=1))
        if rows.size:
            to = np.where(below, low - at.phi, np.where(above, high - at.phi, to))[rows]
            kept = (held | below | above)[rows]
            move[rows] = solve_restricted(matrix[rows], -at.gradient[rows], kept, to)
        longest = (np.abs(move) / np.maximum(1.0, self.linear * np.abs(at.phi))).max(axis=1)
        move = move * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))[:, None]
        move = np.clip(at.phi + move, low, high) - at.phi
        fall = -np.einsum("bi,bi->b", at.gradient, move) - 0.5 * np.einsum(
            "bi,bij,bj->b", move, hessian, move
        )
        return move, fall

    def bent(
        self, runs: FittedRuns, at: Point, move: FloatArray, fall: FloatArray, damping: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the steps (b, p), bent along the law and of the best length, and their falls (b,).

        Half the acceleration a that solves (J^T W J + damping) a = -J^T W r'' is added, r'' the
        second derivative of the predictions along the step. Along that parabola the residuals are
        known to second order: its best length costs no evaluation of the law, and sees where
        residuals enter or leave the quadratic part of Huber's loss, which the Hessian does not.
        """
        rows = np.flatnonzero(np.abs(fall) > _NEAR * at.value + _ABSOLUTE_STOP)
        if rows.size == fall.size:  # most often, and then nothing need be copied
            return self.bent_all(runs, at, move, damping)
        moved, falls = move.copy(), fall.copy()
        if rows.size:
            moved[rows], falls[rows] = self.bent_all(
                runs.kept(rows), at.kept(rows), move[rows], damping[rows]
            )
        return moved, falls

    def bent_all(
        self, runs: FittedRuns, at: Point, step: FloatArray, damping: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return all of some steps (b, p), bent, with their falls (b,)."""
        with np.errstate(all="ignore"):
            along = (step[:, None, :] @ at.derivatives)[:, 0, :]
            ahead = self.problem.predictions(at.phi + _PROBE * step, runs.x)
            bend = 2.0 / _PROBE * ((ahead - at.predicted) / _PROBE - along)
            residual = at.predicted - runs.y
            pull = bend * np.asarray(np.abs(residual) <= self.delta)
            pull = pull if runs.weights is None else pull * runs.weights
            right = -(at.derivatives @ pull[:, :, None])[:, :, 0]
        usable = np.isfinite(bend).all(axis=1, keepdims=True)
        usable &= np.isfinite(right).all(axis=1, keepdims=True)
        if not usable.all():
            right, bend = np.where(usable, right, 0.0), np.where(usable, bend, 0.0)
        half = 0.5 * self.acceleration(at, step, damping, right)
        with np.errstate(all="ignore"):
            bend = 0.5 * bend + (half[:, None, :] @ at.derivatives)[:, 0, :]
            length, value = best_length(residual, along, bend, runs.weights, self.delta)
        moved = length[:, None] * (step + length[:, None] * half)
        moved = np.clip(at.phi + moved, self.problem.low, self.problem.high) - at.phi
        return moved, at.value - value

    def acceleration(
        self, at: Point, step: FloatArray, damping: FloatArray, right: FloatArray
    ) -> FloatArray:
        """Return the acceleration (b, p) that the slope `right` drives; none where it is large."""
        diagonal = np.diagonal(at.metric, axis1=1, axis2=2)
        ridge = (DIAGONAL * damping[:, None] + 1e-13) * diagonal + 1e-300
        matrix = at.gauss + damping[:, None, None] * at.metric
        matrix = matrix + ridge[:, :, None] * np.eye(step.shape[1])
        ends = at.phi + step
        held = np.asarray((ends <= self.problem.low) | (ends >= self.problem.high))
        if self.held is not None:
            held[:, self.held] = True
        found = solve_restricted(matrix, right, held, np.zeros_like(step), definite=True)
        lengths = [np.einsum("bi,bi->b", v * v, diagonal) for v in (found, step)]
        small: BoolArray = np.less_equal(lengths[0], (2.0 * _LARGEST_BEND) ** 2 * lengths[1])
        return np.asarray(found * small[:, None])
