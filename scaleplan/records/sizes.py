"""Sizes for a given data set: what each reaches, how far it overfits, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning, Metric
from scaleplan.records.fits import Interval, Parameter

SizeVerdict = Literal["underfit", "good", "overfit", "underfit and overfit", "data-limited"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GapFit(Record):
    """The gap between validation and training, G = c N^d D^e, fitted to runs.

    Args:
        formula: The law with its numbers.
        inputs: Its inputs by role, `params` first if it is among them.
        input_columns: The column behind each.
        parameters: c and one exponent for each input, with intervals.
        theta: (ln c, exponents); of inputs in raw units.
        covariance: Of theta, row by row.
        dof: Degrees of freedom behind it.
        scatter: Of one run around the law: in log units if `relative`, else in metric units.
        relative: Whether errors are relative; absolute if some gaps are at or below zero.
        runs: How many runs it was fitted to.
        not_positive: How many of them have no gap: training at or above validation.
        curvature_p: p-value of added squares of the logs; None if they cannot be tested.
        interval: How intervals were made.
    """

    formula: str
    inputs: tuple[str, ...]
    input_columns: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    theta: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    dof: int
    scatter: float
    relative: bool
    runs: int
    not_positive: int
    curvature_p: float | None
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SizeRow(Record):
    """One model size on the data set that is planned with.

    `marginal_ratio` is what 1% more parameters buys over what 1% more data buys; `doubling_gain`
    by which share of itself the metric (an accuracy: its error) improves if the size is doubled.
    """

    params: float
    value: float
    low: float | None
    high: float | None
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    marginal_ratio: float | None
    doubling_gain: float
    decades_beyond_data: float
    verdict: SizeVerdict


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SizePlan(Record):
    """A table over sizes, and the range between underfit and overfit.

    Args:
        max_gap: The limit on the gap; a share of the validation value if `max_gap_relative`.
        params_low: Smallest size that does not underfit; None if none in the searched range does,
            from a hundredth of the smallest to a hundred times the largest fitted size.
        params_high: Largest size whose predicted gap is within the limit; None likewise.
        data: The data set, by role: `tokens`, and `unique_tokens` where they are known.
    """

    fit_name: str
    law: str
    formula: str
    metric: Metric
    data: tuple[tuple[str, float], ...]
    gap: GapFit | None
    max_gap: float
    max_gap_relative: bool
    params_low: float | None
    params_high: float | None
    possible: bool
    rows: tuple[SizeRow, ...]
    interval: Interval | None
    cleaning: Cleaning | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
