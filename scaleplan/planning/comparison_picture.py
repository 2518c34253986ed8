"""The picture of a comparison: all laws over the same runs, and how well each forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scaleplan.planning.picture_parts import (
    BEYOND,
    axis_label,
    axis_of,
    axis_value,
    fitted_rows,
    law_trace,
    logspace,
    metric_label,
)
from scaleplan.records import Fit, LawComparison, Panel, Picture, Trace

if TYPE_CHECKING:
    from scaleplan.runs.table import Runs


def comparison_picture(
    comparison: LawComparison, fits: Mapping[tuple[str, str], Fit], runs: Runs
) -> Picture:
    """Return the runs with the line of each law, and the errors of each.

    Each law is drawn under the first objective that it was fitted with; those of size and data at
    their own compute-optimal sizes.

    Args:
        comparison: The comparison.
        fits: Its fits by law and objective.
        runs: The runs.
    """
    rows = {row.law: row for row in reversed(comparison.rows) if (row.law, row.objective) in fits}
    ordered = [row for row in comparison.rows if rows.get(row.law) is row]
    shown = [(row, fits[row.law, row.objective]) for row in ordered]
    first = shown[0][1]
    role = axis_of(first)
    seen = [(axis_value(first, given), value) for given, value in fitted_rows(first, runs)]
    span = next((r for r in first.ranges if r.role == role), first.ranges[0])
    target = dict(comparison.target).get(role, 0.0)
    xs = logspace(span.low, max(span.high * BEYOND, 2.0 * target))
    same = [(row, found) for row, found in shown if axis_of(found) == role]
    lines = [law_trace(found, role, xs, row.law, band=False) for row, found in same]
    kept = [line for line, (row, _) in zip(lines, same, strict=True)
            if row.verdict not in {"rejected", "refused"}]  # fmt: skip
    heights = [*(v for _, v in seen), *(v for line in kept for v in line.y)]
    low, high = min(heights), max(heights)
    lines = [_within(line, low - 0.1 * (high - low), high + 0.1 * (high - low)) for line in lines]
    points = Trace(name="runs", look="runs", x=tuple(x for x, _ in seen),
                   y=tuple(y for _, y in seen))  # fmt: skip
    end = Trace(name="target", look="limit", x=(target, target), y=(low, high))
    left = [row.law for row, found in shown if axis_of(found) != role]
    law_panel = Panel(
        title="Laws and runs" + (f"; of other inputs: {', '.join(left)}" if left else ""),
        x_label=axis_label(first, role), y_label=metric_label(first), x_scale="log",
        y_scale="linear" if comparison.metric.kind in {"accuracy", "score"} else "log",
        traces=(*lines, points, *((end,) if target else ())),
    )  # fmt: skip
    return Picture(
        title=f"{len(shown)} laws on {', '.join(comparison.cleaning.files)}",
        panels=(law_panel, _error_panel(comparison, [row.law for row, _ in shown])),
    )


def _within(line: Trace, low: float, high: float) -> Trace:
    """Return the part of a line that is not far from the runs: a law that fails may dive."""
    near = [(x, y) for x, y in zip(line.x, line.y, strict=True) if low <= y <= high]
    return replace(line, x=tuple(x for x, _ in near), y=tuple(y for _, y in near))


def _error_panel(comparison: LawComparison, laws: list[str]) -> Panel:
    """Return the error of each law on the runs that it was fitted to and on those that it was not.

    Under the first objective, the best law on top.
    """
    first = {row.law: row for row in reversed(comparison.rows) if row.formula}
    names = tuple(reversed(laws))
    tested = [(100.0 * e, float(at)) for at, name in enumerate(names)
              if (e := first[name].backtest_rmse_log) is not None]  # fmt: skip
    fitted = [(100.0 * e, float(at)) for at, name in enumerate(names)
              if (e := first[name].rmse_log) is not None]  # fmt: skip
    bars = Trace(name="back-test: larger runs from smaller ones", look="bar",
                 x=tuple(x for x, _ in tested), y=tuple(y for _, y in tested))  # fmt: skip
    marks = Trace(name="on the fitted runs", look="mark", x=tuple(x for x, _ in fitted),
                  y=tuple(y for _, y in fitted))  # fmt: skip
    return Panel(
        title="Error of each law", x_label="rms error (%)", y_label="", x_scale="linear",
        y_scale="linear", traces=tuple(t for t in (bars, marks) if t.x), y_names=names,
    )  # fmt: skip
