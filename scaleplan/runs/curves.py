"""Training curves to runs: which rows belong to one run, and which of them stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.records import Metric, Note, RowNote
from scaleplan.runs.cleaning import impossible
from scaleplan.runs.curve_places import position_along, without_places
from scaleplan.runs.curve_rows import counted_by, groups_or_trainings, steps_carried
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.grouping import steps_back
from scaleplan.runs.metrics import Candidate
from scaleplan.runs.printed_runs import printed_runs
from scaleplan.runs.raw import RawColumn, text_column
from scaleplan.runs.table import BoolArray, FloatArray, IntArray
from scaleplan.runs.text import listed
from scaleplan.units import format_number_of

# What grows along a run: a later value says nothing about an earlier row.
_CUMULATIVE = frozenset({"tokens", "flops", "train_value", "epoch"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reduced:
    """One row a run (or every point), what was dropped on the way, and what there is to say."""

    rows: Gathered
    dropped: tuple[RowNote, ...]
    notes: tuple[Note, ...]
    every_point: bool = False


def reduce_curves(
    rows: Gathered, metric: Metric, chosen: Candidate, *, all_points: bool,
    printed: frozenset[int] = frozenset(),
) -> Reduced:  # fmt: skip
    """Reduce every training curve to one row.

    A run stands at its best validation or test metric, or, where only the training metric was
    logged, at its last finite point.

    Args:
        rows: The rows of all inputs.
        metric: What `value` is.
        chosen: What the name of its column says.
        all_points: Keep every point that has the metric.
        printed: Which of the files are printed logs, whose lines are points of runs.

    Returns:
        The rows; those of curves with the gaps filled from the rows before them in the run.

    Raises:
        InputError: If the steps of a curve go back and nothing tells its runs apart, or lines of
            several runs are mixed in a printed log.
    """
    axis = counted_by(rows)
    position = position_along(rows, axis) if axis else np.full(len(rows), np.nan)
    groups, split = groups_or_trainings(rows, position, printed) if axis else (None, ())
    if axis is None or groups is None:
        found = printed_runs(rows, printed) if printed else None
        if found is None:
            return Reduced(rows=rows, dropped=(), notes=())
        axis, position, groups = found
    rows, unplaced = without_places(rows, axis, groups)
    position = steps_carried(groups, position)
    order = np.lexsort((np.arange(len(rows)), position, groups))
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    sizes = np.diff(np.r_[starts, len(rows)])
    filled = _named_by_file(_filled(rows, order, starts, sizes, position))
    best = None
    if chosen.split in {"validation", "test"}:
        best = "lowest" if metric.kind in {"loss", "error"} else "highest"
    curves = _Curves(filled, order, starts, sizes, axis)
    reduced = (
        curves.every_point() if all_points
        else curves.one_point(best, impossible(filled.roles["value"].numbers, metric))
    )  # fmt: skip
    return replace(
        reduced, notes=(*unplaced, *split, *_resumed(rows, groups, position), *reduced.notes)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Curves:
    """Rows sorted by run and step, the start and length of each run among them."""

    rows: Gathered
    order: IntArray
    starts: IntArray
    sizes: IntArray
    axis: str

    def every_point(self) -> Reduced:
        """Keep all points that have the metric."""
        single = np.repeat(self.sizes == 1, self.sizes)
        blank = self.rows.roles["value"].blank[self.order] & ~single
        kept = np.sort(self.order[~blank])
        notes = (
            () if kept.size == len(self.rows) else (self._merged_note(len(self.rows) - kept.size),)
        )
        return Reduced(
            rows=self.rows.take(kept), dropped=(), notes=notes,
            every_point=bool((self.sizes > 1).any()),
        )  # fmt: skip

    def one_point(self, best: str | None, impossible: BoolArray) -> Reduced:
        """Keep one point a run: the `lowest` or `highest`, or None for the last finite one.

        Args:
            best: Which point stands for a run.
            impossible: Rows whose metric cannot be one, which stand for a run that has no other.
        """
        values = self.rows.roles["value"].numbers
        blank = self.rows.roles["value"].blank
        kept: list[int] = [int(self.order[s]) for s in self.starts[self.sizes == 1]]
        dropped: list[RowNote] = []
        ended: list[str] = []
        passed_over = 0
        curves = np.flatnonzero(self.sizes > 1)
        for i in curves:
            members = self.order[self.starts[i] : self.starts[i] + self.sizes[i]]
            logged = members[~blank[members]]
            finite = logged[np.isfinite(values[logged])]
            # A zero that a tracker writes before the first evaluation is no best loss; a curve that
            # ends below zero, as a Dice loss does, has no best point above it.
            early = best is not None and finite.size > 0 and not impossible[finite[-1]]
            possible = finite[~impossible[finite]] if early else finite
            usable = possible if possible.size else finite
            passed_over += finite.size - usable.size
            broken = logged.size > 0 and not np.isfinite(values[logged[-1]])
            if not usable.size or (broken and best is None):
                dropped.append(self._unusable(members, logged))
                continue
            if broken:
                ended.append(self.rows.row_note(int(usable[0]), "").run or "one run")
            kept.append(int(_representative(usable, values, best)))
        points, name = int(self.sizes[curves].sum()), self.rows.names["value"]
        told = reduced_note(points, int(curves.size), name, best)
        notes = (told, *_passed_over(passed_over, name), *ended_notes(ended)) if curves.size else ()
        return Reduced(
            rows=self.rows.take(np.sort(np.array(kept, dtype=np.int64))),
            dropped=tuple(dropped), notes=notes,
        )  # fmt: skip

    def _unusable(self, members: IntArray, logged: IntArray) -> RowNote:
        name = self.rows.names["value"]
        if not logged.size:
            return self.rows.row_note(int(members[0]), f"{name} is empty in the whole run")
        last = int(logged[-1])
        shown = self.rows.roles["value"].text(last) or "not a number"
        steps = self.rows.roles.get(self.axis)
        at = f"{self.axis} {steps.text(last)}" if steps else f"line {self.rows.lines[last]}"
        return self.rows.row_note(last, f"diverged: {name} is {shown} at {at}, the last point")

    def _merged_note(self, merged: int) -> Note:
        return Note(
            id="CURVES_MERGED", severity="info",
            text=f"{format_number_of(merged, 'row')} without {self.rows.names['value']} only gave "
            "other columns to the points of their run that follow.",
            numbers=(("rows", float(merged)),),
        )  # fmt: skip


def _resumed(rows: Gathered, groups: IntArray, position: FloatArray) -> tuple[Note, ...]:
    """Say which files, whose runs nothing names, are taken for runs that were resumed."""
    back = steps_back(groups, position) if "run" not in rows.labels else np.array([], np.int64)
    if not back.size:
        return ()
    places = [f"{n.file}:{n.line}" if n.line else n.file for n in
              (rows.row_note(int(row), "") for row in back)]  # fmt: skip
    return (
        Note(
            id="RESTARTED", severity="info",
            text=f"Steps go back a little and then on ({listed(places, 5)}), as those of a run "
            "that is resumed from a checkpoint: it is taken for one run.",
            action="Add a column named run if it is another one.",
            numbers=(("restarts", float(back.size)),),
        ),
    )  # fmt: skip


def _representative(usable: IntArray, values: FloatArray, best: str | None) -> int:
    """Return the row that stands for a curve; of equally good ones the earliest."""
    if best is None:
        return int(usable[-1])
    of_run = values[usable]
    return int(usable[np.argmin(of_run) if best == "lowest" else np.argmax(of_run)])


def reduced_note(points: int, runs: int, name: str, best: str | None) -> Note:
    """Say by which rule the points of curves became runs."""
    rule = f"the one with the {best} {name}" if best else f"the last one with a finite {name}"
    return Note(
        id="CURVES_REDUCED", severity="info",
        text=f"{format_number_of(points, 'point')} of {format_number_of(runs, 'training curve')} "
        f"became one point a run: {rule}.",
        action="Use --all-points to keep every point.",
        numbers=(("points", float(points)), ("runs", float(runs))),
    )  # fmt: skip


def _passed_over(points: int, name: str) -> tuple[Note, ...]:
    """Say how many points were no candidates for the best one of their run."""
    if not points:
        return ()
    return (
        Note(
            id="IMPOSSIBLE_POINTS", severity="info",
            text=f"{'1 point' if points == 1 else f'{points} points'} of training curves gave a "
            f"{name} that it cannot be, such as 0 before the first evaluation; the best point of a "
            "run is one of the others.",
            numbers=(("points", float(points)),),
        ),
    )  # fmt: skip


def ended_notes(ended: Sequence[str]) -> tuple[Note, ...]:
    """Name the runs that ended with a metric that is not finite."""
    if not ended:
        return ()
    return (
        Note(
            id="ENDED_NOT_FINITE", severity="warning",
            text=f"{'1 run' if len(ended) == 1 else f'{len(ended)} runs'} ended with a metric that "
            f"is not a finite number; the best point before that is used: {listed(ended, 5)}.",
            action="Leave them out if they diverged early.",
            numbers=(("runs", float(len(ended))),),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Bounds:
    """The first and last place, for each sorted row, of its run and of the rows of its step."""

    first: IntArray
    last: IntArray
    step_first: IntArray
    step_last: IntArray


def _filled(
    rows: Gathered, order: IntArray, starts: IntArray, sizes: IntArray, position: FloatArray
) -> Gathered:
    """Fill the gaps of each curve from the same step, else with the last value before, or after.

    The metric is not filled: a point without it is no point of it.
    """
    if int(sizes.max(initial=0)) <= 1:
        return rows
    group = np.repeat(np.arange(starts.size), sizes)
    begins = np.r_[True, (group[1:] != group[:-1]) | (position[order][1:] != position[order][:-1])]
    step = np.cumsum(begins) - 1
    step_starts = np.r_[np.flatnonzero(begins), len(rows)]
    bounds = _Bounds(
        starts[group], (starts + sizes - 1)[group], step_starts[step], step_starts[step + 1] - 1
    )
    roles = {
        name: column
        if name in {"value", "step"}
        else _fill_numbers(column, order, bounds, after=name not in _CUMULATIVE)
        for name, column in rows.roles.items()
    }
    labels = {name: _fill_labels(column, order, bounds) for name, column in rows.labels.items()}
    return replace(rows, roles=roles, labels=labels)


def _named_by_file(rows: Gathered) -> Gathered:
    """Let files name the runs where each holds one and nothing else names them."""
    if "run" in rows.labels or len(rows.files) == 1:
        return rows
    names = text_column([rows.files[i] for i in rows.file_of])
    return replace(rows, labels={"run": names, **rows.labels})


def _fill_numbers(column: RawColumn, order: IntArray, bounds: _Bounds, *, after: bool) -> RawColumn:
    blank = column.blank
    if not blank.any() or blank.all():
        return column
    source = _sources(~blank[order], bounds, after=after)
    rows = np.empty_like(order)
    rows[order] = order[source]
    return column.take(rows)


def _fill_labels(column: RawColumn, order: IntArray, bounds: _Bounds) -> RawColumn:
    has = (column.codes >= 0) | ~np.isnan(column.numbers)
    if has.all():
        return column
    source = _sources(has[order], bounds, after=True)
    rows = np.empty_like(order)
    rows[order] = order[source]
    return column.take(rows)


def _sources(has: BoolArray, bounds: _Bounds, *, after: bool) -> IntArray:
    """Return for each sorted row the row to take a cell from: itself, one before, or one after."""
    index = np.arange(has.size)
    before = np.maximum.accumulate(np.where(has, index, -1))
    following = np.minimum.accumulate(np.where(has, index, has.size)[::-1])[::-1]
    otherwise = np.where(following <= bounds.last, following, index) if after else index
    source = np.where(before >= bounds.first, before, otherwise)
    # What was logged at the same step in a later row is nearer than what an earlier step logged.
    same = (before < bounds.step_first) & (following <= bounds.step_last)
    return np.asarray(np.where(same, following, source), dtype=np.int64)
