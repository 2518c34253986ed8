"""Which rows of a log are points of one training curve."""

from __future__ import annotations

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.curve_order import order_of
from scaleplan.runs.dividing import combine
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.name_sharing import fixed_columns
from scaleplan.runs.raw import RawColumn, numeric_column
from scaleplan.runs.repeated_steps import divide_repeats
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.runs.text import words

# What mostly stays the same throughout a run and tells it from others where no column names runs.
_CONFIGURATION = (
    "active_params", "embedding_params", "unique_tokens", "batch_tokens", "batch_size", "seed",
    "epochs",
)  # fmt: skip
# A column of text so called that says something else on every row names runs, one a row. A time, a
# message or the path of a checkpoint is another one on every row of a log of steps as well.
_NAMING = frozenset({
    "run", "runs", "job", "exp", "experiment", "trial", "model", "config", "configuration", "sweep",
    "variant", "arch", "architecture",
})  # fmt: skip
_OF_A_POINT = frozenset({
    "time", "timestamp", "date", "created", "step", "iteration", "iter", "epoch", "checkpoint",
    "ckpt", "path", "file", "dir", "folder", "url", "uri", "message", "msg", "log", "state",
    "status", "output", "sample",
})  # fmt: skip
# A restart begins again with a stretch of at least this many rows; fewer are rows of a plain table.
_SHORTEST_STRETCH = 3
# A curve may have some of its points twice: the last one, or those of a start that was given up.
# So many different ones at least, and such a share of all at most.
_FEWEST_PLACES, _MOST_REPEATED = 5, 0.1


def groups_of(rows: Gathered, position: FloatArray) -> IntArray | None:
    """Return the run of each row as a number, or None if the rows are no curves.

    Raises:
        InputError: If steps go back without a column that tells runs apart.
    """
    index = np.arange(len(rows))
    # Rows without a step, from a table of finished runs, are runs of their own.
    alone = np.where(np.isnan(position), index, -1)
    if "run" in rows.labels:
        run = rows.labels["run"]
        blank = run.blank
        groups = combine([
            _keys(run), np.where(blank, rows.file_of, -1), np.where(blank, alone, -1)
        ])  # fmt: skip
        return groups if np.unique(groups).size < len(rows) else None
    if any(_names_each_row(name, column) for name, column in rows.labels.items()):
        return None
    columns = [*rows.labels.values()]
    columns += [rows.roles[r] for r in _CONFIGURATION if r in rows.roles]
    keys = [_keys(c) for c in columns if _tells_apart(c, len(rows.files))]
    groups = combine([fixed_groups(rows), alone, *keys])
    rate = rows.roles.get("learning_rate")
    if rate is not None and _tells_apart(rate, len(rows.files)):
        # A rate that changes along a run is a schedule: it is a setting where steps need telling
        # apart, as in a sweep.
        plain = np.unique(groups).size * _SHORTEST_STRETCH <= len(rows)
        if not plain or not _one_line_each(rows, groups, position, repeated=_MOST_REPEATED):
            parted = combine([groups, _keys(rate)])
            groups = groups if _hardly_repeated(rows, parted, position) else parted
    if np.unique(groups).size == len(rows):
        return None
    backward = steps_back(groups, position)
    restart = backward.size > 0 and _is_restart(groups, position, int(backward[0]))
    if not restart:
        # Many equal steps, or steps in any order, are those of different runs.
        one = _one_line_each(rows, groups, position, repeated=_MOST_REPEATED)
        return groups if one else None
    begun = _begun_again(rows, groups, position, backward)
    if begun is None:
        return groups
    if divide_repeats(groups, rows, np.ones(len(rows), dtype=bool)) and _one_line_each(
        rows, groups, position
    ):
        return groups
    origin = rows.row_note(begun, "")
    raise InputError(
        "the steps go back here, and no column tells which run a row belongs to",
        file=origin.file, line=origin.line,
        hint="Add a column named run, or give one file a run.",
    )  # fmt: skip


def _names_each_row(name: str, column: RawColumn) -> bool:
    """Tell whether a column of text gives every row the name of a run of its own."""
    said = set(words(name))
    if not said & _NAMING or said & _OF_A_POINT or column.blank.any():
        return False
    return np.unique(_keys(column)).size == column.blank.size


def fixed_groups(rows: Gathered) -> IntArray:
    """Return the file and what is fixed when a run starts, as one number: other runs differ in it.

    In a table of finished runs it may differ from row to row.
    """
    fixed = [c for c in fixed_columns(rows).values() if _says_different(c, len(rows.files))]
    return combine([rows.file_of, *(_number_keys(c) for c in fixed)])


def _says_different(column: RawColumn, files: int) -> bool:
    """Tell whether a column says more than one thing a file, or is there on every row."""
    blank = column.blank
    return not blank.any() or np.unique(_keys(column)[~blank]).size > files


def _tells_apart(column: RawColumn, files: int) -> bool:
    """Tell whether a column may be part of what names a run.

    Not if it is logged on some rows only and says the same on all of those, nor if it has a value
    of its own on most rows, as a decaying learning rate does.
    """
    different = np.unique(_keys(column)[~column.blank]).size
    most = max(files, column.blank.size // _SHORTEST_STRETCH)
    return _says_different(column, files) and different <= most


def _one_line_each(
    rows: Gathered, groups: IntArray, position: FloatArray, *, repeated: float = 0.0
) -> bool:
    """Tell whether the steps of each group go forward, with one point of the metric at each.

    Args:
        rows: The rows.
        groups: The group of each.
        position: The step of each.
        repeated: The largest share of points of curves, long enough to be some, that may stand at
            the step of the one before them; one may where any does.
    """
    if steps_back(groups, position).size:
        return False
    logged = np.flatnonzero(~rows.roles["value"].blank)
    points = combine([groups[logged], _number_keys(numeric_column(position[logged]))])
    places, of_place = np.unique(points, return_index=True)
    again = points.size - places.size
    if not again or not repeated:
        return not again
    curves = np.unique(groups[logged]).size
    fewest = int(np.unique(groups[logged][of_place], return_counts=True)[1].min())
    return fewest >= _FEWEST_PLACES and again <= max(curves, repeated * points.size)


def _hardly_repeated(rows: Gathered, groups: IntArray, position: FloatArray) -> bool:
    """Tell whether a few points, and no more, stand at the step of another one in their group."""
    logged = np.flatnonzero(~rows.roles["value"].blank)
    points = combine([groups[logged], _number_keys(numeric_column(position[logged]))])
    return 0 < points.size - np.unique(points).size <= _MOST_REPEATED * points.size


def steps_back(groups: IntArray, position: FloatArray) -> IntArray:
    """Return the rows whose step is below that of the row before it in the group."""
    order = np.lexsort((np.arange(groups.size), groups))
    same = groups[order][1:] == groups[order][:-1]
    back = same & (position[order][1:] < position[order][:-1])
    return np.sort(order[1:][back])


def _is_restart(groups: IntArray, position: FloatArray, row: int) -> bool:
    """Tell whether steps start again here after a stretch of rising ones.

    In a table of finished runs in any order the step of a row says nothing about the next one.
    """
    members = np.flatnonzero(groups == groups[row])
    at = int(np.searchsorted(members, row))
    before, after = position[members[:at]], position[members[at : at + _SHORTEST_STRETCH]]
    rising = bool(np.all(np.diff(before[np.isfinite(before)]) >= 0.0))
    goes_on = bool(np.all(np.diff(after[np.isfinite(after)]) >= 0.0))
    return (
        before.size >= _SHORTEST_STRETCH and after.size >= _SHORTEST_STRETCH and rising and goes_on
    )


def _begun_again(
    rows: Gathered, groups: IntArray, position: FloatArray, backward: IntArray
) -> int | None:  # fmt: skip
    """Return the first row, after steps went back, that is of another run; None if none is.

    A resumed run goes back a little, to its checkpoint, and on.
    """
    values, blank = rows.roles["value"].numbers, rows.roles["value"].blank
    for group in np.unique(groups[backward]).tolist():
        members = np.flatnonzero(groups == group)
        begun = np.flatnonzero(restarts(position[members]))
        if begun.size:
            return int(members[begun[0]])
        logged = members[~blank[members] & np.isfinite(position[members])]
        mixed = order_of(position[logged], values[logged]).mixed
        if mixed is not None:
            return int(logged[mixed])
    return None


def restarts(position: FloatArray) -> IntArray:
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


def _keys(column: RawColumn) -> IntArray:
    """Return equal numbers for equal cells of a label."""
    return combine([column.codes.astype(np.int64), _number_keys(column)])


def _number_keys(column: RawColumn) -> IntArray:
    """Return equal numbers for equal cells; empty cells are equal to each other."""
    return np.unique(column.numbers, return_inverse=True)[1].astype(np.int64)
