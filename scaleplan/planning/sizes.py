"""Sizes between underfit and overfit for a given data set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scaleplan.errors import PlanError, UsageError
from scaleplan.fitting.gap import predicted_gap
from scaleplan.planning.allocation import has_balance, marginal_ratio
from scaleplan.planning.forecast import forecast_at, forecast_interval
from scaleplan.records import (
    Assumption,
    Fit,
    ForecastPoint,
    GapFit,
    SizePlan,
    SizeRow,
    SizeVerdict,
)

# As for CAPACITY_LIMITED and DATA_LIMITED (advice/fitness.py): 2:1 is lopsided in any case.
_LOPSIDED = 2.0
# Without a law of size and data: a doubling of the size that improves the metric by less than 1%,
# or less than a run scatters, is not worth its price. A convention.
_LEAST_GAIN = 0.01
# A gap of a tenth of the validation loss, or of 10 points of accuracy: the level at which a
# growing gap is called overfitting (advice on curves). A convention; --max-gap overrides it.
DEFAULT_MAX_GAP = 0.1
_STEPS = (1.0, 2.0, 5.0)
_MOST_ROWS = 14
_BEYOND = 100.0  # times the largest and a hundredth of the smallest fitted size are searched
_BISECTIONS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The largest gap that is accepted; a share of the validation value if `relative`."""

    value: float
    relative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    fit: Fit
    gap: GapFit | None
    limit: Limit
    data: dict[str, float]
    level: float

    def point(self, params: float) -> ForecastPoint:
        at = {**self.data, "params": params, "active_params": params}
        return forecast_at(self.fit, at)

    def error(self, params: float) -> float:
        """Return what falls as models improve: the metric, or 1 - accuracy."""
        value = self.point(params).value
        return 1.0 - value if self.fit.metric.kind == "accuracy" else value

    def gap_at(self, params: float) -> tuple[float, float, float] | None:
        if self.gap is None:
            return None
        at = {**self.data, "params": params, "active_params": params}
        return predicted_gap(self.gap, at, level=self.level)

    def largest_gap(self, params: float) -> float:
        scale = abs(self.point(params).value) if self.limit.relative else 1.0
        return self.limit.value * scale

    def overfits(self, params: float) -> bool:
        found = self.gap_at(params)
        return found is not None and found[0] > self.largest_gap(params)

    def gain(self, params: float) -> float:
        now, doubled = self.error(params), self.error(2.0 * params)
        return (now - doubled) / abs(now) if now else 0.0

    def ratio(self, params: float) -> float | None:
        if "tokens" not in self.fit.inputs or not has_balance(self.fit):
            return None
        return marginal_ratio(self.fit, params, self.data["tokens"])

    def underfits(self, params: float) -> bool:
        ratio = self.ratio(params)
        if ratio is not None:
            return ratio > _LOPSIDED
        noise = self.fit.main.noise or 0.0
        if self.fit.main.residual == "raw":
            noise /= abs(self.error(params)) or 1.0
        return self.gain(params) > max(_LEAST_GAIN, noise)


def size_plan(
    fit: Fit,
    gap: GapFit | None,
    *,
    data: Mapping[str, float],
    params: Sequence[float] = (),
    limit: Limit,
) -> SizePlan:
    """Return a table over sizes on one data set, and the range between underfit and overfit.

    A size underfits if parameters bind: 1% more of them buys over twice what 1% more data buys, or,
    for laws of size alone, if doubling it still improves the metric by more than 1% and the scatter
    of a run. It overfits if the predicted gap passes the limit.

    Args:
        fit: A law of params, with or without data.
        gap: The fitted gap, None where it is not known.
        data: The data set by role: `tokens`, `unique_tokens`; what fit and gap need.
        params: Sizes of the table; empty takes some around the fitted ones.
        limit: The largest gap that is accepted.

    Raises:
        UsageError: If the law needs more than size and data.
        PlanError: If the law does not depend on the size.
    """
    level = fit.interval.level if fit.interval is not None else 0.9
    question = _Question(fit=fit, gap=gap, limit=limit, data=_needed(fit, gap, data), level=level)
    sized = next((r for r in fit.ranges if r.role in {"params", "active_params"}), None)
    if sized is None:
        raise PlanError(
            f"{fit.name} is a law of {', '.join(fit.input_columns)}, not of params",
            hint="Name the size with --columns params=COLUMN.",
        )
    table = tuple(params) or _sizes(sized.low, sized.high)
    rows = tuple(_row(question, each) for each in table)
    ends = (sized.low / _BEYOND, sized.high * _BEYOND)
    # Where every size underfits the largest searched one stands for its end.
    low = _threshold(lambda n: not question.underfits(n), *ends) or ends[1]
    high = _threshold(question.overfits, *ends)
    return SizePlan(
        fit_name=fit.name, law=fit.law, formula=fit.formula, metric=fit.metric,
        data=tuple(question.data.items()), gap=gap, max_gap=limit.value,
        max_gap_relative=limit.relative,
        params_low=low if low > ends[0] else None, params_high=high,
        possible=high is None or low <= high, rows=rows,
        interval=forecast_interval(fit), cleaning=fit.cleaning, notes=(),
        assumptions=(*_assumptions(question), *fit.assumptions),
    )  # fmt: skip


def _needed(fit: Fit, gap: GapFit | None, data: Mapping[str, float]) -> dict[str, float]:
    roles = [*fit.inputs, *(gap.inputs if gap is not None else ())]
    if not {"params", "active_params"} & set(fit.inputs):
        raise PlanError(
            f"{fit.name} is a law of {', '.join(fit.input_columns)}, not of params",
            hint="Fit a law of params, for example with --law chinchilla or --input params.",
        )
    wanted = [r for r in dict.fromkeys(roles) if r not in {"params", "active_params"}]
    missing = [r for r in wanted if r not in data]
    if missing:
        raise UsageError(
            f"the data set is not known: {' and '.join(missing)}",
            hint=f"Give --{missing[0].replace('_', '-')}.",
        )
    return {role: data[role] for role in wanted}


def _sizes(low: float, high: float) -> tuple[float, ...]:
    """Return round sizes from a third of the smallest to thirty times the largest fitted one."""
    first, last = math.floor(math.log10(low / 3.0)), math.ceil(math.log10(high * 30.0))
    made = [
        step * 10.0**power for power in range(first, last + 1) for step in _STEPS
        if low / 3.0 <= step * 10.0**power <= high * 30.0
    ]  # fmt: skip
    thinned = made[:: -(-len(made) // _MOST_ROWS)]
    return tuple(thinned)


def _row(question: _Question, params: float) -> SizeRow:
    point, gap = question.point(params), question.gap_at(params)
    ratio = question.ratio(params)
    return SizeRow(
        params=params, value=point.value, low=point.low, high=point.high,
        gap=None if gap is None else gap[0], gap_low=None if gap is None else gap[1],
        gap_high=None if gap is None else gap[2], marginal_ratio=ratio,
        doubling_gain=question.gain(params), decades_beyond_data=point.decades_beyond_data,
        verdict=_verdict(question, params, ratio),
    )  # fmt: skip


def _verdict(question: _Question, params: float, ratio: float | None) -> SizeVerdict:
    under, over = question.underfits(params), question.overfits(params)
    if under and over:
        return "underfit and overfit"
    if under or over:
        return "underfit" if under else "overfit"
    return "data-limited" if ratio is not None and ratio < 1.0 / _LOPSIDED else "good"


def _threshold(test: Callable[[float], bool], low: float, high: float) -> float | None:
    """Return the size from which a test holds, by bisection in logs; None if it holds nowhere."""
    if test(low):
        return low
    if not test(high):
        return None
    left, right = math.log(low), math.log(high)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (left + right)
        if test(math.exp(middle)):
            right = middle
        else:
            left = middle
    return math.exp(right)


def _assumptions(question: _Question) -> tuple[Assumption, ...]:
    limit = question.limit
    return (
        Assumption(
            name="largest gap that is accepted",
            value=limit.value, unit="of the validation value" if limit.relative
            else question.fit.metric.unit,
            source="--max-gap; default a tenth, a convention",
        ),
        Assumption(
            name="underfit", value="1% more parameters buys over 2 times what 1% more data buys"
            if question.ratio(1.0) is not None
            else "doubling the size gains over 1% and over the scatter of a run",
            source="marginal returns under the fitted law; a convention",
        ),
    )  # fmt: skip
