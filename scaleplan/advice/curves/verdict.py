"""The verdict on one curve: diverged, shifted, overfitting, plateau, underfitting or healthy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scaleplan.advice.curves.ahead import Ask, forecasts_at
from scaleplan.advice.curves.flat import (
    ends_above_best,
    healthy,
    plateau,
    rises,
    underfitting,
)
from scaleplan.advice.curves.looking import Looked, finite_readings, look_at
from scaleplan.advice.curves.rising import diverged, overfitting
from scaleplan.advice.curves.seen import FEWEST, Finding, Seen, gap_of, other_scale, usable
from scaleplan.advice.curves.trend import slope_t
from scaleplan.records import CurveForecast, CurveVerdict
from scaleplan.runs.series import Curve
from scaleplan.runs.table import FloatArray
from scaleplan.units import format_number_of, format_significant

_TURNED = {"overfitting", "diverged", "shifted"}
_RISING_POINTS, _RISING_T = 3, 2.5  # as for a rising metric
_GAP_WARNING = 0.10


def judge(curve: Curve, *, level: float = 0.9, total: float | None = None) -> CurveVerdict:
    """Return what the curve of one run says, as `judge_all` does.

    Args:
        curve: The run as it was logged.
        level: Level of the intervals of forecasts.
        total: Where the run is planned to end, in the units of its axis.
    """
    return judge_all([curve], level=level, total=total)[0]


def judge_all(
    curves: Sequence[Curve], *, level: float = 0.9, total: float | None = None
) -> list[CurveVerdict]:
    """Return what the curve of each run says; none depends on the others.

    Runs of a sweep mostly have the same clock, and what depends on it alone is worked out once.
    All are held in memory at once, so that hundreds are for the caller to divide.

    Args:
        curves: The runs as they were logged.
        level: Level of the intervals of forecasts.
        total: Where runs are planned to end, in the units of their axis.
    """
    looked = look_at(curves, level)
    doubling = _forecasts(looked, [_twice(each) for each in looked], level)
    findings = [
        _finding(each.seen, twice) if each is not None else None
        for each, twice in zip(looked, doubling, strict=True)
    ]
    # A power law of a curve that has turned says nothing.
    turned = [f is not None and f.verdict in _TURNED for f in findings]
    doubling = [None if gone else each for gone, each in zip(turned, doubling, strict=True)]
    wanted = [
        total if total is not None and each is not None and total > float(each.at[-1])
        and twice is not None else None
        for each, twice in zip(looked, doubling, strict=True)
    ]  # fmt: skip
    final = _forecasts(looked, wanted, level)
    return [
        _too_short(curve) if each is None or finding is None
        else _verdict(each, finding, twice, last)
        for curve, each, finding, twice, last in zip(
            curves, looked, findings, doubling, final, strict=True
        )
    ]  # fmt: skip


def _twice(looked: Looked | None) -> float | None:
    """Return twice the last position of a curve; None where that is no number."""
    twice = math.inf if looked is None else 2.0 * float(looked.at[-1])
    return twice if math.isfinite(twice) else None


def _forecasts(
    looked: Sequence[Looked | None], wanted: Sequence[float | None], level: float
) -> list[CurveForecast | None]:
    """Return forecasts for the positions that are wanted, in the metric's own direction."""
    found: list[CurveForecast | None] = [None] * len(looked)
    asked = [
        (place, each.seen, where)
        for place, (each, where) in enumerate(zip(looked, wanted, strict=True))
        if each is not None and where is not None
    ]
    asks = [
        Ask(trend=seen.trend, where=where, lowest=seen.lowest, highest=seen.highest,
            rate=seen.curve.learning_rate)
        for _, seen, where in asked
    ]  # fmt: skip
    for (place, seen, _), one in zip(asked, forecasts_at(asks, level=level), strict=True):
        found[place] = _signed(one, seen.sign)
    return found


def _finding(seen: Seen, doubling: CurveForecast | None) -> Finding:
    """Return what the first rule says that finds something."""
    return (
        diverged(seen) or overfitting(seen) or plateau(seen)
        or underfitting(seen, doubling) or healthy(seen)
    )  # fmt: skip


def _verdict(
    looked: Looked, finding: Finding, doubling: CurveForecast | None, final: CurveForecast | None
) -> CurveVerdict:
    """Write down what was found on one curve."""
    seen, readings = looked.seen, looked.readings
    curve, trend = seen.curve, seen.trend
    # The checkpoint to use is one that was logged; where the trend turned is another question.
    lowest = int(np.argmin(readings) if seen.sign > 0.0 else np.argmax(readings))
    return CurveVerdict(
        run=curve.run, file=curve.file, metric=curve.metric.name, verdict=finding.verdict,
        axis=curve.axis, points=readings.size, since=finding.since,
        best_at=float(looked.at[lowest]), best=float(readings[lowest]),
        last=seen.sign * float(trend.smooth[-1]),
        noise=trend.noise, gap=gap_of(seen), action=finding.action,
        reason=finding.reason + (_jump_said(float(readings[-1])) if seen.jumped else ""),
        spikes=trend.spikes, doubling=doubling, final=final, expectation=None,
        notes=further_notes(seen, finding),
    )  # fmt: skip


def _jump_said(last: float) -> str:
    """Say which reading a verdict leaves out."""
    return f"; the last reading, {format_significant(last)}, has jumped and is left out"


def _signed(found: CurveForecast | None, sign: float) -> CurveForecast | None:
    """Return a forecast of a falling series in the metric's own direction."""
    if found is None or sign > 0.0:
        return found
    return replace(found, value=-found.value, low=-found.high, high=-found.low)


def _too_short(curve: Curve) -> CurveVerdict:
    main = curve.main
    at, values = finite_readings(curve)
    finite = usable(main.value)
    broken = len(main) > 0 and not bool(finite[-1])
    last = float(values[-1]) if values.size else math.nan
    best = best_at = math.nan
    if values.size:
        falls = curve.metric.kind in {"loss", "error"}
        place = int(np.argmin(values) if falls else np.argmax(values))
        best, best_at = float(values[place]), float(at[place])
    return CurveVerdict(
        run=curve.run, file=curve.file, metric=curve.metric.name,
        verdict="diverged" if broken else "too short",
        axis=curve.axis, points=int(values.size),
        since=float(main.at[np.argmax(~finite)]) if broken else None, best_at=best_at, best=best,
        last=last, noise=0.0, gap=None,
        reason=f"{curve.metric.name} is not finite at the end" if broken
        else f"{format_number_of(values.size, 'point')} of {curve.metric.name}; {FEWEST} are "
        "needed",
        action="Restart from an earlier checkpoint with a lower learning rate." if broken
        else "Log more points.",
        spikes=0, doubling=None, final=None, expectation=None, notes=(),
    )  # fmt: skip


def further_notes(seen: Seen, finding: Finding) -> tuple[str, ...]:
    """Return the ids of what else is seen in the run."""
    found, verdict = [], finding.verdict
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
        and not (seen.trend.raw.size < 2 * FEWEST and ends_above_best(seen))
        and _gap_grows(seen)
    ):
        found.append("GAP_GROWS")
    if len(seen.curve.accuracy) and verdict == "overfitting" and _accuracy_rises(seen):
        found.append("OVERCONFIDENT")
    if len(seen.curve.accuracy) and verdict == "plateau" and _accuracy_gains(seen, finding):
        found.append("SKILL_STILL_GROWS")
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


def _accuracy_gains(seen: Seen, finding: Finding) -> bool:
    """Tell whether accuracy has surely risen while the loss stood still."""
    accuracy, lowest = seen.curve.accuracy, int(np.argmin(seen.trend.raw))
    since = float(seen.trend.at[lowest])
    since = since if finding.since is None else min(since, finding.since)
    after = accuracy.value[accuracy.at >= since]
    return after.size > _RISING_POINTS and slope_t(after) > _RISING_T
