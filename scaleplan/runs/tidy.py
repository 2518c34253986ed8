"""Tidy (long) tables, one metric a row, as MLflow, melts of pandas and R write them: made wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note, RowNote
from scaleplan.runs.dividing import combine
from scaleplan.runs.inputs import is_clock
from scaleplan.runs.metrics import Candidate, describe
from scaleplan.runs.numbers import MOST_TOLD
from scaleplan.runs.raw import RawColumn, RawTable
from scaleplan.runs.request import Request
from scaleplan.runs.roles import text_role
from scaleplan.runs.row_keys import codes_of, counts_points, occurrences, scattered
from scaleplan.runs.split_files import is_split, on_split
from scaleplan.runs.table import BoolArray, IntArray
from scaleplan.runs.text import fold, listed
from scaleplan.runs.tidy_columns import columns_found, is_number_role, is_spread

# Rows that were counted for a value; what only numbers the rows.
_COUNTED_FOR_IT = frozenset({"n", "count", "nobs", "isnan"})
_NUMBERS_ROWS = frozenset({"index", "idx", "row", "rowid", "id", "unnamed0"})
_MOST_CELLS = 200_000_000


def widened(table: RawTable, request: Request) -> RawTable:
    """Return a table with one metric a row as one with a row for each run and step.

    Args:
        table: Any table, before its cells are settled.
        request: What was asked for; a column that it names keeps its name.

    Returns:
        The same table if it is none.

    Raises:
        InputError: If it has too many names for a table.
    """
    found = None if table.printed or not len(table) else columns_found(table, request)
    return table if found is None else _Tidy(_with_nan(table, found[1]), *found).wide()


def _with_nan(table: RawTable, value: str) -> RawTable:
    """Return a table with the readings that MLflow writes as 0 and marks as nan in `is_nan`."""
    marks = [c for name, c in table.columns.items() if fold(name) == "isnan"]
    column = table.columns[value]
    if not marks:
        return table
    said = np.array([t.casefold() == "true" for t in marks[0].vocabulary] + [False], dtype=bool)
    lost = (marks[0].numbers == 1.0) | said[marks[0].codes]
    made = RawColumn(
        np.where(lost, np.nan, column.numbers),
        np.where(lost, len(column.vocabulary), column.codes).astype(np.int32),
        (*column.vocabulary, "nan"),
    )
    return replace(table, columns={**table.columns, value: made})


@dataclass(frozen=True, slots=True)
class _Tidy:
    """A table with one metric a row.

    Args:
        table: The table.
        named: The column that names the metrics.
        value: The column of their values.
    """

    table: RawTable
    named: str
    value: str

    def wide(self) -> RawTable:
        """Return the table with one column a metric."""
        keys, beside, left_out = self._parts()
        names, which, prefix = self._names()
        codes = [codes_of(self.table.columns[name]) for name in keys]
        group = combine(codes or [np.zeros(len(self.table), dtype=np.int64)])
        axis = next((name for name in keys if counts_points(name)), None)
        kept = which >= 0
        dropped = self._told(~kept, f"no name in {self.named}")
        occurrence = occurrences(group, which)
        if axis is not None:
            again = self._again(group, which) & kept
            dropped += self._told(again, "the same value of the same metric once more")
            kept &= ~again
            occurrence[kept] = occurrences(group[kept], which[kept])
        rows = np.flatnonzero(kept)
        place = combine([group[rows], occurrence[rows]])
        order = self._order(place, rows, axis, keys, repeated=bool((occurrence[rows] > 0).any()))
        columns, lines, lost = self._columns(rows, order, names, which[rows], [*keys, *beside])
        note = self._note(names, keys, left_out + lost, len(lines), prefix)
        return replace(
            self.table, columns=columns, lines=lines, notes=(*self.table.notes, note),
            dropped=(*self.table.dropped, *dropped),
        )  # fmt: skip

    def _parts(self) -> tuple[list[str], list[str], list[str]]:
        """Return the columns that tell rows apart, those beside them, and those left out."""
        keys, beside, left_out = [], [], []
        for name, column in self.table.columns.items():
            if name in {self.named, self.value} or self._is_split(name):
                continue
            role = is_number_role(name) or text_role(name) is not None or counts_points(name)
            if _numbers_rows(name, column):
                left_out.append(name)
            elif is_clock(name):
                beside.append(name)
            elif (not role or text_role(name) == "unit") and (
                is_spread(name) or fold(name) in _COUNTED_FOR_IT or self._is_of_metric(column)
            ):
                left_out.append(name)
            else:
                keys.append(name)
        return keys, beside, left_out

    def _is_split(self, name: str) -> bool:
        return is_split(name, self.table.columns[name])

    def _is_of_metric(self, column: RawColumn) -> bool:
        """Tell whether a column of words says something of the metric, not of the run."""
        names = self.table.columns[self.named].codes
        said = np.unique(column.codes).size
        pairs = np.unique(combine([names.astype(np.int64), codes_of(column)])).size
        return column.is_text and said > 1 and pairs == np.unique(names).size

    def _names(self) -> tuple[list[str], IntArray, str]:
        """Return the names of the metrics, which of them each row has, and the column of splits."""
        column = self.table.columns[self.named]
        which = column.codes.astype(np.int64)
        split = next((name for name in self.table.columns if self._is_split(name)), None)
        if split is None:
            return list(column.vocabulary), which, ""
        on = self.table.columns[split]
        pairs = {(int(w), int(s)) for w, s in zip(which, on.codes, strict=True) if w >= 0}
        names: dict[str, int] = {}
        place = {}
        for name, said in sorted(pairs):
            text = column.vocabulary[name]
            text = on_split(text, on.vocabulary[said]) if said >= 0 else text
            place[name, said] = names.setdefault(text, len(names))
        found = [place.get((int(w), int(s)), -1) for w, s in zip(which, on.codes, strict=True)]
        return list(names), np.array(found, dtype=np.int64), split

    def _again(self, group: IntArray, which: IntArray) -> BoolArray:
        """Return which rows say again what a row before them says."""
        same = combine([group, which, codes_of(self.table.columns[self.value])])
        return occurrences(same, np.zeros_like(same)) > 0

    def _told(self, rows: BoolArray, reason: str) -> list[RowNote]:
        found = np.flatnonzero(rows)
        told = [self._row(int(row), reason) for row in found[:MOST_TOLD]]
        if found.size > MOST_TOLD:
            more = f"{reason}: {found.size - MOST_TOLD} more rows"
            told.append(self._row(int(found[MOST_TOLD]), more))
        return told

    def _row(self, row: int, reason: str) -> RowNote:
        said = self.table.columns[self.named].text(row)
        return RowNote(
            file=self.table.file, line=int(self.table.lines[row]) or None,
            reason=f"{said}: {reason}" if said else reason,
        )  # fmt: skip

    def _order(
        self, place: IntArray, rows: IntArray, axis: str | None, keys: Sequence[str], *,
        repeated: bool,
    ) -> IntArray:  # fmt: skip
        """Return the row of the wide table that each row goes to, in the order of steps.

        Where steps repeat, as after a restart, the order in which rows stand is that of the run.
        """
        first = np.unique(place, return_index=True)[1]
        ranks = np.argsort(first, kind="stable")
        if axis is not None and not repeated:
            others = [name for name in keys if not counts_points(name)]
            run = combine(
                [codes_of(self.table.columns[name])[rows] for name in others]
                or [np.zeros(rows.size, dtype=np.int64)]
            )
            begins = np.unique(run, return_index=True)[1][run]
            at = self.table.columns[axis].numbers[rows]
            ranks = np.lexsort((first, at[first], begins[first]))
        to = np.empty_like(ranks)
        to[ranks] = np.arange(ranks.size)
        return np.asarray(to[place], dtype=np.int64)

    def _columns(
        self, rows: IntArray, to: IntArray, names: Sequence[str], which: IntArray,
        kept: Sequence[str],
    ) -> tuple[dict[str, RawColumn], IntArray, list[str]]:  # fmt: skip
        """Return the wide columns, the line of each row, and the names that are lost."""
        count = int(to.max(initial=-1)) + 1
        if len(names) * count > _MOST_CELLS:
            raise InputError(
                f"{self.named} names {len(names)} metrics in {count} rows, too many",
                file=self.table.file, hint="Keep the metrics that a plan needs.",
            )  # fmt: skip
        first = np.full(count, -1)
        first[to[::-1]] = rows[::-1]
        columns = {name: self.table.columns[name].take(first) for name in kept}
        lines = self.table.lines[first]
        lost = [name for name in names if name in columns]
        best = _best(names)
        for code, name in enumerate(names):
            here = np.flatnonzero(which == code)
            if name == best:
                lines[to[here]] = self.table.lines[rows[here]]
            if here.size and name not in lost:
                columns[name] = scattered(self.table.columns[self.value], rows[here], to[here],
                                           count)  # fmt: skip
        return columns, lines, lost

    def _note(
        self, names: Sequence[str], keys: Sequence[str], left_out: Sequence[str], count: int,
        split: str,
    ) -> Note:  # fmt: skip
        apart = f", told apart by {listed(keys, 5)}" if keys else ""
        by = f"{self.named} and {split}" if split else self.named
        text = (
            f"{self.table.file} has one metric a row: its {len(self.table)} rows became {count}"
            f"{apart}; {by} named the columns {listed(names, 8)}."
        )
        if left_out:
            text += f" {listed(left_out, 5)} {'was' if len(left_out) == 1 else 'were'} left out."
        return Note(
            id="TIDY_TABLE", severity="info", text=text,
            numbers=(("rows", float(count)), ("metrics", float(len(names)))),
        )  # fmt: skip


def _numbers_rows(name: str, column: RawColumn) -> bool:
    """Tell whether a column is the number of each row, as pandas writes it."""
    if not (name.startswith("column ") or fold(name) in _NUMBERS_ROWS):
        return False
    codes = codes_of(column)
    return np.unique(codes).size == codes.size


def _best(names: Sequence[str]) -> str | None:
    """Return the metric whose lines stand for those of the rows."""
    found: Mapping[str, Candidate] = {n: c for n in names if (c := describe(n)) is not None}
    return min(found, key=lambda name: found[name].order, default=None)
