"""What the types of a saved fit cannot say: that its numbers are possible and belong together.

A fit file is text, and people edit it. Every number that a forecast or a plan uses is held here
against what a fit can be, in plain Python: `budget` reads a fit on every call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scaleplan.errors import InputError, UsageError
from scaleplan.laws import (
    ComputeFactors,
    Law,
    OptimizerFactors,
    ParameterSpec,
    PowerSumLaw,
    get_law,
)
from scaleplan.records import Fit, LawFit

# Numbers are written with all their digits; this only forgives a rounding of the last ones.
_SAME = 1e-9
_AGAIN = "The file is cut off or was edited; make it again with `scaleplan fit RUNS -o fit.yaml`."
_ANY, _POSITIVE, _NOT_NEGATIVE = "a finite number", "a positive number", "zero or positive"
_SCATTER, _MOST_SCATTER = "zero or positive, and below 1e100", 1e100  # its square is a number too


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A field that no fit can hold: where, what was found, and what is allowed."""

    where: str
    found: str
    allowed: str


def check_values(fit: Fit, path: str) -> None:
    """Refuse a fit whose numbers no fit of scaleplan can hold.

    Args:
        fit: As it was read.
        path: The file, for the error.

    Raises:
        InputError: If a law is unknown; if a number is not finite, outside the bounds of its law or
            of the wrong sign; or if the parameters shown are not those that forecasts use.
    """
    for wrong in _all_wrong(fit):
        message = f"is not a usable fit: {wrong.where} is {wrong.found}; it must be {wrong.allowed}"
        raise InputError(message, file=path, hint=_AGAIN)


def _all_wrong(fit: Fit) -> Iterator[_Wrong]:
    parts = {"main": fit.main}
    parts.update({f"alternatives[{i}]": part for i, part in enumerate(fit.alternatives)})
    for where, part in parts.items():
        known = fit.parameters if part is fit.main else ()
        marked = tuple(i for i, parameter in enumerate(known) if parameter.at_bound)
        yield from _wrong_law(part, where, fit.inputs, None if part is not fit.main else marked)
    if len(fit.input_columns) != len(fit.inputs):
        yield _Wrong("input_columns", f"a list of {len(fit.input_columns)}", "one for each input")
    if fit.main.law != fit.law:
        yield _Wrong("law", repr(fit.law[:40]), f"that of main, {fit.main.law!r}")
    yield from _wrong_parameters(fit)
    yield from _wrong_widening(fit)
    yield from _number("flops_per_param_token", fit.flops_per_param_token, _POSITIVE)
    yield from _number("flops_per_active_token", fit.flops_per_active_token, _POSITIVE)
    yield from _wrong_places(fit)
    for name, interval in (("interval", fit.interval), ("optimum_interval", fit.optimum_interval)):
        if interval is not None and not 0.0 < interval.level < 1.0:
            yield _Wrong(f"{name}.level", f"{interval.level:g}", "between 0 and 1")
        if interval is not None and interval.n < 0:
            yield _Wrong(f"{name}.n", f"{interval.n:g}", _NOT_NEGATIVE)


def _number(where: str, value: float | None, allowed: str) -> Iterator[_Wrong]:
    """Yield what is wrong with a number; None, where nothing is known, never is."""
    if value is None:
        return
    right = math.isfinite(value) and (
        allowed == _ANY or value > 0.0 or (value == 0.0 and allowed == _NOT_NEGATIVE)
    )
    if not right:
        yield _Wrong(where, f"{value:g}", allowed)


def _law_of(part: LawFit, where: str) -> Law | _Wrong:
    """Return the law of a part, one of as many levels as its parameters are for."""
    try:
        law = get_law(part.law)
    except UsageError as error:
        return _Wrong(f"{where}.law", repr(part.law[:40]), f"a law: {error.message}")
    size = len(part.theta)
    if not law.takes(size):
        count = f"{size} numbers"
        return _Wrong(f"{where}.theta", count, f"{len(law.parameters)} for the {law.name} law")
    if isinstance(law, OptimizerFactors):
        return OptimizerFactors((size - len(law.parameters)) // 2 + 2)
    if isinstance(law, ComputeFactors):
        return ComputeFactors(size - len(law.parameters) + 2)
    return law


def _wrong_law(
    part: LawFit, where: str, inputs: tuple[str, ...], marked: tuple[int, ...] | None
) -> Iterator[_Wrong]:
    """Yield what is wrong with one law of a fit.

    Args:
        part: The law and its numbers.
        where: Its place in the file.
        inputs: The inputs of the fit.
        marked: Which of its parameters the file says are at or beyond the end of their range; None
            where it does not say so of any, as of alternatives.
    """
    law = _law_of(part, where)
    if isinstance(law, _Wrong):
        yield law
        return
    if inputs != law.inputs if law.inputs != ("x",) else len(inputs) != 1:
        expected = "any single column" if law.inputs == ("x",) else ", ".join(law.inputs)
        yield _Wrong("inputs", ", ".join(inputs), f"{expected} for the {law.name} law of {where}")
    if law.residual == "raw" and part.residual != "raw":
        yield _Wrong(f"{where}.residual", part.residual, f"raw for the {law.name} law")
    for i, (spec, value) in enumerate(zip(law.parameters, part.theta, strict=True)):
        name = f"{where}.theta[{i}] ({spec.symbol})"
        yield from _number(name, value, _ANY)
        said = _may_lie_beyond(law, spec) and (marked is None or i in marked)
        room = _SAME * max(abs(spec.low), abs(spec.high), 1.0) if math.isfinite(spec.high) else 0.0
        if not said and not spec.low - room <= value <= spec.high + room:
            yield _Wrong(name, f"{value:g}", f"from {spec.low:g} to {spec.high:g}")
    if part.further and len(part.further) != len(part.theta):
        count = f"{len(part.further)} numbers"
        yield _Wrong(f"{where}.further", count, f"none, or {len(part.theta)}")
    for i, value in enumerate(part.further):
        yield from _number(f"{where}.further[{i}]", value, _ANY)
    yield from _wrong_covariance(part, where)
    yield from _number(f"{where}.noise", part.noise, _NOT_NEGATIVE)
    if part.noise is not None and part.noise >= _MOST_SCATTER:
        yield _Wrong(f"{where}.noise", f"{part.noise:g}", _SCATTER)
    yield from _number(f"{where}.dof", part.dof, _NOT_NEGATIVE)


def _may_lie_beyond(law: Law, spec: ParameterSpec) -> bool:
    """Tell whether a fit may end beyond a parameter's range: exponents of sums of powers may.

    Their solver holds floors only, so that steep runs get the law that meets them. Such a fit says
    so (`at_bound`, and a warning); one that does not was edited.
    """
    return isinstance(law, PowerSumLaw) and not spec.unit


def _wrong_covariance(part: LawFit, where: str) -> Iterator[_Wrong]:
    rows, size = part.covariance, len(part.theta)
    if rows is None:
        return
    if [len(row) for row in rows] != [size] * size:
        yield _Wrong(f"{where}.covariance", "of another shape", f"{size} rows of {size} numbers")
        return
    scales = [value * value or 1.0 for value in part.theta]
    # Of runs that barely tell the parameters apart a variance of zero may be rounded below zero:
    # by a share of the largest relative one.
    largest = max((rows[i][i] / scale for i, scale in enumerate(scales)), default=0.0)
    for i, row in enumerate(rows):
        for k, value in enumerate(row):
            name = f"{where}.covariance[{i}][{k}]"
            yield from _number(name, value, _ANY)
            if i == k and value < -_SAME * scales[i] * max(1.0, largest):
                yield _Wrong(name, f"{value:g}", f"a variance, {_NOT_NEGATIVE}")


def _wrong_parameters(fit: Fit) -> Iterator[_Wrong]:
    """Yield where the parameters that are shown are not those that forecasts use."""
    theta = fit.main.theta
    if len(fit.parameters) != len(theta):
        yield _Wrong("parameters", f"a list of {len(fit.parameters)}", f"one of {len(theta)}")
    for i, (parameter, value) in enumerate(zip(fit.parameters, theta, strict=False)):
        where, symbol = f"parameters[{i}]", parameter.symbol
        if not math.isclose(parameter.value, value, rel_tol=_SAME):
            found = f"{parameter.value!r} ({symbol})"
            yield _Wrong(f"{where}.value", found, f"main.theta[{i}], {value!r}")
        for name, bound in (("low", parameter.low), ("high", parameter.high)):
            if bound is not None and math.isnan(bound):
                yield _Wrong(f"{where}.{name}", "nan", "a number or null")


def _wrong_widening(fit: Fit) -> Iterator[_Wrong]:
    widening, laws = fit.widening, 1 + len(fit.alternatives)
    for name in ("share", "change", "decades_tested", "median_error"):
        yield from _number(f"widening.{name}", getattr(widening, name), _NOT_NEGATIVE)
    for name in ("below", "above"):
        yield from _number(f"widening.{name}", getattr(widening, name), _POSITIVE)
    if len(widening.weights) != laws:
        found = f"a list of {len(widening.weights)}"
        yield _Wrong("widening.weights", found, f"one number for each of {laws} laws")
    for i, weight in enumerate(widening.weights):
        yield from _number(f"widening.weights[{i}]", weight, _NOT_NEGATIVE)
    total = math.fsum(widening.weights)
    if not math.isclose(total, 1.0, rel_tol=1e-6):
        yield _Wrong("widening.weights", f"{total:g} in all", "1 in all")


def _wrong_places(fit: Fit) -> Iterator[_Wrong]:
    """Yield what is wrong with where the runs lie, and with the optimal sizes."""
    for i, each in enumerate(fit.ranges):
        yield from _number(f"ranges[{i}].low", each.low, _ANY)
        yield from _number(f"ranges[{i}].high", each.high, _ANY)
        if each.low > each.high:
            yield _Wrong(f"ranges[{i}].low", f"{each.low:g}", f"at most its high, {each.high:g}")
    for i, corner in enumerate(fit.hull):
        for k, value in enumerate(corner):
            yield from _number(f"hull[{i}][{k}]", value, _POSITIVE)
    for i, row in enumerate(fit.optimum):
        for name in ("flops", "params", "tokens"):
            yield from _number(f"optimum[{i}].{name}", getattr(row, name), _POSITIVE)
