"""The frozen results that one stage hands to the next.

Fields are floats, strings, tuples and other records, with the unit in the field name; `None` means
that a number is not known, never that it is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]
MetricKind = Literal["loss", "error", "accuracy", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One piece of advice: which rule spoke, how gravely, on which numbers, and what to do.

    Args:
        id: The rule's name, such as `EXTRAPOLATION`.
        severity: `info`, `warning` (exit 6 under `--strict`) or `error`.
        text: What was found, with its numbers.
        action: What to do about it; may be empty.
        numbers: The numbers behind the text, by name.
        source: Where the rule or threshold comes from; may be empty.
    """

    id: str
    severity: Severity
    text: str
    action: str = ""
    numbers: tuple[tuple[str, float], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A value that a result rests on and that the data did not give."""

    name: str
    value: float | str
    unit: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is predicted.

    Args:
        name: The column it came from, or `loss` for a published law.
        kind: `loss` and `error` fall as models improve, `accuracy` and `score` rise.
        unit: For example `nats/token`; `as logged` where the log does not say.
    """

    name: str
    kind: MetricKind
    unit: str

    @property
    def bounded(self) -> bool:
        """Tell whether the metric lies between 0 and 1 by definition."""
        return self.kind in {"error", "accuracy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnUse:
    """Which column of the log plays which role, and how that was decided."""

    role: str
    column: str
    how: Literal["given", "guessed", "derived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNote:
    """A row that was dropped or changed: where, and why. `run` names it where it has a name."""

    file: str
    line: int | None
    reason: str
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """What reading and cleaning did: nothing is dropped or changed without a line here."""

    files: tuple[str, ...]
    rows_read: int
    rows_used: int
    dropped: tuple[RowNote, ...]
    changed: tuple[RowNote, ...]
    columns: tuple[ColumnUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How an interval was made: level (0.9 is 90%), method and the number of runs behind it."""

    level: float
    method: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A fitted parameter with its interval; `low` and `high` are None where none can be given."""

    symbol: str
    meaning: str
    value: float
    low: float | None
    high: float | None
    unit: str
    at_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well a law describes the runs it was fitted to.

    Args:
        runs: Number of runs.
        objective_name: For example `sum of Huber(delta=0.001) of log residuals`.
        objective: Its value at the optimum.
        rmse_log: Root mean square of ln(observed) - ln(predicted); None if a prediction is <= 0.
        noise: Scale of one run's residual, in log units for log laws and metric units otherwise.
        starts: Number of starts polished to convergence.
        starts_agreeing: How many of them reached the optimum.
        condition: Condition number of the column-scaled Jacobian.
    """

    runs: int
    objective_name: str
    objective: float
    rmse_log: float | None
    noise: float
    starts: int
    starts_agreeing: int
    condition: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimumRow:
    """The compute-optimal model for one budget: params, tokens and the predicted metric."""

    flops: float
    params: float
    params_low: float | None
    params_high: float | None
    tokens: float
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One law that `--law auto` looked at, and the verdict on it.

    Args:
        law: Its name.
        rmse_log: In-sample root mean square log residual, None if undefined.
        aicc: Corrected Akaike criterion relative to the best candidate, None if not comparable.
        backtest_rmse_log: Error on larger runs when fitted to smaller ones, None if not possible.
        verdict: `chosen`, `admissible` or `rejected`.
        reason: Why.
    """

    law: str
    rmse_log: float | None
    aicc: float | None
    backtest_rmse_log: float | None
    verdict: Literal["chosen", "admissible", "rejected"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The smallest and largest value of one input among the fitted runs."""

    role: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """How a back-test over scale widens intervals beyond the data.

    The standard deviation of a forecast d decades beyond the data is multiplied by
    max(1, kappa0 + kappa1 d), and (floor_log x (1 + d)) is added in quadrature.

    Args:
        kappa0: Ratio of observed to claimed error next to the data.
        kappa1: Its growth per decade.
        floor_log: Model error per (1 + decade) in log units.
        decades_tested: How far beyond its fitted runs the back-test could look.
        errors: Number of forecast errors behind it; 0 means that no back-test was possible.
        median_error: Median absolute log error of those forecasts, None without a back-test.
    """

    kappa0: float
    kappa1: float
    floor_log: float
    decades_tested: float
    errors: int
    median_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LawFit:
    """One law with fitted (or published) parameters: all that a forecast needs.

    Args:
        law: The law's name in the catalogue.
        theta: Parameters in the order of the law.
        covariance: Their covariance, row by row, or None where it is not known.
        noise: Residual scale of one run (log units for log laws, else metric units), or None.
        dof: Degrees of freedom behind it.
    """

    law: str
    theta: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...] | None
    noise: float | None
    dof: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A law fitted to runs, or a published one: everything that predict and budget read."""

    name: str
    source: str
    law: str
    formula: str
    inputs: tuple[str, ...]
    input_columns: tuple[str, ...]
    metric: Metric
    complement: bool
    main: LawFit
    alternatives: tuple[LawFit, ...]
    parameters: tuple[Parameter, ...]
    interval: Interval | None
    quality: Quality | None
    optimum: tuple[OptimumRow, ...]
    candidates: tuple[Candidate, ...]
    widening: Widening
    ranges: tuple[Range, ...]
    flops_per_param_token: float
    cleaning: Cleaning | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    fingerprint: str
    seed: int | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPoint:
    """The predicted metric at one (params, tokens) or one value of a single input.

    `low` and `high` bound one new run at the interval's level; None where no interval is known.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Forecasts from one fit."""

    fit_name: str
    law: str
    formula: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLaw:
    """A published fit: law, parameters, where it holds and where it was read.

    `input` is the role that a law of one input was fitted against, None for the others.
    """

    id: str
    law: str
    title: str
    theta: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...] | None
    noise: float | None
    runs: int | None
    metric: Metric
    ranges: tuple[Range, ...]
    flops_per_param_token: float
    params_convention: str
    source: str
    note: str
    historical: bool
    input: str | None
