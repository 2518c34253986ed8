"""Raw tables: columns of numbers, with the text of the cells that are not plain numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note, RowNote
from scaleplan.runs.table import BoolArray, FloatArray, IntArray
from scaleplan.runs.text import clean_text

CodeArray = np.ndarray[tuple[Any, ...], np.dtype[np.int32]]

# More columns than any tracker writes; a table is kept dense.
_MOST_COLUMNS = 5_000
_MOST_CELLS = 200_000_000
# What people and programs write into a cell that has no value.
ABSENT = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "–", "—", "?", "~", ".", "missing",
     "#n/a"}
)  # fmt: skip
# 1.234 and 1.234.567 may be grouped integers where the comma is the decimal mark.
_GROUPED_DOTS = r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+"
_GROUPED_COMMAS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+"
_DOT_NUMBER = r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?"
_COMMA_NUMBER = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"
_MAYBE_GROUPED = re.compile(rf"^\s*{_GROUPED_DOTS}\s*$", re.MULTILINE)
_SURE_DOT = re.compile(
    rf"^\s*(?:(?!{_GROUPED_DOTS}\s*$){_DOT_NUMBER}|[+-]?\d{{1,3}}(?:,\d{{3}}){{2,}}"
    rf"|[+-]?\d{{1,3}}(?:,\d{{3}})+\.\d+)\s*$",
    re.MULTILINE,
)
_SURE_COMMA = re.compile(
    rf"^\s*(?:(?!{_GROUPED_COMMAS}\s*$){_COMMA_NUMBER}|[+-]?\d{{1,3}}(?:\.\d{{3}}){{2,}}"
    rf"|[+-]?\d{{1,3}}(?:\.\d{{3}})+,\d+)\s*$",
    re.MULTILINE,
)
_EITHER_COMMA = re.compile(rf"^\s*{_GROUPED_COMMAS}\s*$", re.MULTILINE)


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
        blank: BoolArray = np.isnan(self.numbers) & table[self.codes]
        return blank

    @property
    def is_text(self) -> bool:
        """Tell whether most cells that hold something hold no number."""
        numbers = int(np.count_nonzero(~np.isnan(self.numbers)))
        meant = np.array([t.lower() not in ABSENT for t in self.vocabulary], dtype=bool)
        if not meant.any():
            return False
        odd = (self.codes >= 0) & np.isnan(self.numbers)
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


def numeric_column(numbers: FloatArray) -> RawColumn:
    """Return a column of plain numbers."""
    return RawColumn(numbers, np.full(numbers.size, -1, dtype=np.int32), ())


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
    """

    file: str
    columns: Mapping[str, RawColumn]
    lines: IntArray
    shared: Mapping[str, str]
    dropped: tuple[RowNote, ...]
    notes: tuple[Note, ...]
    decimal_comma: bool

    def __len__(self) -> int:
        return int(self.lines.size)


@dataclass(slots=True)
class _Growing:
    """One column while it is read."""

    keep_text: bool
    chunks: list[tuple[int, FloatArray, CodeArray | None]] = field(default_factory=list)
    vocabulary: dict[str, int] = field(default_factory=dict)


class TableBuilder:
    """Collects rows, a block at a time, into columns.

    Args:
        file: The input's name.
        keep_text: Tells by a column's name whether its cells are text even where they look like
            numbers (run identifiers such as 007 or 12e4).
        comma: Whether commas may stand inside cells: `maybe` after tabs, `decimal` after
            semicolons, `never` elsewhere.
    """

    def __init__(
        self, file: str, *, keep_text: Callable[[str], bool], comma: str = "never"
    ) -> None:
        self._file = file
        self._keep_text = keep_text
        self._comma = comma
        self._sure_dot = self._sure_comma = self._either = False
        self._columns: dict[str, _Growing] = {}
        self._lines: list[IntArray] = []
        self._rows = 0
        self._dropped: list[RowNote] = []
        self._notes: list[Note] = []

    def add(self, columns: Mapping[str, Sequence[str]], lines: Sequence[int]) -> None:
        """Add a block of rows.

        Args:
            columns: The cells of each column; all as long as `lines`.
            lines: Where each row stands, 0 where that is not known.

        Raises:
            InputError: If the table has too many columns or cells.
        """
        for name, cells in columns.items():
            growing = self._columns.get(name)
            if growing is None:
                growing = self._columns[name] = _Growing(self._keep_text(name))
            numbers, codes = self._convert(growing, cells)
            growing.chunks.append((self._rows, numbers, codes))
        self._lines.append(np.array(lines, dtype=np.int64))
        self._rows += len(lines)
        too_wide = len(self._columns) > _MOST_COLUMNS
        if too_wide or len(self._columns) * self._rows > _MOST_CELLS:
            message = f"has {len(self._columns)} columns and {self._rows} rows so far, too many"
            raise InputError(
                message, file=self._file, hint="Keep the columns and rows that a plan needs."
            )

    def drop(self, line: int | None, reason: str) -> None:
        """Record a row that cannot be part of the table."""
        self._dropped.append(RowNote(file=self._file, line=line, reason=reason))

    def note(self, note: Note) -> None:
        """Record something to say about the input."""
        self._notes.append(note)

    def build(self, shared: Mapping[str, str]) -> RawTable:
        """Return the table of everything that was added."""
        sure_comma = self._sure_comma or (self._either and self._comma == "decimal")
        lines = np.concatenate(self._lines) if self._lines else np.empty(0, dtype=np.int64)
        return RawTable(
            file=self._file, columns={n: self._joined(g) for n, g in self._columns.items()},
            lines=lines, shared=dict(shared), dropped=tuple(self._dropped),
            notes=tuple(self._notes), decimal_comma=sure_comma and not self._sure_dot,
        )  # fmt: skip

    def _joined(self, growing: _Growing) -> RawColumn:
        numbers = np.full(self._rows, np.nan)
        codes = np.full(self._rows, -1, dtype=np.int32)
        for start, chunk, chunk_codes in growing.chunks:
            numbers[start : start + chunk.size] = chunk
            if chunk_codes is not None:
                codes[start : start + chunk.size] = chunk_codes
        return RawColumn(numbers, codes, tuple(growing.vocabulary))

    def _convert(
        self, growing: _Growing, cells: Sequence[str]
    ) -> tuple[FloatArray, CodeArray | None]:
        """Read a block of cells; whole blocks of plain numbers take the fast path."""
        marked = not growing.keep_text and self._comma != "never" and self._weigh(cells)
        if not growing.keep_text and not marked:
            try:
                numbers = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
            except ValueError:
                pass  # some cell is no plain number: read them one by one
            else:
                if not np.isnan(numbers).any():
                    return numbers, None
        values: list[float] = []
        codes: list[int] = []
        vocabulary = growing.vocabulary
        for cell in cells:
            number = math.nan if growing.keep_text else _plain(cell)
            values.append(number)
            if not math.isnan(number) and not (marked and _MAYBE_GROUPED.match(cell)):
                codes.append(-1)
                continue
            text = clean_text(cell)
            codes.append(vocabulary.setdefault(text, len(vocabulary)) if text else -1)
        return np.array(values, dtype=np.float64), np.array(codes, dtype=np.int32)

    def _weigh(self, cells: Sequence[str]) -> bool:
        """Look for the decimal mark; tell whether some cell may be a grouped integer."""
        text = "\n".join(cells)
        if "," not in text and "." not in text:
            return False
        self._sure_dot = self._sure_dot or _SURE_DOT.search(text) is not None
        self._sure_comma = self._sure_comma or _SURE_COMMA.search(text) is not None
        self._either = self._either or _EITHER_COMMA.search(text) is not None
        return not self._sure_dot and _MAYBE_GROUPED.search(text) is not None


def _plain(cell: str) -> float:
    """Return a cell as a number, NaN if it is none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan
