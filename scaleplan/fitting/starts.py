"""Starts by variable projection: a grid of exponents, the other parameters in closed form.

For given exponents the law is linear in (E, A, B), so the best non-negative ones in relative error
follow from small linear systems; a grid over the exponents alone then sees every valley.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.laws.starting import SMALLEST_SHARE, solve_non_negative

if TYPE_CHECKING:
    from scaleplan.fitting.problem import Problem
    from scaleplan.laws.base import FloatArray, IndexArray

_EXPONENTS = (0.02, 3.0)  # outside this range no published exponent of training lies
_GRID = {1: 40, 2: 14}  # grid points an exponent, by number of terms
_REWEIGHTINGS = 2  # rounds of Huber reweighting before the grid points are ranked
_MOST_RUNS = 500  # grid on so many runs; the polish sees all of them
_BEST, _VALLEYS = 4, 6  # starts kept: the best, and local minima of the grid
# The best are also tried where a term with a small exponent has taken over the floor: below about
# this exponent a term over a few decades is too straight to tell them apart.
_ENDS, _SMALL_EXPONENT = 2, 0.1
_VALLEY_STEPS, _VALLEY_REACH = 8, 30.0
_LEAST_SIZE = 1e-12  # of a term, of the floor: less is rounding, and trades with nothing


def spread_rows(values: FloatArray, count: int) -> IndexArray:
    """Return `count` rows evenly spread over the order of values, so that both ends are seen."""
    order = np.argsort(values, kind="stable")
    return order[np.linspace(0, order.size - 1, count).astype(np.intp)]


def grid_starts(problem: Problem, *, delta: float) -> FloatArray:
    """Return the most promising starts, shape (starts, p), best first.

    Args:
        problem: The law and its runs.
        delta: Where Huber's loss turns linear, in log units.
    """
    if problem.y.size > _MOST_RUNS:
        problem = problem.subset(spread_rows(problem.y, _MOST_RUNS))
    if not problem.law.floor and len(problem.x) == 1:
        return _line_starts(problem)
    terms = len(problem.x)
    axis = np.geomspace(*_EXPONENTS, _GRID[terms])
    grid = np.array(list(itertools.product(range(axis.size), repeat=terms)))
    values = np.exp(problem.y)
    powers = [np.exp(-axis[:, None] * x) for x in problem.x]
    linear = solve_non_negative(*_shared_moments(powers, grid, 1.0 / values))
    fitted = linear[:, 0, None] + sum(
        linear[:, k + 1, None] * power[grid[:, k]] for k, power in enumerate(powers)
    )
    chosen = _choose(_objective(fitted / values, delta), (axis.size,) * terms)
    columns = (
        np.stack(
            [
                np.ones((chosen.size, values.size)),
                *(p[grid[chosen, k]] for k, p in enumerate(powers)),
            ],
            axis=2,
        )
        / values[:, None]
    )
    linear, objective = _reweighted(columns, linear[chosen], delta)
    order = np.argsort(objective, kind="stable")
    smallest = SMALLEST_SHARE * float(values.min())
    phi = np.empty((chosen.size, problem.size))
    for k in range(terms):
        phi[:, 2 * k] = np.log(np.maximum(linear[:, k + 1], smallest))
        phi[:, 2 * k + 1] = axis[grid[chosen, k]]
    phi[:, -1] = linear[:, 0]
    phi = phi[order]
    ends = [
        without_floor(one, k)
        for one in phi[:_ENDS]
        for k in range(terms)
        if one[2 * k + 1] < _SMALL_EXPONENT and _counts(one, k)
    ]
    return np.concatenate([phi, *(end[None] for end in ends)])


def _counts(phi: FloatArray, term: int) -> bool:
    """Tell whether a term can be told from the floor at all; its size may have run off to zero."""
    return bool(np.exp(phi[2 * term]) > _LEAST_SIZE * phi[-1])


def without_floor(phi: FloatArray, term: int) -> FloatArray:
    """Return phi, shape (p,), with the floor taken into a term: its value and slope stay."""
    moved = phi.copy()
    share = 1.0 + phi[-1] * np.exp(-phi[2 * term])
    moved[2 * term] += np.log(share)
    moved[2 * term + 1] /= share
    moved[-1] = 0.0
    return moved


def along_valleys(phi: FloatArray) -> FloatArray:
    """Return starts along the valleys in which a term with a small exponent trades with the floor.

    e^(a - b x) + E keeps its level and slope at the centre of the runs while b is multiplied by f,
    e^a divided by f and E raised by e^a (1 - 1/f); the smallest f leaves no floor. A Newton method
    creeps along such a valley where Huber's loss is all but kinked.

    Args:
        phi: Shape (p,), with a floor.

    Returns:
        Shape (starts, p).
    """
    found = []
    for k in range(phi.size // 2):
        if not _counts(phi, k):
            continue
        size = np.exp(phi[2 * k])
        least = size / (size + phi[-1])
        factors = np.concatenate([
            np.geomspace(least, 1.0, _VALLEY_STEPS)[1:],
            np.geomspace(1.0, _VALLEY_REACH, _VALLEY_STEPS)[1:],
        ])  # fmt: skip
        moved = np.tile(phi, (factors.size, 1))
        moved[:, 2 * k] -= np.log(factors)
        moved[:, 2 * k + 1] *= factors
        moved[:, -1] = np.maximum(phi[-1] + size * (1.0 - 1.0 / factors), 0.0)
        found += [moved, without_floor(phi, k)[None]]
    return np.concatenate(found) if found else np.empty((0, phi.size))


def _shared_moments(
    powers: list[FloatArray], grid: IndexArray, inverse: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the Gram matrices (grid, k, k) and right sides (grid, k) of the unweighted systems.

    Without weights a column depends on one exponent only, so that every entry is a table look-up.
    """
    size = len(powers) + 1
    square = inverse * inverse
    gram = np.empty((len(grid), size, size))
    right = np.empty((len(grid), size))
    gram[:, 0, 0], right[:, 0] = square.sum(), inverse.sum()
    for k, power in enumerate(powers):
        at = grid[:, k]
        right[:, k + 1] = (power @ inverse)[at]
        gram[:, 0, k + 1] = gram[:, k + 1, 0] = (power @ square)[at]
        gram[:, k + 1, k + 1] = ((power * power) @ square)[at]
        for j in range(k):
            cross = (powers[j] * square) @ power.T
            gram[:, j + 1, k + 1] = gram[:, k + 1, j + 1] = cross[grid[:, j], at]
    return gram, right


def _reweighted(
    columns: FloatArray, linear: FloatArray, delta: float
) -> tuple[FloatArray, FloatArray]:
    """Improve linear parts by Huber reweighting; return them and their objectives."""
    ratio = np.einsum("gnk,gk->gn", columns, linear)
    for _ in range(_REWEIGHTINGS):
        residual = np.log(np.maximum(ratio, 1e-300))
        weights = np.minimum(1.0, delta / np.maximum(np.abs(residual), 1e-300))
        weighted = columns * weights[:, :, None]
        gram = weighted.transpose(0, 2, 1) @ columns
        linear = solve_non_negative(gram, weighted.sum(axis=1))
        ratio = np.einsum("gnk,gk->gn", columns, linear)
    return linear, _objective(ratio, delta)


def _objective(ratio: FloatArray, delta: float) -> FloatArray:
    """Return the Huber objective of fitted / observed, shape (grid, n) to (grid,)."""
    residual = np.log(np.maximum(ratio, 1e-300))
    psi = np.clip(residual, -delta, delta)
    return np.asarray(np.einsum("gn,gn->g", psi, residual - 0.5 * psi))


def _line_starts(problem: Problem) -> FloatArray:
    """Return the least-squares line in logs: a power law without a floor is linear there."""
    x = problem.x[0]
    slope = float(x @ problem.y) / float(x @ x)
    return np.array([[problem.y.mean(), -slope], [problem.y.mean(), -0.5 * slope]])


def _choose(objective: FloatArray, shape: tuple[int, ...]) -> IndexArray:
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
