"""What a log says about all of its runs: metadata, and values that each run takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.numbers import settle
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder, filled_from
from scaleplan.runs.request import Request, keeps_text
from scaleplan.runs.roles import NUMBER_ROLES, TEXT_ROLES, rank
from scaleplan.runs.text import clean_text, listed

# Roles that all runs of a log may share; its name or step is that of the log, not of its runs.
_SHARED_ROLES = frozenset({*NUMBER_ROLES, *TEXT_ROLES}) - {"run", "step", "epoch", "status"}


def with_shared(table: RawTable, request: Request) -> RawTable:
    """Give every run the shared values that play a role, where it has none of its own."""
    columns = dict(table.columns)
    for name, value in table.shared.items():
        role = next((r for r in _SHARED_ROLES if rank(r, name) is not None), None)
        named = name in {*request.roles.values(), request.metric, request.input_column}
        if (role is None and not named) or not value or not len(table):
            continue
        one = one_cell(name, value, keep_text=keeps_text(request, name))
        whole = one.take(np.zeros(len(table), dtype=np.int64))
        columns[name] = filled_from(columns[name], whole) if name in columns else whole
    return replace(table, columns=columns)


def one_cell(name: str, text: str, *, keep_text: bool) -> RawColumn:
    """Read one cell as a column of one row."""
    builder = TableBuilder(name, keep_text=lambda _: keep_text)
    builder.add({name: [text]}, [0])
    return settle(builder.build({}), lambda _: keep_text).columns[name]


def united(tables: Sequence[RawTable]) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Unite what the inputs say about all of their runs; the first one to say a thing wins."""
    metadata: dict[str, str] = {}
    differing: dict[str, None] = {}
    for table in tables:
        for name, value in table.shared.items():
            if metadata.setdefault(clean_text(name), clean_text(value)) != clean_text(value):
                differing[clean_text(name)] = None
    if not differing:
        return metadata, ()
    note = Note(
        id="METADATA_DIFFER", severity="info",
        text=f"The files differ in what they say about all of their runs: {listed(differing, 8)}.",
    )  # fmt: skip
    return metadata, (note,)
