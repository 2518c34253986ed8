"""Cells that are not plain numbers: 350M, 1,234,567, 76.3%, 2,345 where the comma is decimal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scaleplan.records import RowNote
from scaleplan.runs.cell_links import without_links
from scaleplan.runs.raw import ABSENT, RawColumn, RawTable
from scaleplan.runs.table import IntArray
from scaleplan.runs.text import shown, without_about
from scaleplan.units import parse_count

# So many cells of one column are told one by one; the rest of a long log are counted.
MOST_TOLD = 1_000

# A number that was set in bold or as code where the table was written: **3.2**, __3.2__, `3.2`.
_EMPHASIS = re.compile(r"^\s*(\*\*|__|`)([^*_`]+)\1\s*$")
# A mean and its spread: 3.41 ± 0.02, 3.41 +/- 0.02, 68.1 ± 6.2%; 3.02 (0.01), both with decimals
# since `12 (8)` may be a label of 12 layers and 8 heads.
_NUMBER, _DECIMAL = r"[\d.,]*\d(?:[eE][+-]?\d+)?", r"\d*[.,]\d+"
_SPREAD = re.compile(
    rf"\s*(?P<mean>[+-]?{_NUMBER})\s*(?P<percent>%?)\s*(?:±|\+/-|\\pm)\s*{_NUMBER}\s*(?P<both>%?)\s*"
)
_BRACKETED = re.compile(
    rf"\s*(?P<mean>[+-]?{_DECIMAL})\s*(?P<percent>%?)\s*\(\s*{_DECIMAL}\s*(?P<both>%?)\s*\)\s*"
)
_LONGEST_MEAN = 80  # characters
_SPREAD_MARKS = ("±", "+/-", "\\pm", "(")
_HEAD = re.compile(r"^\s*[+-]?[\d.,]+")


def read_number(text: str, *, decimal_comma: bool = False) -> float:
    """Read one cell; a percentage becomes a share, a mean with its spread the mean.

    Args:
        text: What the cell says.
        decimal_comma: Whether 2,5 is two and a half and 1.234 a thousand and more.

    Returns:
        The number, NaN if the cell holds none.
    """
    if text[:1] == "[" or text.lower() in ABSENT:
        return math.nan
    text = without_about(_without_spread(_EMPHASIS.sub(r"\2", text)))
    if decimal_comma:
        head = _HEAD.match(text)
        if head is not None and head.group().count(",") <= 1:
            plain = head.group().replace(".", "").replace(",", ".")
            text = plain + text[head.end() :]
    percent = text.endswith("%")
    try:
        number = parse_count(text.removesuffix("%").strip())
    except (ValueError, OverflowError):  # OverflowError: int() of what a huge float leaves
        return math.nan
    return number / 100.0 if percent else number


def _without_spread(text: str) -> str:
    """Return a mean without the spread that was written behind it, any other text as it is."""
    if len(text) > _LONGEST_MEAN or not any(mark in text for mark in _SPREAD_MARKS):
        return text
    match = _SPREAD.fullmatch(text) or _BRACKETED.fullmatch(text)
    if match is None:
        return text
    return match["mean"] + (match["percent"] or match["both"] or "")


def write_number(value: float) -> str:
    """Write a number of a cell as a message quotes it: -1, 2.345, 1e+20, inf."""
    return f"{value:.6g}"


def settle(table: RawTable, keep_text: Callable[[str], bool]) -> RawTable:
    """Read every cell that can be read as a number; cells that cannot keep their text.

    Args:
        table: The table as it was read.
        keep_text: Tells by name which columns are text whatever their cells look like.
    """
    columns = {}
    for name, linked in table.columns.items():
        column = without_links(linked)
        if not keep_text(name):
            column = _settled(column, decimal_comma=table.decimal_comma)
        columns[name] = column
    return replace(table, columns=columns)


def _settled(column: RawColumn, *, decimal_comma: bool) -> RawColumn:
    if not column.vocabulary:
        return column
    plain = (column.codes >= 0) & ~np.isnan(column.numbers)
    if not decimal_comma and plain.any():
        # Marked in case the comma turned out to be decimal; it did not.
        column = replace(column, codes=np.where(plain, np.int32(-1), column.codes))
    values = np.array([read_number(t, decimal_comma=decimal_comma) for t in column.vocabulary])
    has_text = column.codes >= 0
    numbers = np.where(has_text, values[column.codes], column.numbers)
    settled = replace(column, numbers=numbers)
    return column if settled.is_text else settled


def percent_cells(column: RawColumn) -> int:
    """Return how many numbers of a column were written with a percent sign."""
    signs = np.array([_without_spread(t).endswith("%") for t in column.vocabulary], dtype=bool)
    if not signs.any():
        return 0
    written = (column.codes >= 0) & ~np.isnan(column.numbers)
    return int(np.count_nonzero(signs[column.codes[written]]))


def conversion_notes(column: RawColumn, name: str, file: str, lines: IntArray) -> list[RowNote]:
    """Return a line on each cell of a column that was not a plain number, and what it was read as.

    Args:
        column: The column, of one file.
        name: Its name.
        file: The file.
        lines: Shape (n,), the line of each cell; 0 where it is not known.
    """
    written = np.flatnonzero((column.codes >= 0) & ~np.isnan(column.numbers))
    told = [
        RowNote(
            file=file, line=int(lines[i]) or None,
            reason=f"{name}: {shown(column.text(int(i)))} read as "
            f"{write_number(float(column.numbers[i]))}",
        )
        for i in written[:MOST_TOLD]
    ]  # fmt: skip
    if written.size > MOST_TOLD:
        more = f"{name}: {written.size - MOST_TOLD} more cells were read as numbers in the same way"
        told.append(RowNote(file=file, line=int(lines[written[MOST_TOLD]]) or None, reason=more))
    return told
