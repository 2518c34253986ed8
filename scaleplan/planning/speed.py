"""How fast a cluster works through a run: its MFU, what failures leave of it, and the band."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.planning.goodput import goodput
from scaleplan.planning.layouts import node_size
from scaleplan.planning.throughput import base_utilisation, cluster_efficiency, sharded_knee
from scaleplan.records import Accelerator, TrainingSetup
from scaleplan.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Work(Record):
    """What the speed of a run depends on, besides the cluster.

    Args:
        active_params: Parameters per token.
        moe: Whether the model is a mixture of experts.
        batch_tokens: Tokens per step.
        mfu: The user's MFU of single steps; None takes that of whole published runs.
        mfu_gpus: On how many accelerators it was measured.
        setup: Layout and failures.
    """

    active_params: float
    moe: bool
    batch_tokens: float
    mfu: float | None
    mfu_gpus: int
    setup: TrainingSetup


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Speed(Record):
    """The speed of a cluster.

    Args:
        efficiency: Share kept of a small cluster's speed per accelerator.
        mfu: Model-FLOP utilisation of the whole run, of all accelerators.
        low: The shortest time over the expected one.
        high: The longest time over the expected one.
        goodput: Share left by failures; None where the MFU of published runs contains them.
    """

    efficiency: float
    mfu: float
    low: float
    high: float
    goodput: float | None


def run_speed(
    work: Work, accelerator: Accelerator, *, gpus: int, used: int, full_recompute: bool
) -> Speed:
    """Return how fast a cluster works through a run.

    Args:
        work: The run.
        accelerator: The part.
        gpus: Accelerators, all of which may fail and are paid for.
        used: Those that have work.
        full_recompute: Whether the forward pass is computed twice.
    """
    busy = used / gpus
    kept = _kept(work, accelerator, used, full_recompute=full_recompute)
    if work.mfu is None:
        base = base_utilisation(accelerator, active_params=work.active_params, moe=work.moe)
        low, high = planning_default("time_band_low"), planning_default("time_band_high")
        return Speed(
            efficiency=kept * busy, mfu=base * kept * busy, low=low.value, high=high.value,
            goodput=None,
        )  # fmt: skip
    there = _kept(work, accelerator, work.mfu_gpus, full_recompute=full_recompute)
    steady = min(1.0, work.mfu * kept / there)
    setup = work.setup
    good = goodput(
        gpus, checkpoint_seconds=setup.checkpoint_seconds, restart_minutes=setup.restart_minutes,
        failure_gpu_hours=setup.failure_gpu_hours,
    )  # fmt: skip
    low, high = planning_default("realised_low"), planning_default("realised_high")
    # At best nothing is lost; at worst what published runs lost, or what failures alone cost.
    return Speed(
        efficiency=kept * busy, mfu=steady * good * busy, low=good / high.value,
        high=max(1.0, good / low.value), goodput=good,
    )  # fmt: skip


def _kept(work: Work, accelerator: Accelerator, gpus: int, *, full_recompute: bool) -> float:
    """Return the share of a small cluster's speed that so many accelerators keep."""
    kept = cluster_efficiency(gpus, batch_tokens=work.batch_tokens, moe=work.moe)
    # Inside a node the links are an order of magnitude faster than the network.
    if not work.setup.fsdp_only or gpus <= node_size(work.setup):
        return kept
    knee = sharded_knee(accelerator, full_recompute=full_recompute, mfu=work.mfu)
    return min(kept, work.batch_tokens / gpus / knee)
