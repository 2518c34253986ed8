"""The compute-optimal size without a law of the loss: envelope and isoFLOP minima.

Approaches 1 and 2 of Hoffmann et al. 2022 (arXiv 2203.15556, sections 3.1 and 3.2) as cross-checks
of the fitted law. They never decide: a parabola has a bias of its own where the two exponents of
the law differ, with an exact slope, so that it hides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import AllocationApproach, IsoflopMinimum, SizeAt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws.base import FloatArray, IndexArray
    from scaleplan.records.checks import MinimumStatus

# Runs whose compute differs by less belong to one budget: 10% of compute is some 0.5% of the loss,
# while the budgets of one sweep are a factor of 1.5 apart or more.
BUDGET_TOLERANCE = 0.10
_FEWEST_SIZES = 3
_FEWEST_BUDGETS = 3
_FULL_SHARE = 0.25  # fewer runs than this share of the fullest budget's met there by chance
# A parabola in ln N describes the loss near its minimum only: over a sweep of +-1 decade the bias
# of N* is 4 to 54%, within a factor of 4 it stays below 4% (tests/unit/fitting/test_isoflop.py).
NEAR_FACTOR = 4.0
_CENTRINGS = 8
_SAME_SIZE = 0.01  # relative difference of params below which two runs have one size
_FEWEST_BINS, _MOST_BINS, _RUNS_A_BIN = 5, 20, 5


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What the cross-checks need of the fitted runs, each of shape (n,).

    Args:
        params: Parameters.
        tokens: Training tokens.
        flops: Training compute, FLOP.
        values: The metric as it is fitted, lower is better.
    """

    params: FloatArray
    tokens: FloatArray
    flops: FloatArray
    values: FloatArray

    def take(self, rows: IndexArray) -> Sweep:
        """Return some of the runs."""
        return Sweep(self.params[rows], self.tokens[rows], self.flops[rows], self.values[rows])

    def tokens_at(self, params: float, flops: float) -> float:
        """Return D of C = k N D, with the median k of these runs."""
        return flops / (params * float(np.median(self.flops / (self.params * self.tokens))))


def isoflop_minima(sweep: Sweep) -> tuple[IsoflopMinimum, ...]:
    """Return the best size of each budget, smallest budget first; empty without such budgets.

    Args:
        sweep: The runs.
    """
    groups = equal_compute(sweep.flops)
    fewest = _FULL_SHARE * max((rows.size for rows in groups), default=0)
    minima = [_minimum(sweep.take(rows)) for rows in groups if rows.size >= fewest]
    if sum(m.status != "few sizes" for m in minima) < _FEWEST_BUDGETS:
        return ()  # no isoFLOP sweep: sizes meet at one compute by chance
    return tuple(sorted(minima, key=lambda m: m.budget_flops))


def equal_compute(flops: FloatArray) -> list[IndexArray]:
    """Return groups of at least two runs whose compute lies within the tolerance.

    The window that holds most runs is taken first, so that a stray run next to a budget does not
    cut it in two.

    Args:
        flops: Shape (n,), training compute.
    """
    order = np.argsort(flops, kind="stable")
    logs = np.log(flops[order])
    end = np.searchsorted(logs, logs + math.log1p(BUDGET_TOLERANCE), side="right")
    count = end - np.arange(logs.size)
    groups = []
    while count.size and count.max() > 1:
        first = int(np.argmax(count))
        last = int(end[first])
        groups.append(order[first:last])
        # Windows that overlap this one are gone; those before it end where it begins.
        count[np.searchsorted(end, first, side="right") : last] = 0
    return groups


def _minimum(budget: Sweep) -> IsoflopMinimum:
    """Return the minimum of one budget."""
    flops, runs = float(np.median(budget.flops)), int(budget.params.size)
    sizes = np.log(budget.params)
    distinct = _distinct(sizes)
    best = int(np.argmin(budget.values))
    at, near, value = float(sizes[best]), 0, float(budget.values[best])
    status: MinimumStatus
    if distinct.size < _FEWEST_SIZES:
        status = "few sizes"
    elif min(at - sizes.min(), sizes.max() - at) < _SAME_SIZE:
        bend = float(np.polyfit(sizes - at, budget.values / budget.values.mean(), 2)[0])
        status = "edge" if bend > 0.0 else "maximum"
    else:
        status, at, value, near = _parabola(sizes, budget.values, distinct, at)
    known = status in {"used", "edge"}  # an edge run bounds the minimum
    params = math.exp(at)
    return IsoflopMinimum(
        budget_flops=flops, runs=runs, near=near, params=params if known else None,
        tokens=budget.tokens_at(params, flops) if known else None,
        value=value if known else None, status=status,
    )  # fmt: skip


def _parabola(
    sizes: FloatArray, values: FloatArray, distinct: FloatArray, centre: float
) -> tuple[MinimumStatus, float, float, int]:
    """Return (status, ln N, value, runs used) at the vertex of a parabola around a centre.

    The parabola is moved to its own vertex until the runs near it stay the same: the best run alone
    is chosen by its noise.
    """
    near, before = _near(sizes, distinct, centre), np.arange(0)
    vertex, value, left = centre, math.nan, _CENTRINGS
    while left and not np.array_equal(near, before):
        left, before = left - 1, near
        # Scaled, so that a loss of 1e-9 is a number near 1.
        scale = float(values[near].mean())
        curvature, slope, level = np.polyfit(sizes[near] - centre, values[near] / scale, 2)
        if not curvature > 0.0:
            return "maximum", centre, 0.0, int(near.size)
        vertex = centre - 0.5 * float(slope / curvature)
        value = float(level - 0.25 * slope**2 / curvature) * scale
        if not distinct[0] < vertex < distinct[-1] or value <= 0.0:
            edge = distinct[0] if vertex < centre else distinct[-1]
            at_edge = values[np.abs(sizes - edge) < _SAME_SIZE].min()
            return "edge", float(edge), float(at_edge), int(near.size)
        centre = vertex
        near = _near(sizes, distinct, centre)
    return "used", vertex, value, int(near.size)


def _distinct(sizes: FloatArray) -> FloatArray:
    """Return the different log sizes, ascending."""
    ordered = np.sort(sizes)
    return ordered[np.r_[True, np.diff(ordered) > _SAME_SIZE]]


def _near(sizes: FloatArray, distinct: FloatArray, centre: float) -> IndexArray:
    """Return the runs within a factor of the centre, or those of the three nearest sizes."""
    reach = np.sort(np.abs(distinct - centre))[_FEWEST_SIZES - 1]
    reach = max(math.log(NEAR_FACTOR), float(reach))
    return np.flatnonzero(np.abs(sizes - centre) <= reach + _SAME_SIZE)


def envelope(sweep: Sweep) -> Sweep:
    """Return the best run of each bin of log compute, less those that a smaller budget beats.

    Args:
        sweep: The runs.
    """
    logs = np.log(sweep.flops)
    bins = min(_MOST_BINS, max(_FEWEST_BINS, logs.size // _RUNS_A_BIN))
    edges = np.linspace(logs.min(), logs.max(), bins + 1)[1:-1]
    of_run = np.searchsorted(edges, logs, side="right")
    # Of equally good runs the cheapest, then the smallest: not the one that the log has first.
    order = np.lexsort((sweep.params, sweep.flops, sweep.values, of_run))
    best = order[np.r_[True, np.diff(of_run[order]) > 0]]
    lowest = np.minimum.accumulate(sweep.values[best])
    return sweep.take(best[np.r_[True, sweep.values[best][1:] < lowest[:-1]]])


def by_envelope(sweep: Sweep, budgets: Sequence[float], level: float) -> AllocationApproach | None:
    """Return Approach 1: power laws through the lower envelope of the metric over compute.

    Args:
        sweep: The runs.
        budgets: Where to say the optimal size, FLOP.
        level: Of the intervals of the exponents.
    """
    best = envelope(sweep)
    return _power_laws(1, best.flops, best.params, best.tokens, budgets, level)


def by_minima(
    minima: Sequence[IsoflopMinimum], budgets: Sequence[float], level: float
) -> AllocationApproach | None:
    """Return Approach 2: power laws through the minima that could be placed.

    Args:
        minima: From `isoflop_minima`.
        budgets: Where to say the optimal size, FLOP.
        level: Of the intervals of the exponents.
    """
    used = [
        (m.budget_flops, m.params, m.tokens) for m in minima
        if m.status == "used" and m.params is not None and m.tokens is not None
    ]  # fmt: skip
    if not used:
        return None
    flops, params, tokens = (np.array(column) for column in zip(*used, strict=True))
    return _power_laws(2, flops, params, tokens, budgets, level)


def _power_laws(
    approach: int, flops: FloatArray, params: FloatArray, tokens: FloatArray,
    budgets: Sequence[float], level: float,
) -> AllocationApproach | None:  # fmt: skip
    if flops.size < _FEWEST_BUDGETS:
        return None
    centre = float(np.log(flops).mean())
    x = np.log(flops) - centre
    a, a_error, log_params = _line(x, np.log(params))
    b, b_error, log_tokens = _line(x, np.log(tokens))
    factor = t_quantile(0.5 + 0.5 * level, float(flops.size - 2))
    return AllocationApproach(
        approach=approach, points=int(flops.size),
        params_exponent=a, params_exponent_low=a - factor * a_error,
        params_exponent_high=a + factor * a_error,
        tokens_exponent=b, tokens_exponent_low=b - factor * b_error,
        tokens_exponent_high=b + factor * b_error,
        sizes=tuple(
            SizeAt(
                flops=c, params=math.exp(log_params + a * (math.log(c) - centre)),
                tokens=math.exp(log_tokens + b * (math.log(c) - centre)),
            )
            for c in budgets
        ),
    )  # fmt: skip


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """Return slope, its standard error and the level at 0 of the least-squares line; x centred."""
    squares = float(x @ x)
    slope, level = float(x @ y) / squares, float(y.mean())
    left = y - level - slope * x
    return slope, math.sqrt(float(left @ left) / (x.size - 2) / squares), level
