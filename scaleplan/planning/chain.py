"""A forecast taken further by a second fit: from a predicted loss to an accuracy.

The predicted loss of a new run is a distribution: its quantiles, equally likely, each go through
the second fit, whose own distribution at that loss holds its parameters, its scatter and its form.
The mixture of those is the joint distribution, and its quantiles are the interval. Nothing is
drawn at random, and nothing here needs numpy.

The errors of both fits are taken as independent. Where both come from the same runs they are not
quite: scatter of the loss that the second fit knows as its input is in the first interval already.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from scaleplan.errors import UsageError
from scaleplan.fitting.interval import Distribution, decades_beyond, distribution, edge_of
from scaleplan.laws import get_law
from scaleplan.records import Fit, Forecast, ForecastPoint, Interval, Note
from scaleplan.records.plans import Chain, ChainedPoint
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.planning.forecast import Point

_QUANTILES = 200  # of the predicted input: against 4,000 the ends move by about 1% of the width
_HALVINGS = 60
_UNKNOWN_UNITS = {"", "as logged"}


def chained(forecast: Forecast, fit: Fit, second: Fit, points: Sequence[Point]) -> Forecast:
    """Return a forecast with what a second fit makes of its values.

    Args:
        forecast: By the first fit.
        fit: The first fit.
        second: A fit of one input, which is what the first predicts.
        points: What was forecast, by role, in the order of the forecast.

    Raises:
        UsageError: If the second fit's input is not what the first predicts, in the same unit.
    """
    check_chain(fit, second)
    made = [
        replace(known, then=_at(fit, second, at, known))
        for at, known in zip(points, forecast.points, strict=True)
    ]
    level = fit.interval.level if fit.interval is not None else 0.9
    known = any(point.then is not None and point.then.low is not None for point in made)
    method = (
        f"{_QUANTILES} quantiles of a new run's {fit.metric.name} through the second fit's own "
        "distribution of a new run; errors of both fits independent"
    )
    interval = Interval(level=level, method=method, n=_n(second)) if known else None
    chain = Chain(
        fit_name=second.name, law=second.law, formula=second.formula, metric=second.metric,
        interval=interval,
    )  # fmt: skip
    notes = (*forecast.notes, *_notes(fit, second, made))
    return replace(forecast, points=tuple(made), chain=chain, notes=notes)


def _n(second: Fit) -> int:
    return 0 if second.interval is None else second.interval.n


def check_chain(fit: Fit, second: Fit) -> None:
    """Refuse a second fit that does not begin where the first ends.

    Raises:
        UsageError: If its input is not what the first predicts, or is in another unit.
    """
    name = fit.metric.name
    hint = f"Fit the second law with --input {name}, from runs that have both columns."
    if len(second.inputs) != 1:
        columns = ", ".join(second.input_columns)
        message = (
            f"--then needs a fit of one input, {name}; {second.name} is of "
            f"{len(second.inputs)}: {columns}"
        )
        raise UsageError(message, hint=hint)
    if second.input_columns[0] != name:
        message = (
            f"--then needs a fit against {name}, which the first fit predicts; {second.name} is "
            f"against {second.input_columns[0]}"
        )
        raise UsageError(message, hint=hint)
    units = (fit.metric.unit, second.input_unit)
    if not _UNKNOWN_UNITS & set(units) and units[0] != units[1]:
        message = f"the first fit predicts {name} in {units[0]}, the second takes it in {units[1]}"
        raise UsageError(message, hint="Bring both logs to one unit and fit again.")


def _at(fit: Fit, second: Fit, at: Point, known: ForecastPoint) -> ChainedPoint:
    """Return the second fit's value at one predicted value, with the interval of both together."""
    level = fit.interval.level if fit.interval is not None else 0.9
    value = _law_at(second, known.value)
    inputs = [at[role] for role in fit.inputs]
    fits = (fit.main, *fit.alternatives)
    first = distribution(
        fits, [inputs] * len(fits), widening=fit.widening,
        decades=decades_beyond(fit.ranges, at), edge=edge_of(fit.ranges, fit.inputs, at),
    )  # fmt: skip
    alone = _second(second, known.value)
    second_ends = (None, None) if alone is None else _ends(second, alone.bounds(level), value)
    ends: tuple[float | None, float | None] = (None, None)
    first_ends: tuple[float | None, float | None] = (None, None)
    if first is not None:
        values = _quantiles(fit, first)
        tail = 0.5 * (1.0 - level)
        through = [_law_at(second, _as_input(fit, first.quantile(q))) for q in (tail, 1.0 - tail)]
        first_ends = _held(second, min(*through, value), max(*through, value))
        parts = [_second(second, each) for each in values]
        whole = [part for part in parts if part is not None]
        if len(whole) == len(parts):
            joint = (_quantile(whole, tail), _quantile(whole, 1.0 - tail))
            ends = _ends(second, joint, value)
    return ChainedPoint(
        value=value, low=ends[0], high=ends[1], first_low=first_ends[0], first_high=first_ends[1],
        second_low=second_ends[0], second_high=second_ends[1],
        decades_beyond_data=decades_beyond(second.ranges, {second.inputs[0]: known.value}),
    )  # fmt: skip


def _quantiles(fit: Fit, first: Distribution) -> list[float]:
    """Return equally likely values of what the first fit predicts."""
    places = [(k + 0.5) / _QUANTILES for k in range(_QUANTILES)]
    return [_as_input(fit, first.quantile(place)) for place in places]


def _as_input(fit: Fit, value: float) -> float:
    """Return a value of what was fitted as a value of the metric that the second fit takes."""
    if fit.complement:
        value = 1.0 - value
    return min(max(value, 0.0), 1.0) if fit.metric.bounded else value


def _law_at(second: Fit, value: float) -> float:
    found = float(get_law(second.law).evaluate(list(second.main.theta), [_above_zero(value)]))
    return 1.0 - found if second.complement else found


def _above_zero(value: float) -> float:
    return max(value, 1e-12)  # laws of one input are of positive numbers


def _second(second: Fit, value: float) -> Distribution | None:
    """Return what the second fit says of a new run with this value of its input."""
    fits = (second.main, *second.alternatives)
    value = _above_zero(value)
    at = {second.inputs[0]: value}
    return distribution(
        fits, [[value]] * len(fits), widening=second.widening,
        decades=decades_beyond(second.ranges, at), edge=edge_of(second.ranges, second.inputs, at),
    )  # fmt: skip


def _quantile(parts: Sequence[Distribution], probability: float) -> float:
    """Return a quantile of the equally weighted mixture, by bisection between its parts' own."""
    own = [part.quantile(probability) for part in parts]
    low, high = min(own), max(own)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if math.fsum(part.chance_below(middle) for part in parts) < probability * len(parts):
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _ends(
    second: Fit, bounds: tuple[float, float], value: float
) -> tuple[float | None, float | None]:
    """Return bounds on what the second law was fitted to as bounds around its metric."""
    low, high = (1.0 - bounds[1], 1.0 - bounds[0]) if second.complement else bounds
    return _held(second, min(low, value), max(high, value))


def _held(second: Fit, low: float, high: float) -> tuple[float, float]:
    """Return bounds within the range of the metric."""
    return (max(0.0, low), min(1.0, high)) if second.metric.bounded else (low, high)


def _notes(fit: Fit, second: Fit, points: Sequence[ForecastPoint]) -> tuple[Note, ...]:
    """Say where the second fit is used outside its runs, and where it alone has no interval."""
    name = fit.metric.name
    found = []
    far = [p for p in points if p.then is not None and p.then.decades_beyond_data > 0.0]
    known = next((r for r in second.ranges if r.role == second.inputs[0]), None)
    if far and known is not None:
        values = sorted(p.value for p in far)
        span = format_significant(values[0])
        if len(values) > 1:
            span += f" to {format_significant(values[-1])}"
        found.append(
            Note(
                id="CHAIN_EXTRAPOLATED", severity="warning",
                text=f"The predicted {name} of {span} lies outside what the second fit has seen "
                f"({format_significant(known.low)} to {format_significant(known.high)}): "
                f"{second.metric.name} is extrapolated too.",
                action=f"Add runs whose {name} comes closer to the second fit.",
                numbers=(("low", known.low), ("high", known.high)),
            )
        )  # fmt: skip
    if any(p.then is not None and p.then.low is None for p in points):
        found.append(
            Note(
                id="CHAIN_WITHOUT_INTERVAL", severity="warning",
                text=f"One of the two fits has no interval, so {second.metric.name} has none.",
                action="Fit both to runs with at least one run more than parameters.",
            )
        )  # fmt: skip
    return tuple(found)
