"""Best learning rates and batch sizes of a grid, and how they change with size and data."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning, Metric


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class TunedGroup(Record):
    """The best setting for one model size and number of tokens, or one compute.

    Args:
        params: Parameters; None where the grid is told apart by something else.
        tokens: Training tokens; None likewise.
        flops: Training compute in FLOP; None where params and tokens are known.
        runs: How many runs the grid has there.
        used: To how many learning rates the parabola is fitted, each at its best batch.
        best_value: The best metric that was seen.
        learning_rate: Where the parabola has its minimum; None where there is none.
        learning_rate_error: Its standard error in logs.
        batch: The same of the batch, in the batch's own unit; None if batches do not vary.
        batch_error: Its standard error in logs.
        flag: Why it is not used for the laws; empty if it is.
    """

    params: float | None
    tokens: float | None
    flops: float | None
    runs: int
    used: int
    best_value: float
    learning_rate: float | None
    learning_rate_error: float | None
    batch: float | None
    batch_error: float | None
    flag: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Exponent(Record):
    """One number of a law with its interval; None where there are no groups to spare."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class TuningLaw(Record):
    """A power law of the best settings: setting = c N^a D^b, or c C^a.

    Args:
        setting: `learning_rate` or `batch`.
        formula: With its numbers.
        coefficient: c.
        params: a, None where it is held at 0 because the grid cannot tell or shows none.
        tokens: b, None likewise.
        flops: a of compute, None likewise.
        groups: How many minima it is fitted to.
        rms_log: Root mean square of their log residuals.
        reason: Why these exponents.
        prediction: The setting at the size that was asked for, None if none was.
    """

    setting: str
    formula: str
    coefficient: float
    params: Exponent | None
    tokens: Exponent | None
    flops: Exponent | None
    groups: int
    rms_log: float
    reason: str
    prediction: Exponent | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Tuning(Record):
    """Minima of a grid of learning rates and batch sizes, and the laws through them.

    Args:
        metric: What is smallest at the best setting.
        batch_unit: `tokens` or `sequences`; empty without a batch column that varies.
        level: Level of the intervals.
        groups: One entry a size.
        laws: The laws that the minima allow.
        target: (role, size) of what was asked for; None if nothing was.
        cleaning: What reading did to the rows.
        notes: What there is to say.
        assumptions: What was assumed.
    """

    metric: Metric
    batch_unit: str
    level: float
    groups: tuple[TunedGroup, ...]
    laws: tuple[TuningLaw, ...]
    target: tuple[tuple[str, float], ...] | None
    cleaning: Cleaning
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
