"""Which record is shown how: the one table of renderers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from scaleplan.records import (
    Backtest,
    Fit,
    FitUpdate,
    Forecast,
    GroupFits,
    LawComparison,
    NextRuns,
    Plan,
    Tuning,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.render.catalogue_view import AcceleratorCatalogue, LawCatalogue
    from scaleplan.render.view import View

Result: TypeAlias = (
    "Fit | GroupFits | LawComparison | Forecast | NextRuns | Plan | LawCatalogue "
    "| FitUpdate | Backtest | Tuning | AcceleratorCatalogue"
)


def view_of(result: Result) -> View:  # noqa: PLR0911 - one return a kind of record
    """Return what a person is shown of a result."""
    # Each view is imported with its own record only: `budget` pays for no other.
    match result:
        case Fit():
            from scaleplan.render.fit_view import fit_view

            return fit_view(result)
        case GroupFits():
            from scaleplan.render.groups_view import groups_view

            return groups_view(result)
        case LawComparison():
            from scaleplan.render.comparison_view import comparison_view

            return comparison_view(result)
        case Forecast():
            from scaleplan.render.forecast_view import forecast_view

            return forecast_view(result)
        case Plan():
            from scaleplan.render.plan_view import plan_view

            return plan_view(result)
        case NextRuns():
            from scaleplan.render.next_view import next_view

            return next_view(result)
        case Backtest():
            from scaleplan.render.backtests_view import backtests_view

            return backtests_view(result)
        case Tuning():
            from scaleplan.render.tuning_view import tuning_view

            return tuning_view(result)
        case FitUpdate():
            from scaleplan.render.update_view import update_view

            return update_view(result)
        case _:
            pass
    from scaleplan.render import catalogue_view

    if isinstance(result, catalogue_view.LawCatalogue):
        return catalogue_view.laws_view(result)
    return catalogue_view.accelerators_view(result)


def document_of(result: Result) -> dict[str, Any]:  # noqa: PLR0911 - as view_of
    """Return the JSON document of a result."""
    from scaleplan.render import json_document

    match result:
        case Fit():
            return json_document.fit_document(result)
        case GroupFits():
            from scaleplan.render.groups_view import groups_document

            return groups_document(result)
        case LawComparison():
            from scaleplan.render.comparison_view import comparison_document

            return comparison_document(result)
        case Forecast():
            return json_document.forecast_document(result)
        case Plan():
            return json_document.plan_document(result)
        case NextRuns():
            from scaleplan.render.next_view import next_document

            return next_document(result)
        case Backtest():
            from scaleplan.render.backtests_view import backtest_document

            return backtest_document(result)
        case Tuning():
            from scaleplan.render.tuning_view import tuning_document

            return tuning_document(result)
        case FitUpdate():
            from scaleplan.render.update_view import update_document

            return update_document(result)
        case _:
            pass
    from scaleplan.render.catalogue_view import LawCatalogue

    if isinstance(result, LawCatalogue):
        return json_document.laws_document(result)
    return json_document.accelerators_document(result)


def _table(result: Result, stream: TextIO) -> str:
    from scaleplan.render.rich_table import render_table

    return render_table(view_of(result), stream)


def _json(result: Result, stream: TextIO) -> str:
    from scaleplan.render.json_document import write_document

    return write_document(document_of(result))


def _csv(result: Result, stream: TextIO) -> str:
    from scaleplan.render.plain import render_csv

    return render_csv(document_of(result))


def _markdown(result: Result, stream: TextIO) -> str:
    from scaleplan.render.markdown import render_markdown

    return render_markdown(view_of(result))


# `--format` value -> how a result becomes text for a stream.
RENDERERS: dict[str, Callable[[Result, TextIO], str]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
}


def render(result: Result, output_format: str, stream: TextIO) -> str:
    """Return the result as text.

    Args:
        result: A record.
        output_format: A key of RENDERERS.
        stream: Where the text will be written; decides on colour and width of tables.
    """
    return RENDERERS[output_format](result, stream)
