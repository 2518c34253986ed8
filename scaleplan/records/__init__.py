"""The frozen results that one stage hands to the next.

Fields are floats, strings, tuples and other records, with the unit in the field name; `None` means
that a number is not known, never that it is zero.
"""

from __future__ import annotations

from scaleplan.records.advice import Assumption, Note, Severity
from scaleplan.records.backtests import Backtest, BacktestPoint, BacktestRow
from scaleplan.records.checks import (
    AllocationApproach,
    Identifiability,
    Influence,
    IsoflopMinimum,
    PureError,
    SizeAt,
)
from scaleplan.records.cleaned import Cleaning, ColumnUse, Metric, MetricKind, RowNote
from scaleplan.records.comparisons import ComparedLaw, LawComparison
from scaleplan.records.fits import (
    BackTestBin,
    Candidate,
    Fit,
    Interval,
    LawFit,
    Objective,
    ObjectiveRow,
    OptimumRow,
    Parameter,
    PublishedLaw,
    Quality,
    Range,
    Widening,
)
from scaleplan.records.groups import GroupFit, GroupFits
from scaleplan.records.next_runs import Alternative, NextRun, NextRuns
from scaleplan.records.plans import Accelerator, Forecast, ForecastPoint, Plan, PlanRow
from scaleplan.records.tunings import Exponent, TunedGroup, Tuning, TuningLaw
from scaleplan.records.updates import Change, FitUpdate, JudgedRun

__all__ = [
    "Accelerator",
    "AllocationApproach",
    "Alternative",
    "Assumption",
    "BackTestBin",
    "Backtest",
    "BacktestPoint",
    "BacktestRow",
    "Candidate",
    "Change",
    "Cleaning",
    "ColumnUse",
    "ComparedLaw",
    "Exponent",
    "Fit",
    "FitUpdate",
    "Forecast",
    "ForecastPoint",
    "GroupFit",
    "GroupFits",
    "Identifiability",
    "Influence",
    "Interval",
    "IsoflopMinimum",
    "JudgedRun",
    "LawComparison",
    "LawFit",
    "Metric",
    "MetricKind",
    "NextRun",
    "NextRuns",
    "Note",
    "Objective",
    "ObjectiveRow",
    "OptimumRow",
    "Parameter",
    "Plan",
    "PlanRow",
    "PublishedLaw",
    "PureError",
    "Quality",
    "Range",
    "RowNote",
    "Severity",
    "SizeAt",
    "TunedGroup",
    "Tuning",
    "TuningLaw",
    "Widening",
]
