"""What is shown of a plan by examples."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.json_document import head, tail
from scaleplan.render.view import UNKNOWN, Column, Facts, Table, View, band, count, pairs_of, stated
from scaleplan.units import (
    format_days,
    format_energy,
    format_flops,
    format_percent,
    format_significant,
    format_usd,
)

if TYPE_CHECKING:
    from scaleplan.records.families import ExampleModel, FamilyPlan, FamilyRow

_KINDS = {
    "vit": "vision transformer", "cnn": "convolutional network", "recommender": "recommender",
    "other": "model",
}  # fmt: skip
_GIB = 2.0**30


def family_view(plan: FamilyPlan) -> View:
    """Return what `scaleplan budget --family` shows."""
    several = len({row.gpu for row in plan.rows}) > 1
    return View(
        title=f"scaleplan budget: {_KINDS[plan.model.family]}, {count(plan.examples)} examples, "
        f"epochs: {stated(plan.epochs)}",
        blocks=(
            Facts(title=f"Model: {plan.model.origin}", pairs=_model(plan.model, plan)),
            Table(
                title="Training" if several else f"Training on {plan.rows[0].gpu}",
                columns=(
                    *((Column(name="GPU", kind="name"),) if several else ()),
                    Column(name="GPUs"),
                    Column(name="time"),
                    Column(name="time range", rank=1),
                    Column(name="examples/s", rank=2),
                    Column(name="bound by", kind="name", rank=2),
                    Column(name="efficiency", rank=5),
                    Column(name="MFU", rank=3),
                    Column(name="GPU-hours", rank=5),
                    Column(name="cost"),
                    Column(name="cost range", rank=6),
                    Column(name="energy", rank=7),
                    Column(name="tCO2", rank=8),
                    Column(name="GiB/GPU", rank=4),
                    Column(name="fits", kind="name", rank=4),
                ),
                rows=tuple(((row.gpu,) if several else ()) + _row(row) for row in plan.rows),
                footer="training compute is 3 x forward FLOP x examples x epochs; "
                "a multiply-add is 2 FLOP",
            ),
        ),
        notes=plan.notes,
        assumptions=plan.assumptions,
    )


def _model(model: ExampleModel, plan: FamilyPlan) -> tuple[tuple[str, str], ...]:
    patches, tables = "", ""
    if model.patches is not None and model.params is not None:
        rule = 2.0 * model.params * model.patches / model.forward_flops
        patches = f"{model.patches}; 6 x parameters x patches is {format_significant(rule, 3)} x it"
    if model.embeddings is not None:
        size = model.embeddings.rows * model.embeddings.width * 4.0 / _GIB
        state = model.embeddings.rows * 4.0 / _GIB
        tables = (
            f"{count(model.embeddings.rows * model.embeddings.width)} parameters, "
            f"{format_significant(size, 3)} GiB, optimiser {format_significant(state, 3)} GiB; "
            f"{format_significant(model.embeddings.lookups, 3)} lookups an example"
        )
    written = None
    if model.activations is not None:
        written = f"{count(model.activations)} values an example"
    params = None if model.params is None else f"{model.params:,.0f}"
    return pairs_of(
        (
            ("dense parameters" if model.embeddings else "parameters", params),
            ("embedding tables", tables),
            (
                "forward pass of an example",
                f"{format_flops(model.forward_flops)} FLOP, "
                f"{format_flops(model.forward_flops / 2)} multiply-adds",
            ),
            ("written by convolutions", written),
            ("patches of an image", patches),
            ("training compute", f"{format_flops(plan.flops)} FLOP"),
            ("batch", f"{count(plan.batch_examples)} examples"),
            ("source", model.source),
        )
    )


def _row(row: FamilyRow) -> tuple[str, ...]:
    return (
        str(row.gpus), format_days(row.days),
        band(format_days(row.days_low), format_days(row.days_high)),
        count(row.examples_per_second), row.bound, format_percent(row.efficiency),
        format_percent(row.mfu), count(row.gpu_hours), format_usd(row.usd),
        band(format_usd(row.usd_low), format_usd(row.usd_high)), format_energy(row.energy_kwh),
        format_significant(row.tco2, 3), format_significant(row.memory_gib_per_gpu, 3),
        UNKNOWN if row.fits is None else ("yes" if row.fits else "NO"),
    )  # fmt: skip


def family_document(plan: FamilyPlan) -> dict[str, Any]:
    """Return `scaleplan.plan/1` of a plan by examples; `forecast` is null."""
    return {
        **head("plan", "budget"),
        "model": {
            **asdict(plan.model), "examples": plan.examples, "epochs": plan.epochs,
            "flops": plan.flops, "batch_examples": plan.batch_examples,
        },
        "forecast": None,
        "rows": [_row_document(row) for row in plan.rows],
        "accelerators": [asdict(accelerator) for accelerator in plan.accelerators],
        **tail(plan.assumptions, plan.notes),
    }  # fmt: skip


def _row_document(row: FamilyRow) -> dict[str, Any]:
    flat = asdict(row)
    days = {
        "low": flat.pop("days_low"), "expected": flat.pop("days"), "high": flat.pop("days_high"),
    }  # fmt: skip
    return {**flat, "days": days}
