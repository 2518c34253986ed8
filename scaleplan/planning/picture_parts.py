"""What pictures of fits have in common: their runs, their axes, and a law as a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scaleplan.planning.allocation import has_optimum, optimal_split
from scaleplan.planning.forecast import forecast_at
from scaleplan.planning.samples import samples_of
from scaleplan.records import Fit, ForecastPoint, Trace

if TYPE_CHECKING:
    from scaleplan.runs.table import Runs

Row = tuple[dict[str, float], float]  # inputs by role, and the metric
BEYOND = 100.0  # times the largest run that the law and its band are drawn
_POINTS = 80
NAMES = {"params": "parameters", "tokens": "training tokens", "flops": "training compute (FLOP)",
         "active_params": "active parameters", "unique_tokens": "unique tokens"}  # fmt: skip


def fitted_rows(fit: Fit, runs: Runs) -> list[Row]:
    """Return the inputs by role, and the metric, of the runs that have all of them."""
    rows = []
    roles = [r for r in ("params", "active_params", "tokens", "flops", *fit.inputs)
             if runs.has(r)]  # fmt: skip
    for i in range(len(runs)):
        given = {role: float(runs.column(role)[i]) for role in dict.fromkeys(roles)}
        size = "active_params" if "active_params" in fit.inputs else "params"
        if "flops" not in given and {size, "tokens"} <= set(given):
            given["flops"] = fit.flops_per_param_token * given[size] * given["tokens"]
        value = float(runs.value[i])
        if all(math.isfinite(given.get(role, math.nan)) for role in fit.inputs) and (
            math.isfinite(value)
        ):
            rows.append((given, value))
    return rows


def axis_of(fit: Fit) -> str:
    """Return what the law is drawn against: compute for laws of size and data."""
    return "flops" if len(fit.inputs) > 1 and has_optimum(fit) else fit.inputs[0]


def axis_value(fit: Fit, given: dict[str, float]) -> float:
    """Return where a run or forecast lies on that axis."""
    role = axis_of(fit)
    return given.get(role, given.get("input", given.get("params", math.nan)))


def axis_label(fit: Fit, role: str) -> str:
    """Return what the axis of a role is called."""
    if role in fit.inputs and role not in NAMES:
        return fit.input_columns[fit.inputs.index(role)]
    return samples_of(fit, role) or NAMES.get(role, role)


def _on_axis(fit: Fit, role: str, x: float) -> ForecastPoint | None:
    if role != "flops" or len(fit.inputs) == 1:
        return forecast_at(fit, {role: x}) if len(fit.inputs) == 1 else None
    params, tokens = optimal_split(fit, x)
    return forecast_at(fit, {"params": params, "active_params": params, "tokens": tokens,
                             "flops": x})  # fmt: skip


def metric_label(fit: Fit) -> str:
    """Return the metric with its unit."""
    return f"{fit.metric.name} ({fit.metric.unit})" if fit.metric.unit else fit.metric.name


def law_trace(fit: Fit, role: str, xs: Sequence[float], name: str, *, band: bool = True) -> Trace:
    """Return a law as a line over one axis, with the interval of new runs where it is known.

    Args:
        fit: The fit.
        role: What the axis is.
        xs: Where on it.
        name: What the line is called.
        band: Whether the interval is wanted.
    """
    points = [(x, _on_axis(fit, role, x)) for x in xs]
    kept = [(x, p) for x, p in points if p is not None and math.isfinite(p.value)]
    banded = band and all(p.low is not None and p.high is not None for _, p in kept)
    return Trace(
        name=name, look="law", x=tuple(x for x, _ in kept), y=tuple(p.value for _, p in kept),
        low=tuple(p.low or 0.0 for _, p in kept) if banded else (),
        high=tuple(p.high or 0.0 for _, p in kept) if banded else (),
    )  # fmt: skip


def logspace(low: float, high: float, points: int = _POINTS) -> tuple[float, ...]:
    """Return values from low to high at even ratios."""
    step = math.log(high / low) / (points - 1)
    return tuple(low * math.exp(i * step) for i in range(points))
