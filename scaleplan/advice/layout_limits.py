"""Limits of how a model is spread: memory, links, pipelines, recomputation."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.records import Note, Plan, PlanRow
from scaleplan.units import format_percent, format_significant

# Below, steps are thin whatever shares weights, which is said by itself.
_FEWEST_TOKENS_A_STEP = 1000.0
# Share of the time that a pipeline has work from which on its bubble is not worth a warning: with
# one layer a stage that takes three micro-batches for each; a choice.
_MOSTLY_FILLED = 0.75
_LITTLE = 0.01
_FEW = 4


def memory(plan: Plan) -> Iterator[Note]:
    """Say at which counts the model does not fit."""
    failing = [row for row in plan.rows if not row.fits and row.needs_gpus is None]
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


def too_few(plan: Plan) -> Iterator[Note]:
    """Say at which counts the layout that was asked for takes more accelerators than there are."""
    rows = [row for row in plan.rows if row.needs_gpus is not None]
    if rows:
        counts = ", ".join(str(c) for c in sorted({row.gpus for row in rows}))
        least = min(row.needs_gpus or row.gpus for row in rows)
        yield Note(
            id="LAYOUT_TAKES_MORE", severity="warning" if len(rows) < len(plan.rows) else "error",
            text=f"The layout takes {least:,} accelerators at least; there are {counts}. Time and "
            "cost are those of as many in work, if that were possible.",
            action=f"Use {least:,} accelerators, or a smaller --layout.",
            numbers=(("needs_gpus", float(least)), ("gpus", float(rows[-1].gpus))),
        )  # fmt: skip


def sharded_alone(plan: Plan) -> Iterator[Note]:
    """Say when weights are shared between copies and the network bounds the time."""
    thin = [
        row for row in plan.rows
        if row.sharded and row.useful_gpus is not None and row.gpus > row.useful_gpus
        and row.batch_tokens / row.gpus >= _FEWEST_TOKENS_A_STEP
    ]  # fmt: skip
    if thin:
        counts = ", ".join(str(c) for c in sorted({row.gpus for row in thin}))
        needed = max(row.batch_tokens / (row.useful_gpus or 1.0) for row in thin)
        yield Note(
            id="SHARDED_ALONE", severity="info",
            text=f"On {counts} accelerators weights are gathered from other copies in every step; "
            f"below about {format_significant(needed, 2)} tokens each a step they wait for the "
            "network, which the time contains.",
            action="Split layers with --layout tp=8, or use fewer accelerators.",
            numbers=(("tokens_per_gpu_step", min(r.batch_tokens / r.gpus for r in thin)),),
            source="Narayanan et al. 2021, arXiv 2104.04473, ZeRO-3 rows",
        )  # fmt: skip


def slow_links(plan: Plan) -> Iterator[Note]:
    """Say what splitting layers over links slower than NVLink costs, which the time contains."""
    known = {part.id: part.intra_node_gbs for part in plan.accelerators}
    for gpu in dict.fromkeys(row.gpu for row in plan.rows):
        rows = [row for row in plan.rows if row.gpu == gpu and row.links_share < 1.0 - _LITTLE]
        if not rows:
            continue
        costs = ", ".join(
            f"{format_significant(1.0 / row.links_share, 3)} times as long on {row.gpus:,}"
            for row in rows[:_FEW]
        )  # fmt: skip
        more = f" and on {len(rows) - _FEW:,} counts more" if len(rows) > _FEW else ""
        measured = rows[0].goodput is not None
        yield Note(
            id="SLOW_LINKS", severity="info",
            text=f"Layers are split over links of {format_significant(known.get(gpu), 3)} GB/s, "
            f"slower than NVLink: steps of {gpu} take {costs}{more}. "
            + ("What your --mfu does not contain of that, the time does."
               if measured else "Time and MFU contain that, efficiency does not."),
            action="Take more of them, of which each holds less, or parts with faster links; "
            "pipeline stages (--layout tp=1) send less where they fit.",
            numbers=(("links_share", min(row.links_share for row in rows)),),
            source="Shoeybi et al. 2019, arXiv 1909.08053, section 3",
        )  # fmt: skip


def empty_stages(plan: Plan) -> Iterator[Note]:
    """Say at which counts the stages of a pipeline stand empty for much of the time."""
    for row in plan.rows:
        share = row.filled_share
        if share >= _MOSTLY_FILLED:
            continue
        yield Note(
            id="EMPTY_STAGES", severity="warning",
            text=f"On {row.gpus} {row.gpu} each of {row.stages} stages of the pipeline has work "
            f"{format_percent(share)} of the time: a step has "
            f"{format_significant(row.micro_batches, 3)} micro-batches in each copy of the model, "
            "which the time contains.",
            action="Use fewer stages or fewer accelerators, or a larger batch if the training "
            "allows it.",
            numbers=(("gpus", float(row.gpus)), ("share", share)),
            source="Narayanan et al. 2021, arXiv 2104.04473, section 2.2",
        )  # fmt: skip


def shared_sequences(plan: Plan) -> Iterator[Note]:
    """Say at which counts several accelerators share each sequence, and what that costs."""
    rows = [row for row in plan.rows if row.context > 1]
    if rows:
        shared = ", ".join(f"{row.context} on {row.gpus:,} {row.gpu}" for row in rows[:_FEW])
        more = f" and on {len(rows) - _FEW:,} counts more" if len(rows) > _FEW else ""
        least = min(row.context_share for row in rows)
        yield Note(
            id="CONTEXT_PARALLEL", severity="info",
            text=f"Several accelerators share each sequence (context parallelism): {shared}{more}. "
            "The training program has to be able to do that, and passes keys and values on; "
            f"{format_percent(least, 2)} of the speed is left, which time and MFU contain.",
            action="Give --layout cp=1 for a program that cannot, or a larger batch, of which "
            "fewer have to share a sequence.",
            numbers=(("context", float(rows[0].context)), ("context_share", least)),
            source="Llama 3, arXiv 2407.21783, section 3.3.2; Liu et al. 2023, arXiv 2310.01889",
        )  # fmt: skip


def recomputed(plan: Plan) -> Iterator[Note]:
    """Say that a layout computes the forward pass twice, which the time contains."""
    rows = [row for row in plan.rows if row.recompute_share < 1.0]
    if rows:
        counts = ", ".join(str(c) for c in sorted({row.gpus for row in rows}))
        measured = rows[0].goodput is not None
        yield Note(
            id="RECOMPUTED", severity="info",
            text=f"On {counts} accelerators the forward pass is computed twice: 8 FLOP a parameter "
            "and token, not 6. " + (
                "Your MFU is taken to be that of the layout planned where it was measured; where "
                "that one computes once, the time is a third longer."
                if measured else
                "The time contains the third more; MFU counts 6."
            ),
            action="Compare with more accelerators, or measure --mfu with recomputation (6 FLOP a "
            "parameter and token over the dense peak).",
            numbers=(("gpus", float(rows[0].gpus)),),
            source="Narayanan et al. 2021, arXiv 2104.04473, section 5.1",
        )  # fmt: skip
