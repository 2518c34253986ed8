"""One number a row that is equal where rows are: one sort instead of one a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scaleplan.runs.table import FloatArray, IntArray

# The multiplier of Knuth's MMIX, a 64-bit linear congruential generator, and a shift that brings
# its well mixed high bits down.
_MULTIPLIER = np.uint64(6364136223846793005)
_INCREMENT = np.uint64(1442695040888963407)
_SHIFT = np.uint64(29)


def row_hashes(keys: Sequence[FloatArray]) -> IntArray:
    """Return equal numbers for rows that are equal in all keys; NaN is equal to NaN.

    Unequal rows share a number with a chance of some 1e-7 in a million rows: good for counting and
    for finding candidates, not for proof.

    Args:
        keys: Each of shape (n,).

    Returns:
        Shape (n,), 64-bit hashes.
    """
    result: np.ndarray[tuple[Any, ...], np.dtype[np.uint64]] = np.zeros(
        keys[0].size, dtype=np.uint64
    )
    for key in keys:
        plain = np.where(np.isnan(key), np.nan, key) + 0.0  # one NaN, and no -0.0
        result = (result ^ plain.view(np.uint64)) * _MULTIPLIER + _INCREMENT
        result ^= result >> _SHIFT
    return result.view(np.int64)
