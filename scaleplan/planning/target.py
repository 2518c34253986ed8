"""The cheapest model that reaches a metric, or the bound that says why none does."""

from __future__ import annotations

import math

from scaleplan.errors import PlanError
from scaleplan.planning.family import Family, Model, first_flops
from scaleplan.units import format_count, format_significant

_ENDLESS = 1e100  # FLOP; every power law has come to its floor there
_ROUNDING = 1e-9


def model_for_target(family: Family, target: float) -> Model:
    """Return the model of a family that reaches a metric with the least compute.

    Args:
        family: The models to choose from.
        target: The metric, in its own unit.

    Raises:
        PlanError: If no compute reaches it; with the bound.
    """
    if family.fit.metric.bounded and not 0.0 < target < 1.0:
        raise PlanError(
            f"{family.fit.metric.name} {target:g} cannot be reached: it lies between 0 and 1",
            hint="Give a share such as 0.3.",
        )
    wanted = target if family.falls else -target

    def reached(flops: float) -> bool:
        try:
            return family.badness(flops) <= wanted
        except (OverflowError, ZeroDivisionError):
            return flops > 1.0  # beyond all numbers the law has come to its floor

    endless = _best(family)
    if endless is not None and wanted < endless * (1.0 + math.copysign(_ROUNDING, endless)):
        raise _out_of_reach(family, target, endless if family.falls else -endless)
    flops = first_flops(reached)
    if flops is None:
        raise _out_of_reach(family, target, None)
    return family.at(flops)


def _best(family: Family) -> float | None:
    """Return what endless compute reaches, as `Family.badness` has it."""
    try:
        return family.badness(_ENDLESS)
    except (OverflowError, ZeroDivisionError):
        return None


def _out_of_reach(family: Family, target: float, bound: float | None) -> PlanError:
    fit = family.fit
    name = fit.metric.name
    floor = next((p for p in fit.parameters if p.symbol == "E"), None)
    shown = format_significant(target)
    held = ""
    if family.params is not None:
        held = f" by {format_count(family.params)} parameters with any number of tokens"
    elif family.tokens is not None:
        held = f" on {format_count(family.tokens)} tokens by any size"
    message = f"no amount of compute reaches {name} {shown}{held} under {fit.name}"
    if bound is not None:
        message += f"; its bound is {format_significant(bound)}"
    if not held and floor is not None and not fit.complement:
        message += f" (irreducible loss E = {format_significant(floor.value)}"
        if floor.low is not None and floor.high is not None:
            low, high = format_significant(floor.low), format_significant(floor.high)
            message += f", {low} to {high}"
        message += ")"
    hint = "Aim for a value on the other side of the bound"
    if held:
        hint += ", or leave the size and the tokens open"
    return PlanError(message, hint=f"{hint}. Better data or another recipe move the bound.")
