"""What is shown of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.backtest_view import backtest_blocks
from scaleplan.render.checks_view import (
    design_facts,
    influence_table,
    isoflop_blocks,
    replicates_text,
)
from scaleplan.render.optimum_view import objectives_table, optimum_table
from scaleplan.render.view import (
    Block,
    Column,
    Facts,
    Paragraph,
    Table,
    View,
    interval_text,
    level_text,
    metric_text,
    number,
    pairs_of,
    ranges_text,
)
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import (
        Cleaning,
        ColumnUse,
        Fit,
        Quality,
        RowNote,
    )

_ROWS_SHOWN = 10  # enough to see the pattern; the JSON document has them all
_MEANINGS = {"params": "parameters", "tokens": "tokens", "flops": "FLOP", "input": "x"}


def fit_view(fit: Fit) -> View:
    """Return what `scaleplan fit` shows."""
    blocks: list[Block] = []
    if fit.cleaning is not None:
        blocks += reading_blocks(fit.cleaning)
    blocks.append(Paragraph(title=f"Law: {fit.law}", text=fit.formula))
    blocks.append(Facts(title="Metric and inputs", pairs=_subject(fit)))
    if fit.parameters:
        blocks.append(parameters_table(fit))
    if fit.quality is not None:
        blocks.append(_quality(fit.quality, fit))
        if fit.quality.identifiability is not None:
            blocks.append(design_facts(fit.quality.identifiability))
    if fit.candidates:
        blocks.append(_candidates(fit))
    if fit.objectives:
        blocks.append(objectives_table(fit))
    if fit.optimum:
        blocks.append(optimum_table(fit))
    if fit.influences:
        blocks.append(influence_table(fit.influences))
    blocks += isoflop_blocks(fit)
    blocks += backtest_blocks(fit)
    return View(
        title=f"scaleplan fit: {fit.name}",
        blocks=tuple(blocks),
        notes=fit.notes,
        assumptions=fit.assumptions,
    )


def reading_blocks(cleaning: Cleaning) -> list[Block]:
    """Say what was read, and list what was not used."""
    rows = f"{cleaning.rows_read} read, {cleaning.rows_used} used"
    rows += f", {len(cleaning.dropped)} dropped, {_rows(cleaning.changed)} changed"
    merged = cleaning.rows_read - cleaning.rows_used - len(cleaning.dropped)
    if merged > 0:
        rows += f", {merged} other points of the same runs"
    columns = "; ".join(
        f"{how}: {', '.join(_use(use) for use in cleaning.columns if use.how == how)}"
        for how in dict.fromkeys(use.how for use in cleaning.columns)
    )
    blocks: list[Block] = [
        Facts(
            title="Read",
            pairs=pairs_of(
                (("files", ", ".join(cleaning.files)), ("rows", rows), ("columns", columns))
            ),
        )
    ]
    for title, notes in (("Dropped", cleaning.dropped), ("Changed", cleaning.changed)):
        if notes:
            blocks.append(_row_notes(f"{title} rows", notes))
    return blocks


def _rows(notes: tuple[RowNote, ...]) -> int:
    """Count the rows that notes are about; a note without a line is about a whole file."""
    return len({(note.file, note.line) for note in notes})


def _use(use: ColumnUse) -> str:
    """Write which column plays a role; `value` is the metric."""
    role = "metric" if use.role == "value" else use.role
    return role if role == use.column else f"{role} = {use.column}"


def _row_notes(title: str, notes: tuple[RowNote, ...]) -> Table:
    """List the first rows of a kind, and how many more there are."""
    more = len(notes) - _ROWS_SHOWN
    named = any(note.run for note in notes)
    return Table(
        title=title,
        columns=(
            Column(name="where", kind="text"),
            *((Column(name="run", kind="text"),) if named else ()),
            Column(name="reason", kind="text"),
        ),
        rows=tuple(
            (
                note.file if note.line is None else f"{note.file}:{note.line}",
                *((note.run,) if named else ()),
                note.reason,
            )
            for note in notes[:_ROWS_SHOWN]
        ),
        footer=f"and {more} more, see --format json" if more > 0 else "",
    )


def _subject(fit: Fit) -> tuple[tuple[str, str], ...]:
    """Say what the symbols of the formula stand for."""
    inputs = ", ".join(
        f"{_MEANINGS.get(role, role)} (column {column})"
        for role, column in zip(fit.inputs, fit.input_columns, strict=False)
    )
    fitted = metric_text(fit.metric)
    if fit.complement:
        fitted = f"1 - {fit.metric.name}: the law is of the error, forecasts are turned back"
    return pairs_of(
        (("metric", fitted), ("inputs", inputs), ("fitted range", ranges_text(fit.ranges)))
    )


def parameters_table(fit: Fit, *, title: str = "Parameters") -> Table:
    """Return the parameters with their intervals and how these were made."""
    level = level_text(fit.interval)
    bound = [p.symbol for p in fit.parameters if p.at_bound]
    footer = interval_text(fit.interval)
    for method in dict.fromkeys(p.method for p in fit.parameters if p.method):
        footer += f"; {', '.join(p.symbol for p in fit.parameters if p.method == method)}: {method}"
    if bound:
        footer += f"; at or beyond a bound of its range: {', '.join(bound)}"
    return Table(
        title=title,
        columns=(
            Column(name="symbol", kind="name"),
            Column(name="value"),
            Column(name=f"{level} low"),
            Column(name=f"{level} high"),
            Column(name="unit", kind="text", rank=1),
            Column(name="meaning", kind="text", rank=2),
        ),
        rows=tuple(
            (
                p.symbol,
                number(p.value),
                number(p.low),
                number(p.high),
                p.unit,
                f"{p.meaning} (fixed by you)" if p.fixed else p.meaning,
            )
            for p in fit.parameters
        ),
        footer=footer,
    )


def _quality(quality: Quality, fit: Fit) -> Facts:
    scatter = (
        format_percent(quality.noise)
        if fit.main.residual == "log"
        else f"{format_significant(quality.noise)} {fit.metric.unit}"
    )
    error = "" if quality.rmse_log is None else format_percent(quality.rmse_log)
    return Facts(
        title="Quality of the fit",
        pairs=pairs_of(
            (
                ("runs", str(quality.runs)),
                ("rms relative error", error),
                ("scatter of one run", scatter),
                (quality.objective_name, format_significant(quality.objective)),
                ("starts agreeing", f"{quality.starts_agreeing} of {quality.starts}"),
                ("condition number", format_significant(quality.condition, 3)),
                ("scatter of replicates", replicates_text(quality.pure_error)),
            )
        ),
    )


def _candidates(fit: Fit) -> Table:
    several = len({c.inputs for c in fit.candidates}) > 1
    return Table(
        title="Laws compared",
        columns=(
            Column(name="law", kind="name"),
            *((Column(name="of", kind="name", rank=2),) if several else ()),
            Column(name="verdict", kind="name"),
            Column(name="rms error"),
            Column(name="AICc", rank=3),
            Column(name="back-test", rank=1),
            Column(name="why", kind="text"),
        ),
        rows=tuple(
            (
                c.law,
                *((", ".join(c.inputs),) if several else ()),
                c.verdict,
                format_percent(c.rmse_log),
                number(c.aicc),
                format_percent(c.backtest_rmse_log),
                c.reason,
            )
            for c in fit.candidates
        ),
        footer="AICc is relative to the best; back-test: rms error on larger runs, fitted to the "
        "smaller ones",
    )
