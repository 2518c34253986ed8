"""Rows that cannot be used: which, and why. Outliers stay; only what is impossible goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Metric, RowNote
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.hashing import row_hashes
from scaleplan.runs.inputs import TIMING_WORDS
from scaleplan.runs.numbers import write_number
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.roles import INPUT_ROLES
from scaleplan.runs.table import BoolArray, FloatArray
from scaleplan.runs.text import shown, words
from scaleplan.units import format_significant

_SIZES = (*INPUT_ROLES, "non_embedding_params", "embedding_params", "dense_params")
_FAILED = frozenset({"failed", "crashed", "diverged", "killed", "nan", "oom"})


# Of params, tokens or FLOP: ten orders of magnitude beyond all computing there has been.
_LARGEST_SIZE = 1e40
_SMALLEST_SIZE = 1 / _LARGEST_SIZE  # a cell that was damaged, or scaled by mistake
# Few rows below a thousand, a thousandth or less of the others, where the middle one is large: no
# sweep has such a hole.
_APART, _SMALL_COUNT, _LARGE_MEDIAN = 1e3, 1e3, 1e5
_FEWEST_ALIKE, _FEW_ODD = 4, 0.25
# A metric beyond these is that of a run that blew up: its square would not be a number any more.
_LARGEST_METRIC, _SMALLEST_LOSS = 1e100, 1e-100
_BELOW_ZERO = (
    "Laws of a loss need one above 0: a log-likelihood of a density, an ELBO or a difference of "
    "scores has none. `scaleplan check` judges such curves; fit another metric with --metric "
    "COLUMN, or one counted from a bound that it cannot pass."
)


@dataclass(slots=True, eq=False)
class _Dropped:
    """Rows to drop, the first reason found for each."""

    rows: Gathered
    reasons: dict[int, str] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def drop(self, row: int, kind: str, reason: str) -> None:
        """Drop a row; `kind` is the reason without its numbers."""
        if row not in self.reasons:
            self.reasons[row] = reason
            self.kinds[kind] += 1
            self.first.setdefault(kind, row)


def clean(
    rows: Gathered, metric: Metric, rows_read: int, earlier: Sequence[RowNote]
) -> tuple[Gathered, tuple[RowNote, ...]]:
    """Drop the rows that cannot be used.

    Args:
        rows: The rows, one a run.
        metric: What `value` is.
        rows_read: How many rows the inputs had, for the message if none is left.
        earlier: Rows that were dropped before.

    Returns:
        The rows that are left, and what was dropped.

    Raises:
        InputError: If no row is left.
    """
    dropped = _Dropped(rows)
    _failed(dropped)
    _impossible_metric(dropped, metric)
    _uniform_guess(dropped, metric)
    for role in _SIZES:
        if role in rows.roles:
            _impossible_size(dropped, role)
            _other_unit(dropped, role)
    _no_size(dropped)
    _duplicates(dropped)
    gone = sorted(dropped.reasons)
    notes = tuple(rows.row_note(row, dropped.reasons[row]) for row in gone)
    if len(gone) == len(rows):
        raise _nothing_left(dropped, metric, rows_read, earlier)
    kept = np.setdiff1d(np.arange(len(rows)), np.array(gone, dtype=np.int64))
    return rows.take(kept), notes


def _cell(column: RawColumn, row: int) -> str:
    """Return a cell as a reason quotes it: numbers as they are, text in quotation marks."""
    code = int(column.codes[row])
    if code >= 0 and np.isnan(column.numbers[row]):
        return shown(column.vocabulary[code])
    return write_number(float(column.numbers[row]))


def _failed(dropped: _Dropped) -> None:
    status = dropped.rows.labels.get("status")
    if status is None:
        return
    bad = np.array([t.casefold() in _FAILED for t in status.vocabulary] + [False], dtype=bool)
    for row in np.flatnonzero(bad[status.codes]).tolist():
        dropped.drop(row, "the run failed", f"the run is marked {_cell(status, row)}")


def _impossible_metric(dropped: _Dropped, metric: Metric) -> None:
    column, name = dropped.rows.roles["value"], dropped.rows.names["value"]
    numbers, blank = column.numbers, column.blank
    for row in np.flatnonzero(~np.isfinite(numbers)).tolist():
        if blank[row]:
            dropped.drop(row, f"{name} is empty", f"{name} is empty")
            continue
        cell = _cell(column, row)
        lost = cell.strip("'").casefold() in {"nan", "inf", "-inf", "infinity"}
        reason = f"{name} is {cell}" + ("" if lost else ", which is not a number")
        dropped.drop(row, f"{name} is {cell if lost else 'not a number'}", reason)
    allowed = _range_of(metric)[2]
    for row in np.flatnonzero(impossible(numbers, metric)).tolist():
        cell = write_number(float(numbers[row]))
        reason = f"{name} is {cell}; it must be {allowed}"
        dropped.drop(row, f"{name} is not {allowed}", reason)
    _absurd(dropped, "value", _SMALLEST_LOSS if metric.kind == "loss" else 0.0, _LARGEST_METRIC)


def _absurd(dropped: _Dropped, role: str, smallest: float, largest: float) -> None:
    """Drop rows with a number that no run has, and that overflows once it is reckoned with."""
    column, name = dropped.rows.roles[role], dropped.rows.names[role]
    with np.errstate(invalid="ignore"):
        magnitude = np.where(np.isfinite(column.numbers), np.abs(column.numbers), np.nan)
        far = {
            f"above {largest:g}": magnitude > largest,
            f"below {smallest:g}": (magnitude > 0.0) & (magnitude < smallest),
        }
    for where, rows in far.items():
        for row in np.flatnonzero(rows).tolist():
            reason = f"{name} is {_cell(column, row)}; nothing is {where}"
            dropped.drop(row, f"{name} is {where}", reason)


def impossible(numbers: FloatArray, metric: Metric) -> BoolArray:
    """Return which finite numbers a metric cannot be: a loss below or at 0, a share above 1."""
    low, high, _ = _range_of(metric)
    with np.errstate(invalid="ignore"):
        outside = (numbers <= 0.0) if metric.kind == "loss" else (numbers < low) | (numbers > high)
    return np.asarray(np.isfinite(numbers) & outside)


def _range_of(metric: Metric) -> tuple[float, float, str]:
    if metric.kind == "loss":
        return 0.0, float("inf"), "positive"
    if metric.bounded:
        return 0.0, 1.0, "between 0 and 1"
    return -float("inf"), float("inf"), "finite"


def _uniform_guess(dropped: _Dropped, metric: Metric) -> None:
    """Drop losses that are not below that of guessing every token alike, ln(vocabulary)."""
    sizes = dropped.rows.roles.get("vocab_size")
    plain_loss = metric.kind == "loss" and not metric.unit.startswith(("bits", "share", "ln"))
    if sizes is None or not plain_loss:
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        guess = np.where(sizes.numbers > 1.0, np.log(sizes.numbers), np.nan)
        bad = dropped.rows.roles["value"].numbers >= guess
    name = dropped.rows.names["value"]
    for row in np.flatnonzero(bad).tolist():
        value = format_significant(float(dropped.rows.roles["value"].numbers[row]))
        dropped.drop(
            row, "diverged",
            f"diverged: {name} is {value}, not below a uniform guess among "
            f"{int(sizes.numbers[row])} tokens ({format_significant(float(guess[row]))})",
        )  # fmt: skip


def _impossible_size(dropped: _Dropped, role: str) -> None:
    """Drop rows whose size is there but cannot be one; an empty cell is not known, no more."""
    column, name = dropped.rows.roles[role], dropped.rows.names[role]
    with np.errstate(invalid="ignore"):
        bad = (~(column.numbers > 0.0) | np.isinf(column.numbers)) & ~column.blank
    for row in np.flatnonzero(bad).tolist():
        reason = f"{name} is {_cell(column, row)}; it must be a number above 0"
        dropped.drop(row, f"{name} is not a number above 0", reason)
    _absurd(dropped, role, _SMALLEST_SIZE, _LARGEST_SIZE)


def _other_unit(dropped: _Dropped, role: str) -> None:
    """Drop rows whose size is so far below all others that it counts in another unit.

    One 0.03 among millions stands for 30M in billions; a law takes it for the smallest model.
    """
    column, name = dropped.rows.roles[role], dropped.rows.names[role]
    sizes = np.sort(column.numbers[np.isfinite(column.numbers) & (column.numbers > 0.0)])
    if sizes.size < _FEWEST_ALIKE or float(np.median(sizes)) < _LARGE_MEDIAN:
        return
    apart = np.flatnonzero(sizes[1:] >= _APART * sizes[:-1])
    below = float(sizes[apart[0]]) if apart.size else 0.0
    if not 0.0 < below < _SMALL_COUNT or int(apart[0]) + 1 > _FEW_ODD * sizes.size:
        return
    with np.errstate(invalid="ignore"):
        odd = (column.numbers > 0.0) & (column.numbers <= below)
    for row in np.flatnonzero(odd).tolist():
        reason = (
            f"{name} is {_cell(column, row)}, and {write_number(float(sizes[apart[0] + 1]))} or "
            "more in the other rows: it seems to count in another unit"
        )
        dropped.drop(row, f"{name} is in another unit", reason)


def _no_size(dropped: _Dropped) -> None:
    """Drop rows that give none of the sizes that the log has."""
    roles = [r for r in _SIZES if r in dropped.rows.roles]
    if not roles:
        return
    missing = np.logical_and.reduce([dropped.rows.roles[r].blank for r in roles])
    names = " and ".join(dict.fromkeys(dropped.rows.names[r] for r in roles))
    for row in np.flatnonzero(missing).tolist():
        verb = "are" if len(roles) > 1 else "is"
        dropped.drop(row, f"{names} {verb} empty", f"{names} {verb} empty")


def _duplicates(dropped: _Dropped) -> None:
    """Drop rows that repeat another one in every column but its times."""
    rows = dropped.rows
    columns = [*rows.roles.values(), *rows.labels.values()]
    columns += [c for n, c in rows.extra.items() if not TIMING_WORDS & set(words(n))]
    keys = [key for c in columns for key in (c.numbers, c.codes.astype(np.float64))]
    left = np.setdiff1d(np.arange(len(rows)), np.array(list(dropped.reasons), dtype=np.int64))
    hashes = row_hashes(keys)[left]
    order = np.argsort(hashes, kind="stable")
    same = hashes[order][1:] == hashes[order][:-1]
    first = -1
    for place in np.flatnonzero(same).tolist():
        if place == 0 or not same[place - 1]:
            first = int(left[order[place]])
        row = int(left[order[place + 1]])
        if all(_same_cell(c, first, row) for c in columns):
            dropped.drop(row, "duplicate", f"duplicate of {_place(rows, first, row)}")


def _same_cell(column: RawColumn, first: int, second: int) -> bool:
    if np.isnan(column.numbers[first]) or np.isnan(column.numbers[second]):
        both = np.isnan(column.numbers[first]) and np.isnan(column.numbers[second])
        return bool(both and column.codes[first] == column.codes[second])
    return bool(column.numbers[first] == column.numbers[second])


def _place(rows: Gathered, first: int, row: int) -> str:
    line, file = int(rows.lines[first]), int(rows.file_of[first])
    where = f"line {line}" if line else (rows.row_note(first, "").run or f"row {first + 1}")
    return where if file == int(rows.file_of[row]) else f"{rows.files[file]}, {where}"


def _nothing_left(
    dropped: _Dropped, metric: Metric, rows_read: int, earlier: Sequence[RowNote]
) -> InputError:  # fmt: skip
    """Return the error that counts the reasons when no row can be used."""
    parts = []
    for kind, count in dropped.kinds.most_common(4):
        note = dropped.rows.row_note(dropped.first[kind], "")
        where = note.file if note.line is None else f"{note.file}:{note.line}"
        parts.append(f"{count} × {kind} (first at {where})")
    if earlier:
        note = earlier[0]
        where = note.file if note.line is None else f"{note.file}:{note.line}"
        parts.append(f"{len(earlier)} × {note.reason} (first at {where})")
    read = "1 row was" if rows_read == 1 else f"{rows_read} rows were"
    values = dropped.rows.roles["value"].numbers
    known = values[np.isfinite(values)]
    below = metric.kind == "loss" and bool(known.size) and float(np.median(known)) < 0.0
    return InputError(
        f"{read} read and none can be used: " + "; ".join(parts),
        hint=_BELOW_ZERO if below
        else "Correct these rows, or choose other columns with --columns and --metric.",
    )  # fmt: skip
