"""What there is to say about the choice of columns."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.records import Note
from scaleplan.runs.roles import SAMPLE_NAMES, spellings
from scaleplan.runs.text import listed


def joined_note(role: str, columns: Sequence[str]) -> Note:
    """Say that files name a thing differently, with a warning where it may be counted so."""
    samples = {any(s in SAMPLE_NAMES for s in spellings(c)) for c in columns}
    unlike = role == "tokens" and (len(samples) > 1 or True in samples)
    return Note(
        id="COLUMNS_JOINED", severity="warning" if unlike else "info",
        text=f"The files name {role} differently; {listed(columns)} are taken as one column"
        + (", although they may count different things." if unlike else "."),
        action="Fit the files apart, or name the column with --columns." if unlike else "",
    )  # fmt: skip


def sparse_note(role: str, column: str, chosen: Sequence[str]) -> Note:
    """Say that a column, preferred by its name, has no values where they count."""
    return Note(
        id="SPARSE_COLUMN", severity="info",
        text=f"{column} is empty in most rows that have the metric; {role} are read from "
        f"{listed(chosen)}.",
        action=f"Say --columns {role}={column!r} if it is the one.",
    )  # fmt: skip
