"""A report as one HTML page that needs nothing else: views as sections, pictures as SVG.

All text is escaped; nothing in a log can become markup. The page follows the reader's choice of
light or dark, and prints.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from scaleplan.render.text import plain_text
from scaleplan.render.view import (
    Block,
    Facts,
    Listing,
    Paragraph,
    Table,
    View,
    assumptions_lists,
    sentences,
)

_STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--page:#fff;--line:#d8d8d8;--soft:#f4f5f7;
--warn:#8a4b00;
--bad:#a01818}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--page:#16181b;--line:#3a3d42;--soft:#212429;
--warn:#f0b060;--bad:#ff8a80}.picture{background:#fff;border-radius:6px}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:76rem;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem}h2{font-size:1.2rem;border-bottom:1px solid var(--line);margin-top:2.5rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem}
th,td{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;
vertical-align:top}
th.text,td.text{text-align:left;white-space:normal;min-width:14rem;overflow-wrap:break-word}
th.name,td.name{text-align:left}
dl{display:grid;grid-template-columns:minmax(8rem,18rem) 1fr;gap:.15rem 1rem;margin:.3rem 0}
dt{color:inherit;opacity:.75}dd{margin:0}
@media (max-width:40rem){dl{display:block}dd{margin:0 0 .35rem}}
code,pre{background:var(--soft);padding:.1rem .3rem;border-radius:4px;white-space:pre-wrap}
.foot{font-size:.82rem;opacity:.8}
.note{border-left:4px solid var(--line);padding:.1rem .8rem;margin:.5rem 0;background:var(--soft)}
.note.warning{border-color:var(--warn)}.note.error{border-color:var(--bad)}
.picture svg{break-inside:avoid}
.picture{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:.5rem}
.picture svg{width:100%;max-width:30rem;height:auto;display:block;margin:auto}
@media print{body{max-width:none;font-size:11px}.scroll{overflow:visible}h2{break-after:avoid}
table{font-size:8px}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A view, with the panels of its picture as the texts of SVG elements."""

    view: View
    svgs: tuple[str, ...] = ()


def render_report(sections: Sequence[Section], *, command: str, version: str, date: str) -> str:
    """Return the page.

    Args:
        sections: In the order of the page.
        command: The exact command line.
        version: Of scaleplan, and of what it stands on.
        date: When it was made.
    """
    body = "".join(map(_section, sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>scaleplan report</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>scaleplan report</h1>\n<p>{_text(version)}, {_text(date)}</p>\n"
        f"<pre>{_text(command)}</pre>\n{body}</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return html.escape(plain_text(text))


def _section(section: Section) -> str:
    view = section.view
    parts = [f"<h2>{_text(view.title)}</h2>\n"]
    if section.svgs:
        parts.append(f'<div class="picture">{"".join(section.svgs)}</div>\n')
    if view.notes:
        parts.append("<h3>Warnings and notes</h3>\n")
        parts += [
            f'<div class="note {note.severity}"><b>{note.severity}</b> '
            f"{_text(sentences(note))} <code>{_text(note.id)}</code></div>\n"
            for note in view.notes
        ]
    parts += [_block(block) for block in view.blocks]
    if view.assumptions:
        parts += [_block(block) for block in assumptions_lists(view.assumptions)]
    return "".join(parts)


def _block(block: Block) -> str:
    title = f"<h3>{_text(block.title)}</h3>\n"
    match block:
        case Table():
            return title + _table(block)
        case Facts():
            return title + _pairs(block.pairs)
        case Listing():
            return title + _pairs(block.lines)
        case Paragraph():
            return f"{title}<p><code>{_text(block.text)}</code></p>\n"


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in pairs)
    return f"<dl>{rows}</dl>\n"


def _table(table: Table) -> str:
    kinds = [column.kind for column in table.columns]
    heads = "".join(
        f'<th class="{column.kind}">{_text(column.name)}</th>' for column in table.columns
    )
    rows = "".join(
        "<tr>" + "".join(
            f'<td class="{kind}">{_text(cell)}</td>'
            for kind, cell in zip(kinds, row, strict=True)
        ) + "</tr>\n"
        for row in table.rows
    )  # fmt: skip
    foot = f'<p class="foot">{_text(table.footer)}</p>\n' if table.footer else ""
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody>'
        f"</table></div>\n{foot}"
    )
