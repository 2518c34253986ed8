"""Intervals of parameters, each with the way it was made."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.profile import profile_interval
from scaleplan.fitting.recipe import reached
from scaleplan.fitting.resampling import IntervalKind, Resamples, percentile
from scaleplan.records import Interval, Note, Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws import ParameterSpec

# Beyond this a profile takes longer than the fit, and no estimate lies at a bound by chance.
_PROFILE_MOST_RUNS = 5_000
_Bounds = tuple[float, float] | None


def parameters_of(
    fitted: Fitted,
    draws: Resamples | None,
    *,
    level: float,
    unit: str,
    kind: IntervalKind = "auto",
) -> tuple[tuple[Parameter, ...], Interval | None]:
    """Return the parameters with intervals, and how these were made.

    A parameter at a bound of its range gets its profile interval under every kind: there the
    delta method has no derivative to go by, and resamples pile up on the bound (Andrews 2000,
    Econometrica 68, 399).

    Args:
        fitted: The fit.
        draws: Resampled parameters; None uses the delta method.
        level: For example 0.9.
        unit: The metric's unit, for parameters measured in it.
        kind: `profile` for the profile likelihood of all parameters.

    Returns:
        The parameters, and the method that holds for those that name none of their own; None
        without a run to spare.

    Raises:
        FitError: If profiles were asked for and the objective has no scale for them.
    """
    runs = fitted.values.size
    delta = fitted.covariance is not None and fitted.dof >= 1
    method = "none: no runs to spare"
    if draws is not None:
        method = draws.method
    elif delta:
        method = f"delta method, t quantile with {fitted.dof} degrees of freedom"
    records = tuple(
        _parameter(fitted, draws, k, level=level, unit=unit, kind=kind)
        for k in range(len(fitted.law.parameters))
    )
    own = {record.method for record in records if not record.fixed}
    if kind == "profile" and own == {""}:
        raise FitError(
            "no profile likelihood: there are no runs to spare, the fit is exact, or fewer than "
            "half of the runs lie inside Huber's threshold",
            hint="Give a larger --delta, or use --interval delta.",
        )
    if kind == "profile" and len(own) == 1 and "" not in own:
        method = own.pop()
        records = tuple(replace(record, method="") for record in records)
    interval = Interval(level=level, method=method, n=runs) if runs > fitted.free else None
    return records, interval


def _parameter(
    fitted: Fitted, draws: Resamples | None, k: int, *, level: float, unit: str, kind: IntervalKind
) -> Parameter:
    """Return one parameter with its interval."""
    spec, value = fitted.law.parameters[k], float(fitted.theta[k])
    fixed = bool(fitted.fixed[k])
    at_bound = not fixed and (_at_bound(spec, value) or _at_limit(fitted, spec, value))
    bounds, method = None, ""
    if fixed:
        pass  # what is held is given, not estimated
    elif kind == "profile" or (at_bound and fitted.values.size <= _PROFILE_MOST_RUNS):
        profile = profile_interval(fitted, k, level=level)
        if profile is not None:
            bounds, method = (profile.low, profile.high), profile.method
    if not method and not fixed:
        bounds = (
            _delta_bounds(fitted, k, level) if draws is None
            else percentile(draws.theta[:, k], level)
        )  # fmt: skip
    low, high = (None, None) if bounds is None else bounds
    return Parameter(
        symbol=spec.symbol, meaning=spec.meaning, value=value, low=low, high=high,
        unit=unit if spec.unit == "metric" else spec.unit, at_bound=at_bound, method=method,
        fixed=fixed,
    )  # fmt: skip


def _delta_bounds(fitted: Fitted, k: int, level: float) -> _Bounds:
    if fitted.covariance is None or fitted.dof < 1:
        return None
    value = float(fitted.theta[k])
    error = math.sqrt(max(0.0, float(fitted.covariance[k, k])))
    factor = t_quantile(0.5 + 0.5 * level, float(fitted.dof))
    spec = fitted.law.parameters[k]
    if spec.scale == "log" and value > 0.0:
        # Coefficients are log-normal to first order: their interval is a factor, not a sum.
        stretch = math.exp(min(factor * error / value, 50.0))
        return value / stretch, value * stretch
    # An estimate beyond its range, which the solver of sums of powers allows, is held all the same.
    low = value - factor * error if value < spec.low else max(spec.low, value - factor * error)
    high = value + factor * error if value > spec.high else min(spec.high, value + factor * error)
    return low, high


def _at_limit(fitted: Fitted, spec: ParameterSpec, value: float) -> bool:
    """Tell whether a parameter ended at a bound that the user gave."""
    return any(
        limit.symbol == spec.symbol and reached(bound, value)
        for limit in fitted.recipe.limits
        for bound in (limit.low, limit.high)
    )


def _at_bound(spec: ParameterSpec, value: float) -> bool:
    """Tell whether a floor is zero, or an exponent within 1e-3 of an end of its range or beyond."""
    if spec.is_floor:
        return value <= spec.low
    if spec.unit:
        return False
    low, high = (1e-3 * max(1.0, abs(bound)) for bound in (spec.low, spec.high))
    return (math.isfinite(spec.low) and value <= spec.low + low) or (
        math.isfinite(spec.high) and value >= spec.high - high
    )


def bias_notes(parameters: Sequence[Parameter], draws: Resamples | None) -> tuple[Note, ...]:
    """Return a note on estimates outside of their own percentile interval, if there are any.

    Args:
        parameters: The parameters with their intervals.
        draws: The resamples that these came from; None if they came from none.
    """
    if draws is None:
        return ()
    said = []
    for k, parameter in enumerate(parameters):
        low, high = parameter.low, parameter.high
        if parameter.method or low is None or high is None or low <= parameter.value <= high:
            continue
        above = float(np.mean(draws.theta[:, k] > parameter.value))
        said.append(f"{parameter.symbol} ({100.0 * above:.0f}% of the resamples lie above it)")
    if not said:
        return ()
    return (
        Note(
            id="BIASED_RESAMPLES", severity="warning",
            text=f"The interval does not contain the estimate of {', '.join(said)}: refits to "
            "resamples are shifted against the fit, which the runs barely determine.",
            action="Compare with --interval profile, and add runs.",
        ),
    )  # fmt: skip
