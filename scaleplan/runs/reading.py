"""From sources to runs: which files, which formats, one table, roles, curves, cleaning."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import BinaryIO

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Assumption, Cleaning, ColumnUse, Metric, Note, RowNote
from scaleplan.runs.cleaning import clean
from scaleplan.runs.columns import Assignment, assign
from scaleplan.runs.curves import reduce_curves
from scaleplan.runs.derived import derive
from scaleplan.runs.exports import reshape
from scaleplan.runs.formats import EXTENSIONS, read_table
from scaleplan.runs.frame import join
from scaleplan.runs.gathering import Gathered, gather
from scaleplan.runs.locating import Located, locate
from scaleplan.runs.metrics import describe, find_column
from scaleplan.runs.notices import fingerprint, notices
from scaleplan.runs.numbers import settle
from scaleplan.runs.raw import RawColumn, RawTable
from scaleplan.runs.repeated import best_of
from scaleplan.runs.request import Request, keeps_text, read_request
from scaleplan.runs.shared import united, with_shared
from scaleplan.runs.source import TextSource
from scaleplan.runs.table import FloatArray, Origins, Runs
from scaleplan.runs.text import listed

Progress = Callable[[int, int], None]


def load_runs(
    sources: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    input_column: str | None = None,
    all_points: bool = False,
    best_of_each: Sequence[str] | None = None,
    stdin: BinaryIO | None = None,
    on_progress: Progress | None = None,
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
        stdin: What `-` reads; the process's standard input by default.
        on_progress: Called with (bytes done, bytes in all; 0 if not known).

    Returns:
        The cleaned runs, with everything that was guessed, derived, changed or dropped.

    Raises:
        InputError: If the logs cannot be read or hold no usable run.
        UsageError: If an argument names a role or column that does not exist.
    """
    request = read_request(columns, metric, input_column)
    located = locate(sources, EXTENSIONS)
    tables, skipped = _read_all(located, request, stdin, on_progress)
    rows_read = sum(len(table) + len(table.dropped) for table in tables)
    frame = join(tables)
    chosen = assign(frame, request)
    gathered, kind, units, changed, unit_notes = gather(frame, chosen, [t.shared for t in tables])
    early = tuple(note for table in tables for note in table.dropped)
    reduced = reduce_curves(gathered, kind, chosen.metric, all_points=all_points)
    early += reduced.dropped
    cleaned, dropped = clean(reduced.rows, kind, rows_read, early)
    derived = derive(cleaned, chosen, kind)
    rows, best_notes = derived.rows, tuple[Note, ...]()
    if best_of_each is not None:
        rows, beaten, best_notes = best_of(rows, kind, best_of_each)
        dropped += beaten
    metadata, metadata_notes = united(tables)
    return _runs(
        rows, kind,
        cleaning=Cleaning(
            files=frame.files, rows_read=rows_read, rows_used=len(rows),
            dropped=(*early, *dropped), changed=(*changed, *_left_empty(cleaned, kind)),
            columns=_uses(chosen, derived.uses),
        ),
        metadata=metadata, units=units, ratio=derived.flops_per_param_token,
        notes=(
            *skipped, *(note for table in tables for note in table.notes), *metadata_notes,
            *chosen.notes, *unit_notes, *reduced.notes, *derived.notes,
            *best_notes, *notices(rows, kind),
        ),
        assumptions=derived.assumptions,
    )  # fmt: skip


def _runs(
    rows: Gathered, metric: Metric, *, cleaning: Cleaning, metadata: Mapping[str, str],
    units: Mapping[str, str], ratio: float | None, notes: tuple[Note, ...],
    assumptions: tuple[Assumption, ...],
) -> Runs:  # fmt: skip
    """Freeze the rows."""
    size = range(len(rows))
    return Runs(
        columns=MappingProxyType({r: _frozen(c) for r, c in rows.roles.items()}),
        labels=MappingProxyType(
            {name: tuple(c.text(i) for i in size) for name, c in rows.labels.items()}
        ),
        extra=MappingProxyType({n: _frozen(c) for n, c in rows.extra.items()}),
        metric=metric, cleaning=cleaning, metadata=MappingProxyType(dict(metadata)),
        units=MappingProxyType(dict(units)), fingerprint=fingerprint(rows, metric), notes=notes,
        assumptions=assumptions, origins=Origins(rows.files, rows.file_of, rows.lines),
        flops_per_param_token=ratio,
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
    """Return a line on each column in a role that has cells which are no numbers."""
    result = []
    for role, column in rows.roles.items():
        odd = np.flatnonzero((column.codes >= 0) & np.isnan(column.numbers) & ~column.blank)
        if odd.size and rows.names[role] != metric.name:
            first = rows.row_note(int(odd[0]), "")
            cells = "1 cell" if odd.size == 1 else f"{odd.size} cells"
            reason = f"{rows.names[role]}: {cells} without a number left empty"
            result.append(replace(first, reason=reason, run=""))
    return tuple(result)


@dataclass(slots=True)
class _Bytes:
    """Counts the bytes read and reports them."""

    total: int
    report: Progress | None
    done: int = 0

    def advance(self, count: int) -> None:
        """Count more bytes."""
        self.done += count
        if self.report is not None and count:
            self.report(self.done, max(self.total, self.done) if self.total else 0)


def _read_all(
    located: Sequence[Located], request: Request, stdin: BinaryIO | None, report: Progress | None
) -> tuple[list[RawTable], list[Note]]:
    """Read every input; one that was only found in a folder and is no log is passed over."""
    progress = _Bytes(sum(_size(each) for each in located), report)
    tables: list[RawTable] = []
    refused: list[InputError] = []
    for each in located:
        try:
            table = _read(each, request, stdin, progress)
            if each.found and len(located) > 1:
                _require_metric(table, request)
            tables.append(table)
        except InputError as error:
            if not each.found:
                raise
            refused.append(error)
    if not tables:
        if len(refused) > 1:
            raise InputError(
                f"none of {len(refused)} files is a log; the first: {refused[0]}",
                hint=refused[0].hint,
            )
        raise refused[0]
    notes = [
        Note(id="SKIPPED_FILE", severity="info", text=f"Not a log, passed over: {error}.")
        for error in refused
    ]
    return tables, notes


def _require_metric(table: RawTable, request: Request) -> None:
    """Refuse a file that was only found in a folder and measures nothing, such as a settings file.

    Raises:
        InputError: If no column of it can be a metric.
    """
    names = list(table.columns)
    asked = request.metric is not None and find_column(request.metric, names) is not None
    if not asked and not any(describe(name) is not None for name in names):
        raise InputError(
            f"has no metric among its columns ({listed(names, 8)})", file=table.file,
            hint="Name the file itself, and its metric with --metric.",
        )  # fmt: skip


def _size(located: Located) -> int:
    if located.path is None:
        return 0
    try:
        return located.path.stat().st_size
    except OSError:
        return 0  # the reading proper says what is wrong with the file


def _read(located: Located, request: Request, stdin: BinaryIO | None, progress: _Bytes) -> RawTable:
    if located.path is None:
        return _parse(stdin or sys.stdin.buffer, located, request, progress)
    try:
        stream = located.path.open("rb")
    except OSError as error:
        raise InputError(
            f"cannot be opened: {error.strerror or error}", file=located.name,
            hint="Check the path and its rights.",
        ) from None  # fmt: skip
    with stream:
        return _parse(stream, located, request, progress)


def _parse(stream: BinaryIO, located: Located, request: Request, progress: _Bytes) -> RawTable:
    source = TextSource(located.name, stream, advance=progress.advance)

    def keep_text(name: str) -> bool:
        return keeps_text(request, name)

    raw = read_table(source, located.extension, keep_text)
    table = with_shared(reshape(settle(raw, keep_text)), request)
    if not len(table):
        _refuse_empty(table)
    return table


def _refuse_empty(table: RawTable) -> None:
    if table.dropped:
        first = table.dropped[0]
        raise InputError(
            f"{'1 row was' if len(table.dropped) == 1 else f'{len(table.dropped)} rows were'} read "
            f"and none can be used: {first.reason}",
            file=table.file, line=first.line, hint="Check how the columns are separated.",
        )  # fmt: skip
    names = listed(table.columns, 8)
    raise InputError(
        f"has column names but no runs ({names})" if names else "holds no table",
        file=table.file, hint="Give a log with column names and at least one run.",
    )  # fmt: skip
