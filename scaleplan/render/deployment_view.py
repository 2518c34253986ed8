"""What is shown of serving a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.view import UNKNOWN, Column, Table, count, metric_text, number
from scaleplan.units import format_count, format_significant, format_usd

if TYPE_CHECKING:
    from scaleplan.records import Metric
    from scaleplan.records.deployments import Deployment, ServingRow, SizeRow
    from scaleplan.render.view import Block


def deployment_blocks(deployment: Deployment, metric: Metric) -> tuple[Block, ...]:
    """Return the tables of serving, and of size against speed."""
    return _serving(deployment), _sizes(deployment, metric_text(metric))


def _serving(deployment: Deployment) -> Table:
    several = len({row.gpu for row in deployment.rows}) > 1
    cache = ", ".join(
        f"{format_significant(size / 1024, 3)} KiB {precision}"
        for precision, size in deployment.kv_bytes_per_token
    )
    where = "" if several else f" on {deployment.rows[0].gpu}"
    return Table(
        title=f"Serving{where}, {deployment.context} tokens of context",
        columns=(
            *((Column(name="GPU", kind="name"),) if several else ()),
            Column(name="weights", kind="name"),
            Column(name="cache", kind="name", rank=5),
            Column(name="sequences"),
            Column(name="weights GiB", rank=1),
            Column(name="cache GiB", rank=1),
            Column(name="GPUs"),
            Column(name="ms/token"),
            Column(name="at best", rank=2),
            Column(name="tokens/s"),
            Column(name="bound by", kind="name", rank=4),
            Column(name="prompt s", rank=3),
            Column(name="$/M tokens", rank=1),
        ),
        rows=tuple(((row.gpu,) if several else ()) + _row(row) for row in deployment.rows),
        footer=f"a token adds {cache} to a sequence's cache; GPUs: the fewest that hold it; "
        "at best: full bandwidth or full peak; prompt: reading as many tokens as the context",
    )


def _row(row: ServingRow) -> tuple[str, ...]:
    return (
        row.precision, row.kv_precision, str(row.sequences), format_significant(row.weights_gib, 3),
        format_significant(row.kv_gib, 3), str(row.gpus), _short(row.step_ms), _short(row.floor_ms),
        UNKNOWN if row.tokens_per_second is None else format_count(row.tokens_per_second),
        row.bound or UNKNOWN, _short(row.prefill_seconds), format_usd(row.usd_per_million_tokens),
    )  # fmt: skip


def _sizes(deployment: Deployment, metric: str) -> Table:
    many = deployment.sizes[0].many if deployment.sizes else None
    sequences = UNKNOWN if many is None else str(many.sequences)
    precision = "" if many is None else f", {many.precision}"
    return Table(
        title=f"Size against speed: the same training compute{precision}",
        columns=(
            Column(name="params"),
            Column(name="tokens", rank=1),
            Column(name=metric),
            Column(name="GPUs", rank=1),
            Column(name="ms/token, 1 sequence"),
            Column(name=f"tokens/s/GPU, {sequences} sequences"),
            Column(name="$/M tokens", rank=2),
        ),
        rows=tuple(_size(row) for row in deployment.sizes),
    )


def _size(row: SizeRow) -> tuple[str, ...]:
    speed = row.many.tokens_per_second
    return (
        count(row.params), count(row.tokens), number(row.value), str(row.single.gpus),
        _short(row.single.step_ms),
        UNKNOWN if speed is None else format_count(speed / row.many.gpus),
        format_usd(row.many.usd_per_million_tokens),
    )  # fmt: skip


def _short(value: float | None) -> str:
    return UNKNOWN if value is None else format_significant(value, 3)
