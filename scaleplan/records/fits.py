"""Fits: one law with its parameters, and everything that a forecast needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.checks import (
    AllocationApproach,
    Identifiability,
    Influence,
    IsoflopMinimum,
    PureError,
)
from scaleplan.records.cleaned import Cleaning, Metric

Objective = Literal["huber", "log", "raw"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Interval(Record):
    """How an interval was made: level (0.9 is 90%), method and the number of runs behind it."""

    level: float
    method: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Parameter(Record):
    """A fitted parameter with its interval; `low` and `high` are None where none can be given.

    `method` says how its interval was made where that is not how the others were made; `fixed`
    marks one that the user held at its value.
    """

    symbol: str
    meaning: str
    value: float
    low: float | None
    high: float | None
    unit: str
    at_bound: bool = False
    method: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Quality(Record):
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
        identifiability: What the design of the runs can tell; None for published laws.
        pure_error: The scatter of replicates; None without any.
    """

    runs: int
    objective_name: str
    objective: float
    rmse_log: float | None
    noise: float
    starts: int
    starts_agreeing: int
    condition: float
    identifiability: Identifiability | None = None
    pure_error: PureError | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OptimumRow(Record):
    """The compute-optimal model for one budget: params, tokens and the predicted metric.

    Sizes `_low` to `_high` are the interval of the optimum; None where none can be given. The
    valley holds the params whose predicted metric is next to the best at this budget: within 0.01
    of a loss in nats per token, within 1% of other metrics. `params_forms_` are the smallest and
    the largest optimum of the forms that forecast together; None for one form.
    """

    flops: float
    params: float
    params_low: float | None
    params_high: float | None
    tokens: float
    value: float
    low: float | None
    high: float | None
    tokens_low: float | None = None
    tokens_high: float | None = None
    tokens_per_param_low: float | None = None
    tokens_per_param_high: float | None = None
    params_valley_low: float | None = None
    params_valley_high: float | None = None
    params_forms_low: float | None = None
    params_forms_high: float | None = None

    @property
    def tokens_per_param(self) -> float:
        """Return the tokens per parameter of the optimum."""
        return self.tokens / self.params


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Candidate(Record):
    """One law that `--law auto` looked at, and the verdict on it.

    Args:
        law: Its name.
        rmse_log: In-sample root mean square log residual, None if undefined.
        aicc: Corrected Akaike criterion relative to the best candidate, None if not comparable.
        backtest_rmse_log: Error on larger runs when fitted to smaller ones, None if not possible.
        verdict: `chosen`, `admissible` or `rejected`.
        reason: Why.
        inputs: The columns that it was fitted to.
    """

    law: str
    rmse_log: float | None
    aicc: float | None
    backtest_rmse_log: float | None
    verdict: Literal["chosen", "admissible", "rejected"]
    reason: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ObjectiveRow(Record):
    """What the same law on the same runs says under another objective.

    Args:
        objective: What was minimised, in words.
        used: Whether this is the fit itself.
        flops: The budget that params and tokens are optimal for, FLOP; None without an optimum.
        params: The compute-optimal model size there.
        tokens: Its training tokens.
        input_value: Without an optimum: the value of every input relative to the largest fitted.
        value: The predicted metric there; None without an optimum at that budget.
    """

    objective: str
    used: bool
    flops: float | None
    params: float | None
    tokens: float | None
    input_value: float | None
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Range(Record):
    """The smallest and largest value of one input among the fitted runs."""

    role: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BackTestBin(Record):
    """Forecasts of a back-test that reached about as far beyond their runs.

    Args:
        decades_low: Least distance, log10 of target over the largest fitted run.
        decades_high: Largest distance.
        forecasts: Number of forecasts.
        median_error: Median absolute log error, None where it is not defined.
        inside: Share of runs inside their 90% interval, widened as forecasts are.
    """

    decades_low: float
    decades_high: float
    forecasts: int
    median_error: float | None
    inside: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Widening(Record):
    """How far the form of a law may be wrong beyond the data, learned by a back-test over scale.

    A forecast d decades beyond the data is the mixture of its laws by `weights`; to its variance
    (share x change)^2 d is added for the form, on either side times the square of `below` or
    `above`.

    Args:
        share: Error of the form one decade beyond the data, as a share of `change`.
        change: How much the metric changes in a decade of scale among the fitted runs: in log
            units where errors are relative, else in metric units.
        weights: Of the main law and its alternatives, in this order; they sum to 1.
        decades_tested: How far beyond its fitted runs the back-test could look.
        cuts: Number of cuts of scale below which a fit was made.
        errors: Number of forecast errors behind it; 0 means that no back-test was possible.
        median_error: Median absolute log error of those forecasts, None without a back-test.
        bins: The same forecasts by distance, nearest first.
        below: How many times the error of the form counts below the forecast, of what was fitted.
        above: The same above it.
    """

    share: float
    change: float
    weights: tuple[float, ...]
    decades_tested: float
    cuts: int
    errors: int
    median_error: float | None
    bins: tuple[BackTestBin, ...] = ()
    below: float = 1.0
    above: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LawFit(Record):
    """One law with fitted (or published) parameters: all that a forecast needs.

    Args:
        law: The law's name in the catalogue.
        theta: Parameters in the order of the law.
        covariance: Their covariance, row by row, or None where it is not known.
        noise: Residual scale of one run (log units for log laws, else metric units), or None.
        dof: Degrees of freedom behind it.
        residual: Whether errors are relative (`log`) or absolute (`raw`).
        further: Of an S-curve: its parameters where its limit lies as far on as the runs allow, at
            the end of the profile of 90%; empty where it ends with the law itself.
    """

    law: str
    theta: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...] | None
    noise: float | None
    dof: int
    residual: Literal["log", "raw"]
    further: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Fit(Record):
    """A law fitted to runs, or a published one: everything that predict and budget read.

    `interval` says how the parameters' intervals were made, `optimum_interval` those of the sizes
    in `optimum`. `hull` holds the corners (params, tokens) of the convex hull of the runs in logs,
    counter-clockwise; empty where a law does not have both. `input_unit` is the unit of a single
    input, as the log or its name says; empty where neither does. `last_planned` is the highest
    number that `next` gave to one of the runs, 0 for none: its names go on from there.
    `flops_per_param_token` counts the size that the law takes; `flops_per_active_token` counts the
    active parameters where the log has both sizes and the law takes no active ones, else is None.
    """

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
    objectives: tuple[ObjectiveRow, ...]
    widening: Widening
    ranges: tuple[Range, ...]
    flops_per_param_token: float
    cleaning: Cleaning | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    fingerprint: str
    seed: int | None
    version: str
    isoflop: tuple[IsoflopMinimum, ...] = ()
    approaches: tuple[AllocationApproach, ...] = ()
    influences: tuple[Influence, ...] = ()
    levels: tuple[str, ...] = ()
    optimum_interval: Interval | None = None
    input_unit: str = ""
    hull: tuple[tuple[float, float], ...] = ()
    last_planned: int = 0
    flops_per_active_token: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PublishedLaw(Record):
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
