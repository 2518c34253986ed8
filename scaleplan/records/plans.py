"""Forecasts and plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.answers import Answer, LifetimeRow, Offer
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Metric
from scaleplan.records.fits import Interval, OptimumRow
from scaleplan.records.storage import Storage

if TYPE_CHECKING:
    from scaleplan.records.deployments import Deployment
    from scaleplan.records.shapes import ModelShape


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ForecastPoint(Record):
    """The predicted metric at one (params, tokens) or one value of a single input.

    `low` and `high` bound one new run at the interval's level, `mean_low` and `mean_high` the law's
    value there, for the main law alone; None where no interval is known.
    `decades_beyond_data` is log10 of the distance from the fitted runs, 0 inside them; `others` are
    the law's further inputs by role, such as unique tokens.
    """

    params: float | None
    tokens: float | None
    flops: float | None
    input_value: float | None
    value: float
    low: float | None
    high: float | None
    decades_beyond_data: float
    mean_low: float | None = None
    mean_high: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    then: ChainedPoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ChainedPoint(Record):
    """The metric of a second fit at a predicted value of the first, with the errors of both.

    Args:
        value: The second law at the predicted value.
        low: Lower end of the joint interval of one new run, None where one of both has none.
        high: Upper end.
        first_low: Lower end if only the predicted input were uncertain.
        first_high: Upper end.
        second_low: Lower end if only the second fit were uncertain.
        second_high: Upper end.
        decades_beyond_data: How far the predicted input lies outside the second fit's runs, log10.
    """

    value: float
    low: float | None
    high: float | None
    first_low: float | None
    first_high: float | None
    second_low: float | None
    second_high: float | None
    decades_beyond_data: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Chain(Record):
    """The second fit of a chained forecast, and how the joint intervals are made."""

    fit_name: str
    law: str
    formula: str
    metric: Metric
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Forecast(Record):
    """Forecasts from one fit, and from a second one that takes its metric further."""

    fit_name: str
    law: str
    formula: str
    input_columns: tuple[str, ...]
    metric: Metric
    points: tuple[ForecastPoint, ...]
    interval: Interval | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    chain: Chain | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Accelerator(Record):
    """One accelerator of the catalogue; rates are dense, per device.

    Args:
        id: Catalogue name, for example `h100_sxm_80gb`.
        peak_tflops: Dense bf16 (fp16 where the part has no bf16) TFLOP/s.
        usd_per_hour: The default on-demand price, with `usd_low` and `usd_high` as its band.
        power_w: Mean power measured per device with its share of the host; None where the rule of
            a share of the TDP applies.
        power_source: Where that power was read.
        utilisation_class: Which whole-run utilisation applies (`a100`, `h100`, `tpu` ...).
        unverified: Fields that come from memory or are derived.
        fp8: Whether it has units that multiply matrices in FP8, at twice the bf16 rate.
    """

    id: str
    name: str
    vendor: str
    year: int | None
    peak_tflops: float
    memory_gib: float
    memory_bandwidth_gbs: float | None
    tdp_w: float | None
    power_w: float | None
    power_source: str
    inter_node_gbs: float | None
    intra_node_gbs: float | None
    matmul_efficiency: float | None
    utilisation_class: str
    usd_per_hour: float | None
    usd_low: float | None
    usd_high: float | None
    price_date: str
    price_source: str
    source: str
    unverified: tuple[str, ...]
    note: str
    fp8: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PlanRow(Record):
    """Time, memory, money and energy of the training run on one number of accelerators.

    `mfu` is model FLOPs over (accelerator-hours x dense peak) for the whole run at this count;
    `efficiency` is the share of an accelerator's speed that is kept where so many share a batch.
    `ideal_days` is the naive E = 1/C: full peak, no loss at any count.

    Args:
        used_gpus: Accelerators that have work; fewer than `gpus` where the batch or the layout
            leaves some idle.
        layout_reason: Why this layout and no simpler one.
        usable_gib: Memory of an accelerator that may be planned with.
        states_gib: Weights, gradients and optimiser of the fullest accelerator.
        activations_gib: Its activations and logits, margin included.
        micro_batches: Micro-batches of a step in each copy of the model.
        useful_gpus: The count at which adding accelerators stops paying: 1,000 tokens of a step
            for each, or what the network allows where weights are shared over all of them.
        most_gpus: The count that could have work in this layout: a micro-batch for each copy.
        busy_gpus: The same in any layout that is searched.
        sharded: Whether the time contains what weights shared over all accelerators wait for.
        stages: Stages of the pipeline.
        filled_share: Share of the time in which they have work.
        links_share: Share of its speed that an accelerator keeps where layers are split over links
            slower than NVLink; `mfu` contains it.
        recompute_share: The same where activations are computed again.
        asked: Whether this count was asked for, or found; others stand around it for comparison.
        context: Accelerators that share each sequence.
        context_share: Share of the speed that is left where keys and values passed between them
            take longer than attention; `mfu` contains it.
        needs_gpus: What the layout takes, where that is more than `gpus`.
        fitting_gpus: The smallest count on which it would fit, None if it fits or none does.
        failure_hours: Mean hours between failures of the job.
        checkpoint_hours: The interval between checkpoints that loses least.
        goodput: Share of the time left by failures and checkpoints; None where the time is that of
            whole published runs, which contains them.
        failure_share: Share of the speed of published runs that is left where the failures given
            are worse than theirs; `mfu` contains it.
        tokens_per_second: Mean rate over the whole run.
        loader_mb_s: Bytes that the data loaders must deliver, MB/s.
        host_cores: CPU cores of all hosts.
        host_gib: CPU memory of all hosts, GiB.
    """

    gpus: int
    gpu: str
    mfu: float
    efficiency: float
    ideal_days: float
    days_low: float
    days: float
    days_high: float
    gpu_hours: float
    usd: float | None
    usd_low: float | None
    usd_high: float | None
    energy_kwh: float | None
    tco2: float | None
    memory_gib_per_gpu: float
    fits: bool
    layout: str
    batch_tokens: float
    used_gpus: int | None = None
    layout_reason: str = ""
    usable_gib: float | None = None
    states_gib: float | None = None
    activations_gib: float | None = None
    micro_batches: float | None = None
    useful_gpus: float | None = None
    most_gpus: float | None = None
    busy_gpus: int | None = None
    sharded: bool = False
    stages: int = 1
    filled_share: float = 1.0
    links_share: float = 1.0
    recompute_share: float = 1.0
    context: int = 1
    context_share: float = 1.0
    needs_gpus: int | None = None
    fitting_gpus: int | None = None
    failure_hours: float | None = None
    checkpoint_hours: float | None = None
    goodput: float | None = None
    failure_share: float = 1.0
    asked: bool = True
    tokens_per_second: float | None = None
    loader_mb_s: float | None = None
    host_cores: int | None = None
    host_gib: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Plan(Record):
    """A training plan: the model, what it should reach, and one row per accelerator count.

    Args:
        asked_gpus: The counts that were asked for; others stand around them for comparison.
        size_limit: What keeps the size below the optimum of its compute for good reason; empty if
            nothing does.
    """

    params: float
    active_params: float
    tokens: float
    flops: float
    forecast: Forecast
    rows: tuple[PlanRow, ...]
    accelerators: tuple[Accelerator, ...]
    optimum: OptimumRow | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    asked_gpus: tuple[int, ...] = ()
    storage: Storage | None = None
    answers: tuple[Answer, ...] = ()
    offers: tuple[Offer, ...] = ()
    lifetime: tuple[LifetimeRow, ...] = ()
    shape: ModelShape | None = None
    deployment: Deployment | None = None
    size_limit: str = ""
