"""What is shown of forecasts of larger runs from smaller ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, head, tail
from scaleplan.render.view import UNKNOWN, Column, Table, View, metric_text
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import Backtest, BacktestRow


def backtests_view(test: Backtest) -> View:
    """Return what `scaleplan backtest` shows."""
    level = f"inside {100 * test.level:g}%"
    numbers = ("median error", "rms error", "mean error", level)
    columns = tuple(Column(name=name) for name in numbers)
    # `fit` shows the errors of 1 - accuracy, which its law is fitted to.
    of_accuracy = test.metric.kind == "accuracy"
    laws = Table(
        title="Forecasts of the larger runs from the smaller ones, by law",
        columns=(
            Column(name="law", kind="name"), Column(name="forecasts"), Column(name="cuts"),
            Column(name="farthest, decades"), *columns,
            Column(name="why none", kind="text", rank=2),
        ),
        rows=tuple(
            (
                row.law, str(row.forecasts), str(row.cuts),
                format_significant(row.decades_high, 2) if row.forecasts else UNKNOWN,
                *_numbers(row), row.refusal,
            )
            for row in test.laws
        ),
        footer="auto: what scaleplan fit would have chosen and said, interval and all; the laws by "
        "name with the textbook's interval: delta method and run noise. mean error above 0: "
        "forecast too high"
        + (f"; errors are relative, of {test.metric.name}" if of_accuracy else ""),
    )  # fmt: skip
    distances = Table(
        title="By how far the runs lay beyond those below the cut",
        columns=(
            Column(name="law", kind="name"), Column(name="decades", kind="name"),
            Column(name="forecasts"), *columns,
        ),
        rows=tuple(
            (
                row.law,
                " to ".join(format_significant(d, 2) for d in (row.decades_low, row.decades_high)),
                str(row.forecasts), *_numbers(row),
            )
            for row in test.distances
        ),
    )  # fmt: skip
    return View(
        title=f"scaleplan backtest: {metric_text(test.metric)}",
        blocks=(*reading_blocks(test.cleaning), laws, distances), notes=test.notes,
        assumptions=test.assumptions,
    )  # fmt: skip


def _numbers(row: BacktestRow) -> tuple[str, ...]:
    values = (row.median_error, row.rms_error, row.bias, row.inside)
    return tuple(UNKNOWN if value is None else format_percent(value, 3) for value in values)


def backtest_document(test: Backtest) -> dict[str, Any]:
    """Return `scaleplan.backtest/1`."""
    return {
        **head("backtest", "backtest"),
        "metric": asdict(test.metric),
        "level": test.level,
        "laws": [asdict(row) for row in test.laws],
        "distances": [asdict(row) for row in test.distances],
        "points": [asdict(point) for point in test.points],
        "cleaning": cleaning_document(test.cleaning),
        **tail(test.assumptions, test.notes),
    }
