"""From sources to runs: which files, which formats, one table, roles, curves, cleaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import BinaryIO

import numpy as np

from scaleplan.records import Cleaning, ColumnUse, Metric, Note, RowNote
from scaleplan.runs.cleaning import clean
from scaleplan.runs.columns import Assignment, assign
from scaleplan.runs.curves import reduce_curves
from scaleplan.runs.derived import Derived, derive
from scaleplan.runs.epoch_steps import with_steps_of_runs
from scaleplan.runs.formats import EXTENSIONS
from scaleplan.runs.frame import join
from scaleplan.runs.gathering import Gathered, gather
from scaleplan.runs.lacking import without_lacking
from scaleplan.runs.large import Engine, near, read_large
from scaleplan.runs.locating import locate
from scaleplan.runs.name_sharing import AS_LOGGED, across_files, with_own_names
from scaleplan.runs.notices import fingerprint, notices
from scaleplan.runs.numbers import MOST_TOLD
from scaleplan.runs.opening import Progress, read_all, shared_names
from scaleplan.runs.raw import RawColumn, numeric_column
from scaleplan.runs.repeated import best_of
from scaleplan.runs.request import Given, Request, read_request
from scaleplan.runs.shared import united
from scaleplan.runs.splitting import levels_by, role_of, rows_by
from scaleplan.runs.spoiled_names import spoiled_notes
from scaleplan.runs.table import FloatArray, Origins, Runs
from scaleplan.runs.text import shown


def load_runs(
    sources: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    input_column: str | None = None,
    all_points: bool = False,
    best_of_each: Sequence[str] | None = None,
    levels_of: str | None = None,
    given: Given | None = None,
    stdin: BinaryIO | None = None,
    on_progress: Progress | None = None,
    engine: Engine = "small",
) -> Runs:
    """Read logs of training runs.

    Args:
        sources: Files, patterns, folders, and `-` for standard input.
        columns: Role to column, for example `{"params": "n_model"}`.
        metric: The metric's column, or `loss`, `error`, `accuracy` or `score`.
        input_column: Any column to be used as the single input of a law.
        all_points: Keep all points of training curves instead of one a run.
        best_of_each: Keep the best run of each size and of each value of these columns (empty: of
            each size); None keeps all runs.
        levels_of: A column whose values are numbered as the levels of a law that has them.
        given: What the logs do not say, and how printed ones are read.
        stdin: What `-` reads; the process's standard input by default.
        on_progress: Called with (bytes done, bytes in all; 0 if not known).
        engine: `duckdb` reduces per-step logs out of core, `small` reads them here, `auto` takes
            the engine for large ones.

    Returns:
        The cleaned runs, with everything that was guessed, derived, changed or dropped.

    Raises:
        InputError: If the logs cannot be read or hold no usable run.
        UsageError: If an argument names a role or column that does not exist.
    """
    request = read_request(columns, metric, input_column, given)
    cleaned = _read_and_clean(sources, request, all_points, stdin, on_progress, engine)
    return _finished(cleaned, best_of_each, levels_of=levels_of)


def load_groups(
    sources: Sequence[str],
    by: str,
    *,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    input_column: str | None = None,
    all_points: bool = False,
    best_of_each: Sequence[str] | None = None,
    given: Given | None = None,
    stdin: BinaryIO | None = None,
    on_progress: Progress | None = None,
    engine: Engine = "small",
) -> tuple[Cleaning, tuple[tuple[str, Runs], ...]]:
    """Read logs of training runs and split them by what a column says.

    Args:
        sources: As for `load_runs`, and so the options.
        by: The column, or its role, whose values name the groups.
        columns: Role to column.
        metric: The metric's column, or its kind.
        input_column: Any column to be used as the single input of a law.
        all_points: Keep all points of training curves instead of one a run.
        best_of_each: Keep the best run of each size, group by group.
        given: What the logs do not say, and how printed ones are read.
        stdin: What `-` reads.
        on_progress: Called with (bytes done, bytes in all).
        engine: What reduces per-step logs.

    Returns:
        What reading did to the rows of all groups, and the runs of each in the order of its name.

    Raises:
        InputError: If the logs cannot be read or hold no usable run.
        UsageError: If there is no such column.
    """
    request = read_request(columns, metric, input_column, given)
    cleaned = _read_and_clean(sources, request, all_points, stdin, on_progress, engine)
    groups = [
        (name, _finished(replace(cleaned, rows=cleaned.rows.take(rows)), best_of_each, part=True))
        for name, rows in rows_by(cleaned.rows, cleaned.chosen, by)
    ]
    return cleaned.cleaning, tuple(groups)


@dataclass(frozen=True, slots=True, eq=False)
class _Cleaned:
    """Cleaned rows before anything is derived from them, and what was done to get there."""

    rows: Gathered
    chosen: Assignment
    metric: Metric
    cleaning: Cleaning
    metadata: Mapping[str, str]
    units: Mapping[str, str]
    notes: tuple[Note, ...]
    every_point: bool


def _read_and_clean(
    sources: Sequence[str], request: Request, all_points: bool, stdin: BinaryIO | None,
    on_progress: Progress | None, engine: Engine = "small",
) -> _Cleaned:  # fmt: skip
    with near(locate(sources, EXTENSIONS), engine) as located:
        large, told = read_large(located, request, engine, all_points=all_points)
        if large is not None:
            tables, skipped, rows_read = large.tables, large.notes, large.rows_read
        else:
            tables, skipped = read_all(located, request, stdin, on_progress)
            rows_read = sum(len(table) + len(table.dropped) for table in tables)
    shared = shared_names(tables) if large is None else []
    frame = join(tables)
    chosen = assign(frame, request)
    gathered, kind, units, changed, unit_notes = gather(frame, chosen, [t.shared for t in tables])
    early = tuple(note for table in tables for note in table.dropped)
    gathered, lost, lost_notes = without_lacking(gathered, tables, chosen.numbers["value"])
    spoiled = spoiled_notes(gathered)
    gathered, name_notes = with_own_names(gathered, chosen.labels)
    gathered, step_notes = with_steps_of_runs(gathered)
    reduced = (
        reduce_curves(
            gathered, kind, chosen.metric, all_points=all_points,
            printed=frozenset(i for i, table in enumerate(tables) if table.printed),
        ) if large is None else large.reduced(gathered)
    )  # fmt: skip
    name_notes += tuple(across_files(shared, gathered, joined=reduced.rows is not gathered))
    early += (*lost, *reduced.dropped)
    cleaned, dropped = clean(reduced.rows, kind, rows_read, early)
    metadata, metadata_notes = united(tables)
    cleaning = Cleaning(
        files=frame.files, rows_read=rows_read, rows_used=len(cleaned),
        dropped=_in_order((*early, *dropped), frame.files),
        changed=_in_order((*changed, *_left_empty(cleaned, kind)), frame.files),
        columns=tuple(chosen.uses),
    )  # fmt: skip
    notes = (
        *told, *skipped, *dict.fromkeys(note for table in tables for note in table.notes),
        *metadata_notes,
        *chosen.notes, *unit_notes, *lost_notes, *spoiled, *name_notes, *step_notes,
        *reduced.notes,
    )  # fmt: skip
    return _Cleaned(cleaned, chosen, kind, cleaning, metadata, units, notes, reduced.every_point)


def _finished(
    cleaned: _Cleaned, best_of_each: Sequence[str] | None,
    *, part: bool = False, levels_of: str | None = None,
) -> Runs:  # fmt: skip
    """Derive what is missing and freeze the rows; `part` says that they are some of all."""
    derived = derive(cleaned.rows, cleaned.chosen, cleaned.metric)
    cleaning = replace(cleaned.cleaning, columns=_uses(cleaned.chosen, derived.uses))
    if part:
        # What was dropped or changed is told once, for all groups together.
        size = len(cleaned.rows)
        cleaning = replace(cleaning, rows_read=size, rows_used=size, dropped=(), changed=())
    rows, best_notes = derived.rows, tuple[Note, ...]()
    if best_of_each is not None:
        rows, beaten, best_notes = best_of(rows, cleaned.metric, best_of_each)
        cleaning = replace(
            cleaning, rows_used=len(rows), dropped=(*cleaning.dropped, *beaten)
        )  # fmt: skip
    levels: tuple[str, ...] = ()
    told = ""
    if levels_of is not None:
        told = role_of(rows, cleaned.chosen, levels_of)
        levels, numbers = levels_by(rows, cleaned.chosen, levels_of)
        rows = replace(rows, roles={**rows.roles, "level": numeric_column(numbers)})
        use = ColumnUse(role="level", column=levels_of, how="given")
        cleaning = replace(cleaning, columns=(*cleaning.columns, use))
    return _runs(
        rows, cleaned.metric, cleaning=cleaning, metadata=cleaned.metadata,
        units=cleaned.units, derived=derived, levels=levels, every_point=cleaned.every_point,
        notes=(
            *cleaned.notes, *derived.notes, *best_notes,
            *notices(rows, cleaned.metric, known=told),
        ),
    )  # fmt: skip


def _runs(
    rows: Gathered, metric: Metric, *, cleaning: Cleaning, metadata: Mapping[str, str],
    units: Mapping[str, str], derived: Derived, notes: tuple[Note, ...], levels: tuple[str, ...],
    every_point: bool,
) -> Runs:  # fmt: skip
    """Freeze the rows."""
    size = range(len(rows))
    return Runs(
        columns=MappingProxyType({r: _frozen(c) for r, c in rows.roles.items()}),
        labels=MappingProxyType(
            {
                name: tuple(c.text(i) for i in size)
                for name, c in rows.labels.items() if name != AS_LOGGED
            }
        ),
        extra=MappingProxyType({n: _frozen(c) for n, c in rows.extra.items()}),
        metric=metric, cleaning=cleaning, metadata=MappingProxyType(dict(metadata)),
        units=MappingProxyType(dict(units)), fingerprint=fingerprint(rows, metric), notes=notes,
        assumptions=derived.assumptions, origins=Origins(rows.files, rows.file_of, rows.lines),
        flops_per_param_token=derived.flops_per_param_token, levels=levels,
        flops_per_active_token=derived.flops_per_active_token, every_point=every_point,
    )  # fmt: skip


def _frozen(column: RawColumn) -> FloatArray:
    numbers = np.array(column.numbers, dtype=np.float64)
    numbers.setflags(write=False)
    return numbers


def _uses(chosen: Assignment, derived: Sequence[ColumnUse]) -> tuple[ColumnUse, ...]:
    """Put what was derived in the place of a column that it only filled up."""
    made = {use.role: use for use in derived}
    kept = tuple(use for use in chosen.uses if use.role not in made)
    partly = {use.role: use.column for use in chosen.uses if use.role in made}
    return kept + tuple(
        replace(use, column=f"{partly[use.role]}; {use.column}") if use.role in partly else use
        for use in derived
    )


def _left_empty(rows: Gathered, metric: Metric) -> tuple[RowNote, ...]:
    """Return a line on each cell, of a column in a role, that is no number and was left empty."""
    result = []
    for role, column in rows.roles.items():
        odd = np.flatnonzero((column.codes >= 0) & np.isnan(column.numbers) & ~column.blank)
        if odd.size and rows.names[role] != metric.column:
            name = rows.names[role]
            for i in odd[:MOST_TOLD]:
                reason = f"{name}: {shown(column.text(int(i)))} is no number; left empty"
                result.append(replace(rows.row_note(int(i), reason), run=""))
            if odd.size > MOST_TOLD:
                reason = f"{name}: {odd.size - MOST_TOLD} more cells are no numbers; left empty"
                result.append(replace(rows.row_note(int(odd[MOST_TOLD]), reason), run=""))
    return tuple(result)


def _in_order(notes: Sequence[RowNote], files: Sequence[str]) -> tuple[RowNote, ...]:
    """Return notes in the order of the files and lines, however late a row was dropped."""
    place = {file: i for i, file in enumerate(files)}
    # What was done to a column of all files, such as a change of its unit, comes first.
    return tuple(sorted(notes, key=lambda note: (place.get(note.file, -1), note.line or 0)))
