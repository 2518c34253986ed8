"""JSON Lines: one JSON object a line, read line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.json_file import Decoder
from scaleplan.runs.formats.records import Value, add_records
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
    add_records(builder, _records(source, decoder, builder))
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


def _records(
    source: TextSource, decoder: Decoder, builder: TableBuilder
) -> Iterator[tuple[int, Value]]:
    """Yield (line, run); a line that is not JSON, such as a cut one, is dropped with the reason."""
    for line, text in enumerate(source.lines(), 1):
        stripped = text.strip("\ufeff \t\r\n")
        if not stripped:
            continue
        try:
            yield line, decoder.decode(stripped, line)
        except InputError as error:
            builder.drop(line, f"{error.message}: {shown(stripped)}")


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
