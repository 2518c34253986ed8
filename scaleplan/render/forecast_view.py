"""What is shown of forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.view import (
    UNKNOWN,
    Column,
    Paragraph,
    Table,
    View,
    count,
    interval_text,
    level_text,
    metric_text,
    number,
    quantity,
)
from scaleplan.units import format_flops, format_significant

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from scaleplan.records import Forecast, ForecastPoint
    from scaleplan.render.view import Block

    _Input: TypeAlias = tuple[str, Callable[[ForecastPoint], float | None], Callable[..., str]]


def forecast_view(forecast: Forecast) -> View:
    """Return what `scaleplan predict` shows."""
    return View(
        title=f"scaleplan predict: {metric_text(forecast.metric)}, by {forecast.fit_name}",
        blocks=(
            Paragraph(title=f"Law: {forecast.law}", text=forecast.formula),
            _points(forecast),
            *_chain(forecast),
        ),
        notes=forecast.notes,
        assumptions=forecast.assumptions,
    )


def _inputs(forecast: Forecast) -> list[_Input]:
    """Return the inputs that some point has."""
    inputs: tuple[_Input, ...] = (
        ("params", lambda point: point.params, count),
        ("tokens", lambda point: point.tokens, count),
        ("FLOP", lambda point: point.flops, format_flops),
        (forecast.input_columns[0], lambda point: point.input_value, _input_text),
    )
    return [one for one in inputs if any(one[1](point) is not None for point in forecast.points)]


def _points(forecast: Forecast) -> Table:
    """Return one row a point; an input that no point has is left out."""
    shown = _inputs(forecast)
    level = level_text(forecast.interval)
    return Table(
        title="Forecast",
        columns=(
            *(Column(name=name) for name, _, _ in shown),
            Column(name=forecast.metric.name),
            Column(name=f"{level} low"),
            Column(name=f"{level} high"),
            Column(name="mean low", rank=1),
            Column(name="mean high", rank=1),
            Column(name="decades beyond the data"),
        ),
        rows=tuple(
            (
                *(write(value(point)) for _, value, write in shown),
                number(point.value),
                number(point.low),
                number(point.high),
                number(point.mean_low),
                number(point.mean_high),
                format_significant(point.decades_beyond_data, 2),
            )
            for point in forecast.points
        ),
        footer=f"{interval_text(forecast.interval)}, for one new run; mean: the law's own value, "
        "by the delta method, not widened",
    )


def _chain(forecast: Forecast) -> tuple[Block, ...]:
    """Return what a second fit makes of the forecast: its law, and one row a point."""
    chain = forecast.chain
    if chain is None:
        return ()
    shown, first = _inputs(forecast), forecast.metric.name
    level = level_text(chain.interval)
    table = Table(
        title=f"Forecast of {metric_text(chain.metric)}",
        columns=(
            *(Column(name=name) for name, _, _ in shown),
            Column(name=chain.metric.name),
            Column(name=f"{level} low"),
            Column(name=f"{level} high"),
            Column(name=f"range from {first}"),
            Column(name="range from the link"),
            Column(name="decades beyond the link", rank=1),
        ),
        rows=tuple(
            (
                *(write(value(point)) for _, value, write in shown),
                number(point.then.value),
                number(point.then.low),
                number(point.then.high),
                _span(point.then.first_low, point.then.first_high),
                _span(point.then.second_low, point.then.second_high),
                format_significant(point.then.decades_beyond_data, 2),
            )
            for point in forecast.points
            if point.then is not None
        ),
        footer=f"{interval_text(chain.interval)}; range from {first}: if only the forecast of "
        f"{first} were uncertain; from the link: if only {chain.metric.name} at that {first} were",
    )
    return (Paragraph(title=f"Then: {chain.law}, {chain.fit_name}", text=chain.formula), table)


def _span(low: float | None, high: float | None) -> str:
    return UNKNOWN if low is None or high is None else f"{number(low)} to {number(high)}"


def _input_text(value: float | None) -> str:
    return number(value) if value is None else quantity(value)
