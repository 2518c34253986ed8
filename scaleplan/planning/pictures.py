"""Pictures of fits, forecasts and plans, as panels of points, lines and bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scaleplan.laws import get_law
from scaleplan.planning.allocation import has_optimum, optimal_split
from scaleplan.planning.forecast import forecast_at
from scaleplan.records import Contours, Fit, ForecastPoint, Panel, Picture, Plan, Trace
from scaleplan.units import format_count

if TYPE_CHECKING:
    from scaleplan.runs.table import Runs

_POINTS = 80
_BEYOND = 100.0  # times the largest run that the law and its band are drawn
_GRID = 48
_NAMES = {"params": "parameters", "tokens": "training tokens", "flops": "training compute (FLOP)",
          "active_params": "active parameters", "unique_tokens": "unique tokens"}  # fmt: skip


def fit_picture(fit: Fit, runs: Runs) -> Picture:
    """Return a fit's picture: runs with the law and its band, residuals, and contours.

    Args:
        fit: The fit.
        runs: The runs it was fitted to.
    """
    rows = _fitted_rows(fit, runs)
    panels = [_law_panel(fit, rows), _residual_panel(fit, rows)]
    if len(fit.inputs) == 2 and has_optimum(fit):
        panels.append(_contour_panel(fit, rows))
    return Picture(title=fit.name, panels=tuple(panels))


def forecast_picture(fit: Fit, points: Sequence[ForecastPoint]) -> Picture:
    """Return the law with its band, and the forecasts on it.

    Args:
        fit: The fit.
        points: Forecasts from it.
    """
    at = [(_axis_value(fit, _given(point)), point) for point in points]
    panel = _law_panel(fit, [], reach=max((x for x, _ in at if math.isfinite(x)), default=0.0))
    marks = Trace(
        name="forecast", look="mark", x=tuple(x for x, _ in at), y=tuple(p.value for _, p in at),
        low=tuple(p.value if p.low is None else p.low for _, p in at),
        high=tuple(p.value if p.high is None else p.high for _, p in at),
    )  # fmt: skip
    return Picture(
        title=fit.name,
        panels=(Panel(
            title=panel.title, x_label=panel.x_label, y_label=panel.y_label,
            x_scale=panel.x_scale, y_scale=panel.y_scale, traces=(*panel.traces, marks),
        ),),
    )  # fmt: skip


def plan_picture(plan: Plan) -> Picture:
    """Return time and cost against the number of accelerators.

    Args:
        plan: A plan with its rows.
    """
    time, cost = [], []
    for part in dict.fromkeys(row.gpu for row in plan.rows):
        rows = sorted((r for r in plan.rows if r.gpu == part), key=lambda row: row.gpus)
        gpus = tuple(float(row.gpus) for row in rows)
        time.append(Trace(
            name=part, look="law", x=gpus, y=tuple(r.days for r in rows),
            low=tuple(r.days_low for r in rows), high=tuple(r.days_high for r in rows),
        ))  # fmt: skip
        time.append(Trace(
            name=f"{part}, ideal 1/C", look="ideal", x=gpus, y=tuple(r.ideal_days for r in rows)
        ))  # fmt: skip
        if all(row.usd is not None for row in rows):
            cost.append(Trace(
                name=part, look="law", x=gpus, y=tuple(r.usd or 0.0 for r in rows),
                low=tuple(r.usd_low or 0.0 for r in rows),
                high=tuple(r.usd_high or 0.0 for r in rows),
            ))  # fmt: skip
    useful = next((row.useful_gpus for row in plan.rows if row.useful_gpus), None)
    if useful is not None and time and time[0].x[0] <= useful <= time[0].x[-1]:
        ends = (min(min(t.low or t.y) for t in time), max(max(t.high or t.y) for t in time))
        time.append(Trace(
            name="adding more stops paying", look="limit", x=(useful, useful), y=ends
        ))  # fmt: skip
    panels = [Panel(
        title="Time", x_label="accelerators", y_label="days", x_scale="log", y_scale="log",
        traces=tuple(time),
    )]  # fmt: skip
    if cost:
        panels.append(Panel(
            title="Cost", x_label="accelerators", y_label="US dollars", x_scale="log",
            y_scale="log", traces=tuple(cost),
        ))  # fmt: skip
    title = f"{format_count(plan.params)} parameters on {format_count(plan.tokens)} tokens"
    return Picture(title=title,
                   panels=tuple(panels))  # fmt: skip


def _fitted_rows(fit: Fit, runs: Runs) -> list[tuple[dict[str, float], float]]:
    """Return the inputs by role, and the metric, of the runs that have all of them."""
    rows = []
    roles = [r for r in ("params", "active_params", "tokens", "flops", *fit.inputs)
             if runs.has(r)]  # fmt: skip
    for i in range(len(runs)):
        given = {role: float(runs.column(role)[i]) for role in dict.fromkeys(roles)}
        if "flops" not in given and {"params", "tokens"} <= set(given):
            given["flops"] = fit.flops_per_param_token * given["params"] * given["tokens"]
        value = float(runs.value[i])
        if all(math.isfinite(given.get(role, math.nan)) for role in fit.inputs) and (
            math.isfinite(value)
        ):
            rows.append((given, value))
    return rows


def _given(point: ForecastPoint) -> dict[str, float]:
    known = {"params": point.params, "tokens": point.tokens, "flops": point.flops,
             "input": point.input_value}  # fmt: skip
    return {role: value for role, value in known.items() if value is not None}


def _axis(fit: Fit) -> str:
    """Return what the law is drawn against: compute for laws of size and data."""
    return "flops" if len(fit.inputs) > 1 and has_optimum(fit) else fit.inputs[0]


def _axis_value(fit: Fit, given: dict[str, float]) -> float:
    role = _axis(fit)
    return given.get(role, given.get("input", given.get("params", math.nan)))


def _law_panel(
    fit: Fit, rows: Sequence[tuple[dict[str, float], float]], *, reach: float = 0.0
) -> Panel:
    role = _axis(fit)
    span = next((r for r in fit.ranges if r.role == role), fit.ranges[0])
    xs = _logspace(span.low, max(span.high * _BEYOND, 2.0 * reach))
    points = [_on_axis(fit, role, x) for x in xs]
    kept = [(x, p) for x, p in zip(xs, points, strict=True) if p is not None]
    name = "compute-optimal" if role == "flops" and len(fit.inputs) > 1 else f"{fit.law} law"
    banded = all(p.low is not None and p.high is not None for _, p in kept)
    law = Trace(
        name=name, look="law", x=tuple(x for x, _ in kept), y=tuple(p.value for _, p in kept),
        low=tuple(p.low or 0.0 for _, p in kept) if banded else (),
        high=tuple(p.high or 0.0 for _, p in kept) if banded else (),
    )  # fmt: skip
    at = [(_axis_value(fit, given), value) for given, value in rows]
    seen = Trace(name="runs", look="runs", x=tuple(x for x, _ in at), y=tuple(y for _, y in at))
    unit = f" ({fit.metric.unit})" if fit.metric.unit else ""
    return Panel(
        title="law and runs; band: 90% of new runs" if banded else "law and runs",
        x_label=_label(fit, role), y_label=f"{fit.metric.name}{unit}", x_scale="log",
        y_scale="linear" if fit.metric.kind in {"accuracy", "score"} else "log",
        traces=(law, *((seen,) if rows else ())),
    )  # fmt: skip


def _label(fit: Fit, role: str) -> str:
    if role in fit.inputs and role not in _NAMES:
        return fit.input_columns[fit.inputs.index(role)]
    return _NAMES.get(role, role)


def _on_axis(fit: Fit, role: str, x: float) -> ForecastPoint | None:
    if role != "flops" or len(fit.inputs) == 1:
        return forecast_at(fit, {role: x}) if len(fit.inputs) == 1 else None
    params, tokens = optimal_split(fit, x)
    return forecast_at(fit, {"params": params, "active_params": params, "tokens": tokens,
                             "flops": x})  # fmt: skip


def _residual_panel(fit: Fit, rows: Sequence[tuple[dict[str, float], float]]) -> Panel:
    xs, ys = [], []
    law = get_law(fit.law)
    for given, value in rows:
        fitted = float(law.evaluate(list(fit.main.theta), [given[r] for r in fit.inputs]))
        fitted = 1.0 - fitted if fit.complement else fitted
        if fitted:
            xs.append(_axis_value(fit, given))
            ys.append(100.0 * (value / fitted - 1.0))
    zero = Trace(name="", look="zero", x=(min(xs), max(xs)), y=(0.0, 0.0)) if xs else None
    seen = Trace(name="", look="runs", x=tuple(xs), y=tuple(ys))
    return Panel(
        title="Residuals", x_label=_label(fit, _axis(fit)), y_label="run over law - 1 (%)",
        x_scale="log", y_scale="linear", traces=(*((zero,) if zero else ()), seen),
    )  # fmt: skip


def _contour_panel(fit: Fit, rows: Sequence[tuple[dict[str, float], float]]) -> Panel:
    ranges = {r.role: r for r in fit.ranges}
    sizes = ranges.get("params") or ranges["active_params"]
    xs = _logspace(sizes.low / 2.0, sizes.high * 10.0, _GRID)
    ys = _logspace(ranges["tokens"].low / 2.0, ranges["tokens"].high * 10.0, _GRID)
    law = get_law(fit.law)

    def value(params: float, tokens: float) -> float:
        found = float(law.evaluate(list(fit.main.theta), [params, tokens]))
        return 1.0 - found if fit.complement else found

    k = fit.flops_per_param_token
    budgets = _logspace(k * xs[0] * ys[0], k * xs[-1] * ys[-1], _GRID)
    best = [optimal_split(fit, c) for c in budgets]
    best = [(n, d) for n, d in best if xs[0] <= n <= xs[-1] and ys[0] <= d <= ys[-1]]
    size = "params" if "params" in ranges else "active_params"
    seen = [(g.get(size, math.nan), g.get("tokens", math.nan)) for g, _ in rows]
    return Panel(
        title=f"Contours of {fit.metric.name}", x_label=_NAMES[size], y_label=_NAMES["tokens"],
        x_scale="log", y_scale="log",
        traces=(
            Trace(name="compute-optimal", look="law", x=tuple(n for n, _ in best),
                  y=tuple(d for _, d in best)),
            Trace(name="runs", look="runs", x=tuple(n for n, _ in seen),
                  y=tuple(d for _, d in seen)),
        ),
        contours=Contours(
            name=fit.metric.name, x=xs, y=ys,
            values=tuple(tuple(value(n, d) for n in xs) for d in ys),
        ),
    )  # fmt: skip


def _logspace(low: float, high: float, points: int = _POINTS) -> tuple[float, ...]:
    step = math.log(high / low) / (points - 1)
    return tuple(low * math.exp(i * step) for i in range(points))
