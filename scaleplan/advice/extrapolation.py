"""How far a forecast reaches beyond the runs, and whether it can still be used."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.advice.floor import reducible
from scaleplan.records import Fit, ForecastPoint, Note, Severity
from scaleplan.units import format_count, format_percent, format_significant

# Published successes reach 2.5 decades (300x), published failures begin below 1.5 (19x with 2-3%
# error); half a decade is what a fitted range can be stretched by unseen.
_INFO, _WARNING, _ERROR = 0.5, 1.5, 2.5
# Half-widths above 4% are larger than the differences that decisions between designs turn on
# (Choshen et al. 2024, arXiv 2410.11840: about 4% is the level useful for decisions).
_WIDE = 0.04
# Of so many forecasts of a back-test at a distance or farther; few cuts make them go together, so
# that less than nine in ten is common by chance.
_FEWEST_TESTED, _HELD = 5, 0.65
# Sizes this close are the same one, ratios this close are on one ray.
_SAME_SIZE, _SAME_RATIO = 1.05, 2.0


def point_notes(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    """Yield the notes on one forecast: distance, back-test, width and range of the metric."""
    yield from _distance(point, fit)
    yield from _failed(point, fit)
    yield from _left_out(point, fit)
    yield from _width(point, fit)
    yield from outside_range(point, fit)


def _place(point: ForecastPoint) -> str:
    parts = [
        f"{name} {format_count(value)}"
        for name, value in (
            ("params", point.params), ("tokens", point.tokens), ("input", point.input_value),
        )
        if value is not None
    ]  # fmt: skip
    if not parts and point.flops is not None:
        parts = [f"flops {format_count(point.flops)}"]
    return ", ".join(parts)


def far_beyond(point: ForecastPoint, known: str) -> Iterator[Note]:
    """Yield that a forecast reaches far.

    Args:
        point: The forecast.
        known: What it reaches beyond.
    """
    decades = point.decades_beyond_data
    if decades <= _INFO:
        return
    severity: Severity = (
        "error" if decades > _ERROR else "warning" if decades > _WARNING else "info"
    )
    yield Note(
        id="EXTRAPOLATION", severity=severity,
        text=f"{_place(point)} lies {decades:.1f} decades (a factor of "
        f"{format_count(10**decades, 2)}) beyond {known}.",
        action="Train a run between the data and the target before committing the budget.",
        numbers=(("decades_beyond_data", decades),),
        source="thresholds 0.5, 1.5 and 2.5 decades: range of published successes and failures",
    )  # fmt: skip


def _distance(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    decades = point.decades_beyond_data
    tested = fit.widening.decades_tested
    yield from far_beyond(point, "the fitted runs")
    if decades > tested and decades > _INFO and fit.quality is not None:
        said = (
            f"the back-test on these runs reached {tested:.1f} decades only"
            if tested
            else "no back-test was possible on these runs"
        )
        yield Note(
            id="BEYOND_BACKTEST", severity="warning",
            text=f"{_place(point)} lies {decades:.1f} decades out, and {said}: the interval itself "
            "is extrapolated.",
            action="Read the interval as a lower limit of the uncertainty.",
            numbers=(("decades_beyond_data", decades), ("decades_tested", tested)),
        )  # fmt: skip


def _failed(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    """Warn where the intervals of the back-test failed as far out as a forecast reaches."""
    bins = fit.widening.bins
    if not bins or point.decades_beyond_data <= _INFO or point.low is None:
        return
    far = [one for one in bins if one.decades_high >= point.decades_beyond_data] or [bins[-1]]
    count = sum(one.forecasts for one in far)
    inside = sum(one.inside * one.forecasts for one in far) / count
    if count < _FEWEST_TESTED or inside >= _HELD:
        return
    yield Note(
        id="INTERVAL_FAILED", severity="warning",
        text=f"Of {count} forecasts of larger runs of this log that reach {far[0].decades_low:.2g} "
        f"decades or more, {format_percent(inside, 2)} lay inside their 90% interval: at "
        f"{_place(point)} it is too narrow.",
        action="Plan with a wider margin, or train a run nearer to the target.",
        numbers=(("inside", inside), ("forecasts", float(count))),
    )  # fmt: skip


def _left_out(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    """Warn where a law of one input is asked about sizes that play no part in it."""
    if len(fit.inputs) > 1 or fit.inputs[0] not in {"params", "active_params", "tokens", "flops"}:
        return
    (role,) = fit.inputs
    known = {r.role: r for r in fit.ranges}
    given = {"params": point.params, "tokens": point.tokens}
    sized = {"active_params": "params"}.get(role, role)
    for name, value in given.items():
        if value is None or name not in known or name == sized or role == "flops":
            continue
        low, high = known[name].low, known[name].high
        if low / _SAME_SIZE <= value <= high * _SAME_SIZE:
            continue
        runs = format_count(low) if low == high else f"{format_count(low)} to {format_count(high)}"
        yield Note(
            id="INPUT_LEFT_OUT", severity="warning",
            text=f"The law is one of {role} alone: {name} of {format_count(value)} play no part in "
            f"the forecast, and the fitted runs have {runs}.",
            action=f"Train runs of several {name}, or plan with what these have.",
            numbers=(("asked", value), ("low", low), ("high", high)),
        )  # fmt: skip
        return
    if point.params and point.tokens and {"params", "tokens"} <= set(known):
        ratio = point.tokens / point.params
        # Along a ray the smallest run has the fewest tokens.
        ends = sorted(
            (known["tokens"].low / known["params"].low, known["tokens"].high / known["params"].high)
        )
        if ends[0] / _SAME_RATIO <= ratio <= ends[1] * _SAME_RATIO:
            return
        yield Note(
            id="OFF_THE_RAY", severity="warning",
            text=f"{format_significant(ratio)} tokens per parameter are asked for, and the fitted "
            f"runs have about {format_significant(ends[0])} to {format_significant(ends[1])}: a "
            f"law of {role} alone holds along those only.",
            action="Train runs at this ratio too, and fit a law of params and tokens.",
            numbers=(("ratio", ratio), ("low", ends[0]), ("high", ends[1])),
        )  # fmt: skip


def _width(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    if point.low is None or point.high is None:
        yield Note(
            id="NO_INTERVAL", severity="warning",
            text="No interval is given: "
            + (
                "the parameters were published without their covariance."
                if fit.quality is None
                else "there are too few runs for one."
            ),
            action="Do not read the number as exact.",
        )  # fmt: skip
        return
    if point.value == 0.0:
        return
    half = 0.5 * (point.high - point.low) / abs(point.value)
    if half > _WIDE:
        left = reducible(fit, 1.0 - point.value if fit.complement else point.value)
        # Wider than half of what scale can still remove, it does not tell progress from none.
        blind = left is not None and half * abs(point.value) > 0.5 * left
        more = " It is wider than half of what more scale can remove." if blind else ""
        yield Note(
            id="WIDE_INTERVAL", severity="warning" if blind else "info",
            text=f"The interval at {_place(point)} is +-{format_percent(half, 2)} wide; "
            f"differences between designs are usually smaller.{more}",
            action="Compare designs by their difference under one law, not by these levels.",
            numbers=(("relative_half_width", half),),
            source="Choshen et al. 2024, arXiv 2410.11840: about 4% is useful for decisions",
        )  # fmt: skip


def outside_range(point: ForecastPoint, fit: Fit) -> Iterator[Note]:
    """Yield that a forecast is none that its metric can have."""
    value, kind = point.value, fit.metric.kind
    shown = format_significant(value)
    if kind == "score" and value > 1.0:
        yield Note(
            id="SCORE_ABOVE_ONE", severity="warning",
            text=f"{fit.metric.name} is predicted as {shown} at {_place(point)}. A performance "
            "above 1 cannot be an accuracy or any other share.",
            action="State what the score is, or fit 1 - accuracy with a law that respects its "
            "range.",
            numbers=(("value", value),),
        )  # fmt: skip
    elif (kind in {"error", "accuracy"} and not 0.0 <= value <= 1.0) or (
        kind == "loss" and value <= 0.0
    ):
        allowed = "above 0" if kind == "loss" else "between 0 and 1"
        yield Note(
            id="OUTSIDE_RANGE", severity="error",
            text=f"{fit.metric.name} is predicted as {shown} at {_place(point)}; it can only be "
            f"{allowed}. The {fit.law} law has left its range.",
            action="Use a law with a floor (--law power_floor), or stay inside the data.",
            numbers=(("value", value),),
        )  # fmt: skip
