"""Cells that are links, as Markdown and HTML write them: what they show is what they say."""

from __future__ import annotations

import re

import numpy as np

from scaleplan.runs.raw_table import RawColumn

_MARKDOWN = re.compile(r"!?\[(?P<shown>[^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)?\)")
_HTML = re.compile(r"<a\s[^<>]*>(?P<shown>[^<>]*)</a>", re.IGNORECASE)


def without_links(column: RawColumn) -> RawColumn:
    """Return a column whose cells show the text of their links.

    Args:
        column: Any column; the same is returned where no cell is a link.
    """
    if not any("](" in text or "</a>" in text.casefold() for text in column.vocabulary):
        return column
    shown = [
        _HTML.sub(r"\g<shown>", _MARKDOWN.sub(r"\g<shown>", text)).strip()
        for text in column.vocabulary
    ]
    different: dict[str, int] = {}
    to = [different.setdefault(text, len(different)) if text else -1 for text in shown]
    # The last place is what -1 finds: an empty cell.
    codes = np.array([*to, -1], dtype=np.int32)[column.codes]
    return RawColumn(column.numbers, codes, tuple(different))
