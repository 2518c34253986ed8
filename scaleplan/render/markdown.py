"""A view as markdown, for issues and reports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scaleplan.render.text import plain_text
from scaleplan.render.view import (
    Block,
    Facts,
    Listing,
    Paragraph,
    View,
    assumptions_lists,
    sentences,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

# What GitHub's dialect reads as markup anywhere in a line; an underscore only at a word's edge.
_MARKUP = re.compile(r"[\\`*\[\]<>|~$&]|(?<!\w)_|_(?!\w)")


def render_markdown(view: View) -> str:
    """Return the view as GitHub-flavoured markdown."""
    lines = [f"# {escaped(view.title)}"]
    for block in view.blocks:
        lines += _block(block)
    if view.notes:
        lines += ["", "## Warnings and notes", ""]
        for note in view.notes:
            lines.append(f"- **{note.severity}** `{note.id}`: {escaped(sentences(note))}")
    if view.assumptions:
        for listing in assumptions_lists(view.assumptions):
            lines += _block(listing)
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that markdown shows as it is."""
    return _MARKUP.sub(lambda match: "\\" + match.group(), plain_text(text))


def _block(block: Block) -> list[str]:
    lines = ["", f"## {escaped(block.title)}", ""]
    if isinstance(block, Paragraph):
        return [*lines, escaped(block.text)]
    if isinstance(block, Facts):
        return [*lines, *(f"- {escaped(name)}: {escaped(value)}" for name, value in block.pairs)]
    if isinstance(block, Listing):
        if not block.lines:
            return []
        return [*lines, *(f"- {escaped(name)} {escaped(value)}" for name, value in block.lines)]
    lines.append(_row(escaped(column.name) for column in block.columns))
    lines.append(_row("---:" if c.kind == "number" else ":---" for c in block.columns))
    lines += [_row(escaped(cell) for cell in row) for row in block.rows]
    return [*lines, "", escaped(block.footer)] if block.footer else lines


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
