"""Columns while a table is read: a block at a time into arrays that grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from scaleplan.runs.raw_table import CodeArray, RawColumn
from scaleplan.runs.table import FloatArray

# Names are text even where they look like numbers; text has none among it.
Kind = Literal["number", "text", "names", "mixed"]

_Cell = TypeVar("_Cell", bound=np.generic)

_GROWTH = 1.5  # times, where more rows come than were expected


class Stretch(Generic[_Cell]):
    """Cells of one type, most of them written once.

    Args:
        empty: What stands where no cell was given.
    """

    __slots__ = ("_empty", "_end", "_held")

    def __init__(self, empty: _Cell) -> None:
        self._empty = empty
        self._held: np.ndarray[Any, np.dtype[_Cell]] | None = None
        self._end = 0

    def put(self, start: int, cells: np.ndarray[Any, np.dtype[_Cell]], expected: int) -> None:
        """Write cells.

        Args:
            start: The row of the first of them; not above any that were written before.
            cells: What to write; copied.
            expected: How many rows the table may have in the end. Memory that is set aside for
                rows that do not come is never touched.
        """
        end = start + cells.size
        if start == end:
            return
        held = self._reach(end, expected)
        held[self._end : start] = self._empty
        held[start:end] = cells
        self._end = end

    def whole(self, rows: int) -> np.ndarray[Any, np.dtype[_Cell]]:
        """Return all cells; where none were given, one that is shared by all rows.

        Args:
            rows: How many there are.
        """
        if self._held is None:
            return np.broadcast_to(self._empty, rows)
        held = self._reach(rows, rows)
        held[self._end : rows] = self._empty
        self._end = rows
        return held[:rows]

    def _reach(self, end: int, expected: int) -> np.ndarray[Any, np.dtype[_Cell]]:
        held = self._held
        if held is None or held.size < end:
            size = max(end, expected, int(_GROWTH * held.size) if held is not None else 0)
            larger = np.empty(size, dtype=self._empty.dtype)
            if held is not None:
                larger[: self._end] = held[: self._end]
            held = self._held = larger
        return held


def _no_numbers() -> Stretch[np.float64]:
    return Stretch(np.float64(np.nan))


def _no_codes() -> Stretch[np.int32]:
    return Stretch(np.int32(-1))


@dataclass(slots=True)
class GrowingColumn:
    """One column while it is read.

    A column of nothing but numbers has no codes, one of nothing but text no numbers.

    Args:
        keep_text: Whether cells are text even where they look like numbers.

    Attributes:
        vocabulary: The different texts, and the code of each.
    """

    keep_text: bool
    vocabulary: dict[str, int] = field(default_factory=dict)
    _numbers: Stretch[np.float64] = field(default_factory=_no_numbers)
    _codes: Stretch[np.int32] = field(default_factory=_no_codes)
    _rows: int = 0  # of blocks in which some cell was read as a number
    _written: int = 0  # cells that are text
    _numeric: bool = False  # whether some cell is a number

    def put(
        self, start: int, numbers: FloatArray | None, codes: CodeArray | None, expected: int
    ) -> None:
        """Add a block of cells.

        Args:
            start: The row of the first of them.
            numbers: Their numbers; None if none is one.
            codes: Their texts; None if none is one.
            expected: How many rows the table may have in the end.
        """
        if numbers is not None:
            self._numbers.put(start, numbers, expected)
            self._rows += numbers.size
            self._numeric = self._numeric or not bool(np.isnan(numbers).all())
        if codes is not None:
            self._codes.put(start, codes, expected)
            self._written += int(np.count_nonzero(codes >= 0))

    def mostly_text(self) -> bool:
        """Tell whether most cells so far are text."""
        return self.keep_text or 2 * self._written > self._rows > 0

    def kind(self) -> Kind:
        """Return what the cells so far are; an empty column is one of numbers until it is not."""
        if self.keep_text:
            return "names"
        if not self.vocabulary:
            return "number"
        return "mixed" if self._numeric else "text"

    def whole(self, rows: int) -> RawColumn:
        """Return the column.

        Args:
            rows: How many it has.
        """
        return RawColumn(self._numbers.whole(rows), self._codes.whole(rows), tuple(self.vocabulary))
