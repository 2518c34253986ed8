"""Tables of Markdown, as a README has them: bars around each row, and marks around its cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice

Row = tuple[int, list[str]]

_LOOKED_AT = 2  # rows: the names and the line below them, or the first run
_MARKED = re.compile(
    r"\s*(?P<mark>\*{1,3}|_{1,3}|`{1,2})(?P<inside>[^\s*](?:.*[^\s*])?)(?P=mark)\s*"
)
_MOST_MARKS = 3  # one inside the other: **`3.2`**


def between_bars(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield rows without the cells that bars around a row make, and without marks of emphasis.

    Args:
        rows: The line and the cells of each row, the names first.
    """
    head = list(islice(rows, _LOOKED_AT))
    opened, closed = (
        bool(head) and all(len(row) > 1 and not row[end].strip() for _, row in head)
        for end in (0, -1)
    )
    for line, row in chain(head, rows):
        inner = row[1:] if opened and not row[0].strip() else row
        inner = inner[:-1] if closed and inner and not inner[-1].strip() else inner
        yield line, [unmarked(cell) for cell in inner]


def unmarked(cell: str) -> str:
    """Return a cell without the marks around all of it: **3.2**, __3.2__ or `3.2` is 3.2."""
    for _ in range(_MOST_MARKS):
        match = _MARKED.fullmatch(cell) if cell.strip()[:1] in {"*", "_", "`"} else None
        # Of `a` and `b`, or **a** and **b**, each is marked, not the whole cell.
        if match is None or match["mark"] in match["inside"]:
            break
        cell = match["inside"]
    return cell
