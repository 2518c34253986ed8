"""Columns that grow while a table is read."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.runs.growing import GrowingColumn, Stretch


def stretch() -> Stretch[np.float64]:
    return Stretch(np.float64(np.nan))


@pytest.mark.parametrize("expected", [0, 3, 6, 100])
def test_blocks_stand_one_below_the_other_however_many_were_expected(expected: int) -> None:
    cells = stretch()
    for start in range(0, 6, 2):
        cells.put(start, np.array([start, start + 1.0]), expected)
    assert cells.whole(6).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("expected", [0, 9])
def test_rows_that_were_not_given_are_empty(expected: int) -> None:
    cells = stretch()
    cells.put(2, np.array([7.0]), expected)
    cells.put(4, np.array([8.0]), expected)
    np.testing.assert_array_equal(cells.whole(7), [np.nan, np.nan, 7, np.nan, 8, np.nan, np.nan])


def test_a_column_without_cells_takes_no_memory() -> None:
    cells = stretch()
    cells.put(0, np.empty(0), 1_000_000)
    whole = cells.whole(1_000_000)
    assert whole.strides == (0,)
    assert np.isnan(whole[-1])


def test_what_was_written_is_a_copy() -> None:
    block = np.ones(2)
    cells = stretch()
    cells.put(0, block, 2)
    block[:] = 5.0
    assert cells.whole(2).tolist() == [1.0, 1.0]


def test_a_column_of_text_is_told_from_one_with_some() -> None:
    column = GrowingColumn(keep_text=False)
    column.vocabulary["a"] = 0
    column.put(0, np.array([1.0, np.nan, 2.0]), np.array([-1, 0, -1], dtype=np.int32), 0)
    assert not column.mostly_text()
    column.put(3, np.full(4, np.nan), np.zeros(4, dtype=np.int32), 0)
    assert column.mostly_text()
    whole = column.whole(7)
    assert whole.codes.tolist() == [-1, 0, -1, 0, 0, 0, 0]
    assert whole.vocabulary == ("a",)
