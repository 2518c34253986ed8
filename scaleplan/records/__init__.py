"""The frozen results that one stage hands to the next.

Fields are floats, strings, tuples and other records, with the unit in the field name; `None` means
that a number is not known, never that it is zero.
"""

from __future__ import annotations

from scaleplan.records.advice import Assumption, Note, Severity
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
from scaleplan.records.deployments import Deployment, ServingRow, SizeRow
from scaleplan.records.families import Embeddings, ExampleModel, FamilyPlan, FamilyRow
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
from scaleplan.records.plans import Accelerator, Forecast, ForecastPoint, Plan, PlanRow
from scaleplan.records.shapes import FlopCount, ModelShape, ParameterCount, Transformer

__all__ = [
    "Accelerator",
    "AllocationApproach",
    "Assumption",
    "BackTestBin",
    "Candidate",
    "Cleaning",
    "ColumnUse",
    "ComparedLaw",
    "Deployment",
    "Embeddings",
    "ExampleModel",
    "FamilyPlan",
    "FamilyRow",
    "Fit",
    "FlopCount",
    "Forecast",
    "ForecastPoint",
    "GroupFit",
    "GroupFits",
    "Identifiability",
    "Influence",
    "Interval",
    "IsoflopMinimum",
    "LawComparison",
    "LawFit",
    "Metric",
    "MetricKind",
    "ModelShape",
    "Note",
    "Objective",
    "ObjectiveRow",
    "OptimumRow",
    "Parameter",
    "ParameterCount",
    "Plan",
    "PlanRow",
    "PublishedLaw",
    "PureError",
    "Quality",
    "Range",
    "RowNote",
    "ServingRow",
    "Severity",
    "SizeAt",
    "SizeRow",
    "Transformer",
    "Widening",
]
