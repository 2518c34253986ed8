"""How wide each column of a table is: numbers whole, text in what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from scaleplan.render.text import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.render.view import Table

GAP = 2  # blanks that stand with each column
_NARROWEST_TEXT = 14  # columns; running text squeezed further is unreadable


def fitting_columns(table: Table, width: int) -> tuple[int, ...]:
    """Return the columns that fit: those of the highest rank go first, rank 0 never.

    Args:
        table: The table.
        width: Columns of the terminal.
    """
    shown = list(range(len(table.columns)))
    while sum(_narrowest(table, index) + GAP for index in shown) > width:
        last = max(shown, key=lambda index: (table.columns[index].rank, index))
        if table.columns[last].rank == 0:
            break
        shown.remove(last)
    return tuple(shown)


def column_widths(table: Table, shown: Sequence[int], width: int) -> tuple[int, ...]:
    """Return the width of each shown column.

    Args:
        table: The table.
        shown: Indices of the columns to show.
        width: Columns to fill at most; exceeded where whole numbers need more.
    """
    widths = {index: _widest(table, index) for index in shown}
    excess = sum(widths.values()) + GAP * len(widths) - width
    text = [index for index in shown if table.columns[index].kind == "text"]
    # Headings of numbers wrap first, which costs a line; then text, the widest column first.
    for index in (index for index in shown if index not in text):
        if excess > 0:
            spare = widths[index] - _narrowest(table, index)
            widths[index] -= spare
            excess -= spare
    while excess > 0:
        spare_of = {index: widths[index] - _narrowest(table, index) for index in text}
        able = [index for index in text if spare_of[index] > 0]
        if not able:
            break
        widths[max(able, key=lambda index: widths[index])] -= 1
        excess -= 1
    return tuple(widths[index] for index in shown)


def _cells(table: Table, index: int) -> list[str]:
    return [plain_text(row[index]) for row in table.rows]


def _widest(table: Table, index: int) -> int:
    cells = [table.columns[index].name, *_cells(table, index)]
    return max(cell_len(cell) for cell in cells)


def _narrowest(table: Table, index: int) -> int:
    """Return the least width: headings wrap between words, numbers never, text to a minimum."""
    column = table.columns[index]
    heading = max((cell_len(word) for word in column.name.split()), default=1)
    if column.kind == "number":
        return max([heading, *(cell_len(cell) for cell in _cells(table, index))])
    words = [cell_len(word) for cell in _cells(table, index) for word in cell.split()]
    return max(heading, min(max(words, default=1), _NARROWEST_TEXT))
