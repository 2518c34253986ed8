"""What is shown of forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.view import (
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

    from scaleplan.records import Forecast, ForecastPoint


def forecast_view(forecast: Forecast) -> View:
    """Return what `scaleplan predict` shows."""
    return View(
        title=f"scaleplan predict: {metric_text(forecast.metric)}, by {forecast.fit_name}",
        blocks=(
            Paragraph(title=f"Law: {forecast.law}", text=forecast.formula),
            _points(forecast),
        ),
        notes=forecast.notes,
        assumptions=forecast.assumptions,
    )


def _points(forecast: Forecast) -> Table:
    """Return one row a point; an input that no point has is left out."""
    inputs: tuple[tuple[str, Callable[[ForecastPoint], float | None], Callable[..., str]], ...] = (
        ("params", lambda point: point.params, count),
        ("tokens", lambda point: point.tokens, count),
        ("FLOP", lambda point: point.flops, format_flops),
        (forecast.input_columns[0], lambda point: point.input_value, _input_text),
    )
    shown = [one for one in inputs if any(one[1](point) is not None for point in forecast.points)]
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


def _input_text(value: float | None) -> str:
    return number(value) if value is None else quantity(value)
