"""The best loss that each compute reaches under a law, its inverse, and where two of them cross."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.laws import ComputeFactors, HasOptimum, OptimizerFactors, get_law

if TYPE_CHECKING:
    from scaleplan.laws import Law
    from scaleplan.laws.base import BoolArray, FloatArray

_GRID = 600  # points in ln C on which crossings are looked for
_HALVINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """L(C) = E + R (C / C0)^-gamma, for one set of parameters or for many at once.

    Under E + A / N^alpha + B / D^beta the best split of C = k N D leaves exactly one power of
    compute, with gamma = alpha beta / (alpha + beta); along one ray the law is one by itself.

    Args:
        floor: E, any shape.
        part: R, the reducible part at C0, of the same shape.
        gamma: Its exponent, of the same shape.
        at: C0 in FLOP.
    """

    floor: FloatArray
    part: FloatArray
    gamma: FloatArray
    at: float

    def loss(self, flops: FloatArray | float) -> FloatArray:
        """Return the loss at a training compute in FLOP."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.floor + self.part * (flops / self.at) ** -self.gamma)

    def flops(self, loss: FloatArray | float) -> FloatArray:
        """Return the compute in FLOP that reaches a loss; infinite at or below the floor."""
        left = np.asarray(loss - self.floor)
        with np.errstate(all="ignore"):
            ratio = (self.part / np.where(left > 0.0, left, np.nan)) ** (1.0 / self.gamma)
        return np.asarray(np.where(left > 0.0, self.at * ratio, np.inf))


def frontier_of(
    law: Law, theta: FloatArray, flops_per_param_token: float, at: float, level: int = 1
) -> Frontier:
    """Return the frontier of a fit.

    Args:
        law: `chinchilla`, `power_floor`, or one of the laws of levels made of them.
        theta: Shape (p,) or (draws, p).
        flops_per_param_token: k in C = k N D.
        at: Where its reducible part is told, FLOP.
        level: Which level of a law of levels.
    """
    parts = [theta[..., k] for k in range(theta.shape[-1])]
    with np.errstate(all="ignore"):
        if isinstance(law, ComputeFactors):
            floor, size, alpha = law.along(parts, level)
            return Frontier(floor, np.asarray(size * at**-alpha), alpha, at)
        if isinstance(law, OptimizerFactors):
            parts = list(law.section(parts, [np.full_like(parts[0], float(level))]))
            law = get_law("chinchilla")
        if isinstance(law, HasOptimum):
            floor, size, alpha, data, beta = parts
            params, tokens = law.optimum(parts, np.asarray(at), flops_per_param_token)
            reducible = size * params**-alpha + data * tokens**-beta
            return Frontier(floor, np.asarray(reducible), alpha * beta / (alpha + beta), at)
        floor, size, alpha = parts
        return Frontier(floor, np.asarray(size * at**-alpha), alpha, at)


def multiplier(of: Frontier, over: Frontier, loss: FloatArray | float) -> FloatArray:
    """Return how many times the compute of `of` the reference `over` needs for a loss.

    Infinite where only `of` reaches it, 0 where only the reference does, NaN where neither does.
    """
    own, reference = of.flops(loss), over.flops(loss)
    with np.errstate(all="ignore"):
        return np.asarray(np.where(np.isinf(own) & np.isinf(reference), np.nan, reference / own))


def central(values: FloatArray, level: float) -> tuple[float, float] | None:
    """Return the central interval of values of which some may be infinite; None if over 1% are NaN.

    Args:
        values: Shape (draws,).
        level: For example 0.9.
    """
    known = np.sort(values[~np.isnan(values)])
    if known.size < 0.99 * values.size or not known.size:
        return None
    tail = 0.5 * (1.0 - level)
    return _quantile(known, tail, outer=0), _quantile(known, 1.0 - tail, outer=1)


def _quantile(ordered: FloatArray, share: float, outer: int) -> float:
    """Return a quantile between ordered values; next to an infinite one the outer of the pair."""
    place = round(share * (ordered.size - 1), 9)
    pair = ordered[[math.floor(place), math.ceil(place)]]
    inner = place - math.floor(place)
    if not np.isfinite(pair).all():
        return float(pair[outer])
    return float((1.0 - inner) * pair[0] + inner * pair[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where two frontiers meet, in FLOP; an end of its interval is None where none was found."""

    flops: float
    loss: float
    low: float | None
    high: float | None


def crossings(
    of: Frontier, over: Frontier, draws: tuple[Frontier, Frontier], *, low: float, high: float,
    level: float,
) -> tuple[Crossing, ...]:  # fmt: skip
    """Return where two frontiers cross between two computes, with confidence sets.

    The set of a crossing is where the interval of the difference of losses holds zero, around it:
    the inversion of a test, which has no end where the curves are never told apart (Fieller 1954).

    Args:
        of: One frontier.
        over: The other.
        draws: Both, refitted to resamples.
        low: Smallest compute that is looked at, FLOP.
        high: Largest.
        level: Level of the interval.
    """
    grid = np.geomspace(low, high, _GRID)
    apart = of.loss(grid) - over.loss(grid)
    at = np.flatnonzero(np.sign(apart[1:]) * np.sign(apart[:-1]) < 0)
    if not at.size:
        return ()
    many = [
        Frontier(f.floor[:, None], f.part[:, None], f.gamma[:, None], f.at) for f in draws
    ]  # fmt: skip
    difference = many[0].loss(grid) - many[1].loss(grid)
    tail = 50.0 * (1.0 - level)
    bottom, top = np.nanpercentile(difference, [tail, 100.0 - tail], axis=0)
    undecided = (bottom <= 0.0) & (top >= 0.0)
    return tuple(_crossing(of, over, grid, int(k), undecided) for k in at)


def _crossing(
    of: Frontier, over: Frontier, grid: FloatArray, k: int, undecided: BoolArray
) -> Crossing:
    """Return the crossing between two points of the grid, with the undecided stretch around it."""
    low, high = math.log(grid[k]), math.log(grid[k + 1])
    sign = float(of.loss(math.exp(low)) - over.loss(math.exp(low)))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        same = float(of.loss(math.exp(middle)) - over.loss(math.exp(middle))) * sign > 0.0
        low, high = (middle, high) if same else (low, middle)
    flops = math.exp(0.5 * (low + high))
    decided = np.flatnonzero(~undecided)
    before, after = decided[decided <= k], decided[decided > k]
    return Crossing(
        flops=flops, loss=float(of.loss(flops)),
        low=float(grid[before[-1]]) if before.size else None,
        high=float(grid[after[0]]) if after.size else None,
    )  # fmt: skip
