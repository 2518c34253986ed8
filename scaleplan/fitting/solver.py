"""From runs and a law to the global optimum of the objective, and refits on reweighted runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.newton import Minima
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.starts import spread_rows

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray, IndexArray

AnyProblem = Problem | CurvedProblem

# Hoffmann et al. 2022 (arXiv 2203.15556, section 3.3) use 1e-3; below it Huber's loss is all but
# least absolute deviations.
SMALLEST_DELTA = 1e-3
# Huber's tuning constant: 95% efficiency on normal residuals (Huber 1981).
_HUBER = 1.345
_MAD_TO_SIGMA = 1.4826  # median absolute deviation to standard deviation of a normal
_AGREEMENT = 1e-6  # relative difference of objectives that counts as the same optimum
_WARM_STEPS = 100  # a further step costs less than a second look from everywhere
_MANY_STEPS = 25  # a warm refit that needs more has left the valley it started in
_POOL_STEPS, _POOL_KEPT = 6, 3  # of a second look with so many runs, before its best go on
_FEW_VALLEYS = 100
_LOOKED_AT = 48  # of refits that end at a bound: if none can be bettered, at 95% under 6% can
_BETTER = 1e-9  # by which an objective must be lower to be a better end
_DELTA_ROUNDS = 6
_FURTHER_TRIES = 4
_MANY_RUNS, _SAMPLE, _POLISHED = 4000, 2000, 2


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The best optimum found for one problem.

    Args:
        phi: Shape (p,), in the problem's coordinates.
        objective: Sum of Huber losses there.
        delta: The Huber threshold used, log units.
        starts: Number of starts that were polished.
        agreeing: How many of them ended at this objective.
        pool: Shape (starts, p), where they ended: starts for refits.
        converged: Whether the best one satisfied the stopping rule.
    """

    phi: FloatArray
    objective: float
    delta: float
    starts: int
    agreeing: int
    pool: FloatArray
    converged: bool


def solve(problem: AnyProblem, *, delta: float | None = None) -> Solution:
    """Find the global optimum.

    Args:
        problem: The law and its runs.
        delta: Huber threshold in log units; None chooses max(1e-3, 1.345 robust sigma), with sigma
            from the residuals of the fit at that very threshold.
    """
    smallest = SMALLEST_DELTA if delta is None else delta
    starts = problem.grid_starts(delta=smallest)
    first = _solve(problem, smallest, starts)
    if delta is not None:
        return first
    chosen = _stable_delta(problem, first)
    if chosen == SMALLEST_DELTA:
        return first
    if isinstance(problem, Problem):
        starts = problem.grid_starts(delta=chosen)
    return _solve(problem, chosen, np.concatenate([first.phi[None], starts]))


def _stable_delta(problem: AnyProblem, first: Solution) -> float:
    """Return the Huber threshold that its own fit's residuals ask for.

    At 1e-3 the objective is all but least absolute deviations, which replicated sizes can leave
    with a whole face of minima: a threshold read off one of them would depend on rounding.
    """
    phi, chosen = first.phi, 0.0
    for _ in range(_DELTA_ROUNDS):
        residuals = problem.residuals(phi)
        freedom = max(1, residuals.size - problem.size)
        spread = _MAD_TO_SIGMA * float(np.median(np.abs(residuals)))
        sigma = spread * math.sqrt(residuals.size / freedom)
        # Two digits are enough for a tuning constant, and can be typed again as --delta.
        before, chosen = chosen, float(f"{max(SMALLEST_DELTA, _HUBER * sigma):.2g}")
        if chosen in {before, SMALLEST_DELTA}:
            break
        phi = problem.minimise(phi[None], delta=chosen).phi[0]
    return chosen


def _solve(problem: AnyProblem, delta: float, starts: FloatArray) -> Solution:
    if problem.y.size <= _MANY_RUNS:
        ends = problem.minimise(starts, delta=delta)
        pool, objectives = ends.phi, ends.objective
    else:
        # The valleys of a surface show on a sample of its runs; only the best ends see all runs.
        sample = problem.subset(spread_rows(problem.y, _SAMPLE)).minimise(starts, delta=delta)
        pool, objectives = sample.phi, sample.objective
        ends = problem.minimise(pool[np.argsort(objectives)[:_POLISHED]], delta=delta)
    best = int(np.argmin(ends.objective))
    for _ in range(_FURTHER_TRIES):
        if ends.converged[best] or not isinstance(problem, Problem):
            break
        further = np.concatenate([ends.phi[best, None], problem.further_starts(ends.phi[best])])
        ends = problem.minimise(further, delta=delta)
        best = int(np.argmin(ends.objective))
    same = objectives <= objectives.min() * (1.0 + _AGREEMENT) + 1e-24
    return Solution(
        ends.phi[best], float(ends.objective[best]), delta, len(starts), int(same.sum()), pool,
        bool(ends.converged[best]),
    )  # fmt: skip


def refit(
    problem: AnyProblem, solution: Solution, weights: FloatArray, values: FloatArray | None = None
) -> Minima:
    """Refit with other weights or values a run: resamples, cuts, leave-one-out.

    Args:
        problem: The law and its runs.
        solution: The fit to all runs; its optimum is the warm start.
        weights: Shape (batch, n).
        values: Shape (batch, n), each fit's own y; None for the problem's.

    Returns:
        The ends. A refit that looks suspicious (not converged, floor at zero, exponent out of its
        range) is repeated from the spread starts and the best end kept.
    """
    count = len(weights)
    warm = np.tile(solution.phi, (count, 1))
    ends = problem.minimise(
        warm, delta=solution.delta, weights=weights, values=values, max_steps=_WARM_STEPS
    )
    suspicious = ~ends.converged
    if isinstance(problem, Problem):
        suspicious |= ends.steps >= _MANY_STEPS
    again = _SecondLook(problem, solution, ends, weights, values)
    again.at(np.flatnonzero(suspicious))
    if not problem.left_the_valley(solution.phi[None])[0]:
        # Where the fit to all runs has its floor at zero already, refits that do are no surprise.
        rows = np.flatnonzero(problem.left_the_valley(ends.phi) & ~suspicious)
        # Nor are they where many do, and a sample of them cannot be bettered.
        sample = rows
        if rows.size > 2 * _LOOKED_AT:
            sample = rows[spread_rows(ends.objective[rows], _LOOKED_AT)]
        if again.at(sample) and sample.size < rows.size:
            again.at(np.setdiff1d(rows, sample))
    return ends


@dataclass(frozen=True, slots=True, eq=False)
class _SecondLook:
    """Refits of some rows from all spread starts, into the ends where they are better."""

    problem: AnyProblem
    solution: Solution
    ends: Minima
    weights: FloatArray
    values: FloatArray | None

    def at(self, rows: IndexArray) -> bool:
        """Refit these rows again, and tell whether any came out better beyond rounding."""
        if not rows.size:
            return False
        ends = self.ends
        # They have started from the fit to all runs already.
        elsewhere = _pool(self.problem, self.solution)[1:]
        if not len(elsewhere):
            return False
        again = _from_pool(
            self.problem, self.solution, elsewhere, self.weights[rows], _own(self.values, rows),
            kept=_POOL_KEPT - 1,
        )  # fmt: skip
        before = ends.objective[rows]
        better = again.objective < before
        ends.phi[rows[better]] = again.phi[better]
        ends.objective[rows[better]] = again.objective[better]
        ends.converged[rows[better]] = again.converged[better]
        return bool((again.objective < before * (1.0 - _BETTER)).any())


def refit_from_pool(problem: AnyProblem, solution: Solution, weights: FloatArray) -> Minima:
    """Refit each row of weights (shape (batch, n)) from all spread starts, keeping the best."""
    return _from_pool(problem, solution, _pool(problem, solution), weights)


def _pool(problem: AnyProblem, solution: Solution) -> FloatArray:
    """Return the spread starts, shape (m, p), the fit to all runs first."""
    return problem.nearby(solution.phi, solution.pool, delta=max(solution.delta, SMALLEST_DELTA))


def _from_pool(
    problem: AnyProblem, solution: Solution, pool: FloatArray, weights: FloatArray,
    values: FloatArray | None = None, *, kept: int = _POOL_KEPT,
) -> Minima:  # fmt: skip
    each, count = len(pool), len(weights)
    rows, starts = np.repeat(np.arange(count), each), np.tile(pool, (count, 1))
    # With many runs most of these are soon seen to be nowhere near the best; with few, valleys are
    # so many that the best start of a few steps missed the best end in 8 to 14 of 60 resamples.
    if problem.y.size >= _FEW_VALLEYS:
        first = _from(problem, solution, starts, weights[rows], _own(values, rows), _POOL_STEPS)
        best = _lowest(first, count, kept)
        rows, starts = rows[best], first.phi[best]
    ends = _from(problem, solution, starts, weights[rows], _own(values, rows), _WARM_STEPS)
    best = _lowest(ends, count, 1)
    return Minima(ends.phi[best], ends.objective[best], ends.converged[best], ends.steps[best])


def _own(values: FloatArray | None, rows: IndexArray) -> FloatArray | None:
    return None if values is None else values[rows]


def _from(
    problem: AnyProblem, solution: Solution, starts: FloatArray, weights: FloatArray,
    values: FloatArray | None, steps: int,
) -> Minima:  # fmt: skip
    return problem.minimise(
        starts, delta=solution.delta, weights=weights, values=values, max_steps=steps
    )


def _lowest(ends: Minima, count: int, kept: int) -> IndexArray:
    """Return the rows of the `kept` lowest ends of each of `count` fits, which stand in turn."""
    found = np.where(np.isfinite(ends.objective), ends.objective, np.inf).reshape(count, -1)
    first = np.argsort(found, axis=1, kind="stable")[:, :kept]
    return np.asarray((first + np.arange(count)[:, None] * found.shape[1]).ravel())
