"""Raw tables: columns of numbers, with the text of the cells that are not plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaleplan.records import Note, RowNote
from scaleplan.runs.table import BoolArray, FloatArray, IntArray

CodeArray = np.ndarray[tuple[Any, ...], np.dtype[np.int32]]

# What people and programs write into a cell that has no value.
ABSENT = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "–", "—", "?", "~", ".", "missing",
     "#n/a"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class RawColumn:
    """One column.

    Args:
        numbers: Shape (n,), NaN where the cell is not a number.
        codes: Shape (n,), index into `vocabulary` of a cell's text; -1 for plain numbers and
            empty cells.
        vocabulary: The different texts.
    """

    numbers: FloatArray
    codes: CodeArray
    vocabulary: tuple[str, ...]

    @property
    def blank(self) -> BoolArray:
        """Return which cells hold nothing, or a word for nothing other than `nan`."""
        # The last place is what code -1 finds: an empty cell.
        nothing = [t.lower() in ABSENT and t.lower() != "nan" for t in self.vocabulary]
        table = np.array([*nothing, True], dtype=bool)
        if not self.vocabulary:
            return _absent(self.numbers)
        blank: BoolArray = _absent(self.numbers) & table[self.codes]
        return blank

    @property
    def is_words(self) -> bool:
        """Tell whether the cells are words without a digit, such as small, medium and large."""
        if not self.is_text or not np.isnan(self.numbers).all():
            return False
        said = (self.vocabulary[code] for code in np.unique(self.codes[~self.blank]).tolist())
        return not any(letter.isdigit() for text in said for letter in text)

    @property
    def is_text(self) -> bool:
        """Tell whether most cells that hold something hold no number."""
        meant = np.array([t.lower() not in ABSENT for t in self.vocabulary], dtype=bool)
        if not meant.any():
            return False
        none = _absent(self.numbers)
        numbers = none.size - int(np.count_nonzero(none))
        odd = (self.codes >= 0) & none
        if meant.all():
            return int(np.count_nonzero(odd)) > numbers
        return int(np.count_nonzero(meant[self.codes[odd]])) > numbers

    def text(self, row: int) -> str:
        """Return what the cell says."""
        code = int(self.codes[row])
        if code >= 0:
            return self.vocabulary[code]
        number = float(self.numbers[row])
        if math.isnan(number):
            return ""
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)

    def take(self, rows: IntArray) -> RawColumn:
        """Return the column at some rows."""
        return RawColumn(self.numbers[rows], self.codes[rows], self.vocabulary)


def _absent(numbers: FloatArray) -> BoolArray:
    """Return which cells hold no number; quickly for one cell that is shared by all rows."""
    if numbers.strides == (0,) and numbers.size:
        return np.full(numbers.size, np.isnan(numbers[0]))
    return np.asarray(np.isnan(numbers))


def numeric_column(numbers: FloatArray) -> RawColumn:
    """Return a column of plain numbers."""
    # One cell that is shared by all rows: there is no text.
    return RawColumn(numbers, np.broadcast_to(np.int32(-1), numbers.shape), ())


def text_column(texts: Sequence[str]) -> RawColumn:
    """Return a column of text; empty texts are empty cells."""
    vocabulary: dict[str, int] = {}
    codes = [vocabulary.setdefault(t, len(vocabulary)) if t else -1 for t in texts]
    numbers = np.full(len(codes), np.nan)
    return RawColumn(numbers, np.array(codes, dtype=np.int32), tuple(vocabulary))


def filled_from(column: RawColumn, other: RawColumn) -> RawColumn:
    """Return a column with its empty cells filled from the same rows of another."""
    blank = column.blank
    vocabulary = (*column.vocabulary, *other.vocabulary)
    offset = np.int32(len(column.vocabulary))
    codes = np.where(other.codes >= 0, other.codes + offset, other.codes)
    return RawColumn(
        np.where(blank, other.numbers, column.numbers),
        np.where(blank, codes, column.codes).astype(np.int32), vocabulary,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawTable:
    """What one input holds.

    Args:
        file: The input's name.
        columns: Its columns by name.
        lines: Shape (n,), the line of each row, 0 where it is not known.
        shared: What it says about all of its rows.
        dropped: Rows that are no rows of the table.
        notes: What there is to say about it.
        decimal_comma: Whether 2,5 is two and a half.
        printed: Whether its rows are lines that a program printed, not those of a table.
        point: Whether it is a point of a run whose other points are files beside it.
    """

    file: str
    columns: Mapping[str, RawColumn]
    lines: IntArray
    shared: Mapping[str, str]
    dropped: tuple[RowNote, ...]
    notes: tuple[Note, ...]
    decimal_comma: bool
    printed: bool = False
    point: bool = False

    def __len__(self) -> int:
        return int(self.lines.size)
