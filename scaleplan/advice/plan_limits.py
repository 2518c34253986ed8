"""Limits of a plan: memory, step size per accelerator, duration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaleplan.advice.repeats import repeated_data
from scaleplan.planning.throughput import useful_batch
from scaleplan.planning.utilisation import run_utilisation
from scaleplan.records import Note, Plan, PlanRow
from scaleplan.units import format_count, format_days, format_percent, format_significant

# Fixed-batch scaling tables reach from 1,000 to 49,000 tokens per accelerator and step; outside
# nothing was measured.
_FEWEST_TOKENS_A_STEP = 1000.0
# Tokens per accelerator and step above which full sharding waits for no network seen so far.
_SHARDED_KNEE = 13_000.0
_NODE = 8
_LARGE_BATCH, _OVERHEAD = 2.0, 0.2
# What a whole run keeps, at 0.93, of the highest MFU of steps in any table, 0.65.
_HIGHEST_MFU = 0.60
_LONGEST_DAYS = 365.0
_OTHER_MFU = 0.05
# 6ND leaves out attention and the embedding: 10% is reached near 100M parameters (Hoffmann et al.
# 2022, appendix F).
_SMALLEST_FOR_6ND = 1e8


def memory(plan: Plan) -> Iterator[Note]:
    """Say at which counts the model does not fit."""
    failing = [row for row in plan.rows if not row.fits]
    if not failing:
        return
    counts = ", ".join(f"{row.gpus} x {row.gpu}" for row in failing)
    fitting = [row.gpus for row in plan.rows if row.fits]
    yield Note(
        id="DOES_NOT_FIT", severity="warning" if fitting else "error",
        text=f"The model does not fit in memory on {counts} (least need "
        f"{format_significant(min(row.memory_gib_per_gpu for row in failing), 3)} GiB each).",
        action=_more(failing, fitting),
        numbers=(("gpus", float(failing[-1].gpus)), *_least(failing)),
    )  # fmt: skip


def _more(failing: list[PlanRow], fitting: list[int]) -> str:
    """Say on how many it would fit: for one kind of accelerator the smallest count is known."""
    known = [row.fitting_gpus for row in failing if row.fitting_gpus is not None]
    if len({row.gpu for row in failing}) == 1 and known:
        return f"It fits on {min(known):,} {failing[0].gpu}; or use larger accelerators."
    if fitting:
        return f"Use at least {min(fitting)} accelerators, or larger ones."
    return "Use more or larger accelerators." if known else (
        "Use larger accelerators, a shorter --sequence-length, or another --layout."
    )  # fmt: skip


def _least(failing: list[PlanRow]) -> tuple[tuple[str, float], ...]:
    known = [row.fitting_gpus for row in failing if row.fitting_gpus is not None]
    return (("fitting_gpus", float(min(known))),) if known else ()


def sharded_alone(plan: Plan) -> Iterator[Note]:
    """Say when weights are shared over all accelerators, which the network then has to carry."""
    # Where it was asked for, the time contains it.
    thin = [
        row for row in plan.rows
        if "ZeRO-3" in row.layout and row.gpus > _NODE
        and row.batch_tokens / row.gpus < _SHARDED_KNEE
        and not row.sharded
    ]  # fmt: skip
    if thin:
        counts = ", ".join(str(c) for c in sorted({row.gpus for row in thin}))
        yield Note(
            id="SHARDED_ALONE", severity="info",
            text=f"On {counts} accelerators weights are gathered from all others in every step; "
            "below about 7,000 (A100) to 13,000 (H100) tokens each a step the network limits that.",
            action="See --layout fsdp for the time it takes, or split layers with --layout tp=8.",
            numbers=(("tokens_per_gpu_step", min(r.batch_tokens / r.gpus for r in thin)),),
            source="Narayanan et al. 2021, arXiv 2104.04473, ZeRO-3 rows",
        )  # fmt: skip


def few_nodes(plan: Plan) -> Iterator[Note]:
    """Say that the MFU falls between counts by more than the loss that `efficiency` shows."""
    known = {part.id: part for part in plan.accelerators}
    for gpu in dict.fromkeys(row.gpu for row in plan.rows):
        counts = [row.gpus for row in plan.rows if row.gpu == gpu and row.goodput is None]
        if not counts:
            continue  # the user's own MFU is carried from count to count by efficiency alone
        few, many = (
            run_utilisation(
                known[gpu], active_params=plan.active_params,
                moe=plan.active_params < plan.params, gpus=count, node=_NODE,
            )
            for count in (min(counts), max(counts))
        )  # fmt: skip
        if many < (1.0 - _OTHER_MFU) * few:
            yield Note(
                id="FEW_NODES", severity="info",
                text=f"Before what splitting the batch costs (efficiency), a {gpu} reaches "
                f"{format_percent(few)} of its peak on {min(counts)} and {format_percent(many)} on "
                f"{max(counts)}: published runs on eight nodes and more were that much slower than "
                "their steps, those inside one node were not.",
                action="Give --mfu of your own steps where you know it: those of one program lost "
                "2 to 9% from few nodes to many in three logs.",
                numbers=(("share", many / few),), source="tests/benchmark/published_times.py",
            )  # fmt: skip


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
            f"{format_count(thin[0].batch_tokens)} tokens): no measurement covers this, and adding "
            f"accelerators buys almost nothing; they stop paying at {_useful(thin[0])}.",
            action="Use fewer accelerators, or a larger batch if the training allows it.",
            numbers=(("tokens_per_gpu_step", min(r.batch_tokens / r.gpus for r in thin)),),
            source="Megatron-LM, MegaScale and Llama 3 fixed-batch tables",
        )  # fmt: skip


def _useful(row: PlanRow) -> str:
    return f"{max(1, int(row.batch_tokens / _FEWEST_TOKENS_A_STEP)):,}"


def empty_stages(plan: Plan) -> Iterator[Note]:
    """Say at which counts a pipeline has fewer micro-batches than stages."""
    for row in plan.rows:
        filled = row.micro_batches
        if filled is None or filled >= row.stages:
            continue
        share = filled / (filled + row.stages - 1.0)
        yield Note(
            id="EMPTY_STAGES", severity="warning",
            text=f"On {row.gpus} {row.gpu} each of {row.stages} stages of the pipeline has work "
            f"{format_percent(share)} of the time: a step has {format_significant(filled, 3)} "
            "micro-batches in each copy of the model, which the time contains.",
            action="Use fewer stages or fewer accelerators, or a larger batch if the training "
            "allows it.",
            numbers=(("gpus", float(row.gpus)), ("share", share)),
            source="Narayanan et al. 2021, arXiv 2104.04473, section 2.2.1",
        )  # fmt: skip


def recomputed(plan: Plan) -> Iterator[Note]:
    """Say that a layout computes the forward pass twice, which the time may not contain."""
    rows = [row for row in plan.rows if "full recompute" in row.layout]
    if rows:
        counts = ", ".join(str(c) for c in sorted({row.gpus for row in rows}))
        measured = rows[0].goodput is not None
        yield Note(
            id="RECOMPUTED", severity="info",
            text=f"On {counts} accelerators the forward pass is computed twice: 8 FLOP a parameter "
            "and token, not 6. " + (
                "The time is by your MFU; if it was measured without, it takes a third more."
                if measured else
                "The use is that of published runs, with and without: expect up to a third more "
                "time than on accelerators where it is not needed."
            ),
            action="Compare with more accelerators, or measure --mfu with recomputation (6 FLOP a "
            "parameter and token over the dense peak).",
            numbers=(("gpus", float(rows[0].gpus)),),
            source="Narayanan et al. 2021, arXiv 2104.04473, section 5.1",
        )  # fmt: skip


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


def duration(plan: Plan) -> Iterator[Note]:
    """Say when even the fastest row takes more than a year."""
    fastest = min((row.days for row in plan.rows), default=0.0)
    if fastest > _LONGEST_DAYS:
        yield Note(
            id="LONGER_THAN_A_YEAR", severity="warning",
            text=f"The fastest row takes {format_days(fastest)}.",
            action="Use more accelerators or a smaller model; hardware and methods change faster.",
            numbers=(("days", fastest),),
        )  # fmt: skip


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
    thin_steps,
    sharded_alone,
    few_nodes,
    empty_stages,
    recomputed,
    large_batch,
    unlikely_mfu,
    duration,
    tiny_model,
    repeated_data,
)
