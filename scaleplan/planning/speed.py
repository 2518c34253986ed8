"""How fast a cluster works through a run: its MFU, what failures leave of it, and the band."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.planning.goodput import goodput
from scaleplan.planning.layouts import SHARED_WEIGHTS, node_size
from scaleplan.planning.memory import Layout
from scaleplan.planning.throughput import cluster_efficiency, sharded_knee, tensor_efficiency
from scaleplan.planning.utilisation import run_band, run_utilisation
from scaleplan.records import Accelerator, TrainingSetup
from scaleplan.records.base import Record

# What published runs kept of the MFU of their steps, beside what failures took.
REALISED = ("realised_low", "realised_median", "realised_high")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Work(Record):
    """What the speed of a run depends on, besides the cluster.

    Args:
        active_params: Parameters per token.
        width: Width of the model.
        moe: Whether the model is a mixture of experts.
        batch_tokens: Tokens per step.
        mfu: The user's MFU of single steps; None takes that of whole published runs.
        mfu_gpus: On how many accelerators it was measured.
        setup: Layout and failures.
        vision: Whether the model is a vision transformer.
    """

    active_params: float
    width: int
    moe: bool
    batch_tokens: float
    mfu: float | None
    mfu_gpus: int
    setup: TrainingSetup
    vision: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Speed(Record):
    """The speed of a cluster.

    Args:
        efficiency: Share of an accelerator's speed kept where so many share a batch.
        mfu: Model-FLOP utilisation of the whole run, of all accelerators.
        low: The shortest time over the expected one.
        high: The longest time over the expected one.
        goodput: Share left by failures; None where the MFU of published runs contains them.
        step_tokens: Tokens per accelerator and step below which the network bounds the time; None
            where it does not.
    """

    efficiency: float
    mfu: float
    low: float
    high: float
    goodput: float | None
    step_tokens: float | None


def run_speed(
    work: Work, accelerator: Accelerator, layout: Layout, *, gpus: int, used: float,
    micro_batches: float,
) -> Speed:  # fmt: skip
    """Return how fast a cluster works through a run.

    Args:
        work: The run.
        accelerator: The part.
        layout: How the model is spread.
        gpus: Accelerators, all of which may fail and are paid for.
        used: Those that have work.
        micro_batches: Micro-batches of a step in each copy of the model.
    """
    busy = used / gpus
    knee = _knee(work, accelerator, layout)
    kept = min(_kept(work, accelerator, used, knee), _filled(layout.pipeline, micro_batches))
    shown = kept * busy
    if work.mfu is None:
        base = run_utilisation(
            accelerator, active_params=work.active_params, moe=work.moe, gpus=used,
            node=node_size(work.setup), vision=work.vision,
        )  # fmt: skip
        base *= tensor_efficiency(accelerator, tensor=layout.tensor, width=work.width)
        ends = run_band(
            accelerator, active_params=work.active_params, gpus=used, node=node_size(work.setup)
        )
        low, high = map(planning_default, ends)
        return Speed(
            efficiency=shown, mfu=base * shown, low=low.value, high=high.value, goodput=None,
            step_tokens=knee,
        )  # fmt: skip
    # On fewer accelerators the same stages have as many more micro-batches.
    fewer = micro_batches * gpus / work.mfu_gpus
    there = min(_kept(work, accelerator, work.mfu_gpus, knee), _filled(layout.pipeline, fewer))
    steady = min(1.0, work.mfu * kept / there)
    setup = work.setup
    good = goodput(
        gpus, checkpoint_seconds=setup.checkpoint_seconds, restart_minutes=setup.restart_minutes,
        failure_gpu_hours=setup.failure_gpu_hours,
    )  # fmt: skip
    least, middle, most = (planning_default(name).value for name in REALISED)
    return Speed(
        efficiency=shown, mfu=steady * middle * good * busy, low=middle / most,
        high=middle / least, goodput=good, step_tokens=knee,
    )  # fmt: skip


def _filled(stages: int, micro_batches: float) -> float:
    """Return the share of the time in which the stages of a pipeline have work.

    m micro-batches take m + p - 1 steps of p stages (Narayanan et al. 2021, arXiv 2104.04473,
    section 2.2.1). From m = p on stages can be interleaved, and what is left of the bubble is in
    the loss with the number of accelerators, which was fitted to such runs.
    """
    if micro_batches >= stages:
        return 1.0
    return micro_batches / (micro_batches + stages - 1.0)


def _knee(work: Work, accelerator: Accelerator, layout: Layout) -> float | None:
    """Return the tokens per accelerator and step below which the network bounds the time.

    That holds where weights are shared over all accelerators. A layout that was only searched for
    is not held to it: whoever is slowed by it splits layers instead, which is what published runs
    did, and a note says so.
    """
    setup = work.setup
    shared = layout.zero >= SHARED_WEIGHTS and layout.model_accelerators == 1
    unsplit = setup.fsdp_only or (setup.tensor, setup.pipeline) == (1, 1)
    if not shared or not (unsplit or setup.zero == layout.zero):
        return None
    if layout.accelerators <= node_size(setup):
        return None  # inside a node the links are an order of magnitude faster than the network
    return sharded_knee(accelerator, full_recompute=layout.recompute == "full", mfu=work.mfu)


def _kept(work: Work, accelerator: Accelerator, gpus: float, knee: float | None) -> float:
    """Return the share of a small cluster's speed that so many accelerators keep."""
    kept = cluster_efficiency(
        gpus, batch_tokens=work.batch_tokens, moe=work.moe, accelerator=accelerator
    )
    if knee is None or gpus <= node_size(work.setup):
        return kept
    return min(kept, work.batch_tokens / gpus / knee)
