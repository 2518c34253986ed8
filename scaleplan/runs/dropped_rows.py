"""What to say of rows that a reader of logs dropped, where no list of them is shown."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.records import Note, RowNote
from scaleplan.runs.raw import RawTable
from scaleplan.runs.text import listed
from scaleplan.units import format_number_of

_NAMED = 3


def dropped_notes(tables: Sequence[RawTable]) -> tuple[Note, ...]:
    """Warn of the rows of each file that were left out, the first ones with their reasons."""
    return tuple(_note(table.file, table.dropped) for table in tables if table.dropped)


def _note(file: str, dropped: Sequence[RowNote]) -> Note:
    said = [f"{_place(note)}{note.reason}" for note in dropped[:_NAMED]]
    more = len(dropped) - len(said)
    return Note(
        id="ROWS_DROPPED", severity="warning",
        text=f"{format_number_of(len(dropped), 'row')} of {file} "
        f"{'was' if len(dropped) == 1 else 'were'} left out: {listed(said)}"
        f"{f', and {more} more' if more else ''}.",
        action="`scaleplan runs` lists each with its reason; correct what is wrong.",
        numbers=(("rows", float(len(dropped))),),
    )  # fmt: skip


def _place(note: RowNote) -> str:
    return f"line {note.line}: " if note.line else ""
