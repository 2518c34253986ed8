"""JSON Lines: one JSON object a line, read line by line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.json_file import Decoder
from scaleplan.runs.formats.plain_blocks import Ahead, Lines, Whole
from scaleplan.runs.formats.plain_json import add_plain, is_read_whole, read_ahead
from scaleplan.runs.formats.records import Adding
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import shown

_LOOKED_AT = 20  # lines


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a log.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If no line is a JSON object.
    """
    decoder = Decoder(source.name)
    builder = TableBuilder(source.name, keep_text=keep_text)
    _fill(builder, source, decoder)
    for note in (*decoder.notes(), *source.notes()):
        builder.note(note)
    table = builder.build({})
    if not len(table):
        first = table.dropped[0] if table.dropped else None
        raise InputError(
            first.reason if first else "holds no runs", file=source.name,
            line=first.line if first else None, hint="Give one JSON object a line.",
        )  # fmt: skip
    return replace(table, shared={})


def _fill(builder: TableBuilder, source: TextSource, decoder: Decoder) -> None:
    """Add all runs; a line that is not JSON, such as a cut one, is dropped with the reason."""
    adding = Adding(builder)
    lines = Lines(source, quoted=False)

    def start(block: bytes) -> Callable[[], Ahead]:
        adding.flush()
        return partial(read_ahead, builder.kinds(), block)

    def take(block: bytes, first_line: int, ahead: Ahead | None) -> int:
        adding.flush()
        builder.expect(lines.share)
        return add_plain(builder, block, first_line, ahead)

    whole = Whole(start=start, take=take) if is_read_whole() else None
    for number, text in enumerate(lines, 1):
        lines.whole = whole  # the first block shows what columns there are
        line = number + lines.passed
        stripped = text.strip("\ufeff \t\r\n")
        if not stripped:
            continue
        try:
            adding.add(line, decoder.decode(stripped, line))
        except InputError as error:
            builder.drop(line, f"{error.message}: {shown(stripped)}")
    adding.flush()


def recognises(head: str) -> bool:
    """Tell whether a text has a JSON object a line; one of its first lines may be damaged.

    The lines of a document that is laid out end with commas, or open what a later one closes.
    """
    lines = [line.strip() for line in head.lstrip("\ufeff").splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].startswith("{"):
        return False
    if is_whole(lines[0]) and lines[1].startswith("{"):
        return True
    whole = sum(map(is_whole, lines[:_LOOKED_AT]))
    return whole > 1 and 2 * whole > min(len(lines), _LOOKED_AT)


def begins_so(head: str) -> bool:
    """Tell whether a text begins with a whole object, below which there is more."""
    first, _, rest = head.lstrip("\ufeff \t\r\n").partition("\n")
    return is_whole(first.strip()) and bool(rest.strip())


def is_whole(line: str) -> bool:
    """Tell whether a line begins and ends as a JSON object does."""
    return line.startswith("{") and line.endswith("}")


JSON_LINES = Format(
    name="JSON Lines", extensions=(".jsonl", ".ndjson"), recognises=recognises, read=read
)
