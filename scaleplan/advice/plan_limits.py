"""Limits of a plan: memory, step size per accelerator, duration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaleplan.records import Note, Plan
from scaleplan.units import format_count, format_days, format_significant

# Fixed-batch scaling tables reach from 1,000 to 49,000 tokens per accelerator and step; outside
# nothing was measured.
_FEWEST_TOKENS_A_STEP = 1000.0
_LONGEST_DAYS = 365.0
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
        action=f"Use at least {min(fitting)} accelerators, or larger ones." if fitting
        else "Use more or larger accelerators.",
        numbers=(("gpus", float(failing[-1].gpus)),),
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
            "accelerators buys almost nothing.",
            action="Use fewer accelerators, or a larger batch if the training allows it.",
            numbers=(("tokens_per_gpu_step", min(r.batch_tokens / r.gpus for r in thin)),),
            source="Megatron-LM, MegaScale and Llama 3 fixed-batch tables",
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

PLAN_RULES: tuple[Rule, ...] = (memory, thin_steps, duration, tiny_model)
