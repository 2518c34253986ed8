"""What is shown of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.answers_view import answer_blocks
from scaleplan.render.running_view import running_tables, storage_facts
from scaleplan.render.shape_view import shape_blocks
from scaleplan.render.view import (
    UNKNOWN,
    Column,
    Facts,
    Paragraph,
    Table,
    View,
    band,
    count,
    interval_text,
    level_text,
    metric_text,
    number,
    pairs_of,
)
from scaleplan.units import (
    format_days,
    format_energy,
    format_flops,
    format_percent,
    format_significant,
    format_usd,
)

if TYPE_CHECKING:
    from scaleplan.records import Accelerator, Plan, PlanRow
    from scaleplan.render.view import Block


# With more accelerators side by side, only what they are compared by is shown.
_MANY = 8


def plan_view(plan: Plan) -> View:
    """Return what `scaleplan budget` shows."""
    law = plan.forecast
    parts = len({row.gpu for row in plan.rows})
    several, many = parts > 1, parts > _MANY
    return View(
        title=f"scaleplan budget: {count(plan.params)} parameters, {count(plan.tokens)} tokens",
        blocks=(
            Facts(title="Model", pairs=_model(plan)),
            *shape_blocks(plan.shape),
            Facts(title="Forecast", pairs=_forecast(plan)),
            Paragraph(title=f"Law: {law.law}, {law.fit_name}", text=law.formula),
            Facts(title="Accelerators", pairs=tuple(_accelerator(a) for a in plan.accelerators)),
            *answer_blocks(plan),
            _rows(plan, several=several, many=many),
            *(() if many else running_tables(plan.rows, several=several)),
            *storage_facts(plan.storage),
            *_serving(plan),
        ),
        notes=plan.notes,
        assumptions=plan.assumptions,
    )


def _serving(plan: Plan) -> tuple[Block, ...]:
    if plan.deployment is None:
        return ()
    from scaleplan.render.deployment_view import deployment_blocks

    return deployment_blocks(plan.deployment, plan.forecast.metric)


def _model(plan: Plan) -> tuple[tuple[str, str], ...]:
    active = count(plan.active_params) if plan.active_params != plan.params else ""
    ratio = f"{format_significant(plan.tokens / plan.params, 3)} a parameter"
    if active:
        each = format_significant(plan.tokens / plan.active_params, 3)
        ratio = f"{each} an active parameter, {ratio} of all"
    best = plan.optimum
    optimum = ""
    if best is not None:
        kind = "dense parameters" if _seen_as_dense(plan) else "parameters"
        optimum = (
            f"{count(best.params)} {kind} on {count(best.tokens)} tokens "
            f"({format_significant(best.tokens / best.params, 3)} a parameter) "
            f"would reach {number(best.value)}"
        )
    return pairs_of(
        (
            ("parameters", count(plan.params)),
            ("active parameters", active),
            ("tokens", f"{count(plan.tokens)}, {ratio}"),
            ("training compute", f"{format_flops(plan.flops)} FLOP"),
            ("batch", _batch(plan)),
            ("optimum for this compute", optimum),
        )
    )


def _seen_as_dense(plan: Plan) -> bool:
    """Tell whether the law takes a mixture of experts as a model of its active parameters."""
    return plan.active_params < plan.params and any(
        point.params == plan.active_params for point in plan.forecast.points
    )


def _batch(plan: Plan) -> str:
    """Return the batch, and the count beyond which a larger cluster hardly trains faster."""
    useful = plan.rows[0].useful_gpus if plan.rows else None
    if useful is None:
        return ""
    return (
        f"{count(plan.rows[0].batch_tokens)} tokens a step; adding GPUs stops paying at "
        f"{max(1, int(useful)):,}, 1,000 tokens each"
    )


def _forecast(plan: Plan) -> tuple[tuple[str, str], ...]:
    forecast = plan.forecast
    pairs: list[tuple[str, str]] = []
    for point in forecast.points:
        level = level_text(forecast.interval)
        inside = band(number(point.low), number(point.high))
        shown = number(point.value)
        if inside != UNKNOWN:
            shown += f" ({level}: {inside})"
        pairs.append((metric_text(forecast.metric), shown))
        beyond = f"{format_significant(point.decades_beyond_data, 2)} decades"
        pairs.append(("beyond the fitted runs", beyond))
    pairs.append(("interval", interval_text(forecast.interval)))
    return tuple(pairs)


def _accelerator(accelerator: Accelerator) -> tuple[str, str]:
    price = "price unknown"
    if accelerator.usd_per_hour is not None:
        price = f"{format_usd(accelerator.usd_per_hour)}/h"
        low, high = format_usd(accelerator.usd_low), format_usd(accelerator.usd_high)
        if band(low, high) != UNKNOWN:
            price += f" ({band(low, high)})"
        if accelerator.price_date:
            price += f", {accelerator.price_date}"
    peak = format_significant(accelerator.peak_tflops)
    memory = format_significant(accelerator.memory_gib, 3)
    return accelerator.id, f"{peak} TFLOP/s dense, {memory} GiB, {price}"


def _rows(plan: Plan, *, several: bool, many: bool) -> Table:
    """Return one row for each accelerator and count; one accelerator needs no column."""
    return Table(
        title="Training" if several or not plan.rows else f"Training on {plan.rows[0].gpu}",
        columns=(
            *((Column(name="GPU", kind="name"),) if several else ()),
            Column(name="GPUs"),
            Column(name="time"),
            Column(name="time range", rank=1),
            Column(name="ideal 1/C", rank=4),
            Column(name="efficiency", rank=2),
            Column(name="MFU", rank=3),
            Column(name="GPU-hours", rank=5),
            Column(name="cost"),
            Column(name="cost range", rank=6),
            Column(name="energy", rank=7),
            Column(name="tCO2", rank=8),
            Column(name="GiB/GPU", rank=2),
            Column(name="fits", kind="name"),
            *((Column(name="layout", kind="text", rank=9),) if many else ()),
        ),
        rows=tuple(
            ((row.gpu,) if several else ()) + _row(row) + ((row.layout,) if many else ())
            for row in plan.rows
        ),
        footer="efficiency: share of a GPU's speed kept where so many share a batch; MFU: what "
        "is left of the peak, slow links and recomputation taken off too; ideal 1/C: full peak on "
        "every GPU, a definition and no forecast",
    )  # fmt: skip


def _row(row: PlanRow) -> tuple[str, ...]:
    return (
        str(row.gpus),
        format_days(row.days),
        band(format_days(row.days_low), format_days(row.days_high)),
        format_days(row.ideal_days),
        format_percent(row.efficiency),
        format_percent(row.mfu),
        count(row.gpu_hours),
        format_usd(row.usd),
        band(format_usd(row.usd_low), format_usd(row.usd_high)),
        format_energy(row.energy_kwh),
        format_significant(row.tco2, 3),
        format_significant(row.memory_gib_per_gpu, 3),
        "yes" if row.fits else "NO",
    )
