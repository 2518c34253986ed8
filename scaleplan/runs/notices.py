"""What there is to say about cleaned runs: mixed conventions, replicates, suspicious losses."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

from scaleplan.records import Metric, Note
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.hashing import row_hashes
from scaleplan.runs.loss_units import loss_unit_notes
from scaleplan.runs.repeated import CONVENTIONS, repeated_notes
from scaleplan.runs.roles import INPUT_ROLES
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import listed, shown
from scaleplan.units import format_significant

_SUSPICIOUS = 2.0  # times the median of the runs of about the same size
_FEWEST_ALIKE = 4
_MOST_NAMED = 5


def notices(rows: Gathered, metric: Metric, *, known: str = "") -> tuple[Note, ...]:
    """Return the notes on cleaned runs.

    Args:
        rows: Cleaned rows in their roles.
        metric: What `value` is.
        known: A label that the law tells apart, so that runs may differ in it.
    """
    found = [_mixed(rows, role) for role in CONVENTIONS if role != known]
    found += [_possibly_diverged(rows, metric), *loss_unit_notes(rows, metric)]
    return (*(note for note in found if note is not None), *repeated_notes(rows, metric))


def _mixed(rows: Gathered, role: str) -> Note | None:
    column = rows.labels.get(role)
    if column is None:
        return None
    values = sorted({column.text(i) for i in _first_of_each(rows, role)} - {""})
    if len(values) < 2:
        return None
    return Note(
        id="MIXED", severity="warning",
        text=f"The runs differ in {role}: {listed(map(shown, values), 5)}; "
        + ("their metrics are not comparable." if role not in {"optimizer", "schedule"} else
           "their metrics are comparable only in part."),
        action=f"Fit them apart (--by {role}).",
        numbers=(("values", float(len(values))),),
    )  # fmt: skip


def _first_of_each(rows: Gathered, role: str) -> list[int]:
    """Return one row for each different cell of a label."""
    column = rows.labels[role]
    by_text = np.unique(column.codes, return_index=True)[1]
    by_number = np.unique(column.numbers, return_index=True)[1]
    return [int(i) for i in np.concatenate([by_text, by_number])]


def _possibly_diverged(rows: Gathered, metric: Metric) -> Note | None:
    """Name runs whose loss is far above that of the runs of about the same size."""
    roles = [r for r in INPUT_ROLES if r in rows.roles]
    if metric.kind != "loss" or not roles:
        return None
    values = rows.roles["value"].numbers
    suspicious = _far_above_alike([rows.roles[r].numbers for r in roles], values)
    if not suspicious:
        return None
    names = []
    run = rows.labels.get("run")
    called = Counter(run.text(i) for i in range(len(rows))) if run is not None else Counter[str]()
    for row in suspicious[:_MOST_NAMED]:
        note = rows.row_note(row, "")
        where = note.file if note.line is None else f"{note.file}:{note.line}"
        if note.run and called[note.run] == 1:  # a name that runs share tells none
            where = note.run
        names.append(f"{where} ({format_significant(float(values[row]))})")
    more = len(suspicious) - len(names)
    count = "1 run has" if len(suspicious) == 1 else f"{len(suspicious)} runs have"
    return Note(
        id="POSSIBLY_DIVERGED", severity="warning",
        text=f"{count} a loss above twice the median of the runs of about the same size "
        f"({', '.join(roles)} within a factor of 2): {', '.join(names)}"
        f"{f' and {more} more' if more else ''}; they are kept.",
        action="Leave them out if they diverged: the fit is robust, but not against many of them.",
        numbers=(("runs", float(len(suspicious))),),
    )  # fmt: skip


def _far_above_alike(sizes: list[FloatArray], values: FloatArray) -> list[int]:
    """Return rows above twice the median of their cell, a factor of 2 wide in each size."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cells = row_hashes([np.asarray(np.round(np.log2(s)), dtype=np.float64) for s in sizes])
    # Sorted by value inside each cell, so that the lower median is the middle one.
    order = np.lexsort((values, cells))
    starts = np.flatnonzero(np.r_[True, np.diff(cells[order]) != 0])
    counts = np.diff(np.r_[starts, order.size])
    medians = np.repeat(values[order][starts + (counts - 1) // 2], counts)
    bad = (values[order] > _SUSPICIOUS * medians) & np.repeat(counts >= _FEWEST_ALIKE, counts)
    return sorted(int(i) for i in order[bad])


def fingerprint(rows: Gathered, metric: Metric) -> str:
    """Return the SHA-256 of roles, values and metric, whatever the order of rows.

    Args:
        rows: Cleaned rows in their roles.
        metric: What `value` is.
    """
    roles = sorted(rows.roles)
    table = np.stack([rows.roles[r].numbers for r in roles], axis=1) + 0.0  # -0.0 becomes 0.0
    table = np.where(np.isnan(table), np.nan, table)  # one bit pattern for all
    table = table[np.lexsort(table.T[::-1])]
    digest = hashlib.sha256()
    digest.update("\0".join((*roles, metric.name, metric.kind, metric.unit)).encode())
    digest.update(np.ascontiguousarray(table, dtype="<f8").tobytes())
    return digest.hexdigest()
