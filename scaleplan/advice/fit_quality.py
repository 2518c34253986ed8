"""Whether a fit can be trusted: rejected forms, unknown floors, few runs, disagreeing starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from scaleplan.fitting.form_tests import (
    LEAST_WRONG,
    ON_LARGER_RUNS,
    UNPASSED,
    plain_reason,
    tested,
)
from scaleplan.laws import get_law
from scaleplan.records import Candidate, Fit, Note
from scaleplan.units import format_count, format_significant

# Below 8 runs a two-input fit has next to nothing to be wrong with; Choshen et al. 2024 (arXiv
# 2410.11840) take 5 models as the least that helps.
_FEW_RUNS = 8
_FEW_SPARE = 3
# A coefficient at N = 1 or D = 1 is extrapolated over ten decades: factors of 1e5 are usual there.
# An interval that reaches zero is open if it is wide against the value.
_OPEN_FACTOR, _OPEN_SHARE = 1e6, 4.0
_MOVES = 0.25  # relative change of the recommended size that is worth saying
_STRAIGHT = {"linear", "log_linear"}


def form_rejected(fit: Fit) -> Iterator[Note]:
    """Speak out when the law in use is rejected by the data, or a straight line was."""
    for candidate in fit.candidates:
        used, line = candidate.law == fit.law, candidate.law == "linear"
        if candidate.verdict != "rejected" or not (line or used):
            continue
        reason = plain_reason(candidate.reason.rpartition("; but ")[2])
        text, action = _against(candidate, reason)
        # What no test of the runs says is no rejection by them, and never has its rate of error.
        left = line and not used and not tested(reason)
        yield Note(
            id="LINEAR_NO_FORECAST" if left else f"{candidate.law.upper()}_REJECTED",
            severity="warning" if used else "info", text=text, action=action,
            source="F test of curvature and runs test, each at p < 0.005"
            if line and tested(reason) else "comparison of laws on these runs",
        )  # fmt: skip


def _against(candidate: Candidate, reason: str) -> tuple[str, str]:
    """Return what speaks against a law, and what to do."""
    formula = {"linear": "P = aS + b", "power": "G = cS^d"}.get(candidate.law, "")
    name = f"{candidate.law} ({formula})" if formula else candidate.law
    asked = candidate.reason.startswith("asked for")
    if candidate.reason.startswith((UNPASSED, LEAST_WRONG)):
        why = "; it" if candidate.reason.startswith(UNPASSED) else (
            " because it was the least wrong on larger runs, fitted to the smaller ones; it"
        )  # fmt: skip
        return (
            f"No law passes its tests here. The {name} law is used{why} fails: {reason}.",
            "Forecast a short way only, and look for what sets single runs apart.",
        )
    # No other law fits these runs as well, and none would be sent for in its place.
    if asked and candidate.aicc == 0.0 and reason.startswith(ON_LARGER_RUNS):
        return (
            f"The {name} law describes these runs better than all others, but it does not "
            f"forecast them: fitted to the smaller ones, {reason}.",
            "Forecast a short way only, or train larger runs.",
        )
    verdict = "is rejected by these runs"
    if candidate.law == "linear" and not tested(reason):
        verdict = "is not one to forecast with"
    tail = " It is shown because it was asked for." if asked else ""
    return f"The {name} law {verdict}: {reason}.{tail}", "Use --law auto." if tail else ""


def few_runs(fit: Fit) -> Iterator[Note]:
    """Warn when there are hardly more runs than parameters."""
    if fit.quality is None:
        return
    runs, size = fit.quality.runs, len(fit.parameters)
    if runs - size < _FEW_SPARE or (len(fit.inputs) > 1 and runs < _FEW_RUNS):
        yield Note(
            id="FEW_RUNS", severity="warning",
            text=f"{runs} runs for {size} parameters: the fit is nearly an interpolation"
            + (
                ", and no interval is given." if runs - size < _FEW_SPARE
                else ", and its intervals rest on a guess of the noise."
            ),
            action=f"Train at least {max(_FEW_RUNS, size + _FEW_SPARE)} runs.",
            numbers=(("runs", float(runs)), ("parameters", float(size))),
            source="Choshen et al. 2024, arXiv 2410.11840",
        )  # fmt: skip


def undetermined(fit: Fit) -> Iterator[Note]:
    """Warn of parameters that the runs leave open: their interval says next to nothing."""
    wide = []
    for p in fit.parameters:
        if p.low is None or p.high is None or p.symbol == "E":  # a floor has a note of its own
            continue
        if p.low > 0.0:
            is_open = p.high / p.low > _OPEN_FACTOR
        else:
            is_open = p.high - p.low > _OPEN_SHARE * abs(p.value) > 0.0
        if is_open:
            wide.append(f"{p.symbol} ({format_significant(p.low)} to {format_significant(p.high)})")
    if wide:
        yield Note(
            id="PARAMETERS_UNDETERMINED", severity="warning",
            text=f"These runs leave {', '.join(wide)} open: other values fit as well.",
            action="Do not quote them; forecasts near the data can still be good. Add runs where "
            "they act, or use a law with fewer parameters.",
            numbers=(("parameters", float(len(wide))),),
        )  # fmt: skip


def objective_matters(fit: Fit) -> Iterator[Note]:
    """Warn when the recommended size hangs on what is minimised."""
    sizes = {row.objective: row.params for row in fit.objectives if row.params is not None}
    if len(sizes) < 2:
        return
    low, high = min(sizes, key=lambda k: sizes[k]), max(sizes, key=lambda k: sizes[k])
    if sizes[high] <= max(1.0 + _MOVES, _by_chance(fit)) * sizes[low]:
        return
    yield Note(
        id="OBJECTIVE_MATTERS", severity="warning",
        text=f"The optimal size depends on what is minimised: {format_count(sizes[low])} "
        f"parameters by {low}, {format_count(sizes[high])} by {high}.",
        action="Take the spread as part of the uncertainty; look for single runs that cause it.",
        numbers=(("params_low", sizes[low]), ("params_high", sizes[high])),
    )  # fmt: skip


def _by_chance(fit: Fit) -> float:
    """Return the factor by which objectives differ by chance: half of the interval of N* there.

    Of Gaussian noise least absolute errors have pi/2 times the variance of least squares, so that
    both differ by 0.76 standard errors, and half of a 90% interval is 1.64 of them: 8 of 156 clean
    made sweeps reach it, where the share of 25% alone was reached by 15 of 20.
    """
    at = next((row.flops for row in fit.objectives if row.params is not None), None)
    for row in fit.optimum:
        if row.flops == at and row.params_low and row.params_high:
            return math.sqrt(row.params_high / row.params_low)
    return 1.0


def at_bound(fit: Fit) -> Iterator[Note]:
    """Warn when an exponent ended on a bound of its range, or beyond it."""
    ranges = {spec.symbol: (spec.low, spec.high) for spec in get_law(fit.law).parameters}
    for parameter in fit.parameters:
        if parameter.at_bound and parameter.symbol != "E":
            low, high = ranges.get(parameter.symbol, (-math.inf, math.inf))
            value = format_significant(parameter.value)
            text = (
                f"{parameter.symbol} = {value} lies at the end of its range: its interval means "
                "nothing."
            )
            if not low <= parameter.value <= high:
                text = (
                    f"{parameter.symbol} = {value} lies beyond the range of {low:g} to {high:g} in "
                    f"which the {fit.law} law makes sense, and outside of anything published."
                )
            yield Note(
                id="AT_BOUND", severity="warning", text=text,
                action="Check the column behind it, and spread the runs further.",
                numbers=((parameter.symbol, parameter.value),),
            )  # fmt: skip


def no_back_test(fit: Fit) -> Iterator[Note]:
    """Warn when no forecast could be tested on these runs."""
    if fit.quality is not None and fit.widening.errors == 0:
        yield Note(
            id="NO_BACKTEST", severity="warning",
            text="Too few runs to fit the smaller and predict the larger ones: intervals beyond "
            "the data rest on the form of the law alone.",
            action="Train more runs, spread over scale.",
        )  # fmt: skip


_OF_LOSS = {"loss_to_error", "loss_to_accuracy"}


def rises_with_size(fit: Fit) -> Iterator[Note]:
    """Warn when a metric that should fall rises with the inputs, or an accuracy falls."""
    ranges = {r.role: r for r in fit.ranges}
    if fit.quality is None or not fit.main.theta or any(r not in ranges for r in fit.inputs):
        return
    law = get_law(fit.law)
    small = float(law.evaluate(list(fit.main.theta), [ranges[r].low for r in fit.inputs]))
    large = float(law.evaluate(list(fit.main.theta), [ranges[r].high for r in fit.inputs]))
    rises = (large > small) is not fit.complement
    # Against a loss a good metric moves the other way: the larger run has the smaller loss.
    of_loss = fit.law in _OF_LOSS or any("loss" in column.lower() for column in fit.input_columns)
    wanted = (fit.metric.kind in {"accuracy", "score"}) is not of_loss
    if small != large and rises is not wanted and fit.metric.kind != "score":
        columns = " and ".join(fit.input_columns)
        yield Note(
            id="WRONG_DIRECTION", severity="warning",
            text=f"{fit.metric.name} {'rises' if rises else 'falls'} with {columns}: "
            f"{'runs of lower loss' if of_loss else 'larger runs'} are worse.",
            action="Check that the columns are what they are taken for; if they are, these runs "
            "overfit or diverge.",
            numbers=(("smallest", small), ("largest", large)),
        )  # fmt: skip


def score_above_one(fit: Fit) -> Iterator[Note]:
    """Warn when a score's own formula or data pass 1, so that it cannot be an accuracy."""
    if fit.metric.kind != "score" or fit.quality is None:
        return
    yield Note(
        id="SCORE_UNIT", severity="info",
        text=f"{fit.metric.name} is taken as a score whose limit, if it has one, is not known "
        f"(unit: {fit.metric.unit}).",
        action="If it is a share of 1 give --columns accuracy=COLUMN, or write percentages with %.",
    )  # fmt: skip


Rule = Callable[[Fit], Iterator[Note]]

FIT_RULES: tuple[Rule, ...] = (
    form_rejected, few_runs, undetermined, objective_matters, at_bound, no_back_test,
    rises_with_size, score_above_one,
)  # fmt: skip
