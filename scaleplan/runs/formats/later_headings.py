"""Headings that stand again in the middle of a table, with the columns in another order.

Tables that were written one below the other into one file may have their own columns each.
"""

from __future__ import annotations

import math

from scaleplan.records import Note
from scaleplan.runs.formats.repeated_names import distinct
from scaleplan.runs.numbers import read_number
from scaleplan.runs.text import as_named, clean_text, listed, uncoloured
from scaleplan.units import format_number_of

_FEWEST = 2  # names in common, that a row is a heading
_LISTED = 8


class Headings:
    """The headings of a table, by which its rows are read.

    Args:
        names: The names of the first.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._known = set(names)
        self._order: list[int] | None = None  # where the cell of each name stands
        self._other = ""  # the heading of another table, whose rows are dropped
        self._again = 0

    def ordered(self, line: int, row: list[str] | str) -> list[str] | str:
        """Return a row in the order of the first heading, or why it is none of its table.

        A heading that stands again as it was is left as a row: its cells are no numbers.

        Args:
            line: Where it stands.
            row: Its cells, as many as the first heading has; or why it is no row.
        """
        if isinstance(row, str):
            return row
        if row[0] in self._known or self._first_of(row) in self._known:
            names = distinct([_name(cell) for cell in row])
            if self._is_heading(names):
                return self._begun(line, row, names)
        if self._other:
            return f"stands below {self._other}"
        return row if self._order is None else [row[place] for place in self._order]

    def notes(self, file: str) -> tuple[Note, ...]:
        """Return what there is to say about headings in another order.

        Args:
            file: What messages call the table.
        """
        if not self._again:
            return ()
        return (
            Note(
                id="HEADING_AGAIN", severity="warning",
                text=f"{file} has its heading again {format_number_of(self._again, 'time')} with "
                "the columns in another order; the rows below it are read by it.",
                action="Give each table a file of its own if they are not of one kind.",
                numbers=(("headings", float(self._again)),),
            ),
        )  # fmt: skip

    def _first_of(self, row: list[str]) -> str:
        return _name(row[0]) if row[0][:1] in " \ufeff\x1b'" else ""

    def _is_heading(self, names: list[str]) -> bool:
        """Tell whether cells are names: none is a number, and at least half are known."""
        common = len(self._known & set(names))
        filled = [name for name in names if name]
        return (
            common >= _FEWEST and 2 * common >= len(filled)
            and all(math.isnan(read_number(name)) for name in filled)
        )  # fmt: skip

    def _begun(self, line: int, row: list[str], names: list[str]) -> list[str] | str:
        """Read the rows below a heading by it."""
        self._other, self._order = "", None
        if names == self._names:
            return row
        if sorted(names) == sorted(self._names):
            self._order = [names.index(name) for name in self._names]
            self._again += 1
            return "the heading stands here again, with the columns in another order"
        self._other = f"another heading (line {line}: {listed(names, _LISTED)})"
        return f"is {self._other.replace(f'line {line}: ', '')}; the first is followed"


def holds_heading(block: bytes, names: list[str]) -> bool:
    """Tell whether a block of lines may hold a heading again.

    Args:
        block: The bytes of whole lines, their cells parted by commas.
        names: The names of the columns.
    """
    return any(
        block.startswith(begin) or b"\n" + begin in block
        for begin in (f"{name},".encode() for name in names)
    )


def _name(cell: str) -> str:
    return as_named(clean_text(uncoloured(cell.removeprefix("\ufeff"))))
