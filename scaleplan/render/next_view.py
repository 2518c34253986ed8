"""What is shown of the runs to train next."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.json_document import head, tail
from scaleplan.render.view import (
    UNKNOWN,
    Column,
    Facts,
    Table,
    View,
    count,
    interval_text,
    level_text,
    metric_text,
    number,
)
from scaleplan.units import (
    format_days,
    format_flops,
    format_percent,
    format_significant,
    format_usd,
)

if TYPE_CHECKING:
    from scaleplan.records import NextRun, NextRuns

_HOURS_PER_DAY = 24.0


def next_view(plan: NextRuns) -> View:
    """Return what `scaleplan next` shows."""
    return View(
        title=f"scaleplan next: {metric_text(plan.metric)}, by {plan.fit_name}",
        blocks=(_target(plan), _runs(plan), _alternatives(plan)),
        notes=plan.notes,
        assumptions=plan.assumptions,
    )


def _target(plan: NextRuns) -> Facts:
    budget = (
        f"{format_flops(plan.budget_flops)} FLOP"
        if plan.budget_flops is not None
        else format_usd(plan.budget_usd)
    )
    spent = sum(run.flops for run in plan.runs)
    level = level_text(plan.interval)
    return Facts(
        title="Target",
        pairs=(
            ("params", count(plan.target_params)),
            (plan.samples or "tokens", count(plan.target_tokens)),
            ("compute", f"{format_flops(plan.target_flops)} FLOP"),
            ("why", plan.target_reason),
            ("law", plan.law),
            (plan.metric.name, number(plan.value)),
            (
                f"{level} half-width of a run",
                _change(plan.half_width_before, plan.half_width_after),
            ),
            (
                f"{level} half-width of the law",
                _change(plan.law_half_width_before, plan.law_half_width_after),
            ),
            ("budget", budget),
            ("spent", f"{format_flops(spent)} FLOP in {len(plan.runs)} runs"),
        ),
    )


def _change(before: float | None, after: float | None) -> str:
    return f"{number(before)} today, {number(after)} expected after these runs"


def _runs(plan: NextRuns) -> Table:
    columns = (
        Column(name="run", kind="name"),
        Column(name="params"),
        Column(name=plan.samples or "tokens"),
        Column(name="FLOP"),
        Column(name="share"),
        Column(name="law's half-width without it"),
        Column(name="layers x width", kind="name", rank=2),
        Column(name="batch, tokens", rank=2),
        Column(name="steps", rank=3),
        Column(name="learning rate", rank=1),
        Column(name="time", rank=1),
        Column(name="cost", rank=1),
        Column(name="role", kind="name", rank=3),
    )
    rows = [_row(run) for run in plan.runs]
    # What is known of language models only is left out of a table of others.
    shown = [
        at for at in range(len(columns))
        if not plan.samples or any(row[at] != UNKNOWN for row in rows)
    ]  # fmt: skip
    footer = "share: of their compute; without it: expected at the target if this run alone is "
    timed = any(run.hours is not None for run in plan.runs)
    return Table(
        title=f"Runs to train, on {plan.gpus} x {plan.gpu}" if timed else "Runs to train",
        columns=tuple(columns[at] for at in shown),
        rows=tuple(tuple(row[at] for at in shown) for row in rows),
        footer=footer
        + "left out"
        + ("" if plan.samples else "; shapes and learning rates are guesses to start from"),
    )


def _row(run: NextRun) -> tuple[str, ...]:
    return (
        run.name,
        count(run.params),
        count(run.tokens),
        format_flops(run.flops),
        format_percent(run.share, 2),
        number(run.law_half_width_without),
        UNKNOWN if run.layers is None else f"{run.layers} x {run.width}",
        count(run.batch_tokens),
        count(run.steps),
        UNKNOWN if run.learning_rate is None else format_significant(run.learning_rate, 3),
        UNKNOWN if run.hours is None else format_days(run.hours / _HOURS_PER_DAY),
        UNKNOWN if run.usd is None else format_usd(run.usd),
        run.role,
    )


def _alternatives(plan: NextRuns) -> Table:
    """Show what the same compute would do in other ways, the proposed runs first."""
    first = (
        "these runs", str(len(plan.runs)), format_flops(sum(run.flops for run in plan.runs)),
        number(plan.law_half_width_after), number(plan.half_width_after), "the runs above",
    )  # fmt: skip
    rest = tuple(
        (
            one.name,
            str(one.runs),
            format_flops(one.flops),
            number(one.law_half_width),
            number(one.half_width),
            one.what,
        )
        for one in plan.alternatives
    )
    return Table(
        title="Expected at the target, if the form holds",
        columns=(
            Column(name="plan", kind="name"),
            Column(name="runs"),
            Column(name="FLOP"),
            Column(name=f"{level_text(plan.interval)} half-width of the law"),
            Column(name="of a run"),
            Column(name="what", kind="text", rank=1),
        ),
        rows=(first, *rest),
        footer=f"of a run: {interval_text(plan.interval)}; of the law: its own value, without the "
        "scatter of a run and the error of the form",
    )


def next_document(plan: NextRuns) -> dict[str, Any]:
    """Return `scaleplan.next/1`."""
    return {
        **head("next", "next"),
        "fit": plan.fit_name,
        "law": plan.law,
        "metric": asdict(plan.metric),
        "target": {
            "params": plan.target_params, "tokens": plan.target_tokens,
            "flops": plan.target_flops, "reason": plan.target_reason, "value": plan.value,
        },
        "budget": {"flops": plan.budget_flops, "usd": plan.budget_usd},
        "spent": {
            "flops": sum(run.flops for run in plan.runs),
            "gpu_hours": None if any(run.gpu_hours is None for run in plan.runs)
            else sum(run.gpu_hours or 0.0 for run in plan.runs),
            "usd": None if any(run.usd is None for run in plan.runs)
            else sum(run.usd or 0.0 for run in plan.runs),
        },
        "half_width": {"before": plan.half_width_before, "after": plan.half_width_after},
        "law_half_width": {
            "before": plan.law_half_width_before, "after": plan.law_half_width_after,
        },
        "samples": plan.samples or None,
        "cluster": {"gpu": plan.gpu, "gpus": plan.gpus},
        "runs": [asdict(run) for run in plan.runs],
        "alternatives": [asdict(one) for one in plan.alternatives],
        "interval": asdict(plan.interval) if plan.interval is not None else None,
        **tail(plan.assumptions, plan.notes),
    }  # fmt: skip
