"""How wide each column of a table is: numbers and names whole, text in what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from scaleplan.render.text import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.render.view import Table

GAP = 3  # columns that the padding and the divider take for each column


def fitting_columns(table: Table, width: int, *, text_width: int) -> tuple[int, ...]:
    """Return the columns that fit: those of the highest rank go first, rank 0 never.

    Args:
        table: The table.
        width: Columns of the terminal.
        text_width: What a column of text is never squeezed below, where it has as much.
    """
    shown = list(range(len(table.columns)))
    while sum(_narrowest(table, index, text_width) + GAP for index in shown) > width:
        last = max(shown, key=lambda index: (table.columns[index].rank, index))
        if table.columns[last].rank == 0:
            break
        shown.remove(last)
    return tuple(shown)


def column_widths(
    table: Table, shown: Sequence[int], width: int, *, text_width: int
) -> tuple[int, ...]:
    """Return the width of each shown column.

    Args:
        table: The table.
        shown: Indices of the columns to show.
        width: Columns to fill at most; exceeded where whole numbers need more.
        text_width: As for fitting_columns.
    """
    widths = {index: _widest(table, index) for index in shown}
    excess = sum(widths.values()) + GAP * len(widths) - width
    text = [index for index in shown if table.columns[index].kind == "text"]
    # Headings of numbers wrap first, which costs a line; then text, the widest column first.
    for index in (index for index in shown if index not in text):
        if excess > 0:
            spare = widths[index] - _narrowest(table, index, text_width)
            widths[index] -= spare
            excess -= spare
    while excess > 0:
        spare_of = {index: widths[index] - _narrowest(table, index, text_width) for index in text}
        able = [index for index in text if spare_of[index] > 0]
        if not able:
            break
        widths[max(able, key=lambda index: widths[index])] -= 1
        excess -= 1
    return tuple(widths[index] for index in shown)


def _cells(table: Table, index: int) -> list[str]:
    return [plain_text(row[index]) for row in table.rows]


def _widest(table: Table, index: int) -> int:
    cells = [plain_text(table.columns[index].name), *_cells(table, index)]
    return max(cell_len(cell) for cell in cells)


def _narrowest(table: Table, index: int, text_width: int) -> int:
    """Return the least width: headings wrap between words, text to a minimum, the rest never."""
    column = table.columns[index]
    heading = max((cell_len(word) for word in plain_text(column.name).split()), default=1)
    if column.kind != "text":
        return max([heading, *(cell_len(cell) for cell in _cells(table, index))])
    cells = _cells(table, index)
    return max(heading, min(max(map(cell_len, cells), default=1), text_width))
