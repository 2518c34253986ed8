"""What is shown of training curves and their verdicts."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.json_document import head, tail
from scaleplan.render.view import UNKNOWN, Column, Facts, Table, View, metric_text, number
from scaleplan.units import format_count, format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import CurveCheck, CurveForecast, CurveVerdict

_ORDER = ("diverged", "overfitting", "shifted", "plateau", "underfitting", "too short", "healthy")
_MOST_ROWS = 40


def check_view(check: CurveCheck) -> View:
    """Return what `scaleplan check` shows."""
    counts = {name: sum(1 for run in check.runs if run.verdict == name) for name in _ORDER}
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    files = ", ".join(check.files[:4])
    if len(check.files) > 4:
        files += f" and {len(check.files) - 4} more"
    read = (("files", files), ("rows", f"{check.rows:,}"), ("runs", f"{len(check.runs):,}: {said}"))
    return View(
        title=f"scaleplan check: {metric_text(check.metric)}",
        blocks=(Facts(title="Read", pairs=read), _runs(check)),
        notes=check.notes, assumptions=check.assumptions,
    )  # fmt: skip


def _runs(check: CurveCheck) -> Table:
    runs = sorted(check.runs, key=lambda run: _ORDER.index(run.verdict))
    level = next((f"{100 * r.doubling.level:g}%" for r in runs if r.doubling is not None), "90%")
    final = any(run.final is not None for run in runs)
    expected = any(run.expectation is not None for run in runs)
    left = len(runs) - _MOST_ROWS
    axis = runs[0].axis.removesuffix("s") + "s"  # steps, epochs, tokens
    footer = "best: the best logged point; last: smoothed; gap: (validation - training) / "
    footer += "validation at the end; twice "
    footer += f"as long: forecast of one reading at twice the {axis}, {level} interval"
    if expected:
        footer += "; z: standard deviations above what the law expects of this run"
    if left > 0:
        footer += f"; {left} more runs are left out here, --format json has all"
    return Table(
        title="Runs",
        columns=(
            Column(name="run", kind="name"), Column(name="verdict", kind="name"),
            Column(name="since", rank=2), Column(name="best at", rank=2), Column(name="best"),
            Column(name="last"), Column(name="gap", rank=3),
            Column(name="twice as long", rank=4),
            *((Column(name="at the end", rank=1),) if final else ()),
            *((Column(name="expected", rank=1), Column(name="z")) if expected else ()),
            Column(name="why", kind="text", rank=5),
        ),
        rows=tuple(_row(run, final=final, expected=expected) for run in runs[:_MOST_ROWS]),
        footer=footer,
    )  # fmt: skip


def _row(run: CurveVerdict, *, final: bool, expected: bool) -> tuple[str, ...]:
    cells = [
        run.run, run.verdict, _at(run.since), _at(run.best_at), number(run.best), number(run.last),
        UNKNOWN if run.gap is None else format_percent(run.gap, 2), _forecast(run.doubling),
    ]  # fmt: skip
    if final:
        cells.append(_forecast(run.final))
    if expected:
        law = run.expectation
        cells += [UNKNOWN, UNKNOWN] if law is None else [
            number(law.expected), f"{law.z:+.1f}"
        ]  # fmt: skip
    return (*cells, run.reason)


def _at(position: float | None) -> str:
    if position is None or math.isnan(position):
        return UNKNOWN
    return f"{position:g}" if abs(position) < 1e5 else format_count(position, 4)


def _forecast(found: CurveForecast | None) -> str:
    if found is None:
        return UNKNOWN
    ends = f"{format_significant(found.low)} to {format_significant(found.high)}"
    return f"{format_significant(found.value)} ({ends})"


def verdict_lines(check: CurveCheck) -> list[tuple[str, str]]:
    """Return one line a run, worst first, with the run's name before each."""
    runs = sorted(check.runs, key=lambda run: _ORDER.index(run.verdict))
    return [
        (run.run, f"{run.run}: {run.verdict} ({run.reason}); {run.axis} {_at(run.best_at)} is best")
        for run in runs[:_MOST_ROWS]
    ]


def check_document(check: CurveCheck) -> dict[str, Any]:
    """Return `scaleplan.check/1`."""
    return {
        **head("check", "check"),
        "metric": asdict(check.metric),
        "files": list(check.files),
        "rows": check.rows,
        "runs": [_run(run) for run in check.runs],
        **tail(check.assumptions, check.notes),
    }


def _run(run: CurveVerdict) -> dict[str, Any]:
    kept = asdict(run)
    kept["since_step"], kept["best_step"] = kept.pop("since"), kept.pop("best_at")
    return kept
