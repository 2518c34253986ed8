"""Forecasts from a fit: which points were asked for, and what the law says there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from scaleplan.errors import UsageError
from scaleplan.fitting.interval import decades_beyond, edge_of, predict
from scaleplan.planning.allocation import has_optimum, optimal_split, optimal_split_given
from scaleplan.planning.samples import check_compute, knows_compute
from scaleplan.records import Fit, Forecast, ForecastPoint, Interval
from scaleplan.units import format_number_of, format_percent, format_significant

Point = dict[str, float]


def forecast(
    fit: Fit,
    *,
    params: Sequence[float] = (),
    tokens: Sequence[float] = (),
    flops: Sequence[float] = (),
    inputs: Sequence[float] = (),
    others: Mapping[str, float] | None = None,
    then: Fit | None = None,
) -> Forecast:
    """Predict the metric at the points asked for.

    Args:
        fit: A fit of runs, or a published law.
        params: Model sizes; with tokens every combination is predicted.
        tokens: Training tokens.
        flops: Training compute, FLOP. Alone, for a law of params and tokens: the compute-optimal
            split. With params or tokens: the other follows from C = k N D.
        inputs: Values of the single input of a law of any other column.
        others: What the law needs besides, by role: unique tokens, experts, the level of a label.
        then: A second fit, whose input is what the first predicts: it is taken that much further.

    Raises:
        UsageError: If the points do not give what the law needs, or the second fit does not begin
            where the first ends.
    """
    points = _points(fit, list(params), list(tokens), list(flops), list(inputs), dict(others or {}))
    result = Forecast(
        fit_name=fit.name, law=fit.law, formula=fit.formula, input_columns=fit.input_columns,
        metric=fit.metric, points=tuple(forecast_at(fit, point) for point in points),
        interval=forecast_interval(fit), notes=(), assumptions=fit.assumptions,
    )  # fmt: skip
    if then is None:
        return result
    from scaleplan.planning.chain import chained

    return chained(result, fit, then, points)


def forecast_interval(fit: Fit) -> Interval | None:
    """Return how intervals of forecasts are made, in words."""
    if fit.main.covariance is None or fit.main.noise is None or fit.interval is None:
        return None
    dof = fit.main.dof
    parts = [f"delta method with run noise, t quantile with {dof} degrees of freedom"]
    if fit.alternatives:
        names = ", ".join(other.law for other in fit.alternatives)
        parts.append(f"mixture with the admissible {names}")
    if fit.main.further:
        parts.append("the limit as far on as its profile goes, and no turn beyond the runs")
    widening = fit.widening
    growth = format_percent(widening.share * widening.change, 2)
    if fit.main.residual == "raw":
        growth = f"{format_significant(widening.share * widening.change, 2)} {fit.metric.unit}"
    source = "not back-tested"
    if widening.errors:
        source = (
            f"from a back-test of {format_number_of(widening.errors, 'forecast')} up to "
            f"{widening.decades_tested:.1f} decades"
        )
    form = f"{growth.strip()} x sqrt(decades beyond the data){one_side(fit)}"
    parts.append(f"error of the form {form}, {source}")
    return Interval(level=fit.interval.level, method="; ".join(parts), n=fit.interval.n)


def one_side(fit: Fit) -> str:
    """Say on which side the error of the form counts more; nothing where both are alike."""
    below, above = fit.widening.below, fit.widening.above
    if fit.complement:
        below, above = above, below
    if below == above:
        return ""
    more, side = (below / above, "lower") if below > above else (above / below, "higher")
    return f", {more:g} times that towards {side} values"


def forecast_at(fit: Fit, point: Point) -> ForecastPoint:
    """Predict the metric at one point that has all inputs of the law, by role."""
    at = [point[role] for role in fit.inputs]
    fits = (fit.main, *fit.alternatives)
    decades = decades_beyond(fit.ranges, point)
    level = fit.interval.level if fit.interval is not None else 0.9
    found = predict(
        fits, [at] * len(fits), widening=fit.widening, decades=decades, level=level,
        edge=edge_of(fit.ranges, fit.inputs, point),
    )  # fmt: skip
    value = 1.0 - found.value if fit.complement else found.value
    low, high = _as_metric(fit, value, found.low, found.high)
    mean_low, mean_high = _as_metric(fit, value, found.mean_low, found.mean_high)
    return ForecastPoint(
        params=point.get("params"), tokens=point.get("tokens"), flops=point.get("flops"),
        input_value=at[0] if len(at) == 1 and fit.inputs[0] not in _NAMED else None,
        value=value, low=low, high=high, decades_beyond_data=decades, mean_low=mean_low,
        mean_high=mean_high, others=tuple((role, point[role]) for role in further_inputs(fit)),
    )  # fmt: skip


def _as_metric(
    fit: Fit, value: float, low: float | None, high: float | None
) -> tuple[float | None, float | None]:
    """Return bounds on what the law was fitted to as bounds on the metric.

    Args:
        fit: The fit.
        value: The metric that is predicted.
        low: Lower bound on what was fitted, which for accuracies is 1 - accuracy.
        high: Upper bound.
    """
    if low is None or high is None:
        return None, None
    if fit.complement:
        low, high = 1.0 - high, 1.0 - low
    if fit.metric.bounded and 0.0 <= value <= 1.0:
        # The metric cannot leave [0, 1], so neither can a bound on it; a law that has left it
        # gets its bounds as they are, and a note.
        low, high = max(0.0, low), min(1.0, high)
    return low, high


_NAMED = {"params", "tokens", "flops"}


def further_inputs(fit: Fit) -> tuple[str, ...]:
    """Return the roles that a law needs besides parameters and tokens, or its single input."""
    return tuple(role for role in fit.inputs[1:] if role not in _NAMED)


def _points(
    fit: Fit, params: list[float], tokens: list[float], flops: list[float], inputs: list[float],
    others: Point,
) -> list[Point]:  # fmt: skip
    needed = further_inputs(fit)
    unknown = [role for role in others if role not in needed]
    if unknown:
        takes = f"takes {', '.join(needed)}" if needed else "takes nothing besides its inputs"
        message = f"the {fit.law} law of this fit has no input {unknown[0]}; it {takes}"
        raise UsageError(message, hint="Leave it out of --with.")
    lacking = [role for role in needed if role not in others]
    if lacking:
        message = f"the {fit.law} law of this fit needs {' and '.join(lacking)} besides"
        values = ",".join(
            f"{role}={fit.levels[0] if role == 'level' and fit.levels else 'NUMBER'}"
            for role in lacking
        )
        raise UsageError(message, hint=f"Give --with {values}.")
    made = _main_points(fit, params, tokens, flops, inputs, [others[role] for role in needed])
    active = fit.inputs[0] == "active_params"
    return [
        {**point, **others, **({"active_params": point["params"]} if active else {})}
        for point in made
    ]


def _main_points(
    fit: Fit, params: list[float], tokens: list[float], flops: list[float], inputs: list[float],
    others: list[float],
) -> list[Point]:  # fmt: skip
    if inputs:
        return _single_points(fit, params, tokens, flops, inputs)
    k = fit.flops_per_param_token
    if params and tokens and flops:
        message = "--params, --tokens and --flops together say the same thing twice"
        raise UsageError(message, hint="Give any two of them; the third follows from C = k N D.")
    if flops and fit.inputs != ("flops",):
        check_compute(fit)
    if params and tokens:
        made = [_point(n, d, k * n * d) for n, d in itertools.product(params, tokens)]
        if not knows_compute(fit):
            made = [{"params": one["params"], "tokens": one["tokens"]} for one in made]
    elif params and flops:
        made = [_point(n, c / (k * n), c) for n, c in itertools.product(params, flops)]
    elif tokens and flops:
        made = [_point(c / (k * d), d, c) for d, c in itertools.product(tokens, flops)]
    elif flops:
        made = [_optimal(fit, c, others) for c in flops]
    elif params:
        made = [{"params": n} for n in params]
    elif tokens:
        made = [{"tokens": d} for d in tokens]
    else:
        made = []
    known = set(made[0]) if made else set()
    known |= {"active_params"} if "params" in known else set()  # what --params counts there
    missing = [role for role in fit.inputs[: len(fit.inputs) - len(others)] if role not in known]
    if missing:
        raise _needs(fit, missing)
    return made


def _point(params: float, tokens: float, flops: float) -> Point:
    return {"params": params, "tokens": tokens, "flops": flops}


def _optimal(fit: Fit, flops: float, others: list[float]) -> Point:
    if fit.inputs[0] == "flops":
        return {"flops": flops}
    if others and "tokens" in fit.inputs[:2]:
        params, tokens = optimal_split_given(fit, flops, others)
        return _point(params, tokens, flops)
    if not has_optimum(fit):
        message = f"no compute-optimal size follows from this {fit.law} fit"
        raise UsageError(message, hint="Give --params and --tokens.")
    params, tokens = optimal_split(fit, flops)
    return _point(params, tokens, flops)


def _single_points(
    fit: Fit, params: list[float], tokens: list[float], flops: list[float], inputs: list[float]
) -> list[Point]:
    if params or tokens or flops:
        message = "--at cannot be combined with --params, --tokens or --flops"
        raise UsageError(message, hint="--at gives the value of the law's single input.")
    if len(fit.inputs) != 1:
        raise _needs(fit, list(fit.inputs))
    return [{fit.inputs[0]: value} for value in inputs]


def _needs(fit: Fit, missing: list[str]) -> UsageError:
    flags = [f"--{role}" if role in _NAMED else "--at" for role in missing]
    columns = ", ".join(fit.input_columns)
    return UsageError(
        f"the {fit.law} law of this fit needs {' and '.join(missing)} ({columns})",
        hint=f"Give {' and '.join(dict.fromkeys(flags))}"
        + (", or --flops for the compute-optimal split." if has_optimum(fit) else "."),
    )
