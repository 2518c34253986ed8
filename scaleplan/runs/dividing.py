"""Groups of rows that a column divides, where it says different things within one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scaleplan.runs.table import BoolArray, FloatArray, IntArray


def first_known(own: IntArray, numbers: FloatArray, known: BoolArray) -> FloatArray:
    """Return the first known number of each group; NaN for a group without.

    Args:
        own: The group of each row.
        numbers: What the rows say.
        known: Which of them say anything.
    """
    first = np.full(int(own.max(initial=0)) + 1, np.nan)
    first[own[known][::-1]] = numbers[known][::-1]
    return first


def divide(own: IntArray, numbers: FloatArray, named: BoolArray) -> bool:
    """Divide, in place, the groups in which a column says different things.

    Rows on which it says nothing stay with the rows before them if most rows of the group are such,
    as in a log that writes its settings once; else they are a group of their own.

    Args:
        own: The group of each row.
        numbers: What the column says.
        named: The rows that may be divided.

    Returns:
        Whether any group was.
    """
    known = np.isfinite(numbers) & named
    first = first_known(own, numbers, known)
    differing = np.zeros(first.size, dtype=bool)
    differing[own[known & (numbers != first[own])]] = True
    if not differing.any():
        return False
    rows = np.flatnonzero(named & differing[own])
    rows = rows[np.argsort(own[rows], kind="stable")]
    group = np.unique(own[rows], return_inverse=True)[1]
    has, places = known[rows], np.arange(rows.size)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])[group]
    before = np.maximum.accumulate(np.where(has, places, -1))
    following = np.minimum.accumulate(np.where(has, places, rows.size)[::-1])[::-1]
    source = np.where(before >= starts, before, following)
    sparse = np.bincount(group, weights=has) * 2 < np.bincount(group)
    said = np.where(sparse[group], numbers[rows][source], np.where(has, numbers[rows], np.nan))
    value = np.unique(said, return_inverse=True)[1].astype(np.int64)
    pairs = np.unique(group * rows.size + value, return_inverse=True)[1]
    own[rows] = int(own.max()) + 1 + pairs
    return True


def combine(keys: Sequence[IntArray]) -> IntArray:
    """Return equal numbers for rows in which all keys are equal."""
    result = keys[0]
    for key in keys[1:]:
        result = np.unique(result, return_inverse=True)[1].astype(np.int64)
        codes = np.unique(key, return_inverse=True)[1].astype(np.int64)
        # Both are below the number of rows, so that the pair fits into 64 bits.
        result = result * (int(codes.max(initial=0)) + 1) + codes
    return np.unique(result, return_inverse=True)[1].astype(np.int64)
