"""Limits of a plan: memory, step size per accelerator, duration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaleplan.advice.failures import failures_in_times
from scaleplan.advice.layout_limits import (
    empty_stages,
    memory,
    recomputed,
    sharded_alone,
    shared_sequences,
    slow_links,
    too_few,
)
from scaleplan.advice.repeats import repeated_data
from scaleplan.planning.long_runs import lasting
from scaleplan.planning.throughput import useful_batch
from scaleplan.records import Note, Plan, PlanRow
from scaleplan.units import format_count, format_days, format_percent, format_significant

# Fixed-batch scaling tables reach from 1,000 to 49,000 tokens per accelerator and step; outside
# nothing was measured.
_FEWEST_TOKENS_A_STEP = 1000.0
_LARGE_BATCH, _OVERHEAD = 2.0, 0.2
# What a whole run keeps, at 0.93, of the highest MFU of steps in any table, 0.65.
_HIGHEST_MFU = 0.60
# Share of the time that writing checkpoints may take before it is worth a warning; a choice.
_STANDING = 0.05
_SECONDS_PER_HOUR, _HOURS_PER_DAY = 3600.0, 24.0
_OTHER_MFU = 0.05
# 6ND leaves out attention and the embedding: 10% is reached near 100M parameters (Hoffmann et al.
# 2022, appendix F).
_SMALLEST_FOR_6ND = 1e8


def few_nodes(plan: Plan) -> Iterator[Note]:
    """Say that the MFU falls between counts by more than the loss that `efficiency` shows."""
    for gpu in dict.fromkeys(row.gpu for row in plan.rows):
        # The user's own MFU is carried from count to count by efficiency alone.
        rows = [row for row in plan.rows if row.gpu == gpu and row.goodput is None]
        if not rows:
            continue
        ends = (min(rows, key=_gpus), max(rows, key=_gpus))
        few, many = (
            row.mfu
            / (row.efficiency * row.links_share * row.recompute_share)
            / (row.context_share * row.failure_share)
            for row in ends
        )
        if many < (1.0 - _OTHER_MFU) * few:
            yield Note(
                id="FEW_NODES", severity="info",
                text="Before what splitting the batch (efficiency), slow links and recomputation "
                f"cost, a {gpu} reaches {format_percent(few)} of its peak on {ends[0].gpus} and "
                f"{format_percent(many)} on {ends[1].gpus}: published trainings of small models "
                "lost that much more on eight nodes and more than inside one.",
                action="Give --mfu of your own steps where you know it: those of one program lost "
                "2 to 9% from few nodes to many in three logs.",
                numbers=(("share", many / few),), source="tests/benchmark/times_validated.py",
            )  # fmt: skip


def _gpus(row: PlanRow) -> int:
    return row.gpus


def thin_steps(plan: Plan) -> Iterator[Note]:
    """Say at which counts each accelerator gets too little work a step."""
    thin = [
        row for row in plan.rows if row.batch_tokens / row.gpus < _FEWEST_TOKENS_A_STEP
    ]  # fmt: skip
    if thin:
        counts = ", ".join(str(c) for c in sorted({row.gpus for row in thin}))
        yield Note(
            id="THIN_STEPS", severity="warning",
            text=f"With {counts} accelerators a step gives each fewer than 1,000 tokens (batch "
            f"{format_count(thin[0].batch_tokens)} tokens): no measurement covers this, and each "
            f"added accelerator buys less; they stop paying at {_useful(thin[0])}.",
            action="Use fewer accelerators, or a larger batch if the training allows it.",
            numbers=(("tokens_per_gpu_step", min(r.batch_tokens / r.gpus for r in thin)),),
            source="Megatron-LM, MegaScale and Llama 3 fixed-batch tables",
        )  # fmt: skip


def _useful(row: PlanRow) -> str:
    return f"{max(1, int(row.batch_tokens / _FEWEST_TOKENS_A_STEP)):,}"


def large_batch(plan: Plan) -> Iterator[Note]:
    """Say when a batch is so large that the same loss takes clearly more tokens."""
    batch = plan.rows[0].batch_tokens if plan.rows else 0.0
    times = batch / useful_batch(plan.tokens)
    if times > _LARGE_BATCH:
        # Tokens needed grow as 1 + B / B_crit (McCandlish et al. 2018, arXiv 1812.06162), and the
        # useful batch is the one with 20% on top.
        more = (1.0 + _OVERHEAD * times) / (1.0 + _OVERHEAD) - 1.0
        yield Note(
            id="LARGE_BATCH", severity="warning",
            text=f"A batch of {format_count(batch)} tokens is {format_significant(times, 2)} times "
            "the one with 20% overhead: reaching the forecast takes about "
            f"{format_percent(more, 2)} more tokens than planned.",
            action="Use a smaller --batch, or raise --tokens by as much.",
            numbers=(("batch_tokens", batch), ("tokens_factor", 1.0 + more)),
            source="McCandlish et al. 2018, arXiv 1812.06162; Zhang et al. 2024, arXiv 2410.21676",
        )  # fmt: skip


def unlikely_mfu(plan: Plan) -> Iterator[Note]:
    """Say when the user's own MFU is above what any run has published."""
    yield from mfu_notes(max((r.mfu for r in plan.rows if r.goodput is not None), default=0.0))


def mfu_notes(mfu: float) -> Iterator[Note]:
    """Say when an MFU is above what any run has published.

    Args:
        mfu: Model-FLOP utilisation of a whole run.
    """
    if mfu > _HIGHEST_MFU:
        yield Note(
            id="UNLIKELY_MFU", severity="warning",
            text=f"No published run of this size kept an MFU of {format_percent(mfu, 2)}; the "
            "highest table of steps has 65%, whole runs at most 51%.",
            action="Count 6 FLOP a parameter and token without recomputation, against the dense "
            "bf16 peak of every accelerator.",
            numbers=(("mfu", mfu),),
            source="MegaScale, arXiv 2402.15627, table 2; published runs",
        )  # fmt: skip


def slow_checkpoints(plan: Plan) -> Iterator[Note]:
    """Say at which counts writing checkpoints takes much of the time."""
    if plan.storage is None:
        return
    stop = plan.storage.stop_seconds
    rows = [
        row for row in plan.rows
        if row.goodput is not None and row.checkpoint_hours is not None
        and stop > _STANDING * row.checkpoint_hours * _SECONDS_PER_HOUR
    ]  # fmt: skip
    if rows:
        most = max(rows, key=lambda row: row.gpus)
        every = (most.checkpoint_hours or 0.0) / _HOURS_PER_DAY
        yield Note(
            id="SLOW_CHECKPOINTS", severity="warning",
            text=f"On {most.gpus:,} accelerators training stands still for "
            f"{format_days(stop / _SECONDS_PER_HOUR / _HOURS_PER_DAY)} every {format_days(every)} "
            "to write a checkpoint, the best for their failures: "
            f"{format_percent(most.goodput or 0.0)} of the time is left.",
            action="Give the --storage that such a cluster has, or --checkpoint-seconds of "
            "checkpoints that are written asynchronously.",
            numbers=(("stop_seconds", stop), ("goodput", most.goodput or 0.0)),
            source="Young 1974, A first order approximation to the optimum checkpoint interval",
        )  # fmt: skip


def duration(plan: Plan) -> Iterator[Note]:
    """Say when even the fastest row takes more than a year."""
    yield from lasting(min((row.days for row in plan.rows), default=0.0))


def tiny_model(plan: Plan) -> Iterator[Note]:
    """Say when 6ND is a poor count of the FLOPs."""
    # Where the shape is known its own count says more (shape_limits).
    if plan.shape is None and plan.active_params < _SMALLEST_FOR_6ND:
        yield Note(
            id="TINY_MODEL", severity="info",
            text=f"At {format_count(plan.active_params)} parameters attention and embeddings are "
            "over a tenth of the work, which 6 x params x tokens leaves out.",
            action="Give the measured --flops.",
            numbers=(("active_params", plan.active_params),),
            source="Hoffmann et al. 2022, arXiv 2203.15556, appendix F",
        )  # fmt: skip


Rule = Callable[[Plan], Iterator[Note]]

PLAN_RULES: tuple[Rule, ...] = (
    memory,
    too_few,
    thin_steps,
    sharded_alone,
    few_nodes,
    slow_links,
    empty_stages,
    shared_sequences,
    recomputed,
    large_batch,
    unlikely_mfu,
    slow_checkpoints,
    failures_in_times,
    duration,
    tiny_model,
    repeated_data,
)
