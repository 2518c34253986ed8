"""Values that a person gives for runs whose log does not say them: `--set`, `runs.yaml`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawColumn, RawTable, text_column
from scaleplan.runs.request import Request, keeps_text
from scaleplan.runs.roles import NUMBER_ROLES, TEXT_ROLES, rank, role_named, text_role
from scaleplan.runs.shared import one_cell
from scaleplan.runs.table import BoolArray
from scaleplan.runs.text import near, shown

_ALIKE = 0.8  # of 1: `parms` is 0.91 like `params`, `loss_unit` 0.62 like `loss`


def with_given(table: RawTable, request: Request) -> RawTable:
    """Write given values into a table: over what it says, into a column of their name.

    Args:
        table: One input.
        request: With `given` as (run, or empty for all, column, text); a run is the name in the
            table, the file's name with or without its ending, or the name of its folder.
    """
    columns, notes = dict(table.columns), list(table.notes)
    for run, name, text in request.given:
        rows = _rows_of(table, run)
        if not rows.any():
            continue
        target = _column_for(columns, name)
        notes += _misspelt(columns, target, request)
        cell = one_cell(target, text, keep_text=keeps_text(request, target))
        notes += _replaced(columns.get(target), cell, rows, target)
        columns[target] = _written(columns.get(target), cell, rows)
    return replace(table, columns=columns, notes=tuple(notes))


def _misspelt(columns: Mapping[str, RawColumn], name: str, request: Request) -> tuple[Note, ...]:
    """Warn of a value for a column that nothing uses, if its name is nearly that of one in use."""
    asked = {request.metric, request.input_column, *request.roles.values()}
    if name in {*columns, *asked} or role_named(name) is not None or describe(name) is not None:
        return ()
    roles = (*NUMBER_ROLES, *TEXT_ROLES)
    if any(rank(role, name) is not None for role in NUMBER_ROLES) or text_role(name) is not None:
        return ()
    meant = near(name, (*columns, *roles), alike=_ALIKE)
    if not meant:
        return ()
    return (
        Note(
            id="VALUES_UNUSED", severity="warning",
            text=f"A value was given for {shown(name)}, which is no column of the log and plays no "
            "part.",
            action=f"Did you mean {' or '.join(meant)}?",
        ),
    )  # fmt: skip


def _replaced(
    column: RawColumn | None, cell: RawColumn, rows: BoolArray, name: str
) -> tuple[Note, ...]:
    """Say how many values of the log a given one replaces."""
    if column is None:
        return ()
    known = rows & ~column.blank
    if np.isfinite(cell.numbers[0]):
        known &= column.numbers != cell.numbers[0]
    count = int(known.sum())
    if not count:
        return ()
    return (
        Note(
            id="VALUES_REPLACED", severity="warning",
            text=f"{count} values of {name} in the log are replaced by {shown(cell.text(0))}, "
            "which was given.",
            action="Give values only for what the log does not say.",
            numbers=(("values", float(count)),),
        ),
    )  # fmt: skip


def unmatched(tables: Sequence[RawTable], request: Request) -> list[str]:
    """Return the runs that values were given for and that no table has."""
    runs = {run for run, _, _ in request.given if run}
    return sorted(run for run in runs if not any(_rows_of(t, run).any() for t in tables))


def _rows_of(table: RawTable, run: str) -> BoolArray:
    """Return which rows belong to a run, shape (n,)."""
    everything = np.ones(len(table), dtype=bool)
    if not run:
        return everything
    path = PurePath(table.file)
    if run in {table.file, path.name, path.stem, path.parent.name}:
        return everything
    for name, column in table.columns.items():
        if text_role(name) != "run":
            continue
        codes = [i for i, text in enumerate(column.vocabulary) if text == run]
        found = np.isin(column.codes, codes)
        with contextlib.suppress(ValueError):  # of a name that is no number
            found |= column.numbers == float(run)
        return np.asarray(found, dtype=bool)
    return np.zeros(len(table), dtype=bool)


def _column_for(columns: dict[str, RawColumn], name: str) -> str:
    """Return the column that is meant: of that name, or the one that plays the role."""
    if name in columns:
        return name
    playing = [(found, c) for c in columns for found in [rank(name, c)] if found is not None]
    return min(playing)[1] if playing else name


def _written(column: RawColumn | None, cell: RawColumn, rows: BoolArray) -> RawColumn:
    """Write one cell into some rows of a column."""
    base = text_column([""] * rows.size) if column is None else column
    offset = len(base.vocabulary)
    code = int(cell.codes[0]) + offset if int(cell.codes[0]) >= 0 else -1
    return RawColumn(
        np.where(rows, cell.numbers[0], base.numbers),
        np.where(rows, code, base.codes).astype(np.int32), (*base.vocabulary, *cell.vocabulary),
    )  # fmt: skip
