"""Forecasts and plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.cleaned import Metric
from scaleplan.records.fits import Interval, OptimumRow

if TYPE_CHECKING:
    from scaleplan.records.deployments import Deployment
    from scaleplan.records.shapes import ModelShape


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPoint:
    """The predicted metric at one (params, tokens) or one value of a single input.

    `low` and `high` bound one new run at the interval's level, `mean_low` and `mean_high` the law's
    value there, for the main law alone; None where no interval is known.
    `decades_beyond_data` is log10 of the distance from the fitted runs, 0 inside them.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Forecasts from one fit."""

    fit_name: str
    law: str
    formula: str
    input_columns: tuple[str, ...]
    metric: Metric
    points: tuple[ForecastPoint, ...]
    interval: Interval | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One accelerator of the catalogue; rates are dense, per device.

    Args:
        id: Catalogue name, for example `h100_sxm_80gb`.
        peak_tflops: Dense bf16 (fp16 where the part has no bf16) TFLOP/s.
        usd_per_hour: The default on-demand price, with `usd_low` and `usd_high` as its band.
        utilisation_class: Which whole-run utilisation applies (`a100`, `h100`, `tpu` ...).
        unverified: Fields that come from memory or are derived.
    """

    id: str
    name: str
    vendor: str
    year: int | None
    peak_tflops: float
    memory_gib: float
    memory_bandwidth_gbs: float | None
    tdp_w: float | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """Time, memory, money and energy of the training run on one number of accelerators.

    `mfu` is model FLOPs over (accelerator-hours x dense peak) for the whole run at this count;
    `efficiency` is the share kept of the per-accelerator speed of a small cluster (1 = all).
    `ideal_days` is the naive E = 1/C: full peak, no loss at any count.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A training plan: the model, what it should reach, and one row per accelerator count."""

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
    shape: ModelShape | None = None
    deployment: Deployment | None = None
