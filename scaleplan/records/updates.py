"""What new runs say about the fit that was made before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning, Metric
from scaleplan.records.fits import Fit, Interval

Verdict = Literal["holds", "in doubt", "too few runs to say"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class JudgedRun(Record):
    """One new run beside what the old fit predicted for it.

    Args:
        name: Its name in the log, or its place there.
        inputs: Its inputs by role.
        observed: The metric it reached.
        predicted: What the old fit predicted.
        low: Lower end of its interval, None if there is none.
        high: Upper end.
        z: Observed less the middle of the interval, in standard deviations; for laws of relative
            errors in logs, of 1 - metric where that is what the law is of.
        inside: Whether it lies inside the interval.
        decades_beyond_data: How far it lies beyond the old runs.
    """

    name: str
    inputs: tuple[tuple[str, float], ...]
    observed: float
    predicted: float
    low: float | None
    high: float | None
    z: float | None
    inside: bool | None
    decades_beyond_data: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Change(Record):
    """A number before and after the new runs; None where there is none."""

    name: str
    unit: str
    before: float | None
    after: float | None
    low_before: float | None = None
    high_before: float | None = None
    low_after: float | None = None
    high_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FitUpdate(Record):
    """An old fit, the new runs, and the fit to all of them.

    Args:
        fit_name: The old fit.
        metric: What is predicted.
        runs: The new runs, largest last.
        inside: How many of them lie inside their interval; None without intervals.
        level: The interval's level.
        p: Probability of so few inside if the intervals were right and the runs independent.
        verdict: Whether the old law still holds.
        law_before: The old law.
        law_after: The law fitted to all runs, empty without a refit.
        law_reason: Why that law.
        changes: Parameters, optimal sizes and forecasts before and after.
        fit: The new fit, None where the old runs could not be read.
        interval: How the old fit's intervals were made.
        notes: What there is to say.
        assumptions: What was assumed.
        cleaning: What became of every row of the new logs.
        among_old: How many runs of the new logs are old ones, and so were not judged.
    """

    fit_name: str
    metric: Metric
    runs: tuple[JudgedRun, ...]
    inside: int | None
    level: float
    p: float | None
    verdict: Verdict
    law_before: str
    law_after: str
    law_reason: str
    changes: tuple[Change, ...]
    fit: Fit | None
    interval: Interval | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    cleaning: Cleaning
    among_old: int
