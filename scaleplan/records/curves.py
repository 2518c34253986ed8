"""Verdicts on training curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Metric

Verdict = Literal[
    "healthy", "overfitting", "underfitting", "diverged", "shifted", "plateau", "too short"
]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CurveForecast(Record):
    """The metric expected at a later point of the same run, if nothing about it changes.

    Args:
        at: Where, in the units of the curve's axis.
        value: The law's value; `low` and `high` hold one reading at `level`.
        method: How it was made.
    """

    at: float
    value: float
    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Expectation(Record):
    """Where a law says that this run should be: z is (reached - expected) / standard deviation."""

    fit_name: str
    expected: float
    reached: float
    z: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CurveVerdict(Record):
    """One run: what its curve says.

    Args:
        run: Its name; `file` is where it was read.
        metric: The column that it is judged by.
        verdict: What it says; `shifted` for a jump after which it falls on, `too short` for fewer
            points than any rule needs.
        axis: What positions count: step, epoch, tokens or row.
        points: Number of points of the metric that was judged.
        since: Position since which it is so; None for a healthy run.
        best_at: Position of the best logged point; `best` is the metric there.
        last: The metric at the end, smoothed.
        noise: Standard deviation of one reading around its trend.
        gap: (validation - training) at the end as a share of validation; None if not known.
        reason: The rule that decided, with its numbers.
        action: What to do.
        spikes: Number of single jumps that came back.
        doubling: The forecast for twice as many steps, None if it cannot be made.
        final: The forecast for the planned end, None if none was given or it is reached.
        expectation: Where a fit says that the run should be.
        notes: Ids of what else was seen in this run.
    """

    run: str
    file: str
    metric: str
    verdict: Verdict
    axis: str
    points: int
    since: float | None
    best_at: float
    best: float
    last: float
    noise: float
    gap: float | None
    reason: str
    action: str
    spikes: int
    doubling: CurveForecast | None
    final: CurveForecast | None
    expectation: Expectation | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CurveCheck(Record):
    """The verdicts on all runs of a log."""

    metric: Metric
    files: tuple[str, ...]
    rows: int
    runs: tuple[CurveVerdict, ...]
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
