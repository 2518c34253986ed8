"""Laws and objectives side by side on the same runs."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning, Metric
from scaleplan.records.fits import Interval, Parameter


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ComparedLaw(Record):
    """One law under one objective.

    Args:
        law: Its name.
        objective: What was minimised, in words.
        formula: The formula with its numbers; empty if it was refused.
        parameters: Its parameters.
        rmse_log: In-sample root mean square relative error, None if undefined.
        backtest_rmse_log: The same on larger runs, fitted to the smaller ones; None if not
            possible.
        value: The predicted metric at the target, None if the law cannot say.
        low: Lower end of its interval for a new run.
        high: Upper end.
        params: The compute-optimal size for the target's compute, None without an optimum.
        tokens: Its training tokens.
        verdict: `chosen`, `admissible`, `rejected`, `refused` or `not judged`.
        reason: Why.
        inputs: The columns that it was fitted to; empty if it was refused.
    """

    law: str
    objective: str
    formula: str
    parameters: tuple[Parameter, ...]
    rmse_log: float | None
    backtest_rmse_log: float | None
    value: float | None
    low: float | None
    high: float | None
    params: float | None
    tokens: float | None
    verdict: str
    reason: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LawComparison(Record):
    """All laws and objectives that were tried, at one target.

    Args:
        metric: What is predicted.
        target: The target by role, for example params, tokens and flops.
        target_reason: Where it comes from.
        decades_beyond_data: How far it lies beyond the fitted runs.
        rows: One entry a law and objective, the chosen one first.
        interval: Level and kind of the intervals.
        cleaning: What reading did to the rows.
        notes: What there is to say.
        assumptions: What was assumed.
    """

    metric: Metric
    target: tuple[tuple[str, float], ...]
    target_reason: str
    decades_beyond_data: float
    rows: tuple[ComparedLaw, ...]
    interval: Interval | None
    cleaning: Cleaning
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
