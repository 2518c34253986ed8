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
    """Tell whether the first line is a complete JSON object and another one follows."""
    lines = [line for line in head.lstrip("\ufeff").splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].strip().startswith("{"):
        return False
    return lines[0].strip().endswith("}") and lines[1].lstrip().startswith("{")


JSON_LINES = Format(
    name="JSON Lines", extensions=(".jsonl", ".ndjson"), recognises=recognises, read=read
)
