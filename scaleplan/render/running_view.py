"""What is shown of how a planned run is carried out: layout, failures, storage and hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.view import UNKNOWN, Column, Facts, Table
from scaleplan.units import format_count, format_days, format_percent, format_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.records import PlanRow, Storage

_HOURS_PER_DAY = 24.0
_SECONDS_PER_DAY = 86400.0
_BYTES = (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def running_tables(rows: Sequence[PlanRow], *, several: bool) -> tuple[Table, ...]:
    """Return the layouts with their reasons, and what failures and hosts ask for.

    Args:
        rows: Rows of a plan.
        several: Whether there are several accelerators, which then have a column.
    """
    name = (Column(name="GPU", kind="name"),) if several else ()
    layouts = Table(
        title="Layout",
        columns=(
            *name, Column(name="GPUs"), Column(name="layout", kind="text"),
            Column(name="states GiB", rank=4), Column(name="activations GiB", rank=4),
            Column(name="micro-batches", rank=6), Column(name="tokens/GPU", rank=5),
            Column(name="most GPUs", rank=7), Column(name="why", kind="text", rank=3),
        ),
        rows=tuple(((row.gpu,) if several else ()) + _layout(row) for row in rows),
        footer="chosen: the fastest that fits, of equally fast ones the fewest stages, then the "
        "least tensor parallelism; why: GiB held and usable, and what a simpler layout needs, or "
        "how much longer it takes; micro-batches: a step, in each "
        "copy; tokens/GPU: of a step; most GPUs: that the layout can give work to",
    )  # fmt: skip
    running = Table(
        title="Failures and hosts",
        columns=(
            *name, Column(name="GPUs"), Column(name="MTBF"),
            Column(name="checkpoints"), Column(name="goodput", rank=2),
            Column(name="tokens/s", rank=1), Column(name="loader MB/s", rank=3),
            Column(name="CPU cores", rank=3), Column(name="host GiB", rank=3),
        ),
        rows=tuple(((row.gpu,) if several else ()) + _running(row) for row in rows),
        footer="MTBF: mean time between failures; checkpoints: the interval that loses least; "
        "goodput: share left by failures, for your own --mfu only: published runs contain them",
    )  # fmt: skip
    return layouts, running


def _layout(row: PlanRow) -> tuple[str, ...]:
    least = "" if row.fitting_gpus is None else f"; it fits from {row.fitting_gpus:,} GPUs on"
    never = "; no number of them is enough" if not row.fits and row.fitting_gpus is None else ""
    return (
        str(row.gpus), row.layout, format_significant(row.states_gib, 3),
        format_significant(row.activations_gib, 3), format_significant(row.micro_batches, 3),
        format_count(row.batch_tokens / row.gpus), format_count(row.most_gpus),
        (row.layout_reason or UNKNOWN) + least + never,
    )  # fmt: skip


def _running(row: PlanRow) -> tuple[str, ...]:
    return (
        str(row.gpus), _hours(row.failure_hours), _hours(row.checkpoint_hours),
        format_percent(row.goodput), format_count(row.tokens_per_second),
        format_significant(row.loader_mb_s, 3),
        UNKNOWN if row.host_cores is None else f"{row.host_cores:,}", format_count(row.host_gib),
    )  # fmt: skip


def _hours(hours: float | None) -> str:
    return UNKNOWN if hours is None else format_days(hours / _HOURS_PER_DAY)


def storage_facts(storage: Storage | None) -> tuple[Facts, ...]:
    """Return the sizes of checkpoints and data."""
    if storage is None:
        return ()
    written = format_days(storage.write_seconds / _SECONDS_PER_DAY)
    waits = "for which training waits"
    if storage.stop_seconds != storage.write_seconds:
        waits = f"training waits {format_days(storage.stop_seconds / _SECONDS_PER_DAY)}"
    checkpoint = (
        f"{_bytes(storage.checkpoint_bytes)} ({_bytes(storage.weights_bytes)} of weights), "
        f"written in {written} at {format_significant(storage.storage_gbs, 3)} GB/s, {waits}"
    )
    data = f"{_bytes(storage.dataset_bytes)}, {storage.token_bytes:g} bytes a token"
    return (Facts(title="Storage", pairs=(("checkpoint", checkpoint), ("training data", data))),)


def _bytes(value: float) -> str:
    for unit, size in _BYTES:
        if value >= size:
            return f"{format_significant(value / size, 3)} {unit}"
    return f"{value:.0f} B"
