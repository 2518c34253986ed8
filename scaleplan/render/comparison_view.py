"""What is shown of laws and objectives side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, head, tail
from scaleplan.render.view import (
    UNKNOWN,
    Column,
    Facts,
    Listing,
    Table,
    View,
    count,
    level_text,
    metric_text,
    number,
    quantity,
)
from scaleplan.units import format_flops, format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import ComparedLaw, LawComparison


def comparison_view(comparison: LawComparison) -> View:
    """Return what `scaleplan compare` shows."""
    target = ", ".join(
        f"{role} {format_flops(value) if role == 'flops' else quantity(value)}"
        for role, value in comparison.target
    )
    return View(
        title=f"scaleplan compare: {metric_text(comparison.metric)}",
        blocks=(
            *reading_blocks(comparison.cleaning),
            Facts(
                title="Target",
                pairs=(
                    ("point", target),
                    ("why", comparison.target_reason),
                    (
                        "beyond the data",
                        f"{format_significant(comparison.decades_beyond_data, 2)} decades",
                    ),
                ),
            ),
            _table(comparison),
            Listing(
                title="Formulas",
                lines=tuple(
                    (f"{row.law}, {row.objective}:", row.formula or row.reason)
                    for row in comparison.rows
                ),
            ),
        ),
        notes=comparison.notes,
        assumptions=comparison.assumptions,
    )


def _table(comparison: LawComparison) -> Table:
    level = level_text(comparison.interval)
    several = len({row.inputs for row in comparison.rows if row.inputs}) > 1
    return Table(
        title="Laws and objectives",
        columns=(
            Column(name="law", kind="name"),
            *((Column(name="of", kind="name", rank=4),) if several else ()),
            Column(name="minimised", kind="text"),
            Column(name="verdict", kind="name"),
            Column(name="rms error"),
            Column(name="back-test"),
            Column(name=f"{comparison.metric.name} at the target"),
            Column(name=f"{level} low", rank=2),
            Column(name=f"{level} high", rank=2),
            Column(name="N*", rank=1),
            Column(name="D*/N*", rank=1),
            Column(name="why", kind="text", rank=3),
        ),
        rows=tuple(
            _row(row, first=row.law not in {r.law for r in comparison.rows[:i]}, several=several)
            for i, row in enumerate(comparison.rows)
        ),
        footer="N* and D*/N*: each law's own optimum for the target's compute; back-test: rms "
        "error on larger runs, fitted to the smaller ones; verdicts are those of --law auto",
    )


def _row(row: ComparedLaw, *, first: bool, several: bool) -> tuple[str, ...]:
    known = row.params is not None and row.tokens is not None
    return (
        row.law,
        *((", ".join(row.inputs),) if several else ()),
        row.objective,
        row.verdict,
        format_percent(row.rmse_log),
        format_percent(row.backtest_rmse_log),
        number(row.value),
        number(row.low),
        number(row.high),
        count(row.params),
        format_significant((row.tokens or 0.0) / (row.params or 1.0), 3) if known else UNKNOWN,
        row.reason if first else "",  # the same for all objectives of a law
    )


def comparison_document(comparison: LawComparison) -> dict[str, Any]:
    """Return `scaleplan.comparison/1`."""
    return {
        **head("comparison", "compare"),
        "metric": asdict(comparison.metric),
        "target": dict(comparison.target),
        "target_reason": comparison.target_reason,
        "decades_beyond_data": comparison.decades_beyond_data,
        "laws": [
            {
                **asdict(row),
                "parameters": {p.symbol: p.value for p in row.parameters},
                "tokens_per_param": row.tokens / row.params if row.params and row.tokens else None,
            }
            for row in comparison.rows
        ],
        "interval": asdict(comparison.interval) if comparison.interval is not None else None,
        "cleaning": cleaning_document(comparison.cleaning),
        **tail(comparison.assumptions, comparison.notes),
    }
