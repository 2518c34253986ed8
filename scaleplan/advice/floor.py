"""How near a forecast is to the fitted floor, and whether the admissible forms agree on it."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.laws import get_law
from scaleplan.records import Fit, ForecastPoint, Note
from scaleplan.units import format_count, format_percent, format_significant

# Below this share of the loss what is left to gain is smaller than differences between recipes; a
# convention, as is the factor on the scatter of one run.
_NEXT_TO_NOTHING = 0.05
_SCATTERS = 2.0
_HELD_NAMES = {"params": "parameters", "active_params": "active parameters", "tokens": "tokens"}


def reducible(fit: Fit, value: float) -> float | None:
    """Return the part of a predicted metric that more scale can remove, None without a known floor.

    Args:
        fit: A fit; the floor is its parameter E, and known if its interval excludes zero.
        value: What the law is fitted to: the metric, or 1 - accuracy.
    """
    floor = next((p for p in fit.parameters if p.symbol == "E"), None)
    if floor is None or floor.low is None or floor.low <= 0.0:
        return None
    return value - floor.value


def floor_reached(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    """Yield that a forecast lies within noise of the floor: more scale cannot be seen there."""
    value = 1.0 - point.value if fit.complement else point.value
    left = reducible(fit, value)
    if left is None or value <= 0.0 or fit.main.noise is None:
        return
    noise = fit.main.noise if fit.main.residual == "log" else fit.main.noise / value
    limit = max(_SCATTERS * noise, _NEXT_TO_NOTHING)
    if left / value >= limit:
        return
    floor = next(p for p in fit.parameters if p.symbol == "E")
    low, high = (format_significant(v if v is not None else floor.value)
                 for v in (floor.low, floor.high))  # fmt: skip
    share = max(0.0, left) / value
    lost = share < _SCATTERS * noise
    held = _held(fit)
    yield Note(
        id="FLOOR_REACHED", severity="warning" if lost else "info",
        text=f"Only {format_percent(share, 2)} of the predicted {format_significant(value)} lies "
        f"above the fitted floor E = {format_significant(floor.value)} ({low} to {high})"
        + (
            f"; one run scatters by {format_percent(noise, 2)}. More scale cannot be told from "
            "noise here." if lost
            else ": no scale brings more than that, and recipes often differ by as much."
        )
        + (f" All fitted runs have {held}: the floor is theirs." if held else ""),
        action="Train runs of other sizes: they have another floor." if held
        else "Spend on better data or another recipe, which move the floor; scale does not.",
        numbers=(("reducible_share", left / value), ("limit", limit), ("floor", floor.value)),
    )  # fmt: skip


def _held(fit: Fit) -> str:
    """Return what a law of one input does not take and all of its runs have alike; else nothing."""
    if len(fit.inputs) > 1:
        return ""
    for each in fit.ranges:
        if each.role in _HELD_NAMES and each.role not in fit.inputs and each.low == each.high:
            return f"{format_count(each.low)} {_HELD_NAMES[each.role]}"
    return ""


def forms_spread(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    """Yield that admissible laws disagree by more than half of the interval's width."""
    if not fit.alternatives or point.low is None or point.high is None:
        return
    given = {"params": point.params, "active_params": point.params, "tokens": point.tokens,
             "flops": point.flops}  # fmt: skip
    inputs = [given.get(role) for role in fit.inputs]
    if len(inputs) == 1 and inputs[0] is None:
        inputs = [point.input_value]
    known = [value for value in inputs if value is not None]
    if len(known) < len(inputs):
        return
    parts = (fit.main, *fit.alternatives)
    values = [float(get_law(p.law).evaluate(list(p.theta), known)) for p in parts]
    if fit.complement:
        values = [1.0 - value for value in values]
    half = 0.5 * (point.high - point.low)
    apart = max(values) - min(values)
    if apart <= half:
        return
    said = ", ".join(
        f"{part.law} {format_significant(value)}" for part, value in zip(parts, values, strict=True)
    )
    yield Note(
        id="FORM_SPREAD", severity="warning",
        text=f"Laws that the runs allow disagree here by {format_significant(apart)}, more than "
        f"half the width of the interval ({format_significant(half)}): {said}. The runs do not "
        "choose between them.",
        action="Train a run between the data and this point; it decides between the forms.",
        numbers=(("apart", apart), ("half_width", half)),
    )  # fmt: skip
