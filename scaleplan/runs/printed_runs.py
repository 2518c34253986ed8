"""Which lines of printed logs are points of one run, where they print several for one step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.curve_order import order_of
from scaleplan.runs.curve_rows import axis_of
from scaleplan.runs.dividing import combine
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.roles import INPUT_ROLES
from scaleplan.runs.table import FloatArray, IntArray

# What changes along a run, or is what it reached.
_ALONG = frozenset(
    {"value", "train_value", "step", "epoch", "tokens", "flops", "learning_rate", "input"}
)


def printed_runs(
    rows: Gathered, printed: frozenset[int]
) -> tuple[str, FloatArray, IntArray] | None:  # fmt: skip
    """Return the runs of printed logs whose lines are no curves as tables have them.

    A line of a table may be a finished run; one of a printed log is a point of a run, for which a
    program prints as many as it likes. A row of another file is a run.

    Args:
        rows: The rows of all inputs.
        printed: Which of the files are printed logs.

    Returns:
        The role that counts the points (`row` where none does), where each row stands, and the
        run of each; None if every line says by its settings that it is a run of its own.

    Raises:
        InputError: If lines of several runs are mixed.
    """
    lines = np.flatnonzero(np.isin(rows.file_of, list(printed)))
    said = rows.take(lines)
    axis, counted = axis_of(said)
    if axis in {"row", "tokens"} and any(map(_varies, _inputs(said))):
        return None  # the sizes of finished runs
    runs = combine([said.file_of, *_settings(said)])
    if np.unique(runs).size == len(said):
        return None
    for run in range(int(runs.max()) + 1):
        members = np.flatnonzero(runs == run)
        _refuse_mixed(said, members, axis, counted[members])
    groups = np.arange(len(rows)) + int(runs.max()) + 1
    groups[lines] = runs
    position = np.full(len(rows), np.nan)
    position[lines] = counted
    return axis, position, groups


def _inputs(rows: Gathered) -> Iterator[RawColumn]:
    """Yield what a law may be fitted to, where nothing counts steps or epochs."""
    yield from (rows.roles[role] for role in INPUT_ROLES if role in rows.roles)
    yield from (column for name, column in rows.extra.items() if describe(name) is None)


def _varies(column: RawColumn) -> bool:
    known = column.numbers[np.isfinite(column.numbers)]
    return bool(known.size) and float(known.min()) < float(known.max())


def _settings(rows: Gathered) -> Iterator[IntArray]:
    """Yield, of each column that tells runs apart, which rows are equal."""
    columns = [*rows.labels.values()]
    columns += [column for role, column in rows.roles.items() if role not in _ALONG]
    for column in columns:
        keys = _keys(column)
        # What is said on some lines only says it of all of them.
        if np.unique(keys[~column.blank]).size > 1:
            yield keys


def _keys(column: RawColumn) -> IntArray:
    numbers = np.unique(column.numbers, return_inverse=True)[1].astype(np.int64)
    return combine([column.codes.astype(np.int64), numbers])


def _refuse_mixed(rows: Gathered, members: IntArray, axis: str, at: FloatArray) -> None:
    """Refuse a run whose lines are those of several, by the rule of `scaleplan check`.

    Raises:
        InputError: If they are.
    """
    value = rows.roles["value"]
    logged = ~value.blank[members] & np.isfinite(at)
    found = order_of(at[logged], value.numbers[members][logged])
    if found.mixed is None:
        return
    row = rows.row_note(int(members[logged][found.mixed]), "")
    raise InputError(
        f"lines of equal {axis} have different {rows.names['value']}, here and elsewhere: they "
        "are of several runs or processes, or of parts of one that are not told apart",
        file=row.file, line=row.line,
        hint="Give the lines that count with --pattern, and what counts them as (?P<step>...); or "
        "give each run a file of its own.",
    )  # fmt: skip
