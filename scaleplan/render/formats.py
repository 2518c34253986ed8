"""Which record is shown how: the one table of renderers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.records import (
        Backtest,
        CurveCheck,
        Explanations,
        Fit,
        FitUpdate,
        Forecast,
        GroupFits,
        LawComparison,
        NextRuns,
        Plan,
        SizePlan,
        Tuning,
    )
    from scaleplan.records.families import FamilyPlan
    from scaleplan.records.systems import SystemsComparison
    from scaleplan.render.catalogue_view import AcceleratorCatalogue, LawCatalogue
    from scaleplan.render.runs_view import RunsShown
    from scaleplan.render.view import View

Result: TypeAlias = (
    "Fit | GroupFits | LawComparison | Forecast | NextRuns | Plan | Explanations | SizePlan | "
    "CurveCheck | FamilyPlan | Backtest | Tuning | FitUpdate | LawCatalogue | "
    "AcceleratorCatalogue | RunsShown | SystemsComparison"
)

# Kind of record -> module of its view and that function, module of its document and that one. By
# name, so that a command imports the records and views of its own result only.
_SHOWN = {
    "Fit": ("fit_view", "fit_view", "json_document", "fit_document"),
    "GroupFits": ("groups_view", "groups_view", "groups_view", "groups_document"),
    "LawComparison": (
        "comparison_view", "comparison_view", "comparison_view", "comparison_document"
    ),
    "SystemsComparison": ("systems_view", "systems_view", "systems_view", "systems_document"),
    "Forecast": ("forecast_view", "forecast_view", "json_document", "forecast_document"),
    "Backtest": ("backtests_view", "backtests_view", "backtests_view", "backtest_document"),
    "Tuning": ("tuning_view", "tuning_view", "tuning_view", "tuning_document"),
    "FitUpdate": ("update_view", "update_view", "update_view", "update_document"),
    "NextRuns": ("next_view", "next_view", "next_view", "next_document"),
    "Plan": ("plan_view", "plan_view", "json_document", "plan_document"),
    "FamilyPlan": ("family_view", "family_view", "family_view", "family_document"),
    "Explanations": (
        "explanation_view", "explanations_view", "explanation_view", "explanations_document"
    ),
    "SizePlan": ("sizes_view", "sizes_view", "sizes_view", "sizes_document"),
    "CurveCheck": ("check_view", "check_view", "check_view", "check_document"),
    "RunsShown": ("runs_view", "runs_view", "runs_view", "runs_document"),
    "LawCatalogue": ("catalogue_view", "laws_view", "json_document", "laws_document"),
    "AcceleratorCatalogue": (
        "catalogue_view", "accelerators_view", "json_document", "accelerators_document"
    ),
}  # fmt: skip


def view_of(result: Result) -> View:
    """Return what a person is shown of a result."""
    module, function, _, _ = _SHOWN[type(result).__name__]
    view: View = _function(module, function)(result)
    return view


def document_of(result: Result) -> dict[str, Any]:
    """Return the JSON document of a result."""
    _, _, module, function = _SHOWN[type(result).__name__]
    document: dict[str, Any] = _function(module, function)(result)
    return document


def _function(module: str, name: str) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = getattr(import_module(f"scaleplan.render.{module}"), name)
    return found


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
