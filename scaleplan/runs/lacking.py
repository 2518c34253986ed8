"""Files that lack the metric of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scaleplan.records import Note, RowNote
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawTable
from scaleplan.runs.roles import text_role
from scaleplan.runs.text import listed

_NAMED = 5


def lacking(tables: Sequence[RawTable], wanted: Sequence[str]) -> list[int]:
    """Return the places of files that have none of these columns, nor a run of a file that has."""
    having = [any(name in table.columns for name in wanted) for table in tables]
    runs = set().union(*(runs_in(t) for t, has in zip(tables, having, strict=True) if has))
    return [
        place for place, (table, has) in enumerate(zip(tables, having, strict=True))
        if not has and not runs & runs_in(table)
    ]  # fmt: skip


def runs_in(table: RawTable) -> set[str]:
    """Return the names of the runs in a file."""
    return {
        text for name, column in table.columns.items() if text_role(name) == "run"
        for text in column.vocabulary
    }  # fmt: skip


def without_lacking(
    rows: Gathered, tables: Sequence[RawTable], wanted: Sequence[str]
) -> tuple[Gathered, tuple[RowNote, ...], tuple[Note, ...]]:
    """Leave out the rows of files that lack the metric.

    Args:
        rows: The rows of all files.
        tables: The files.
        wanted: The columns of the metric.

    Returns:
        The other rows, those left out, and a note on the files if there are such.
    """
    files = lacking(tables, wanted)
    if not files:
        return rows, (), ()
    gone = np.isin(rows.file_of, files)
    name = listed(wanted, _NAMED)
    dropped = tuple(
        rows.row_note(int(row), f"the file has no column {name}") for row in np.flatnonzero(gone)
    )
    return rows.take(np.flatnonzero(~gone)), dropped, (_note(tables, files, name),)


def _note(tables: Sequence[RawTable], files: Sequence[int], name: str) -> Note:
    lost = [tables[place] for place in files]
    others = dict.fromkeys(c for t in lost for c in t.columns if describe(c) is not None)
    count = sum(len(table) for table in lost)
    shown = listed([table.file for table in lost], _NAMED)
    return Note(
        id="METRIC_NOT_IN_FILE", severity="warning",
        text=f"{shown} {'has' if len(lost) == 1 else 'have'} no column {name}, which is the metric "
        f"of the other files: {'1 row is' if count == 1 else f'{count} rows are'} left out."
        + (f" What they have is {listed(others, _NAMED)}." if others else ""),
        action="Name a metric that all files have with --metric, or rename the column if it is the "
        "same one.",
        numbers=(("files", float(len(lost))), ("rows", float(count))),
    )  # fmt: skip
