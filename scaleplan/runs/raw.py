"""Raw tables, and how they are made: rows, a block at a time, into columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note, RowNote
from scaleplan.runs.growing import GrowingColumn, Kind, Stretch
from scaleplan.runs.raw_table import (
    ABSENT,
    CodeArray,
    RawColumn,
    RawTable,
    filled_from,
    numeric_column,
    text_column,
)
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.runs.text import clean_text

__all__ = [
    "ABSENT", "CodeArray", "RawColumn", "RawTable", "TableBuilder", "Words", "filled_from",
    "numeric_column", "text_column",
]  # fmt: skip

# More columns than any tracker writes; a table is kept dense.
_MOST_COLUMNS = 5_000
_MOST_CELLS = 200_000_000
_ROOM = 1.1  # times the rows that are expected; what stays empty is never touched
# 1.234 and 1.234.567 may be grouped integers where the comma is the decimal mark.
_GROUPED_DOTS = r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+"
_GROUPED_COMMAS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+"
_DOT_NUMBER = r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?"
_COMMA_NUMBER = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"
_BEHIND = (
    r"(?:[ \t]*(?:±|\+/-)[ \t]*[\d.,]+)?(?:[ \t\xa0\u202f]*%)?\s*$"  # a spread, a sign of percent
)
_MAYBE_GROUPED = re.compile(rf"^\s*{_GROUPED_DOTS}\s*$", re.MULTILINE)
_SURE_DOT = re.compile(
    rf"^\s*(?:(?!{_GROUPED_DOTS}{_BEHIND}){_DOT_NUMBER}|[+-]?\d{{1,3}}(?:,\d{{3}}){{2,}}"
    rf"|[+-]?\d{{1,3}}(?:,\d{{3}})+\.\d+){_BEHIND}",
    re.MULTILINE,
)
_SURE_COMMA = re.compile(
    rf"^\s*(?:(?!{_GROUPED_COMMAS}{_BEHIND}){_COMMA_NUMBER}|[+-]?\d{{1,3}}(?:\.\d{{3}}){{2,}}"
    rf"|[+-]?\d{{1,3}}(?:\.\d{{3}})+,\d+){_BEHIND}",
    re.MULTILINE,
)
_TWO_DOTS = re.compile(r"\.\d{3}\.")
_EITHER_COMMA = re.compile(rf"^\s*{_GROUPED_COMMAS}\s*$", re.MULTILINE)


def refuse_wide(file: str, columns: int, rows: int = 0) -> None:
    """Refuse what is no table of runs, by its size.

    Args:
        file: The input's name.
        columns: How many columns it has.
        rows: How many rows were read so far.

    Raises:
        InputError: If the table has too many columns or cells.
    """
    if columns > _MOST_COLUMNS or columns * rows > _MOST_CELLS:
        at_most = f"{_MOST_COLUMNS:,} columns and {_MOST_CELLS:,} cells"
        raise InputError(
            f"has {columns:,} columns and {rows:,} rows so far; {at_most} are allowed", file=file,
            hint="Keep the columns and rows that a plan needs.",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The cells of a column as an engine gives them.

    Args:
        different: The different cells, in the order in which they first appear.
        which: Shape (n,), index into them; -1 for an empty cell.
    """

    different: Sequence[str]
    which: CodeArray


class TableBuilder:
    """Collects rows, a block at a time, into columns.

    Args:
        file: The input's name.
        keep_text: Tells by a column's name whether its cells are text even where they look like
            numbers (run identifiers such as 007 or 12e4).
        comma: Whether commas may stand inside cells: `maybe` after tabs, `decimal` after
            semicolons, `never` elsewhere.
        rows: How many rows there may be in the end; 0 where that is not known.
    """

    def __init__(
        self, file: str, *, keep_text: Callable[[str], bool], comma: str = "never", rows: int = 0
    ) -> None:
        self._file = file
        self._keep_text = keep_text
        self._comma = comma
        self._sure_dot = self._sure_comma = self._either = False
        self._columns: dict[str, GrowingColumn] = {}
        self._lines = Stretch(np.int64(0))
        self._expected = rows
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
                growing = self._columns[name] = GrowingColumn(self._keep_text(name))
            growing.put(self._rows, *self._convert(growing, cells), self._expected)
        self._count(np.array(lines, dtype=np.int64))

    def add_read(self, columns: Mapping[str, FloatArray | Words], lines: IntArray | int) -> None:
        """Add a block of rows whose cells were read by an engine; the result is that of `add`.

        Args:
            columns: The numbers of each column, NaN for an empty cell; or its different cells and
                which of them each row has.
            lines: Where each row stands; how many they are where that is not known.

        Raises:
            InputError: If the table has too many columns or cells.
        """
        for name, cells in columns.items():
            growing = self._columns.get(name)
            if growing is None:
                growing = self._columns[name] = GrowingColumn(self._keep_text(name))
            read = _looked_up(growing, cells) if isinstance(cells, Words) else (cells, None)
            growing.put(self._rows, *read, self._expected)
        self._count(lines)

    def expect(self, share: float) -> None:
        """Make room at once for all rows there may be.

        Args:
            share: What share of them was added so far, about.
        """
        most = _MOST_CELLS // max(1, len(self._columns))
        self._expected = int(min(_ROOM * self._rows / share, most)) if share > 0.0 else 0

    def texts(self) -> set[str]:
        """Return the columns whose cells so far are text, most of them."""
        return {name for name, growing in self._columns.items() if growing.mostly_text()}

    def kinds(self) -> dict[str, Kind]:
        """Return what the cells of each column are so far."""
        return {name: growing.kind() for name, growing in self._columns.items()}

    def _count(self, lines: IntArray | int) -> None:
        if isinstance(lines, int):
            self._rows += lines
        else:
            self._lines.put(self._rows, lines, self._expected)
            self._rows += lines.size
        refuse_wide(self._file, len(self._columns), self._rows)

    def drop(self, line: int | None, reason: str) -> None:
        """Record a row that cannot be part of the table."""
        self._dropped.append(RowNote(file=self._file, line=line, reason=reason))

    def note(self, note: Note) -> None:
        """Record something to say about the input."""
        self._notes.append(note)

    def build(self, shared: Mapping[str, str]) -> RawTable:
        """Return the table of everything that was added."""
        sure_comma = self._sure_comma or (self._either and self._comma == "decimal")
        return RawTable(
            file=self._file,
            columns={name: growing.whole(self._rows) for name, growing in self._columns.items()},
            lines=self._lines.whole(self._rows), shared=dict(shared), dropped=tuple(self._dropped),
            notes=tuple(self._notes), decimal_comma=sure_comma and not self._sure_dot,
        )  # fmt: skip

    def _convert(
        self, growing: GrowingColumn, cells: Sequence[str]
    ) -> tuple[FloatArray | None, CodeArray | None]:
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
        read = None if growing.keep_text else np.array(values, dtype=np.float64)
        return read, np.array(codes, dtype=np.int32)

    def _weigh(self, cells: Sequence[str]) -> bool:
        """Look for the decimal mark; tell whether some cell may be a grouped integer."""
        text = "\n".join(cells)
        if "," not in text and "." not in text:
            return False
        self._sure_dot = self._sure_dot or _SURE_DOT.search(text) is not None
        if "," in text or _TWO_DOTS.search(text) is not None:  # others take long, and in vain
            self._sure_comma = self._sure_comma or _SURE_COMMA.search(text) is not None
            self._either = self._either or _EITHER_COMMA.search(text) is not None
        return not self._sure_dot and _MAYBE_GROUPED.search(text) is not None


def _looked_up(growing: GrowingColumn, words: Words) -> tuple[FloatArray | None, CodeArray | None]:
    """Read the cells of a column, each different one once."""
    # The last place is what -1 finds: an empty cell.
    numbers = np.full(len(words.different) + 1, np.nan)
    codes = np.full(len(words.different) + 1, -1, dtype=np.int32)
    vocabulary = growing.vocabulary
    for place, cell in enumerate(words.different):
        if not growing.keep_text:
            numbers[place] = _plain(cell)
            if not math.isnan(numbers[place]):
                continue
        text = clean_text(cell)
        codes[place] = vocabulary.setdefault(text, len(vocabulary)) if text else -1
    return None if growing.keep_text else numbers[words.which], codes[words.which]


def _plain(cell: str) -> float:
    """Return a cell as a number, NaN if it is none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan
