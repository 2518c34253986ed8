"""The verdicts on all runs of a log, and what there is to say about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scaleplan.advice.curves.seen import usable
from scaleplan.advice.curves.verdict import judge_all
from scaleplan.errors import UsageError
from scaleplan.planning.forecast import forecast_at
from scaleplan.records import (
    Assumption,
    CurveCheck,
    CurveVerdict,
    Expectation,
    Fit,
    Note,
    Severity,
)
from scaleplan.runs.series import Curve, CurveLog
from scaleplan.units import format_significant

_IDS = {
    "overfitting": "VAL_RISING", "diverged": "DIVERGED", "shifted": "LEVEL_SHIFT",
    "plateau": "PLATEAU", "underfitting": "STILL_FALLING", "too short": "TOO_SHORT",
}  # fmt: skip
_SEVERITIES: dict[str, Severity] = {
    "overfitting": "warning", "diverged": "error", "shifted": "warning", "plateau": "warning",
    "underfitting": "warning", "too short": "info",
}  # fmt: skip
_TEXTS = {
    "SPIKES": ("jumped and came back", "Look at these steps: data, learning rate, precision."),
    "JUMPED_AT_END": (
        "end with one reading that has jumped, which is not judged",
        "Look at the next readings: a spike comes back, a run that diverges does not.",
    ),
    "OTHER_SCALE": (
        "have a training loss over 4 times that of validation: a sum over batches, or weighted; no "
        "gap is shown", "Log both as means over the same unit.",
    ),
    "GAP_GROWS": (
        "have a gap between training and validation above 10% that grows, while validation does "
        "not rise yet", "Watch validation; it is what turns next.",
    ),
    "OVERCONFIDENT": (
        "lose on validation loss while accuracy or the error rate there does not get worse: "
        "over-confidence, not loss of skill",
        "Calibrate (label smoothing, temperature), or choose by accuracy (--metric NAME).",
    ),
    "SKILL_STILL_GROWS": (
        "stand still in validation loss while accuracy or the error rate there still improves",
        "Choose the checkpoint by what the model is for: --metric NAME judges by that.",
    ),
}  # fmt: skip
_NOTES: dict[str, Severity] = {
    "SPIKES": "info", "JUMPED_AT_END": "warning", "OTHER_SCALE": "info", "GAP_GROWS": "info",
    "OVERCONFIDENT": "warning", "SKILL_STILL_GROWS": "warning",
}  # fmt: skip
_DEPENDS = " Which way of this metric is better is assumed, and the verdict depends on it."
_VERBS = {"have": "has", "end": "ends", "lose": "loses", "stand": "stands"}  # of one run
_HOLE = 10.0  # times the usual distance between points
# Runs that are judged at a time: what they share is worked out once, and all are in memory.
_TOGETHER = 32
_NAMED = 6


def check_curves(
    log: CurveLog,
    *,
    level: float = 0.9,
    total: float | None = None,
    fit: Fit | None = None,
    given: dict[str, float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> CurveCheck:
    """Judge every run of a log.

    Args:
        log: The curves.
        level: Level of the intervals of forecasts.
        total: Where runs are planned to end, in the units of their axis.
        fit: A law that says where a run should be.
        given: Inputs of that law which the log does not give, by role.
        on_progress: Called with (done, all) runs.

    Raises:
        UsageError: If the fit needs an input that neither the log nor `given` has.
    """
    verdicts: list[CurveVerdict] = []
    for start in range(0, len(log.curves), _TOGETHER):
        curves = log.curves[start : start + _TOGETHER]
        found = judge_all(curves, level=level, total=total)
        if fit is not None:
            found = [
                replace(one, expectation=_expectation(curve, one, fit, given or {}))
                for curve, one in zip(curves, found, strict=True)
            ]
        verdicts += found
        if on_progress is not None:
            on_progress(len(verdicts), len(log.curves))
    metric = log.curves[0].metric
    assumed = any(note.id == "METRIC_DIRECTION" for note in log.notes)
    assumptions = (
        Assumption(
            name="overfitting", value="validation lies above its lowest trend point by more than "
            "chance and 1% of the fall so far, over 3 points or more, while training does not rise",
            source="rules chosen on simulated curves, tests/benchmark/curve_verdicts.py",
        ),
        Assumption(
            name="underfitting",
            value="twice as many steps would bring 6.5% of the fall so far and 2% of the value",
            source="a convention; average of power laws and exponentials of the curve",
        ),
    )  # fmt: skip
    told = (*_log_notes(log), *_verdict_notes(verdicts, log.curves, assumed=assumed))
    return CurveCheck(
        metric=metric, files=log.files, rows=log.rows, runs=tuple(verdicts),
        notes=(*log.notes, *told), assumptions=assumptions,
    )  # fmt: skip


def _expectation(
    curve: Curve, verdict: CurveVerdict, fit: Fit, given: dict[str, float]
) -> Expectation | None:
    """Return where a law says that the run should be now; None if its noise is not known."""
    point = {**curve.sizes, **given}
    if "params" in point:
        point.setdefault("active_params", point["params"])
    if {"params", "tokens"} <= set(point):
        size = point["active_params" if "active_params" in fit.inputs else "params"]
        point.setdefault("flops", fit.flops_per_param_token * size * point["tokens"])
    missing = [role for role in fit.inputs if role not in point]
    if missing:
        raise UsageError(
            f"{fit.name} needs {' and '.join(missing)}, which the log of {curve.run} does not give",
            hint=f"Give --with {missing[0]}=NUMBER.",
        )
    found = forecast_at(fit, point)
    if found.low is None or found.high is None or fit.interval is None:
        return None
    from scaleplan.fitting.distributions import t_quantile

    # How far the interval goes on this side, over its quantile, is one standard deviation there.
    quantile = t_quantile(0.5 + 0.5 * fit.interval.level, float(max(1, fit.main.dof)))
    below = verdict.best < found.value
    reach = found.value - found.low if below else found.high - found.value
    deviation = reach / quantile
    if not deviation > 0.0 or not math.isfinite(verdict.best):
        return None
    return Expectation(
        fit_name=fit.name, expected=found.value, reached=verdict.best,
        z=(verdict.best - found.value) / deviation,
    )  # fmt: skip


def _log_notes(log: CurveLog) -> Iterator[Note]:
    """Yield what was seen in the rows of runs: order, restarts, holes."""
    curves = log.curves
    seen = (
        (
            "OUT_OF_ORDER", [c.run for c in curves if c.sorted_rows > 0],
            "have rows out of the order of their steps; they were sorted", "",
        ),
        (
            "RESTARTED", [c.run for c in curves if c.replaced > 0],
            "went back to earlier steps, as a run does that is resumed from a checkpoint; what it "
            "wrote from there on is used, what stood there before is left out", "",
        ),
        (
            "STEPS_REPEATED", [c.run for c in curves if c.repeated > 0],
            "wrote some steps twice; the later values are used",
            "Look at what writes the log, if the values differ.",
        ),
        (
            "NOT_FINITE", [c.run for c in curves if not np.isfinite(c.main.value).all()],
            "have points that are not finite; rules see the others", "",
        ),
        (
            "HOLE", [c.run for c in curves if c.gap > _HOLE],
            f"have a hole of more than {_HOLE:g} times the usual distance between points",
            "Rules see the points on both sides of it only.",
        ),
    )  # fmt: skip
    yield from _evaluated_notes(curves)
    for id_, found, text, action in seen:
        if found:
            yield Note(
                id=id_, severity="info", text=f"{_told_of(found, text)}.", action=action,
                numbers=(("runs", float(len(found))),),
            )  # fmt: skip


def _evaluated_notes(curves: Sequence[Curve]) -> Iterator[Note]:
    """Say which readings at the end evaluate a finished run again."""
    found = [curve for curve in curves if len(curve.afterwards)]
    if not found:
        return
    first = found[0]
    value = float(first.afterwards.value[-1])
    yield Note(
        id="EVALUATED_AFTERWARDS", severity="info",
        text=f"{_told_of([c.run for c in found], 'have an evaluation')} after the last "
        f"{first.axis}, as of the best checkpoint or of test data; the first reading of that "
        f"{first.axis} is used. {first.run}: {format_significant(value)} at {first.axis} "
        f"{first.afterwards.at[-1]:g} is left out.",
        action="", numbers=(("runs", float(len(found))), ("left_out", value)),
    )  # fmt: skip


def _verdict_notes(
    verdicts: Sequence[CurveVerdict], curves: Sequence[Curve], *, assumed: bool
) -> Iterator[Note]:
    """Yield one note a verdict; no divergence is sure where the direction is an assumption."""
    for verdict, id_ in _IDS.items():
        places = [i for i, one in enumerate(verdicts) if one.verdict == verdict]
        found = [verdicts[i] for i in places]
        if not found:
            continue
        first = found[0]
        severity, depends = _SEVERITIES[verdict], ""
        if assumed and severity == "error" and not any(_lost(curves[i]) for i in places):
            severity, depends = "warning", _DEPENDS
        yield Note(
            id=id_, severity=severity,
            text=f"{_named([one.run for one in found])}: {verdict}. {first.run}: {first.reason}."
            + depends,
            action=first.action, numbers=(("runs", float(len(found))),),
            source="rules chosen on simulated curves, tests/benchmark/curve_verdicts.py",
        )  # fmt: skip
    for id_, severity in _NOTES.items():
        runs = [one.run for one in verdicts if id_ in one.notes]
        if runs:
            text, action = _TEXTS[id_]
            yield Note(
                id=id_, severity=severity, text=f"{_told_of(runs, text)}.", action=action,
                numbers=(("runs", float(len(runs))),),
            )  # fmt: skip


def _lost(curve: Curve) -> bool:
    """Tell whether a run ends without values, which is bad whichever way is better."""
    series = (curve.main.value, curve.training.value)
    return any(value.size and not bool(usable(value)[-1]) for value in series)


def _told_of(runs: Sequence[str], text: str) -> str:
    """Return what is said of some runs, the verb that begins it in the number of them."""
    verb, _, rest = text.partition(" ")
    return f"{_named(runs)} {_VERBS.get(verb, verb) if len(runs) == 1 else verb} {rest}"


def _named(runs: Sequence[str]) -> str:
    shown = ", ".join(runs[:_NAMED])
    more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
    return f"{len(runs)} run{'s' if len(runs) != 1 else ''} ({shown}{more})"
