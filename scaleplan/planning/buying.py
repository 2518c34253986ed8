"""The most compute that money and time buy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from scaleplan.errors import PlanError
from scaleplan.planning.family import Family, Model
from scaleplan.records import PlanRow

_FIRST_FLOPS = 1e21  # where the search begins; costs are nearly in proportion to compute
_ROUNDS = 80
_EXACT = 1e-9
_FURTHER = 6  # places of the grid that the end may lie beyond the last round
_SMALLEST_FLOPS = 1e9
_LARGEST_FLOPS = 1e37  # beyond what a plan is made for, and so beyond all that will be trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A model and the row of the plan on which it uses up the limit.

    `stopped` is what a larger one fails by, where that is not the limit.
    """

    model: Model
    row: PlanRow
    stopped: PlanError | None = None


def most_compute(
    family: Family, row_for: Callable[[Model], PlanRow], limit: Callable[[PlanRow], float], *,
    first: float = _FIRST_FLOPS, exact: float = _EXACT,
) -> Bought:  # fmt: skip
    """Return the largest model of a family whose row stays within a limit.

    What a row uses of the limit grows nearly in proportion to compute, so that a secant in logs
    finds the end in a few rounds; a bracket keeps it from leaving.

    Args:
        family: The models to choose from.
        row_for: The plan's row for a model; raises PlanError where the model is too large for it.
        limit: The share of the limit that a row uses, 1 at the limit: the largest of all.
        first: Compute at which the search begins, FLOP.
        exact: How closely the end is found, as a share of the compute.

    Raises:
        PlanError: If even the smallest model is beyond the limit.
    """
    low, high = math.log(_SMALLEST_FLOPS), math.log(_LARGEST_FLOPS)
    at, best = math.log(first), None
    failed: PlanError | None = None
    stopped: PlanError | None = None
    for _ in range(_ROUNDS):
        model = family.at(math.exp(at))
        try:
            row = row_for(model)
            used = limit(row)
        except PlanError as error:
            failed = stopped = error
            high = at
        else:
            if used <= 1.0:
                low, best = at, Bought(model=model, row=row)
                if used >= 1.0 - exact:
                    break
            else:
                high, stopped = at, None
            step = at - math.log(used)
            # A hair below the limit: the end itself is approached from within.
            step -= 0.25 * exact
            if low < step < high and abs(step - at) > 1e-15:
                at = step
                continue
        if high - low < exact:
            break
        at = 0.5 * (low + high) if math.isfinite(high) else at + math.log(4.0)
    if best is None:
        if failed is not None:
            raise failed
        raise PlanError(
            "the limit is below the cost of the smallest run",
            hint="Allow more money or time.",
        )
    if exact <= _EXACT:
        best = _on_grid(low, best, family, row_for, limit)
    return replace(best, stopped=stopped)


def _on_grid(
    at: float, best: Bought, family: Family, row_for: Callable[[Model], PlanRow],
    limit: Callable[[PlanRow], float],
) -> Bought:  # fmt: skip
    """Return the last model within the limit on a grid of compute, whatever led the search there.

    Otherwise more money would end a hair lower where it is the time that binds.
    """
    place = math.floor(at / _EXACT)
    for further in range(_FURTHER):
        model = family.at(math.exp((place + further) * _EXACT))
        try:
            row = row_for(model)
        except PlanError:
            break
        if limit(row) > 1.0:
            break
        best = Bought(model=model, row=row)
    return best
