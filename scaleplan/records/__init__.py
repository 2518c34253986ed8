"""The frozen results that one stage hands to the next.

Fields are floats, strings, tuples and other records, with the unit in the field name; `None` means
that a number is not known, never that it is zero. Records of one command each (`shapes`,
`deployments`, `families`) are imported from their own modules, by those who need them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaleplan.records.advice import Assumption, Explanation, Explanations, Note, Severity
    from scaleplan.records.answers import Answer, AnswerItem, LifetimeRow, Offer
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
    from scaleplan.records.clusters import Cluster
    from scaleplan.records.comparisons import ComparedLaw, LawComparison
    from scaleplan.records.curves import (
        CurveCheck,
        CurveForecast,
        CurveVerdict,
        Expectation,
        Verdict,
    )
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
    from scaleplan.records.pictures import Contours, Panel, Picture, Trace
    from scaleplan.records.plans import Accelerator, Forecast, ForecastPoint, Plan, PlanRow
    from scaleplan.records.setups import Recompute, TrainingSetup
    from scaleplan.records.sizes import GapFit, SizePlan, SizeRow, SizeVerdict
    from scaleplan.records.storage import Storage
    from scaleplan.records.tunings import Exponent, TunedGroup, Tuning, TuningLaw
    from scaleplan.records.updates import Change, FitUpdate, JudgedRun

# Name -> module. Making a frozen record costs half a millisecond and there are more than a
# hundred: each is made when it is first used.
_MODULES = {
    "advice": ("Assumption", "Explanation", "Explanations", "Note", "Severity"),
    "answers": ("Answer", "AnswerItem", "LifetimeRow", "Offer"),
    "backtests": ("Backtest", "BacktestPoint", "BacktestRow"),
    "tunings": ("Exponent", "TunedGroup", "Tuning", "TuningLaw"),
    "updates": ("Change", "FitUpdate", "JudgedRun"),
    "checks": (
        "AllocationApproach",
        "Identifiability",
        "Influence",
        "IsoflopMinimum",
        "PureError",
        "SizeAt",
    ),
    "cleaned": ("Cleaning", "ColumnUse", "Metric", "MetricKind", "RowNote"),
    "clusters": ("Cluster",),
    "comparisons": ("ComparedLaw", "LawComparison"),
    "curves": ("CurveCheck", "CurveForecast", "CurveVerdict", "Expectation", "Verdict"),
    "fits": (
        "BackTestBin",
        "Candidate",
        "Fit",
        "Interval",
        "LawFit",
        "Objective",
        "ObjectiveRow",
        "OptimumRow",
        "Parameter",
        "PublishedLaw",
        "Quality",
        "Range",
        "Widening",
    ),
    "groups": ("GroupFit", "GroupFits"),
    "next_runs": ("Alternative", "NextRun", "NextRuns"),
    "pictures": ("Contours", "Panel", "Picture", "Trace"),
    "plans": ("Accelerator", "Forecast", "ForecastPoint", "Plan", "PlanRow"),
    "setups": ("Recompute", "TrainingSetup"),
    "sizes": ("GapFit", "SizePlan", "SizeRow", "SizeVerdict"),
    "storage": ("Storage",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Accelerator",
    "AllocationApproach",
    "Alternative",
    "Answer",
    "AnswerItem",
    "Assumption",
    "BackTestBin",
    "Backtest",
    "BacktestPoint",
    "BacktestRow",
    "Candidate",
    "Change",
    "Cleaning",
    "Cluster",
    "ColumnUse",
    "ComparedLaw",
    "Contours",
    "CurveCheck",
    "CurveForecast",
    "CurveVerdict",
    "Expectation",
    "Explanation",
    "Explanations",
    "Exponent",
    "Fit",
    "FitUpdate",
    "Forecast",
    "ForecastPoint",
    "GapFit",
    "GroupFit",
    "GroupFits",
    "Identifiability",
    "Influence",
    "Interval",
    "IsoflopMinimum",
    "JudgedRun",
    "LawComparison",
    "LawFit",
    "LifetimeRow",
    "Metric",
    "MetricKind",
    "NextRun",
    "NextRuns",
    "Note",
    "Objective",
    "ObjectiveRow",
    "Offer",
    "OptimumRow",
    "Panel",
    "Parameter",
    "Picture",
    "Plan",
    "PlanRow",
    "PublishedLaw",
    "PureError",
    "Quality",
    "Range",
    "Recompute",
    "RowNote",
    "Severity",
    "SizeAt",
    "SizePlan",
    "SizeRow",
    "SizeVerdict",
    "Storage",
    "Trace",
    "TrainingSetup",
    "TunedGroup",
    "Tuning",
    "TuningLaw",
    "Verdict",
    "Widening",
]


def __getattr__(name: str) -> object:
    """Load a record's module on first use."""
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found
