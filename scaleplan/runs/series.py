"""Training curves as they were logged: every run with its series of each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Metric, Note
from scaleplan.runs.columns import assign
from scaleplan.runs.curve import NOTHING, Curve, CurveLog, Series
from scaleplan.runs.formats import EXTENSIONS
from scaleplan.runs.frame import Frame, join
from scaleplan.runs.gathering import Gathered, gather
from scaleplan.runs.grouping import combine, groups_of
from scaleplan.runs.locating import locate
from scaleplan.runs.metrics import describe
from scaleplan.runs.opening import Progress, read_all
from scaleplan.runs.request import Given, read_request
from scaleplan.runs.table import BoolArray, FloatArray, IntArray

__all__ = ["Curve", "CurveLog", "Series", "load_curves"]

_AXES = ("step", "epoch", "tokens")  # what may order the points of a run
_SERIES = ("value", "train_value", "learning_rate")
_SIZES = ("params", "active_params", "tokens", "flops", "unique_tokens")


def load_curves(
    sources: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    given: Given | None = None,
    stdin: BinaryIO | None = None,
    on_progress: Progress | None = None,
) -> CurveLog:
    """Read per-step or per-epoch logs.

    Args:
        sources: Files, patterns, folders, and `-` for standard input.
        columns: Role to column.
        metric: The metric's column, or its kind.
        given: What the logs do not say, and how printed ones are read.
        stdin: What `-` reads.
        on_progress: Called with (bytes done, bytes in all; 0 if not known).

    Raises:
        InputError: If the logs cannot be read or hold no curve.
        UsageError: If an argument names a role or column that does not exist.
    """
    request = read_request(columns, metric, None, given)
    tables, skipped = read_all(locate(sources, EXTENSIONS), request, stdin, on_progress)
    frame = join(tables)
    chosen = assign(frame, request)
    rows, kind, _, _, unit_notes = gather(frame, chosen, [t.shared for t in tables])
    axis, position = _axis(rows)
    groups, split = _runs_of(rows, position)
    beside = _accuracy_column(frame, kind, chosen.metric.column)
    validated = chosen.metric.split in {"validation", "test"}
    builder = _Builder(
        rows=rows, frame=frame, metric=kind, axis=axis, position=position, accuracy=beside,
        validated=validated,
        # Of whole columns, once: there may be a thousand runs in them.
        blank={role: rows.roles[role].blank for role in _SERIES if role in rows.roles},
    )  # fmt: skip
    curves = tuple(builder.curve(rows, i + 1) for i, rows in enumerate(_members(groups)))
    notes = (*skipped, *(n for t in tables for n in t.notes), *unit_notes, *split)
    if not any(len(curve.main) for curve in curves):
        raise InputError(
            f"no run has a point of {rows.names['value']}", file=frame.files[0],
            hint="Name the metric with --metric COLUMN.",
        )  # fmt: skip
    return CurveLog(
        curves=tuple(c for c in curves if len(c.main)), files=frame.files, rows=len(rows),
        notes=notes,
    )  # fmt: skip


def _axis(rows: Gathered) -> tuple[str, FloatArray]:
    """Return what counts the points of a run: the role that tells most of them apart."""
    best, most = "row", 0
    position = np.arange(len(rows), dtype=np.float64)
    run = _codes(rows) if "run" in rows.labels else rows.file_of
    for role in _AXES:
        if role not in rows.roles:
            continue
        numbers = rows.roles[role].numbers
        known = np.isfinite(numbers)
        different = np.unique(np.stack([run[known], numbers[known]]), axis=1).shape[1]
        if different > most:
            best, most, position = role, different, numbers
    return best, position


def _members(groups: IntArray) -> list[IntArray]:
    """Return the rows of each run, runs in the order in which they first appear."""
    order = np.argsort(groups, kind="stable")
    bounds = np.flatnonzero(np.diff(groups[order])) + 1
    parts = np.split(order, bounds)
    return sorted(parts, key=lambda rows: int(rows[0]) if rows.size else 0)


def _runs_of(rows: Gathered, position: FloatArray) -> tuple[IntArray, tuple[Note, ...]]:
    """Return the run of each row; a file whose steps begin again holds several."""
    if "run" in rows.labels:
        found = groups_of(rows, position)
        return (found if found is not None else combine([_codes(rows)])), ()
    try:
        groups = groups_of(rows, position)
    except InputError:
        groups = None
    else:
        if groups is not None and np.unique(groups).size <= len(rows.files):
            return groups, ()
    # One file, one run: but where steps fall back to the start another run begins.
    back = np.zeros(len(rows), dtype=np.int64)
    for file in range(len(rows.files)):
        here = np.flatnonzero(rows.file_of == file)
        back[here] = _restarts(position[here])
    made = combine([rows.file_of, back])
    count = int(np.unique(made).size) - len(rows.files)
    if count <= 0:
        return made, ()
    return made, (
        Note(
            id="RUNS_SPLIT", severity="warning",
            text=f"No column names runs, and the steps begin again {count} times: each time is "
            "taken for the start of another run.",
            action="Add a column named run, or give each run a file.",
            numbers=(("restarts", float(count)),),
        ),
    )  # fmt: skip


def _codes(rows: Gathered) -> IntArray:
    return np.asarray(rows.labels["run"].codes, dtype=np.int64)


def _restarts(position: FloatArray) -> IntArray:
    """Return which of its runs each row of a file belongs to: a new one where steps start over.

    A resumed run goes back a little and then on; a new one begins near where the first began.
    """
    known = np.isfinite(position)
    if not known.any():
        return np.zeros(position.size, dtype=np.int64)
    steps = position[known]
    first, last = float(steps[0]), float(steps.max())
    near_start = steps <= first + 0.05 * (last - first)
    dropped = np.r_[False, np.diff(steps) < 0.0]
    count = np.zeros(position.size, dtype=np.int64)
    count[known] = np.cumsum(dropped & near_start)
    # Rows without a step belong to the run around them.
    return np.asarray(np.maximum.accumulate(count))


def _accuracy_column(frame: Frame, metric: Metric, column: str) -> str | None:
    """Return the column of validation accuracy beside a loss, if there is one."""
    if metric.kind != "loss":
        return None
    found = [
        (c.order, name) for name in frame.columns if name != column
        for c in [describe(name)] if c is not None and c.kind == "accuracy"
        and c.split in {"validation", "test"}
    ]  # fmt: skip
    return min(found)[1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Builder:
    """Makes curves of rows."""

    rows: Gathered
    frame: Frame
    metric: Metric
    axis: str
    position: FloatArray
    accuracy: str | None
    validated: bool
    blank: Mapping[str, BoolArray]

    def curve(self, members: IntArray, number: int) -> Curve:
        """Return the curve of these rows, in the order of their steps."""
        at = self.position[members]
        known = np.isfinite(at)
        if not known.all():
            at = _filled(at)
        out_of_order = int((np.diff(at) < 0.0).sum())
        main, replaced = self._series(members, at, "value")
        training, _ = self._series(members, at, "train_value")
        rate, _ = self._series(members, at, "learning_rate")
        accuracy = self._accuracy(members, at)
        only_training = not self.validated and not len(training)
        note = self.rows.row_note(int(members[0]), "")
        return Curve(
            run=note.run or (note.file if len(self.frame.files) > 1 else f"run {number}"),
            file=note.file, axis=self.axis, metric=self.metric,
            validation=NOTHING if only_training else main,
            training=main if only_training else training, accuracy=accuracy, learning_rate=rate,
            sizes=self._sizes(members), sorted_rows=out_of_order, replaced=replaced,
            gap=_widest_gap(main.at),
        )  # fmt: skip

    def _series(self, members: IntArray, at: FloatArray, role: str) -> tuple[Series, int]:
        """Return a role along the run, later rows in the place of earlier ones of equal step."""
        if role not in self.rows.roles:
            return NOTHING, 0
        column = self.rows.roles[role]
        logged = ~self.blank[role][members]
        steps, values = at[logged], column.numbers[members][logged]
        # Percentages of the metric were divided by 100 when it was read; so is its training twin.
        if role == "train_value" and self.metric.bounded and values.size:
            known = values[np.isfinite(values)]
            if known.size and float(np.median(known)) > 1.0:
                values = values / 100.0
        return _latest(steps, values)

    def _accuracy(self, members: IntArray, at: FloatArray) -> Series:
        if self.accuracy is None:
            return NOTHING
        numbers = self.frame.columns[self.accuracy].numbers[members]
        logged = np.isfinite(numbers)
        return _latest(at[logged], numbers[logged])[0]

    def _sizes(self, members: IntArray) -> dict[str, float]:
        found = {}
        for role in _SIZES:
            if role not in self.rows.roles:
                continue
            numbers = self.rows.roles[role].numbers[members]
            known = numbers[np.isfinite(numbers)]
            if known.size:
                found[role] = float(known.max())
        return found


def _latest(at: FloatArray, values: FloatArray) -> tuple[Series, int]:
    """Sort by position, stable; of equal positions the row that was written last counts."""
    if at.size == 0:
        return Series(at, values), 0
    order = np.argsort(at, kind="stable")
    steps = at[order]
    last = np.r_[steps[1:] != steps[:-1], True]
    # A restart writes steps again that were written before: what it overwrote is gone.
    return Series(steps[last], values[order][last]), int(at.size - last.sum())


def _filled(at: FloatArray) -> FloatArray:
    """Give rows without a position that of the row before them."""
    known = np.isfinite(at)
    places = np.arange(at.size)
    if not known.any():
        return places.astype(np.float64)
    index = np.maximum.accumulate(np.where(known, places, -1))
    return np.asarray(at[np.where(index < 0, int(np.argmax(known)), index)])


def _widest_gap(at: FloatArray) -> float:
    """Return the widest distance between points over the median one; 1 for fewer than 3 points."""
    distances = np.diff(at)
    distances = distances[distances > 0.0]
    if distances.size < 2:
        return 1.0
    return float(distances.max() / np.median(distances))
