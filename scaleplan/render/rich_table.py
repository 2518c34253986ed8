"""A view as rich shows it: within a terminal's width, in a pipe as wide as the numbers need."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from scaleplan.render.column_widths import GAP, column_widths, fitting_columns
from scaleplan.render.text import plain_text
from scaleplan.render.view import (
    Block,
    Facts,
    Listing,
    Paragraph,
    Table,
    View,
    assumptions_lists,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from scaleplan.records import Note

PIPED_WIDTH = 100  # columns of running text where no terminal says otherwise
# Columns that text in a table keeps at least: enough to read beside numbers in a terminal; a pipe
# has no edge, so there short text stays on its line.
_TERMINAL_TEXT = 14
_PIPED_TEXT = 72
_INDENT = (0, 0, 0, 2)
_GRAVITY = ("info", "warning", "error")
_SEVERITIES = {
    "info": ("note", "cyan"),
    "warning": ("warning", "yellow"),
    "error": ("error", "bold red"),
}


def render_table(view: View, stream: TextIO) -> str:
    """Return the view as text for a stream, with colours if the stream is a terminal.

    Args:
        view: What to show.
        stream: Where it will be written; decides on colour, characters and width.
    """
    terminal = stream.isatty()
    console = Console(
        file=stream,
        width=None if terminal else PIPED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )
    page = console.width
    parts = _parts(view, page, may_drop=terminal)
    with console.capture() as captured:
        for part, needed in parts:
            # What cannot be narrowed further is given the width it needs, never cut.
            console.width = max(page, needed)
            console.print(part, crop=False, width=console.width if needed else page)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _parts(view: View, width: int, *, may_drop: bool) -> list[tuple[RenderableType, int]]:
    """Return what to print, each with the least width in columns that it needs."""
    parts: list[tuple[RenderableType, int]] = [(_line(view.title, "bold"), 0)]
    for block in view.blocks:
        parts += _block(block, width, may_drop=may_drop)
    if view.notes:
        parts += [*_heading("Warnings and notes"), (_notes(view.notes), 0)]
    if view.assumptions:
        for listing in assumptions_lists(view.assumptions):
            parts += _block(listing, width, may_drop=may_drop)
    return parts


def _line(text: str, style: str = "") -> Text:
    return Text(plain_text(text), style=style, overflow="fold")


def _heading(title: str) -> list[tuple[RenderableType, int]]:
    return [(Text(""), 0), (_line(title, "bold cyan"), 0)]


def _block(block: Block, width: int, *, may_drop: bool) -> list[tuple[RenderableType, int]]:
    if isinstance(block, Paragraph):
        return [*_heading(block.title), (Padding(_line(block.text), _INDENT), 0)]
    if isinstance(block, Facts):
        return [*_heading(block.title), (_facts(block), 0)] if block.pairs else []
    if isinstance(block, Listing):
        return [*_heading(block.title), (_listing(block), 0)] if block.lines else []
    return [*_heading(block.title), *_table(block, width, may_drop=may_drop)]


def _listing(listing: Listing) -> Padding:
    """Return all lines as one text: far cheaper than a table of as many rows."""
    text = Text(overflow="fold")
    for index, (name, value) in enumerate(listing.lines):
        text.append(("\n" if index else "") + plain_text(name), style="dim")
        text.append(f" {plain_text(value)}")
    return Padding(text, _INDENT)


def _facts(facts: Facts) -> Padding:
    grid = RichTable.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.pairs:
        grid.add_row(_line(name, "dim"), _line(value))
    return Padding(grid, _INDENT)


def _notes(notes: tuple[Note, ...]) -> Padding:
    grid = RichTable.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for note in sorted(notes, key=lambda note: -_GRAVITY.index(note.severity)):
        word, style = _SEVERITIES[note.severity]
        text = _line(note.text)
        text.append(f" [{plain_text(note.id)}]", style="dim")
        if note.action:
            text.append(f"\n-> {plain_text(note.action)}")
        grid.add_row(Text(word, style=style), text)
    return Padding(grid, _INDENT)


def _table(table: Table, width: int, *, may_drop: bool) -> list[tuple[RenderableType, int]]:
    text_width = _TERMINAL_TEXT if may_drop else _PIPED_TEXT
    shown = tuple(range(len(table.columns)))
    if may_drop:
        shown = fitting_columns(table, width, text_width=text_width)
    widths = column_widths(table, shown, width, text_width=text_width)
    made = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for index, size in zip(shown, widths, strict=True):
        column = table.columns[index]
        made.add_column(
            _line(column.name),
            justify="right" if column.kind == "number" else "left",
            width=size,
            overflow="fold",
        )
    for row in table.rows:
        made.add_row(*(_line(row[index]) for index in shown))
    parts: list[tuple[RenderableType, int]] = [(made, sum(widths) + GAP * len(widths))]
    if table.footer:
        parts.append((Padding(_line(table.footer, "dim"), _INDENT), 0))
    hidden = ", ".join(c.name for i, c in enumerate(table.columns) if i not in shown)
    if hidden:
        told = f"not shown at this width: {hidden}; a wider terminal or --format markdown has all"
        parts.append((Padding(_line(told, "dim"), _INDENT), 0))
    return parts
