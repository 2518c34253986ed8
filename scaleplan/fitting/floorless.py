"""Whether the irreducible part is known, and what a law without one predicts instead."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import Limit, reached
from scaleplan.records import Note
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.records import Parameter

# Relative standard error beyond which E is not worth quoting (own simulation, 2026).
_RELATIVE_ERROR = 0.25


def floor_note(
    fitted: Fitted, parameters: Sequence[Parameter], *, level: float, at: Sequence[float]
) -> Note | None:
    """Return the warning that the floor cannot be told from zero, with the forecast without it.

    A floor that stands at a bound of the user's is told by that bound, which the note says instead.

    Args:
        fitted: The fit.
        parameters: Its parameters with intervals.
        level: Level of these, for example 0.9.
        at: The inputs of the forecast to compare, in the law's order and base units.
    """
    floor = next((p for p in parameters if p.symbol == "E"), None)
    if floor is None or floor.fixed:
        return None
    held = _held_by(fitted, floor.value)
    if held is not None:
        return _held_note(floor, held)
    error = _relative_error(fitted, floor)
    zero_inside = floor.low is not None and floor.low <= 0.0
    if floor.value > 0.0 and not zero_inside and error is not None and error <= _RELATIVE_ERROR:
        return None
    why = [f"E = {format_significant(floor.value)}"]
    if floor.at_bound or floor.value <= 0.0:
        why.append("at its bound, where a standard error means nothing")
    elif error is None:
        why.append("too few runs for a standard error")
    else:
        why.append(f"relative standard error {format_percent(error, 2)}")
    if zero_inside and floor.value > 0.0:
        why.append(f"its {100.0 * level:g}% interval includes 0")
    numbers: tuple[tuple[str, float], ...] = (("E", floor.value),)
    beside = ""
    other = value_without_floor(fitted, at) if floor.value > 0.0 else None
    if other is not None:
        value = float(fitted.predict(np.array(at)[:, None])[0])
        where = " and ".join(format_significant(v) for v in at)
        beside = (
            f" At inputs of {where} the law without a floor predicts {format_significant(other)} "
            f"instead of {format_significant(value)}."
        )
        numbers += (("predicted", value), ("predicted_without_floor", other))
    return Note(
        id="FLOOR_UNIDENTIFIED", severity="warning",
        text=f"The irreducible part is not known ({', '.join(why)}): these runs do not reach far "
        f"enough to see where the metric flattens.{beside}",
        action="Do not quote E. Forecasts far beyond the data depend on it.",
        numbers=numbers, source="thresholds from an own simulation, 2026",
    )  # fmt: skip


def _held_by(fitted: Fitted, value: float) -> Limit | None:
    """Return the user's bound that the floor stands at, None if none or if it is the law's own."""
    return next(
        (
            limit
            for limit in fitted.recipe.limits
            if limit.symbol == "E"
            and (reached(limit.high, value) or (limit.low > 0.0 and reached(limit.low, value)))
        ),
        None,
    )


def _held_note(floor: Parameter, limit: Limit) -> Note:
    """Return the warning that a bound of the user's decides on the floor."""
    at, word = (
        (limit.high, "larger") if reached(limit.high, floor.value) else (limit.low, "smaller")
    )
    return Note(
        id="FLOOR_UNIDENTIFIED", severity="warning",
        text=f"The irreducible part is held by the bound given for it (E = "
        f"{format_significant(floor.value)}, --bound E={limit.low:g}:{limit.high:g}): these runs "
        f"alone would have a {word} one.",
        action="Widen the bound or leave it out, unless E is known from elsewhere.",
        numbers=(("E", floor.value), ("bound", at)),
    )  # fmt: skip


def beyond(fitted: Fitted) -> tuple[float, ...]:
    """Return inputs ten times the largest fitted ones, where there is no budget to compare at."""
    return tuple(10.0 * float(column.max()) for column in fitted.inputs)


def _relative_error(fitted: Fitted, floor: Parameter) -> float | None:
    """Return the standard error of E over E, from its interval or else the covariance."""
    if floor.value <= 0.0 or fitted.covariance is None:
        return None
    k = [spec.symbol for spec in fitted.law.parameters].index("E")
    return math.sqrt(max(0.0, float(fitted.covariance[k, k]))) / floor.value


def value_without_floor(fitted: Fitted, at: Sequence[float]) -> float | None:
    """Return what the same law with E held at 0, fitted to the same runs, predicts.

    Args:
        fitted: The fit with a floor.
        at: The inputs, in the law's order and base units.

    Returns:
        The prediction; None if the law has no floor to leave out or does not settle without it.
    """
    symbols = [spec.symbol for spec in fitted.law.parameters]
    if "E" not in symbols or any(limit.symbol == "E" for limit in fitted.recipe.limits):
        return None
    none = Limit(symbol="E", low=0.0, high=0.0)
    recipe = replace(fitted.recipe, limits=(*fitted.recipe.limits, none))
    if recipe.objective == "huber":
        recipe = replace(recipe, delta=fitted.delta)
    without = fit_law(fitted.law, fitted.inputs, fitted.values, recipe=recipe)
    value = float(without.predict(np.array(at)[:, None])[0])
    return value if math.isfinite(value) and value > 0.0 else None
