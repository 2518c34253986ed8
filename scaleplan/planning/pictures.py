"""Pictures of fits, forecasts and plans, as panels of points, lines and bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scaleplan.laws import get_law
from scaleplan.planning.active import law_size
from scaleplan.planning.allocation import has_optimum, optimal_split
from scaleplan.planning.picture_parts import (
    BEYOND,
    NAMES,
    Row,
    axis_label,
    axis_of,
    axis_value,
    fitted_rows,
    law_trace,
    logspace,
    metric_label,
)
from scaleplan.records import Contours, Fit, ForecastPoint, Panel, Picture, Plan, Trace
from scaleplan.units import format_count, format_percent

if TYPE_CHECKING:
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.runs.table import Runs

_GRID = 48
_ROOM = 10.0  # times the largest run that contours are drawn


def fit_picture(fit: Fit, runs: Runs, draws: Resamples | None = None) -> Picture:
    """Return a fit's picture: runs with the law and its band, residuals, contours and optima.

    Args:
        fit: The fit.
        runs: The runs it was fitted to.
        draws: The resamples of its parameters, if there are any.
    """
    from scaleplan.planning.optimum_panels import cloud_panel, isoflop_panel

    rows = fitted_rows(fit, runs)
    panels = [_law_panel(fit, rows), _residual_panel(fit, rows)]
    if len(fit.inputs) == 2 and has_optimum(fit):
        size = "active_params" if "active_params" in fit.inputs else "params"
        seen = [(g.get(size, math.nan), g.get("tokens", math.nan)) for g, _ in rows]
        runs_seen = Trace(name="runs", look="runs", x=tuple(n for n, _ in seen),
                          y=tuple(d for _, d in seen))  # fmt: skip
        panels.append(_contour_panel(fit, (runs_seen,)))
    panels += [p for p in (isoflop_panel(fit, rows), cloud_panel(fit, draws)) if p is not None]
    return Picture(title=fit.name, panels=tuple(panels))


def forecast_picture(fit: Fit, points: Sequence[ForecastPoint]) -> Picture:
    """Return the law with its band and the forecasts on it, and the same in size and tokens.

    Args:
        fit: The fit.
        points: Forecasts from it.
    """
    at = [(axis_value(fit, _given(point)), point) for point in points]
    panel = _law_panel(fit, [], reach=[x for x, _ in at if math.isfinite(x) and x > 0.0])
    marks = Trace(
        name="forecast", look="mark", x=tuple(x for x, _ in at), y=tuple(p.value for _, p in at),
        low=tuple(p.value if p.low is None else p.low for _, p in at),
        high=tuple(p.value if p.high is None else p.high for _, p in at),
    )  # fmt: skip
    panels = [replace(panel, traces=(*panel.traces, marks))]
    places = tuple((p.params, p.tokens) for p in points if p.params and p.tokens)
    if len(fit.inputs) == 2 and has_optimum(fit) and places:
        panels.append(_contour_panel(fit, (_fitted_edge(fit), _places("forecast", places))))
    return Picture(title=fit.name, panels=tuple(panels))


def plan_picture(plan: Plan, fit: Fit | None = None) -> Picture:
    """Return time and cost against the number of accelerators, and the model among contours.

    Args:
        plan: A plan with its rows.
        fit: What it forecasts with.
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
    panels = [
        Panel(title=title if _reached(traces, useful) or useful is None else
              f"{title}; adding more stops paying at {format_count(useful)}",
              x_label="accelerators", y_label=label, x_scale="log", y_scale="log",
              traces=(*traces, *_knee(traces, useful)))
        for title, label, traces in (("Time", "days", time), ("Cost", "US dollars", cost)) if traces
    ]  # fmt: skip
    if fit is not None and len(fit.inputs) == 2 and has_optimum(fit):
        at = _places("plan", ((law_size(fit, plan.params, plan.active_params), plan.tokens),))
        panels.append(_contour_panel(fit, (_fitted_edge(fit), at)))
    title = f"{format_count(plan.params)} parameters on {format_count(plan.tokens)} tokens"
    return Picture(title=title, panels=tuple(panels))


def _reached(traces: Sequence[Trace], useful: float | None) -> bool:
    counts = [x for trace in traces for x in trace.x]
    return useful is not None and min(counts) <= useful <= max(counts)


def _knee(traces: Sequence[Trace], useful: float | None) -> tuple[Trace, ...]:
    """Return the count at which adding accelerators stops paying, if the axis reaches it."""
    if useful is None or not _reached(traces, useful):
        return ()
    ends = (min(min(t.low or t.y) for t in traces), max(max(t.high or t.y) for t in traces))
    name = "adding more stops paying"
    return (Trace(name=name, look="limit", x=(useful, useful), y=ends),)


def _given(point: ForecastPoint) -> dict[str, float]:
    known = {"params": point.params, "tokens": point.tokens, "flops": point.flops,
             "input": point.input_value}  # fmt: skip
    return {role: value for role, value in known.items() if value is not None}


def _law_panel(fit: Fit, rows: Sequence[Row], *, reach: Sequence[float] = ()) -> Panel:
    role = axis_of(fit)
    span = next((r for r in fit.ranges if r.role == role), fit.ranges[0])
    xs = logspace(min([span.low, *reach]), max([span.high * BEYOND, *(2.0 * x for x in reach)]))
    name = "compute-optimal" if role == "flops" and len(fit.inputs) > 1 else f"{fit.law} law"
    law = law_trace(fit, role, xs, name)
    at = [(axis_value(fit, given), value) for given, value in rows]
    seen = Trace(name="runs", look="runs", x=tuple(x for x, _ in at), y=tuple(y for _, y in at))
    title = "Law and runs" if rows else "Law"
    level = format_percent(fit.interval.level if fit.interval is not None else 0.9, 2)
    return Panel(
        title=f"{title}; band: {level} of new runs" if law.low else title,
        x_label=axis_label(fit, role), y_label=metric_label(fit), x_scale="log",
        y_scale="linear" if fit.metric.kind in {"accuracy", "score"} else "log",
        traces=(law, *((seen,) if rows else ())),
    )  # fmt: skip


def _residual_panel(fit: Fit, rows: Sequence[Row]) -> Panel:
    xs, ys = [], []
    law = get_law(fit.law)
    for given, value in rows:
        fitted = float(law.evaluate(list(fit.main.theta), [given[r] for r in fit.inputs]))
        fitted = 1.0 - fitted if fit.complement else fitted
        if fitted:
            xs.append(axis_value(fit, given))
            ys.append(100.0 * (value / fitted - 1.0))
    zero = Trace(name="", look="zero", x=(min(xs), max(xs)), y=(0.0, 0.0)) if xs else None
    seen = Trace(name="", look="runs", x=tuple(xs), y=tuple(ys))
    return Panel(
        title="Residuals", x_label=axis_label(fit, axis_of(fit)),
        y_label="run over law, less 1 (%)", x_scale="log", y_scale="linear",
        traces=(*((zero,) if zero else ()), seen),
    )  # fmt: skip


def _places(name: str, places: Sequence[tuple[float, float]]) -> Trace:
    """Return points of (params, tokens) that are pointed out."""
    return Trace(name=name, look="mark", x=tuple(n for n, _ in places),
                 y=tuple(d for _, d in places))  # fmt: skip


def _fitted_edge(fit: Fit) -> Trace:
    """Return the edge of the fitted runs in size and tokens: their hull, else their ranges."""
    corners = fit.hull
    if len(corners) < 2:
        ranges = {r.role: r for r in fit.ranges}
        sizes, tokens = ranges.get("params") or ranges["active_params"], ranges["tokens"]
        corners = ((sizes.low, tokens.low), (sizes.high, tokens.low), (sizes.high, tokens.high),
                   (sizes.low, tokens.high))  # fmt: skip
    closed = (*corners, corners[0])
    return Trace(name="edge of the fitted runs", look="limit", x=tuple(n for n, _ in closed),
                 y=tuple(d for _, d in closed))  # fmt: skip


def _contour_panel(fit: Fit, traces: Sequence[Trace]) -> Panel:
    """Return the metric over size and tokens with the optimum of each budget and further traces."""
    ranges = {r.role: r for r in fit.ranges}
    size = "active_params" if "active_params" in fit.inputs else "params"
    marks = [t for t in traces if t.look == "mark"]
    ends = []
    for role, at in ((size, [x for t in marks for x in t.x]),
                     ("tokens", [y for t in marks for y in t.y])):  # fmt: skip
        low, high = ranges[role].low, ranges[role].high
        most = max([high, *at])
        # Far beyond the data a mark has room of its own; near it the data keep theirs.
        ends.append((min([low, *at]) / 2.0, max(_ROOM * high, 2.0 * most)))
    xs, ys = (logspace(low, high, _GRID) for low, high in ends)
    law = get_law(fit.law)

    def value(params: float, tokens: float) -> float:
        found = float(law.evaluate(list(fit.main.theta), [params, tokens]))
        return 1.0 - found if fit.complement else found

    k = fit.flops_per_param_token
    budgets = logspace(k * xs[0] * ys[0], k * xs[-1] * ys[-1])
    best = [optimal_split(fit, c) for c in budgets]
    best = [(n, d) for n, d in best if xs[0] <= n <= xs[-1] and ys[0] <= d <= ys[-1]]
    frontier = Trace(name="compute-optimal", look="law", x=tuple(n for n, _ in best),
                     y=tuple(d for _, d in best))  # fmt: skip
    return Panel(
        title=f"Contours of {metric_label(fit)}", x_label=NAMES[size],
        y_label=axis_label(fit, "tokens"), x_scale="log", y_scale="log",
        traces=(frontier, *traces),
        contours=Contours(
            name=fit.metric.name, x=xs, y=ys,
            values=tuple(tuple(value(n, d) for n in xs) for d in ys),
        ),
    )  # fmt: skip
