"""How fast a cluster works through a run: its MFU, what failures leave of it, and the band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from scaleplan.catalog import planning_default
from scaleplan.planning.compute import FLOPS_PER_PARAM_TOKEN, FULL_RECOMPUTE
from scaleplan.planning.context import context_efficiency
from scaleplan.planning.goodput import goodput
from scaleplan.planning.layouts import SHARED_WEIGHTS, node_size
from scaleplan.planning.low_precision import BAND as FP8_BAND
from scaleplan.planning.memory import Layout, MemoryModel
from scaleplan.planning.pipeline import filled_share
from scaleplan.planning.throughput import cluster_efficiency, sharded_knee, tensor_efficiency
from scaleplan.planning.utilisation import run_band, run_utilisation
from scaleplan.records import Accelerator, Recompute, TrainingSetup
from scaleplan.records.base import Record

# What published runs kept of the MFU of their steps, beside what failures took.
REALISED = ("realised_low", "realised_median", "realised_high")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Work(Record):
    """What the speed of a run depends on, besides the cluster.

    Args:
        active_params: Parameters per token.
        model: The model as its memory sees it: layers, width and sequences of a step.
        moe: How much of the losses of a mixture of experts it has.
        batch_tokens: Tokens per step.
        mfu: The user's MFU of single steps; None takes that of whole published runs.
        mfu_gpus: On how many accelerators it was measured.
        setup: Layout and failures.
        flops: FLOP of the training by 6ND, and what longer sequences add for attention; 0 is a
            single step.
        counted: FLOP as the plan counts them, over those.
        excess: How much longer the training may take for attention in long sequences.
        faster: How many times faster than in bf16 the steps are, of a training whose MFU is that of
            published runs in bf16; None for one in bf16.
        vision: Whether the model is a vision transformer.
        write_seconds: Time to write a checkpoint; None takes the default.
        token_flops: FLOP of the training for each token, those of attention included; None takes 6
            for each active parameter.
        usual_write_seconds: The same to the storage that is assumed where none is given.
    """

    active_params: float
    model: MemoryModel
    moe: float
    batch_tokens: float
    mfu: float | None
    mfu_gpus: int
    setup: TrainingSetup
    flops: float = 0.0
    counted: float = 1.0
    excess: float = 1.0
    faster: float | None = None
    vision: bool = False
    write_seconds: float | None = None
    usual_write_seconds: float | None = None
    token_flops: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Speed(Record):
    """The speed of a cluster.

    Args:
        efficiency: Share of an accelerator's speed kept where so many share a batch.
        mfu: Model-FLOP utilisation of the whole run, of all accelerators.
        low: The shortest time over the expected one.
        high: The longest time over the expected one.
        links: Share of the speed that tensor parallelism keeps on links slower than NVLink.
        recomputed: Share of it that is left where activations are computed again.
        context: Share of it that is left where accelerators share sequences.
        goodput: Share left by failures; None where the MFU of published runs contains them.
        failures: Share that is left of it where those given are worse than those of such runs.
        step_tokens: Tokens per accelerator and step below which the network bounds the time; None
            where it does not.
    """

    efficiency: float
    mfu: float
    low: float
    high: float
    links: float
    recomputed: float
    context: float
    goodput: float | None
    failures: float
    step_tokens: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Kept(Record):
    """What a layout keeps of the speed of accelerators that wait for nothing, as shares.

    Args:
        batch: Where a step is shared by so many.
        links: Of layers split over links slower than NVLink.
        recomputed: Of activations computed again.
        context: Of sequences shared by several.
        step_tokens: Tokens per accelerator and step below which the network bounds the time; None
            where it does not.
    """

    batch: float
    links: float
    recomputed: float
    context: float
    step_tokens: float | None

    @property
    def share(self) -> float:
        """Return all of it."""
        return self.batch * self.links * self.recomputed * self.context


def kept_of(work: Work, accelerator: Accelerator, layout: Layout) -> Kept:
    """Return what a layout keeps of the speed of accelerators that wait for nothing.

    The loss with the number of accelerators was fitted to runs whose pipelines were filled, and
    contains their bubbles. Where the bubble alone is larger it takes the place of that loss, so
    that none counts twice.

    Args:
        work: The run.
        accelerator: The part.
        layout: How the model is spread.
    """
    knee = _knee(work, accelerator, layout)
    kept = _fitted(work, accelerator, layout.accelerators)
    return Kept(
        batch=_batch_share(work, layout, kept, knee),
        links=_links(work, accelerator, layout.tensor),
        recomputed=_recomputed(layout.recompute), context=_context(work, accelerator, layout),
        step_tokens=knee,
    )  # fmt: skip


def pace_of(work: Work, accelerator: Accelerator) -> Callable[[Layout], float]:
    """Return the speed of a training in each layout, in a unit of the run's own.

    It is one over the time that `run_speed` gives, so that a search for speed and the times of its
    rows agree.

    Args:
        work: The run.
        accelerator: The part.
    """

    @lru_cache(maxsize=1024)
    def alone(used: int) -> tuple[float, float]:
        whole = _whole_run_mfu if work.mfu is None else _goodput
        speed = used * whole(work, accelerator, used) * _worse_failures(work, used)
        return speed, _fitted(work, accelerator, used)

    @lru_cache(maxsize=64)
    def within(tensor: int, recompute: Recompute) -> float:
        return _links(work, accelerator, tensor) * _recomputed(recompute)

    def pace(layout: Layout) -> float:
        speed, kept = alone(layout.accelerators)
        knee = _knee(work, accelerator, layout)
        share = _batch_share(work, layout, kept, knee)
        context = _context(work, accelerator, layout)
        return speed * share * within(layout.tensor, layout.recompute) * context

    return pace


def run_speed(
    work: Work, accelerator: Accelerator, layout: Layout, *, gpus: int, measured: float
) -> Speed:
    """Return how fast a cluster works through a run.

    Args:
        work: The run.
        accelerator: The part.
        layout: How the model is spread; those of `gpus` that it leaves idle do no work, and as they
            do not stop it either, only those that work fail.
        gpus: Accelerators, all of which are paid for.
        measured: Share of the speed that was kept where the user's MFU was measured; of no account
            without one.
    """
    used = min(gpus, layout.accelerators)
    busy = used / gpus
    kept = kept_of(work, accelerator, layout)
    failures = _worse_failures(work, used)
    if work.mfu is None:
        base = _whole_run_mfu(work, accelerator, used) * failures
        ends = run_band(
            accelerator,
            active_params=work.active_params,
            gpus=used,
            node=node_size(work.setup),
            moe=work.moe,
        )
        low, high = (planning_default(name).value for name in ends)
        high *= work.excess
        if work.faster is not None:
            low, high = (
                end * planning_default(name).value
                for end, name in zip((low, high), FP8_BAND, strict=True)
            )
        good = None
    else:
        base = min(1.0 / kept.share, work.mfu / measured)
        least, middle, most = (planning_default(name).value for name in REALISED)
        good = _goodput(work, accelerator, used)
        base *= middle * good
        low, high = middle / most, middle / least
    return Speed(
        efficiency=kept.batch * busy, mfu=base * kept.share * busy, low=low, high=high,
        links=kept.links, recomputed=kept.recomputed, context=kept.context, goodput=good,
        failures=failures, step_tokens=kept.step_tokens,
    )  # fmt: skip


def _whole_run_mfu(work: Work, accelerator: Accelerator, used: float) -> float:
    return work.counted * (work.faster or 1.0) * run_utilisation(
        accelerator, active_params=work.active_params, moe=work.moe, gpus=used,
        node=node_size(work.setup), flops=work.flops, vision=work.vision,
    )  # fmt: skip


def _goodput(work: Work, _accelerator: Accelerator, used: float) -> float:
    return _own_goodput(work, used)


def _own_goodput(work: Work, used: float) -> float:
    setup = work.setup
    return goodput(
        used, checkpoint_seconds=setup.checkpoint_seconds, restart_minutes=setup.restart_minutes,
        failure_gpu_hours=setup.failure_gpu_hours, write_seconds=work.write_seconds,
    )  # fmt: skip


def _worse_failures(work: Work, used: float) -> float:
    """Return what failures leave of the speed of published runs, which had the usual ones.

    The MFU of whole runs holds failures and checkpoints as they are on clusters that publish them.
    What is given is held against those where it loses more; where it loses less it changes nothing,
    for the band of published runs holds the clusters that failed least.
    """
    if work.mfu is not None or not work.setup.gives_failures:
        return 1.0
    usual = goodput(used, write_seconds=work.usual_write_seconds)
    return min(1.0, _own_goodput(work, used) / usual)


def _fitted(work: Work, accelerator: Accelerator, used: int) -> float:
    return cluster_efficiency(
        used, batch_tokens=work.batch_tokens, moe=work.moe, accelerator=accelerator
    )


def _batch_share(work: Work, layout: Layout, fitted: float, knee: float | None) -> float:
    """Return the share of its speed that an accelerator keeps where a step is shared by so many."""
    share = min(fitted, filled_of(work.model, layout)) if layout.pipeline > 1 else fitted
    return share if knee is None else min(share, work.batch_tokens / layout.accelerators / knee)


def filled_of(model: MemoryModel, layout: Layout) -> float:
    """Return the share of the time in which the stages of a layout's pipeline have work."""
    return filled_share(
        stages=layout.pipeline, layers=model.shape.layers, micro_batches=model.micro_batches(layout)
    )


def _links(work: Work, accelerator: Accelerator, tensor: int) -> float:
    return tensor_efficiency(accelerator, tensor=tensor, width=work.model.shape.width)


def _context(work: Work, accelerator: Accelerator, layout: Layout) -> float:
    flops = work.token_flops or FLOPS_PER_PARAM_TOKEN * work.active_params
    return context_efficiency(
        work.model, accelerator, layout, token_flops=flops, node=node_size(work.setup)
    )


def _recomputed(recompute: Recompute) -> float:
    return 1.0 / FULL_RECOMPUTE if recompute == "full" else 1.0


def _knee(work: Work, accelerator: Accelerator, layout: Layout) -> float | None:
    """Return the tokens per accelerator and step below which the network bounds the time.

    That holds where weights are shared between copies. Of a model split over t x p accelerators
    each gathers as much less.
    """
    if layout.zero < SHARED_WEIGHTS or layout.accelerators <= node_size(work.setup):
        return None  # inside a node the links are an order of magnitude faster than the network
    full = layout.recompute == "full"
    knee = sharded_knee(accelerator, full_recompute=full, mfu=work.mfu)
    # Faster products wait for the network earlier.
    return knee * (work.faster or 1.0) / layout.model_accelerators
