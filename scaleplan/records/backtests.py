"""How good forecasts from smaller runs would have been for the larger ones."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning, Metric


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BacktestPoint(Record):
    """One forecast of a larger run from the smaller ones.

    Args:
        law: By which law; `auto` for what `scaleplan fit` would have chosen and said.
        cut: Number of the cut, from 1; it is made from the runs below.
        runs_below: How many runs it was made from.
        scale: The run's own scale: the product of its inputs, or its single input.
        decades: How far it lies beyond the runs below the cut, log10.
        observed: The metric that it reached.
        predicted: What was predicted.
        low: Lower end of the 90% interval, None where there is none.
        high: Upper end.
    """

    law: str
    cut: int
    runs_below: int
    scale: float
    decades: float
    observed: float
    predicted: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BacktestRow(Record):
    """The forecasts of one law, all of them or those about as far beyond their runs.

    Args:
        law: The law.
        decades_low: Least distance.
        decades_high: Largest.
        forecasts: How many.
        cuts: From how many cuts.
        median_error: Median of |ln(predicted / observed)|, None where that is not defined.
        rms_error: Its root mean square.
        bias: Mean of ln(predicted / observed): above 0 if forecasts were too high.
        inside: Share of runs inside their interval, None without intervals.
        refusal: Why there are none; empty otherwise.
    """

    law: str
    decades_low: float
    decades_high: float
    forecasts: int
    cuts: int
    median_error: float | None
    rms_error: float | None
    bias: float | None
    inside: float | None
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Backtest(Record):
    """Forecasts of larger runs from smaller ones, by law and by distance.

    Args:
        metric: What is predicted.
        level: Level of the intervals.
        laws: One entry a law, the best first.
        distances: One entry a law and distance.
        points: Every forecast.
        cleaning: What reading did to the rows.
        notes: What there is to say.
        assumptions: What was assumed.
    """

    metric: Metric
    level: float
    laws: tuple[BacktestRow, ...]
    distances: tuple[BacktestRow, ...]
    points: tuple[BacktestPoint, ...]
    cleaning: Cleaning
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
