"""The best size within limits where it is not the compute-optimal one: tokens for size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from scaleplan.errors import PlanError
from scaleplan.planning.buying import Bought, most_compute
from scaleplan.planning.cluster_size import DoesNotFitError
from scaleplan.planning.family import Family, Model
from scaleplan.planning.paying import slowed
from scaleplan.records import PlanRow

# Sizes are tried on a grid that does not depend on the limits, so that more money or time does not
# end at a worse size. In thousandths of a logarithm: first each 100th, from a fifth above the size
# of the compute-optimal path down to half of the best so far, then each 10th around the best two,
# and each one where a step further is a jump.
_GRID, _COARSE, _FINE = 1e-3, 100, 10
_ABOVE, _BELOW, _MINIMA, _PATIENCE = 200, 700, 2, 3
_ROUGH = 1e-5  # how closely the most tokens are found while sizes are compared, in logarithms
_NEXT = 0.02  # how much larger the model is that tells what keeps the size down
_BETTER = 1e-4  # share of the prediction by which another size has to be better
SPENT = 0.99  # a limit of which this share is used leaves nothing to spend

SizedBy = Literal["memory", "speed", "deadline"]
RowFor = Callable[[Model], PlanRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The best model, its row, and what keeps its size below the optimum of its compute."""

    model: Model
    row: PlanRow
    sized_by: SizedBy | None = None


def best_within(family: Family, row_for: RowFor, limit: Callable[[PlanRow], float]) -> Sized:
    """Return the model with the best prediction within the limits.

    Along the compute-optimal path the search ends at the limit, or where a larger model fits in no
    memory, or is trained on no cluster in time, or is slower by a jump because it just fits. There
    the rest buys tokens: of all sizes, each with the most tokens that the limits allow, the best is
    taken.

    Args:
        family: The models to choose from; the sizes are searched if nothing of the split is fixed.
        row_for: The plan's row for a model; raises PlanError where there is none.
        limit: The share of the limits that a row uses.

    Raises:
        PlanError: If even the smallest model is beyond the limits.
    """
    plain = most_compute(family, row_for, limit)
    as_it_is = Sized(model=plain.model, row=plain.row)
    fixed = (family.params, family.tokens, family.ratio) != (None, None, None)
    if fixed or (limit(plain.row) > SPENT and not slowed(plain.row)):
        return as_it_is
    size = _best_size(family, plain, row_for, limit)
    if size is None:
        return as_it_is
    held = replace(family, params=size)
    found = most_compute(held, row_for, limit, first=plain.model.flops)
    before = family.badness_of(plain.model)
    if family.badness_of(found.model) > before - _BETTER * abs(before):
        return as_it_is
    larger = replace(family, params=size * math.exp(_NEXT)).at(found.model.flops)
    return Sized(model=found.model, row=found.row, sized_by=_keeps_down(larger, row_for))


def _best_size(
    family: Family, plain: Bought, row_for: RowFor, limit: Callable[[PlanRow], float]
) -> float | None:
    """Return the size of the grid with the best prediction, None if none can be trained.

    Over the size the prediction has one optimum between two jumps of the speed.
    """
    tried: dict[int, float] = {}

    def badness(place: int) -> float:
        if place not in tried:
            held = replace(family, params=math.exp(_GRID * place))
            model = _most_tokens(held, plain, row_for, limit)
            tried[place] = math.inf if model is None else family.badness_of(model)
        return tried[place]

    middle = round(math.log(plain.model.params) / _GRID / _COARSE) * _COARSE
    best = _walk(badness, middle + _ABOVE, -_COARSE, _BELOW // _COARSE)
    minima = [
        place for place in sorted(tried, key=badness)
        if badness(place) <= min(badness(place - _COARSE), badness(place + _COARSE))
    ][:_MINIMA]  # fmt: skip
    for place in minima:
        near = (_walk(badness, place, step, _PATIENCE) for step in (_FINE, -_FINE))
        best = min((best, *near), key=badness)
    if badness(best + _FINE) > badness(best) + _BETTER * abs(badness(best)):
        best = _walk(badness, best, 1, _FINE)
    return math.exp(_GRID * best) if math.isfinite(badness(best)) else None


def _walk(badness: Callable[[int], float], start: int, step: int, patience: int) -> int:
    """Return the best place from a start on, until so many steps in turn were no better."""
    best = place = start
    while abs(place - best) < patience * abs(step):
        place += step
        best = min(best, place, key=badness)
    return best


def _most_tokens(
    family: Family, near: Bought, row_for: RowFor, limit: Callable[[PlanRow], float]
) -> Model | None:
    """Return a size with the most tokens within the limits, None if it cannot be trained."""
    if _keeps_down(family.at(near.model.flops), row_for) == "memory":
        return None  # fewer tokens take no less memory
    try:
        return most_compute(
            family, row_for, limit, first=near.model.flops, exact=_ROUGH
        ).model  # fmt: skip
    except PlanError:
        return None


def _keeps_down(model: Model, row_for: RowFor) -> SizedBy:
    """Return what speaks against a model: that it does not fit, ends too late, or is slower."""
    try:
        row_for(model)
    except DoesNotFitError:
        return "memory"
    except PlanError:
        return "deadline"
    return "speed"
