"""Where the names of a table stand: below its title, or behind a `#` above the first numbers."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaleplan.records import Note
from scaleplan.runs.numbers import read_number
from scaleplan.runs.text import clean_text, listed

DELIMITERS = (",", ";", "\t", "|", " ")
_MOST_TITLES = 10  # lines above the names
_LOOKED_AT = 40  # lines
_OUTPUT = ("## ", "#> ")  # knitr's mark, and reprex's
_INDEX = "Unnamed: 0"  # as pandas calls it in a CSV file
_FEWEST_PRINTED = 4  # lines of a table whose rows are numbered
_ALIKE = 0.9  # of the rows below the names: as many cells as there are names


@dataclass(frozen=True, slots=True)
class Heading:
    """The first lines of a table from its names on.

    Args:
        lines: Those lines.
        titles: The lines that stood above them.
        delimiter: What stands between the cells.
    """

    lines: list[str]
    titles: list[str]
    delimiter: str

    def note(self, file: str, above: int) -> Note | None:
        """Return what there is to say about the titles, None without any.

        Args:
            file: The file.
            above: How many lines stand above the names, titles, comments and blank lines.
        """
        said = [clean_text(line) for line in self.titles if line.strip(" ,;\t|\r\n")]
        if not said:
            return None
        return Note(
            id="LINES_PASSED_OVER", severity="info",
            text=f"{file} has its names in line {above + 1}; what stands above was passed over: "
            f"{listed(said, 3)}.",
            action="If they are not a title, put the names of the columns into the first line.",
            numbers=(("lines", float(len(said))),),
        )  # fmt: skip


def mark_of_output(lines: Sequence[str]) -> str:
    """Return the mark before every line of what R printed into a report, empty if there is none.

    Args:
        lines: The first lines of a text.
    """
    filled = [line for line in lines if line.strip()]
    marks = (m for m in _OUTPUT if len(filled) > 1 and all(each.startswith(m) for each in filled))
    return next(marks, "")


def heading_of(start: Sequence[str], comment: str) -> Heading:
    """Return where the names of a table stand.

    Args:
        start: Its first lines, without comments.
        comment: The comment right above them, empty if there is none.
    """
    lines = _with_index_named(list(start))
    delimiter = _delimiter(lines)[0]
    bare = comment.lstrip("# \t")
    if comment and _numeric(lines[0], delimiter) and not _numeric(bare, delimiter):
        named, alike = _delimiter([bare, *lines])
        # A sentence in words has another number of them than there are columns.
        if alike == 1.0:
            return Heading([bare, *lines], [], named)
    if not _begins_table(lines, delimiter):
        for above in range(1, min(_MOST_TITLES, len(lines) - 1) + 1):
            below, alike = _delimiter(lines[above:])
            wide = len(_filled(lines[above], below))
            titled = all(len(_filled(line, below)) < wide for line in lines[:above])
            if titled and alike >= _ALIKE and _begins_table(lines[above:], below):
                return Heading(lines[above:], lines[:above], below)
    return Heading(lines, [], delimiter)


def _with_index_named(lines: list[str]) -> list[str]:
    """Return lines with a name for the numbers or names of rows, which pandas and R print bare."""
    rows = [_cells(line, " ") for line in lines if line.strip()]
    if len(rows) < _FEWEST_PRINTED or {len(row) for row in rows[1:]} != {len(rows[0]) + 1}:
        return lines
    numbers = [row[0].strip('"') for row in rows[1:]]
    counted = [str(i) for i in range(int(numbers[0] == "1"), len(numbers) + 1)]
    named = numbers == counted[: len(numbers)] or _name_rows(rows[1:])
    if not named or not all(math.isnan(read_number(c)) for c in rows[0]):
        return lines
    first = next(i for i, line in enumerate(lines) if line.strip())
    return [*lines[:first], f'"{_INDEX}" {lines[first].lstrip()}', *lines[first + 1 :]]


def _name_rows(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first cells are words, each another one, and the others all numbers."""
    names = [row[0] for row in rows]
    others = (cell for row in rows for cell in row[1:])
    return (
        len(set(names)) == len(names)
        and all(math.isnan(read_number(name)) or name.endswith("%") for name in names)
        and all(read_number(cell) == read_number(cell) for cell in others)
    )


def is_aligned(lines: Sequence[str]) -> bool:
    """Tell whether a text begins as one table with blanks between its cells, and nothing else.

    Args:
        lines: Those of it that are not blank.
    """
    first = list(lines[:_LOOKED_AT])
    delimiter, alike = _delimiter(first)
    return delimiter == " " and alike == 1.0 and _begins_table(first, delimiter)


def _begins_table(lines: list[str], delimiter: str) -> bool:
    """Tell whether the first line has names only, and the next of as many cells a number."""
    names = _cells(lines[0], delimiter)
    rows = (cells for line in lines[1:] if len(cells := _cells(line, delimiter)) == len(names))
    row = next(rows, [])
    if delimiter == "|" and len(names) > 2 and not (names[0].strip() or names[-1].strip()):
        names = names[1:-1]  # bars around a row make no columns
    return (
        len(names) > 1
        and all(cell.strip() and math.isnan(read_number(cell)) for cell in names)
        and any(read_number(cell) == read_number(cell) for cell in row)
    )


def _delimiter(lines: Sequence[str]) -> tuple[str, float]:
    """Choose the delimiter that cuts the first rows into equally many cells.

    Returns:
        The delimiter, and the share of the rows that have as many cells as the first; 0 if no
        delimiter cuts the first.
    """
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            counts = [len(row) for row in _rows(lines, delimiter) if row]
        except csv.Error:
            continue  # the reading proper reports it, with its line
        if not counts or counts[0] < 2:
            continue
        score = sum(count == counts[0] for count in counts) / len(counts)
        if delimiter == " " and score < 1.0:
            continue  # words of a sentence
        if score > best_score:
            best, best_score = delimiter, score
    return best, best_score


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    spaces = delimiter == " "
    for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=spaces):
        yield [cell for cell in row if cell.strip()] if spaces else row


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(_rows([line], delimiter), [])
    except csv.Error:
        return []


def _filled(line: str, delimiter: str) -> list[str]:
    return [cell for cell in _cells(line, delimiter) if cell.strip()]


def _numeric(line: str, delimiter: str) -> bool:
    """Tell whether all cells of a line that are not empty are numbers."""
    cells = _filled(line, delimiter)
    return bool(cells) and all(read_number(cell) == read_number(cell) for cell in cells)
