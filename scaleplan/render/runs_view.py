"""What is shown of runs as they were understood."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, head, tail
from scaleplan.render.view import UNKNOWN, Column, Table, View, metric_text, quantity
from scaleplan.units import format_number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scaleplan.records import Note
    from scaleplan.runs.table import Runs

_MOST_ROWS = 50
_LONGEST_COUNT = 1e6  # longer ones have the suffix of their size
_TEXT_FIRST = ("run", "family", "dataset", "optimizer")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsShown:
    """Cleaned runs, with what there is to say about them."""

    runs: Runs
    notes: tuple[Note, ...]


def runs_view(shown: RunsShown) -> View:
    """Return what `scaleplan runs` shows."""
    runs = shown.runs
    count = format_number_of(len(runs), "run")
    return View(
        title=f"scaleplan runs: {count} of {metric_text(runs.metric)}",
        blocks=(*reading_blocks(runs.cleaning), _table(runs)),
        notes=shown.notes, assumptions=runs.assumptions,
    )  # fmt: skip


def _table(runs: Runs) -> Table:
    labels = [name for name in runs.labels if any(runs.labels[name])]
    labels.sort(key=lambda n: (_TEXT_FIRST.index(n) if n in _TEXT_FIRST else 9, n))
    roles = [role for role in runs.columns if role != "value" and runs.has(role)]
    whole = {role for role in roles if _is_whole(runs.columns[role][:_MOST_ROWS])}
    left = len(runs) - _MOST_ROWS
    rows = []
    for i in range(min(len(runs), _MOST_ROWS)):
        cells = [runs.labels[name][i] or UNKNOWN for name in labels]
        cells += [_cell(float(runs.columns["value"][i]))]
        cells += [_cell(float(runs.columns[role][i]), whole=role in whole) for role in roles]
        file, line = runs.origins[i]
        rows.append((*cells, file if line is None else f"{file}:{line}"))
    return Table(
        title="Runs",
        columns=(
            *(Column(name=name, kind="name", rank=0 if name == "run" else 3) for name in labels),
            Column(name=runs.metric.name),
            *(Column(name=role, rank=1 + place) for place, role in enumerate(roles)),
            Column(name="source", kind="name", rank=2),
        ),
        rows=tuple(rows),
        footer=f"{left} more runs are left out here; --format csv, json and -o have all"
        if left > 0 else "",
    )  # fmt: skip


def _is_whole(values: Iterable[float]) -> bool:
    """Tell whether all are counts that are short enough to be shown as they are."""
    known = [float(value) for value in values if not math.isnan(value)]
    return all(value.is_integer() and abs(value) < _LONGEST_COUNT for value in known)


def _cell(value: float, *, whole: bool = False) -> str:
    if math.isnan(value):
        return UNKNOWN
    return f"{value:.0f}" if whole else quantity(value)


def runs_document(shown: RunsShown) -> dict[str, Any]:
    """Return `scaleplan.runs/1`."""
    runs = shown.runs
    rows = []
    for i in range(len(runs)):
        file, line = runs.origins[i]
        rows.append({
            **{name: runs.labels[name][i] for name in runs.labels},
            **{role: float(column[i]) for role, column in runs.columns.items()},
            **{name: float(column[i]) for name, column in runs.extra.items()},
            "source_file": file, "source_line": line,
        })  # fmt: skip
    return {
        **head("runs", "runs"),
        "metric": asdict(runs.metric),
        "runs": rows,
        "flops_per_param_token": runs.flops_per_param_token,
        "flops_per_active_token": runs.flops_per_active_token,
        "fingerprint": runs.fingerprint,
        "cleaning": cleaning_document(runs.cleaning),
        **tail(runs.assumptions, shown.notes),
    }
