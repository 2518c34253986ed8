"""What is shown of the fits of several groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import parameters_table, reading_blocks
from scaleplan.render.json_document import cleaning_document, fit_document, head, tail
from scaleplan.render.view import Block, Column, Paragraph, Table, View, count
from scaleplan.units import format_flops, format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import GroupFit, GroupFits


def groups_view(fits: GroupFits) -> View:
    """Return what `scaleplan fit --by` shows: all groups side by side, then each one's numbers."""
    blocks: list[Block] = [*reading_blocks(fits.cleaning), _summary(fits)]
    for group in fits.groups:
        if group.fit is None:
            text = f"{group.refusal}. {group.remedy}".strip()
            blocks.append(Paragraph(title=f"{group.name}: refused", text=text))
            continue
        blocks.append(Paragraph(title=f"{group.name}: {group.fit.law}", text=group.fit.formula))
        if group.fit.parameters:
            blocks.append(parameters_table(group.fit, title=f"Parameters of {group.name}"))
    names = ", ".join(fits.cleaning.files)
    return View(
        title=f"scaleplan fit: {names}, by {fits.by}", blocks=tuple(blocks), notes=fits.notes
    )


def _summary(fits: GroupFits) -> Table:
    return Table(
        title=f"Groups of {fits.by}",
        columns=(
            Column(name=fits.by, kind="name"),
            Column(name="runs"),
            Column(name="law", kind="name"),
            Column(name="rms error"),
            Column(name="median back-test", rank=2),
            Column(name="largest budget, FLOP", rank=1),
            Column(name="params", rank=1),
            Column(name="tokens/param", rank=1),
        ),
        rows=tuple(_summary_row(group) for group in fits.groups),
        footer="params and tokens/param: the compute-optimal model at that budget",
    )


def _summary_row(group: GroupFit) -> tuple[str, ...]:
    fit = group.fit
    if fit is None:
        return group.name, str(group.runs), "refused", *("–",) * 5
    best = fit.optimum[-1] if fit.optimum else None
    return (
        group.name,
        str(group.runs),
        fit.law,
        format_percent(fit.quality.rmse_log) if fit.quality is not None else "–",
        format_percent(fit.widening.median_error),
        "–" if best is None else format_flops(best.flops),
        count(None if best is None else best.params),
        "–" if best is None else format_significant(best.tokens / best.params, 3),
    )


def groups_document(fits: GroupFits) -> dict[str, Any]:
    """Return `scaleplan.fits/1`: every group's fit, and all parameters as one flat table."""
    return {
        **head("fits", "fit"),
        "by": fits.by,
        "cleaning": cleaning_document(fits.cleaning),
        "groups": [_group(group) for group in fits.groups],
        "parameters": [
            {
                "group": group.name, "law": group.fit.law, "symbol": p.symbol, "value": p.value,
                "low": p.low, "high": p.high, "unit": p.unit,
            }
            for group in fits.groups
            if group.fit is not None
            for p in group.fit.parameters
        ],
        **tail((), fits.notes),
    }  # fmt: skip


def _group(group: GroupFit) -> dict[str, Any]:
    error = {"error": group.refusal, "hint": group.remedy} if group.fit is None else None
    fit = None if group.fit is None else fit_document(group.fit)
    return {"name": group.name, "runs": group.runs, "refusal": error, "fit": fit}
