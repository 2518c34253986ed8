"""Rows of one run to its curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Metric
from scaleplan.runs.curve import NOTHING, Curve, Series
from scaleplan.runs.curve_order import IN_ORDER, Order, order_of
from scaleplan.runs.evaluated_after import Logged, evaluated_after
from scaleplan.runs.frame import Frame
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.metrics import describe
from scaleplan.runs.table import BoolArray, FloatArray, IntArray

SERIES = ("value", "train_value", "learning_rate")
Rows = IntArray | slice  # of one run; a slice where they stand one after the other
_SIZES = ("params", "active_params", "tokens", "flops", "unique_tokens")
_ORDERED = ("value", "train_value")  # what shows restarts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Builder:
    """Makes curves of rows.

    Args:
        rows: The rows of all runs in their roles.
        frame: The same rows by their columns.
        metric: What `value` is.
        axis: What `position` counts.
        position: Where each row stands.
        accuracy: The column of validation accuracy, or of an error, beside a loss; None without.
        loss: The column of the training loss beside another metric; None without one.
        validated: Whether `value` was measured on validation or test data.
        blank: Empty cells of each series' column; None for a column without any.
        named: Whether a column names the runs.
        by_file: Whether files name runs that nothing else names.
    """

    rows: Gathered
    frame: Frame
    metric: Metric
    axis: str
    position: FloatArray
    accuracy: str | None
    loss: str | None
    validated: bool
    blank: Mapping[str, BoolArray | None]
    named: bool
    by_file: bool

    def curve(self, members: IntArray, number: int) -> Curve:
        """Return the curve of these rows, in the order of their steps.

        Args:
            members: The rows, in the order of the log.
            number: Names the run where nothing else does.

        Raises:
            InputError: If rows of several runs are mixed in them.
        """
        whole = int(members[-1] - members[0]) + 1 == members.size
        rows: Rows = slice(int(members[0]), int(members[-1]) + 1) if whole else members
        at = self.position[rows]
        known = bool(np.isfinite(at).all())
        if not known:
            at = _filled(at)
        orders = {
            role: self._orders(rows, members, at, role, known=known)
            for role in _ORDERED if role in self.rows.roles
        }  # fmt: skip
        gone = self._rewritten(rows, at, orders)
        replaced = 0 if gone is None else int(gone.sum())
        after = self._evaluated_after(rows, at, gone)
        afterwards = NOTHING
        if after is not None:
            again = (self._series(rows, at, role, ~after) for role in _ORDERED)
            afterwards = next((one for one in again if len(one)), NOTHING)
            gone = after if gone is None else gone | after
        main = self._series(rows, at, "value", gone)
        training = self._series(rows, at, "train_value", gone)
        only_training = not self.validated and not len(training)
        if self.validated and not len(main) and len(training):
            only_training, main = True, training
        note = self.rows.row_note(int(members[0]), "")
        told = max(orders.values(), key=lambda one: one.late + one.repeated, default=IN_ORDER)
        return Curve(
            run=note.run or (note.file if self.by_file else f"run {number}"),
            file=note.file, axis=self.axis, metric=self._metric_of(training, main),
            validation=NOTHING if only_training else main,
            training=main if only_training else training,
            accuracy=_rising(self._beside(self.accuracy, rows, at, after), self.accuracy),
            loss=self._beside(self.loss, rows, at, after),
            learning_rate=self._series(rows, at, "learning_rate", gone),
            sizes=self._sizes(rows), sorted_rows=told.late, replaced=replaced,
            repeated=max(0, told.repeated - (0 if after is None else int(after.sum()))),
            gap=_widest_gap(main.at), afterwards=afterwards,
        )  # fmt: skip

    def _metric_of(self, training: Series, main: Series) -> Metric:
        """Return the metric that a run is judged by: that of training if nothing else is there."""
        if self.validated and main is training and len(training):
            return replace(self.metric, name=self.rows.names["train_value"])
        return self.metric

    def _orders(
        self, rows: Rows, members: IntArray, at: FloatArray, role: str, *, known: bool
    ) -> Order:
        """Return the order of a series, file by file; restarts by their place in `members`.

        Raises:
            InputError: If rows of several runs are mixed.
        """
        values = self.rows.roles[role].numbers[rows]
        blank = self._blank(role, rows)
        if blank is None and bool((at[1:] > at[:-1]).all()):
            return IN_ORDER
        logged = np.arange(at.size) if blank is None else np.flatnonzero(~blank)
        files = self.rows.file_of[rows]
        late = repeated = 0
        restarts: list[tuple[int, float]] = []
        several = bool((files != files[0]).any())
        for file in np.unique(files) if several else files[:1]:
            here = logged[files[logged] == file] if several else logged
            found = order_of(at[here], values[here])
            if found.mixed is not None and known and not self._of_batches(rows, at, role):
                raise self._mixed(int(members[here[found.mixed]]), role)
            late, repeated = late + found.late, repeated + found.repeated
            restarts += [(int(here[row]), step) for row, step in found.restarts]
        return Order(late, repeated, tuple(restarts), None)

    def _of_batches(self, rows: Rows, at: FloatArray, role: str) -> bool:
        """Tell whether training was read several times a step, by one run: the last one counts.

        Rows of two runs would go back to earlier steps, or validate twice at one.
        """
        if role != "train_value" or bool((at[1:] < at[:-1]).any()):
            return False
        blank = self._blank("value", rows)
        validated = at if blank is None else at[~blank]
        return validated.size > 1 and bool((validated[1:] > validated[:-1]).all())

    def _mixed(self, row: int, role: str) -> InputError:
        note = self.rows.row_note(row, "")
        of_run = f" of the run {note.run!r}" if note.run else ""
        return InputError(
            f"rows{of_run} of equal {self.axis} have different {self.rows.names[role]}, here and "
            "elsewhere: rows of several runs are mixed"
            + ("" if self.named else ", and no column names them"),
            file=note.file, line=note.line,
            hint="Give each run a name of its own in a column named run, or a file of its own"
            + ("." if self.axis == "step" else "; if they are one run, add a column named step."),
        )  # fmt: skip

    def _rewritten(
        self, rows: Rows, at: FloatArray, orders: Mapping[str, Order]
    ) -> BoolArray | None:
        """Return the rows that a restart of the run has replaced by what it wrote from there on."""
        found = sorted({restart for order in orders.values() for restart in order.restarts})
        if not found:
            return None
        gone = np.zeros(at.size, dtype=bool)
        files = self.rows.file_of[rows]
        for row, step in found:
            same = files == files[row]
            before = same & (np.arange(at.size) < row) & (at >= step)
            for role in SERIES:
                if role not in self.rows.roles:
                    continue
                blank = self._blank(role, rows)
                logged = np.ones(at.size, dtype=bool) if blank is None else ~blank
                # A series that stands in a part of the file of its own was not begun again.
                if bool((logged[row:] & same[row:]).any()):
                    gone |= before & logged
        return gone

    def _evaluated_after(
        self, rows: Rows, at: FloatArray, gone: BoolArray | None
    ) -> BoolArray | None:
        """Return the rows that evaluate the finished run again."""
        if not self.validated or "value" not in self.rows.roles:
            return None
        if bool((at[1:] > at[:-1]).all()):
            return None  # most are, and long
        series = []
        for role in _ORDERED:
            if role not in self.rows.roles:
                continue
            blank = self._blank(role, rows)
            there = np.ones(at.size, dtype=bool) if blank is None else ~blank
            values = self.rows.roles[role].numbers[rows]
            series.append(Logged(values, there if gone is None else there & ~gone))
        return evaluated_after(at, series)

    def _blank(self, role: str, rows: Rows) -> BoolArray | None:
        """Return which cells of a series are empty; None if none of the whole column is."""
        blank = self.blank[role]
        return None if blank is None else blank[rows]

    def _series(self, rows: Rows, at: FloatArray, role: str, gone: BoolArray | None) -> Series:
        """Return a role along the run, later rows in the place of earlier ones of equal step."""
        if role not in self.rows.roles:
            return NOTHING
        steps, values = at, self.rows.roles[role].numbers[rows]
        out = self._blank(role, rows)
        if gone is not None:
            out = gone if out is None else out | gone
        if out is not None and bool(out.any()):
            steps, values = steps[~out], values[~out]
        # Percentages of the metric were divided by 100 when it was read; so is its training twin.
        if role == "train_value" and self.metric.bounded and values.size:
            known = values[np.isfinite(values)]
            if known.size and float(np.median(known)) > 1.0:
                values = values / 100.0
        return _latest(steps, values)

    def _beside(
        self, column: str | None, rows: Rows, at: FloatArray, after: BoolArray | None
    ) -> Series:
        """Return the finite readings of a column that plays no role."""
        if column is None:
            return NOTHING
        numbers = self.frame.columns[column].numbers[rows]
        logged = np.isfinite(numbers)
        if after is not None:
            logged &= ~after
        return _latest(at[logged], numbers[logged])

    def _sizes(self, rows: Rows) -> dict[str, float]:
        found = {}
        for role in _SIZES:
            if role not in self.rows.roles:
                continue
            numbers = self.rows.roles[role].numbers[rows]
            known = numbers[np.isfinite(numbers)]
            if known.size:
                found[role] = float(known.max())
        return found


def _latest(at: FloatArray, values: FloatArray) -> Series:
    """Sort by position, stable; of equal positions the row that was written last counts."""
    if at.size == 0 or bool((at[1:] > at[:-1]).all()):
        return Series(at, values)
    order = np.argsort(at, kind="stable")
    steps = at[order]
    last = np.r_[steps[1:] != steps[:-1], True]
    return Series(steps[last], values[order][last])


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


def _rising(series: Series, column: str | None) -> Series:
    """Return a series that rises as training succeeds: an error with its sign turned round."""
    said = None if column is None else describe(column)
    if said is None or said.kind != "error":
        return series
    return Series(series.at, -series.value)
