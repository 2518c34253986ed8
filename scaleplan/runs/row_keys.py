"""What tells the rows of one table apart, and cells that move to other rows."""

from __future__ import annotations

import numpy as np

from scaleplan.runs.dividing import combine
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.roles import AXIS_NAMES, rank, spellings
from scaleplan.runs.table import IntArray

_AXES = ("step", "epoch", "tokens")


def counts_points(name: str) -> bool:
    """Tell whether a column counts the points of a run."""
    if any(rank(role, name) is not None for role in _AXES):
        return True
    return any(s in known for known in AXIS_NAMES.values() for s in spellings(name))


def codes_of(column: RawColumn) -> IntArray:
    """Return equal numbers for equal cells.

    Args:
        column: The column.
    """
    numbers = np.unique(column.numbers, return_inverse=True)[1].astype(np.int64)
    return combine([column.codes.astype(np.int64), numbers])


def occurrences(group: IntArray, which: IntArray) -> IntArray:
    """Return how many rows of the same group and name stand before each row.

    Args:
        group: Shape (n,).
        which: Shape (n,), the name.
    """
    same = combine([group, which])
    order = np.argsort(same, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(same[order]) != 0])
    sizes = np.diff(np.r_[starts, order.size])
    result = np.empty(same.size, dtype=np.int64)
    result[order] = np.arange(order.size) - np.repeat(starts, sizes)
    return result


def scattered(column: RawColumn, rows: IntArray, to: IntArray, count: int) -> RawColumn:
    """Return cells of a column at other places, with only the texts that are used.

    Args:
        column: The column.
        rows: Where its cells stand.
        to: Where they go.
        count: How many places there are.
    """
    numbers, codes = np.full(count, np.nan), np.full(count, -1, dtype=np.int32)
    numbers[to] = column.numbers[rows]
    used, found = np.unique(column.codes[rows], return_inverse=True)
    texts = [column.vocabulary[code] for code in used if code >= 0]
    codes[to] = found - int(used[0] < 0) if used.size else -1
    return RawColumn(numbers, codes, tuple(texts))
