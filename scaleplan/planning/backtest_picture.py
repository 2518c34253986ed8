"""The picture of a back-test: how far off forecasts were, by law and by distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.records import Backtest, BacktestRow, Panel, Picture, Trace

if TYPE_CHECKING:
    from collections.abc import Callable

_DISTANCE = "decades beyond the runs below the cut"


def backtest_picture(result: Backtest) -> Picture:
    """Return every forecast of the leading law, and the errors and intervals of all by distance.

    The leading law is `auto`, what `scaleplan fit` would have chosen, if it is among them.

    Args:
        result: The back-test.
    """
    laws = list(dict.fromkeys(row.law for row in result.distances))
    leading = "auto" if "auto" in laws else (laws or [""])[0]
    panels = [_forecasts(result, leading)]
    errors = _by_distance(result, laws, lambda row: row.rms_error)
    if errors:
        panels.append(_panel("Error by law", "rms error (%)", errors))
    inside = _by_distance(result, laws, lambda row: row.inside)
    if inside:
        ends = (min(min(t.x) for t in inside), max(max(t.x) for t in inside))
        level = (100.0 * result.level,) * 2
        wanted = Trace(name=f"{level[0]:g}%", look="limit", x=ends, y=level)
        title = f"Runs inside their {level[0]:g}% interval"
        panels.append(_panel(title, "share inside (%)", (*inside, wanted)))
    files = ", ".join(result.cleaning.files)
    return Picture(title=f"Forecasts of larger runs of {files}", panels=tuple(panels))


def _panel(title: str, label: str, traces: tuple[Trace, ...]) -> Panel:
    return Panel(
        title=title, x_label=_DISTANCE, y_label=label, x_scale="linear", y_scale="linear",
        traces=traces,
    )  # fmt: skip


def _forecasts(result: Backtest, law: str) -> Panel:
    """Return the error of every forecast of one law, above 0 where it was too high."""
    points = sorted(
        (point.decades, 100.0 * (point.predicted / point.observed - 1.0), point)
        for point in result.points
        if point.law == law and point.observed
    )
    outside = [
        (x, y) for x, y, point in points
        if point.low is not None and point.high is not None
        and not point.low <= point.observed <= point.high
    ]  # fmt: skip
    xs = [x for x, _, _ in points]
    zero = Trace(name="zero", look="zero", x=(min(xs, default=0.0), max(xs, default=1.0)),
                 y=(0.0, 0.0))  # fmt: skip
    every = Trace(name="forecasts", look="runs", x=tuple(xs), y=tuple(y for _, y, _ in points))
    missed = Trace(
        name=f"outside the {100.0 * result.level:g}% interval", look="mark",
        x=tuple(x for x, _ in outside), y=tuple(y for _, y in outside),
    )  # fmt: skip
    traces = (every, *((missed,) if outside else ()), zero)
    return _panel(f"Forecasts by {law}", f"error of {result.metric.name} (%)", traces)


def _by_distance(
    result: Backtest, laws: list[str], value: Callable[[BacktestRow], float | None]
) -> tuple[Trace, ...]:
    """Return one line a law of some value in percent, where its forecasts of a distance lie."""
    found = []
    for group, law in enumerate(laws):
        rows = [(_middle(result, row), known) for row in result.distances
                if row.law == law and (known := value(row)) is not None]  # fmt: skip
        if rows:
            found.append(
                Trace(
                    name=law, look="sweep", group=group, x=tuple(x for x, _ in rows),
                    y=tuple(100.0 * known for _, known in rows),
                )
            )  # fmt: skip
    return tuple(found)


def _middle(result: Backtest, row: BacktestRow) -> float:
    """Return the mean distance of the forecasts of a row: its last one has no upper end."""
    found = [
        point.decades for point in result.points
        if point.law == row.law and row.decades_low <= point.decades <= row.decades_high
    ]  # fmt: skip
    return sum(found) / len(found)
