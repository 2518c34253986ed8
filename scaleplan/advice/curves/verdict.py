"""The verdict on one curve: diverged, shifted, overfitting, plateau, underfitting or healthy."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from scaleplan.advice.curves.ahead import forecast_at
from scaleplan.advice.curves.flat import healthy, plateau, rises, underfitting
from scaleplan.advice.curves.rising import diverged, overfitting
from scaleplan.advice.curves.seen import (
    FEWEST,
    Seen,
    gap_of,
    jumped_at_end,
    lost_at,
    other_scale,
    training_trend,
    unset,
    usable,
)
from scaleplan.advice.curves.trend import slope_t, trend_of
from scaleplan.records import CurveForecast, CurveVerdict, Verdict
from scaleplan.runs.series import Curve, Series
from scaleplan.runs.table import BoolArray, FloatArray
from scaleplan.units import format_number_of, format_significant

_RISING_POINTS, _RISING_T = 3, 2.5  # as for a rising metric
_GAP_WARNING = 0.10


def judge(curve: Curve, *, level: float = 0.9, total: float | None = None) -> CurveVerdict:
    """Return what the curve of one run says.

    Args:
        curve: The run as it was logged.
        level: Level of the intervals of forecasts.
        total: Where the run is planned to end, in the units of its axis.
    """
    sign = 1.0 if curve.metric.kind in {"loss", "error"} else -1.0
    main = curve.main
    finite = usable(main.value) & ~unset(main.value, curve.metric.kind)
    if int(finite.sum()) < FEWEST:
        return _too_short(curve, main, finite)
    steps, readings = main.at[finite], main.value[finite]
    jumped = jumped_at_end(sign * readings)
    kept = readings.size - int(jumped)
    trend = trend_of(steps[:kept], sign * readings[:kept])
    seen = Seen(
        curve=curve, sign=sign, trend=trend, training=training_trend(curve, sign),
        lost_at=lost_at(curve), best=int(np.argmin(trend.smooth)), level=level, jumped=jumped,
    )  # fmt: skip
    # The checkpoint to use is one that was logged; where the trend turned is another question.
    lowest_reading = int(np.argmin(sign * readings))
    ahead = partial(
        forecast_at, trend, level=level, lowest=seen.lowest, highest=seen.highest,
        rate=curve.learning_rate,
    )  # fmt: skip
    doubling = _signed(ahead(2.0 * float(steps[-1])), sign)
    finding = (
        diverged(seen) or overfitting(seen) or plateau(seen)
        or underfitting(seen, doubling) or healthy(seen)
    )  # fmt: skip
    if finding.verdict in {"overfitting", "diverged", "shifted"}:
        doubling = None  # a power law of a curve that has turned says nothing
    final = None
    if doubling is not None and total is not None and total > float(steps[-1]):
        final = _signed(ahead(total), sign)
    return CurveVerdict(
        run=curve.run, file=curve.file, metric=curve.metric.name, verdict=finding.verdict,
        axis=curve.axis, points=int(finite.sum()), since=finding.since,
        best_at=float(steps[lowest_reading]),
        best=float(readings[lowest_reading]), last=sign * float(trend.smooth[-1]),
        noise=trend.noise, gap=gap_of(seen), action=finding.action,
        reason=finding.reason + (_jump_said(float(readings[-1])) if jumped else ""),
        spikes=trend.spikes, doubling=doubling, final=final, expectation=None,
        notes=further_notes(seen, finding.verdict),
    )  # fmt: skip


def _jump_said(last: float) -> str:
    """Say which reading a verdict leaves out."""
    return f"; the last reading, {format_significant(last)}, has jumped and is left out"


def _signed(found: CurveForecast | None, sign: float) -> CurveForecast | None:
    """Return a forecast of a falling series in the metric's own direction."""
    if found is None or sign > 0.0:
        return found
    return replace(found, value=-found.value, low=-found.high, high=-found.low)


def _too_short(curve: Curve, main: Series, finite: BoolArray) -> CurveVerdict:
    values = main.value[finite]
    broken = len(main) > 0 and not bool(finite[-1])
    last = float(values[-1]) if values.size else math.nan
    best = math.nan
    at = math.nan
    if values.size:
        falls = curve.metric.kind in {"loss", "error"}
        place = int(np.argmin(values) if falls else np.argmax(values))
        best, at = float(values[place]), float(main.at[finite][place])
    return CurveVerdict(
        run=curve.run, file=curve.file, metric=curve.metric.name,
        verdict="diverged" if broken else "too short",
        axis=curve.axis, points=int(values.size),
        since=float(main.at[np.argmax(~finite)]) if broken else None, best_at=at, best=best,
        last=last, noise=0.0, gap=None,
        reason=f"{curve.metric.name} is not finite at the end" if broken
        else f"{format_number_of(values.size, 'point')} of {curve.metric.name}; {FEWEST} are "
        "needed",
        action="Restart from an earlier checkpoint with a lower learning rate." if broken
        else "Log more points.",
        spikes=0, doubling=None, final=None, expectation=None, notes=(),
    )  # fmt: skip


def further_notes(seen: Seen, verdict: Verdict) -> tuple[str, ...]:
    """Return the ids of what else is seen in the run."""
    found = []
    if seen.trend.spikes and verdict != "diverged":
        found.append("SPIKES")
    if seen.jumped and verdict != "diverged":
        found.append("JUMPED_AT_END")
    if other_scale(seen):
        found.append("OTHER_SCALE")
    gap = gap_of(seen)
    if (
        gap is not None
        and gap > _GAP_WARNING
        and verdict in {"healthy", "plateau"}
        and not rises(seen)
        and _gap_grows(seen)
    ):
        found.append("GAP_GROWS")
    if len(seen.curve.accuracy) and verdict == "overfitting" and _accuracy_rises(seen):
        found.append("OVERCONFIDENT")
    return tuple(found)


def _gap_grows(seen: Seen) -> bool:
    """Tell whether the gap has grown over the last evaluations."""
    training = seen.training
    if training is None:
        return False
    beside: FloatArray = np.interp(seen.trend.at, training.at, training.smooth)
    gap = seen.trend.smooth - beside
    tail = gap[-max(_RISING_POINTS + 1, gap.size // 4) :]
    return slope_t(tail) > _RISING_T


def _accuracy_rises(seen: Seen) -> bool:
    """Tell whether accuracy has gone on rising while the validation loss rose."""
    accuracy = seen.curve.accuracy
    since = float(seen.trend.at[seen.best])
    after = accuracy.value[accuracy.at >= since]
    if after.size < _RISING_POINTS:
        return False
    third = max(1, after.size // 3)
    return float(after[-third:].mean()) >= float(after[:third].mean())
