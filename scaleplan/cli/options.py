"""Options that several commands share, each defined once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Annotated

import typer

from scaleplan.cli import completion, values


@unique
class OutputFormat(StrEnum):
    """How the result is written; the values are the keys of render.formats.RENDERERS."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


@unique
class IntervalKind(StrEnum):
    """How intervals are made; the values are fitting.resampling.KINDS."""

    AUTO = "auto"
    DELTA = "delta"
    CASE = "case"
    CLUSTERED = "clustered"
    RESIDUAL = "residual"
    WILD = "wild"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What every command is told about its output."""

    output_format: OutputFormat
    quiet: bool
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How logs are read."""

    columns: list[values.Pairs]
    metric: str | None
    input_column: str | None
    all_points: bool
    quiet: bool


FormatOption = Annotated[OutputFormat, typer.Option("--format", help="How the result is written.")]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Write the result only, nothing to standard error."),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="End with exit code 6 if there is a warning.")
]
SeedOption = Annotated[
    int,
    typer.Option(
        "--seed", parser=values.not_negative, metavar="INTEGER",
        help="Seed of everything random; the same seed gives the same bytes.",
    ),
]  # fmt: skip
ColumnsOption = Annotated[
    list[values.Pairs] | None,
    typer.Option(
        "--columns", parser=values.pairs, metavar="ROLE=COLUMN,...",
        help="Which column plays which role, for example params=n_model,loss=val/ce. "
        "May be repeated. Default: guessed from the names, and shown.",
    ),
]  # fmt: skip
MetricOption = Annotated[
    str | None,
    typer.Option("--metric", metavar="NAME", help="The column or metric to predict."),
]
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input", metavar="COLUMN",
        help="The single column to fit against, instead of params and tokens.",
    ),
]  # fmt: skip
AllPointsOption = Annotated[
    bool,
    typer.Option("--all-points", help="Use every logged point of a run, not only where it ended."),
]
ResamplesOption = Annotated[
    int,
    typer.Option(
        "--resamples", parser=values.not_negative, metavar="INTEGER",
        help="Bootstrap resamples behind the intervals; 0 uses the delta method.",
    ),
]  # fmt: skip
IntervalOption = Annotated[
    IntervalKind,
    typer.Option(
        "--interval",
        help="How intervals of parameters and optimal sizes are made: delta method; bootstrap of "
        "runs (case), of clusters of runs, of residuals, of their signs (wild); or profile "
        "likelihood. Default: runs or clusters if there are enough of them, else delta.",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="COLUMN",
        help="The column that says which runs are resampled together.",
    ),
]  # fmt: skip
LevelOption = Annotated[
    float,
    typer.Option("--level", parser=values.level, metavar="SHARE", help="Level of the intervals."),
]
FitLawOption = Annotated[
    str,
    typer.Option(
        "--law", metavar="auto|NAME", autocompletion=completion.laws,
        help="The law to fit; auto compares the admissible ones. See `scaleplan laws`.",
    ),
]  # fmt: skip
