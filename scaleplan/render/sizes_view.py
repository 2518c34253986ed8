"""What is shown of sizes between underfit and overfit."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, head, tail
from scaleplan.render.view import (
    Block,
    Column,
    Facts,
    Paragraph,
    Table,
    View,
    count,
    interval_text,
    level_text,
    metric_text,
    number,
)
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import GapFit, SizePlan, SizeRow


def sizes_view(plan: SizePlan) -> View:
    """Return what `scaleplan sizes` shows."""
    blocks: list[Block] = list(reading_blocks(plan.cleaning)) if plan.cleaning is not None else []
    blocks.append(Paragraph(title=f"Law: {plan.law}", text=plan.formula))
    if plan.gap is not None:
        blocks += [Paragraph(title="Gap, validation against training", text=plan.gap.formula),
                   _parameters(plan.gap)]  # fmt: skip
    blocks += [_question(plan), _table(plan)]
    return View(
        title=f"scaleplan sizes: {metric_text(plan.metric)}, by {plan.fit_name}",
        blocks=tuple(blocks), notes=plan.notes, assumptions=plan.assumptions,
    )  # fmt: skip


def _parameters(gap: GapFit) -> Table:
    level = level_text(gap.interval)
    without = f"; {gap.not_positive} of them have no gap" if gap.not_positive else ""
    scatter = format_percent(gap.scatter, 2) if gap.relative else format_significant(gap.scatter, 2)
    return Table(
        title="Parameters of the gap",
        columns=(
            Column(name="symbol", kind="name"), Column(name="value"),
            Column(name=f"{level} low"), Column(name=f"{level} high"),
            Column(name="meaning", kind="text", rank=1),
        ),
        rows=tuple(
            (p.symbol, number(p.value), number(p.low), number(p.high), p.meaning)
            for p in gap.parameters
        ),
        footer=f"{interval_text(gap.interval)}{without}; one run scatters by {scatter}",
    )  # fmt: skip


def _question(plan: SizePlan) -> Facts:
    limit = (
        f"{format_percent(plan.max_gap, 2)} of {plan.metric.name}" if plan.max_gap_relative
        else f"{format_significant(plan.max_gap)} {plan.metric.unit}"
    )  # fmt: skip
    low = "no lower end in the searched sizes"
    if plan.params_low is not None:
        low = f"{count(plan.params_low)} parameters"
    high = "no upper end in the searched sizes"
    if plan.gap is None:
        high = "not known without a gap"
    elif plan.params_high is not None:
        high = f"{count(plan.params_high)} parameters"
    if not plan.possible:
        recommended = "none: the size that no longer underfits overfits already"
    else:
        recommended = f"{low} to {high}"
    return Facts(
        title="Sizes for this data set",
        pairs=(
            *((role.replace("_", " "), count(value)) for role, value in plan.data),
            ("largest gap accepted", limit),
            ("no longer underfits from", low),
            ("gap passes the limit at", high),
            ("recommended", recommended),
        ),
    )  # fmt: skip


def _table(plan: SizePlan) -> Table:
    level = level_text(plan.interval)
    return Table(
        title="Sizes",
        columns=(
            Column(name="params"),
            Column(name=plan.metric.name),
            Column(name=f"{level} low", rank=2), Column(name=f"{level} high", rank=2),
            Column(name="gap"), Column(name="gap low", rank=3), Column(name="gap high", rank=3),
            Column(name="param/data return", rank=1), Column(name="doubling gains", rank=1),
            Column(name="decades beyond", rank=4),
            Column(name="verdict", kind="name"),
        ),
        rows=tuple(_row(row) for row in plan.rows),
        footer="param/data return: what 1% more parameters buys over what 1% more data buys; "
        "doubling gains: relative fall of the metric (of 1 - accuracy) when the size is doubled",
    )  # fmt: skip


def _row(row: SizeRow) -> tuple[str, ...]:
    ratio = row.marginal_ratio
    return (
        count(row.params), number(row.value), number(row.low), number(row.high), number(row.gap),
        number(row.gap_low), number(row.gap_high),
        number(None) if ratio is None else format_significant(ratio, 3),
        format_percent(row.doubling_gain, 2), format_significant(row.decades_beyond_data, 2),
        row.verdict,
    )  # fmt: skip


def sizes_document(plan: SizePlan) -> dict[str, Any]:
    """Return `scaleplan.sizes/1`."""
    return {
        **head("sizes", "sizes"),
        "law": plan.law,
        "formula": plan.formula,
        "metric": asdict(plan.metric),
        "data": dict(plan.data),
        "gap": _gap(plan.gap) if plan.gap is not None else None,
        "max_gap": {"value": plan.max_gap, "relative": plan.max_gap_relative},
        "recommended": {
            "params_low": plan.params_low, "params_high": plan.params_high,
            "possible": plan.possible,
        },
        "rows": [asdict(row) for row in plan.rows],
        "interval": asdict(plan.interval) if plan.interval is not None else None,
        "cleaning": cleaning_document(plan.cleaning) if plan.cleaning is not None else None,
        **tail(plan.assumptions, plan.notes),
    }  # fmt: skip


def _gap(gap: GapFit) -> dict[str, Any]:
    kept = asdict(gap)
    kept["parameters"] = {
        p.symbol: {"value": p.value, "low": p.low, "high": p.high, "unit": p.unit}
        for p in gap.parameters
    }
    return kept
