"""Options that several commands share, each defined once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import completion, values
from scaleplan.records.base import Record

if TYPE_CHECKING:
    from scaleplan.records import Objective
    from scaleplan.runs.large import Engine


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


@unique
class EngineName(StrEnum):
    """What reads logs; the values are those of runs.large.Engine."""

    AUTO = "auto"
    SMALL = "small"
    DUCKDB = "duckdb"
    SPARK = "spark"

    @property
    def as_engine(self) -> Engine:
        """Return the reader's own name for it."""
        match self:
            case EngineName.AUTO:
                return "auto"
            case EngineName.SMALL:
                return "small"
            case EngineName.DUCKDB:
                return "duckdb"
            case EngineName.SPARK:
                return "spark"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Output(Record):
    """What every command is told about its output."""

    output_format: OutputFormat
    quiet: bool
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Reading(Record):
    """How logs are read."""

    columns: list[values.Pairs]
    metric: str | None
    input_column: str | None
    all_points: bool
    quiet: bool
    best_of: bool = False
    best_of_each: tuple[str, ...] = ()
    pattern: str | None = None
    given: tuple[tuple[str, str, str], ...] = ()
    engine: EngineName = EngineName.AUTO
    also: tuple[tuple[str, tuple[str, ...]], ...] = ()


@unique
class ObjectiveName(StrEnum):
    """What a fit minimises; the values are those of records.Objective."""

    HUBER = "huber"
    LOG = "log"
    RAW = "raw"

    @property
    def as_objective(self) -> Objective:
        """Return the record's own name for it."""
        match self:
            case ObjectiveName.HUBER:
                return "huber"
            case ObjectiveName.LOG:
                return "log"
            case ObjectiveName.RAW:
                return "raw"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Fitting(Record):
    """How logs are fitted."""

    law: str
    objective: ObjectiveName
    delta: float | None
    fix: list[values.Ranges]
    bound: list[values.Ranges]
    interval: IntervalKind = IntervalKind.AUTO
    cluster: str | None = None


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


def _with_file(context: typer.Context, given: list[values.Pairs] | None) -> list[values.Pairs]:
    """Add the columns of a file of defaults to those that are typed."""
    source = context.get_parameter_source("columns")
    if source is not None and source.name == "DEFAULT_MAP":
        return [replace(pairs, from_file=True) for pairs in given or []]
    kept = (context.default_map or {}).get("columns", ())
    return [*(given or []), *(replace(values.pairs(text), from_file=True) for text in kept)]


ColumnsOption = Annotated[
    list[values.Pairs] | None,
    typer.Option(
        "--columns", parser=values.pairs, callback=_with_file, metavar="ROLE=COLUMN,...",
        help="Which column plays which role, for example params=n_model,loss=val/ce. "
        "May be repeated. Default: guessed from the names, and shown.",
    ),
]  # fmt: skip
MetricOption = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        autocompletion=completion.metrics,
        help="The column or metric to predict.",
    ),
]
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input", metavar="COLUMN", autocompletion=completion.columns,
        help="The single column to fit against, instead of params and tokens.",
    ),
]  # fmt: skip
SetOption = Annotated[
    list[values.GivenValues] | None,
    typer.Option(
        "--set", parser=values.given_values, metavar="[RUN:]COLUMN=VALUE,...",
        help="What the log does not say, for all runs or one: params=124M or base:params=7B.",
    ),
]  # fmt: skip
PatternOption = Annotated[
    str | None,
    typer.Option(
        "--pattern", metavar="REGEX",
        help="How lines of a printed log are read: named groups are the columns.",
    ),
]  # fmt: skip
EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="What reduces per-step logs to runs: our own reading; DuckDB, out of core; or Spark, "
        "here or on its cluster. auto takes DuckDB for large logs where it is installed.",
    ),
]
AllPointsOption = Annotated[
    bool,
    typer.Option(
        "--all-points",
        help="Use every logged point of a run, not only where it ended. Fits leave out warm-up and "
        "what comes after overfitting, and their intervals count runs.",
    ),
]
BestOfOption = Annotated[
    bool,
    typer.Option(
        "--best-of",
        help="Of runs that share their sizes keep the best: sweeps of learning rates or batch "
        "sizes.",
    ),
]  # fmt: skip
BestOfEachOption = Annotated[
    values.Names | None,
    typer.Option(
        "--best-of-each", parser=values.names, metavar="COLUMN,...",
        help="Like --best-of, but one run for each value of these columns too.",
    ),
]  # fmt: skip
WithOption = Annotated[
    list[values.Settings] | None,
    typer.Option(
        "--with", parser=values.settings, metavar="INPUT=VALUE,...",
        help="What the fit's law needs besides: unique_tokens=25B, experts=8, level=muon.",
    ),
]  # fmt: skip
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="COLUMN", autocompletion=completion.columns,
        help="Fit the runs of each value of this column apart, for example dataset; or together, "
        "with --law optimizer_factors.",
    ),
]  # fmt: skip
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
        "--cluster", metavar="COLUMN", autocompletion=completion.columns,
        help="The column that says which runs are resampled together. Default with --all-points: "
        "the run of each point.",
    ),
]  # fmt: skip
LevelOption = Annotated[
    float,
    typer.Option("--level", parser=values.level, metavar="SHARE", help="Level of the intervals."),
]
ObjectiveOption = Annotated[
    ObjectiveName,
    typer.Option(
        "--objective",
        help="Huber loss of log residuals, least squares of logs, or of the metric itself.",
    ),
]
DeltaOption = Annotated[
    float | None,
    typer.Option(
        "--delta", parser=values.positive, metavar="NUMBER",
        help="Huber's threshold in log units. Default: chosen from the data, and shown.",
    ),
]  # fmt: skip
FixOption = Annotated[
    list[values.Ranges] | None,
    typer.Option(
        "--fix", parser=values.fixes, metavar="SYMBOL=VALUE,...",
        help="Hold parameters of the law, for example alpha=0.34. Needs --law. May be repeated.",
    ),
]  # fmt: skip
BoundOption = Annotated[
    list[values.Ranges] | None,
    typer.Option(
        "--bound", parser=values.bounds, metavar="SYMBOL=LOW:HIGH,...",
        help="Keep parameters in a range, for example E=0:3. Needs --law. May be repeated.",
    ),
]  # fmt: skip
FitLawOption = Annotated[
    str,
    typer.Option(
        "--law", metavar="auto|NAME", autocompletion=completion.laws,
        help="The law to fit; auto compares the admissible ones. See `scaleplan laws`.",
    ),
]  # fmt: skip
