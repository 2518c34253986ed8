"""From located inputs to raw tables: opening, parsing, and passing over what is no log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from scaleplan.errors import InputError, UsageError
from scaleplan.records import Note
from scaleplan.runs.companions import with_last_evaluation
from scaleplan.runs.copies import without_copies
from scaleplan.runs.counts_of_all import with_counts_of_all
from scaleplan.runs.end_marks import with_ends_of_epochs
from scaleplan.runs.evaluation_steps import with_evaluations_placed
from scaleplan.runs.exports import reshape
from scaleplan.runs.formats import read_table
from scaleplan.runs.formats.stores import STORES
from scaleplan.runs.given import unmatched, with_given
from scaleplan.runs.lacking import runs_in
from scaleplan.runs.listed_cells import without_lists
from scaleplan.runs.locating import Located
from scaleplan.runs.metrics import describe
from scaleplan.runs.model_config import CONFIG_FILE, with_model_config
from scaleplan.runs.named_columns import find_column
from scaleplan.runs.numbers import settle
from scaleplan.runs.point_files import with_points_of_files
from scaleplan.runs.raw import RawTable
from scaleplan.runs.request import Request, keeps_text
from scaleplan.runs.run_totals import without_totals
from scaleplan.runs.shared import with_shared
from scaleplan.runs.sidecars import RUNS_FILE, SETTINGS, values_beside, with_settings
from scaleplan.runs.source import TextSource
from scaleplan.runs.split_files import with_splits_of_names
from scaleplan.runs.split_rows import with_splits_of_rows
from scaleplan.runs.summary_rows import without_summaries
from scaleplan.runs.text import listed
from scaleplan.runs.tidy import widened
from scaleplan.runs.transposed import upright

Progress = Callable[[int, int], None]
_SKIPPED_NAMED = 20  # files in one note


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


def read_all(
    located: Sequence[Located], request: Request, stdin: BinaryIO | None, report: Progress | None
) -> tuple[list[RawTable], list[Note]]:
    """Read every input; one that was only found in a folder and is no log is passed over."""
    progress = _Bytes(sum(_size(each) for each in located), report)
    tables: list[RawTable] = []
    paths: list[Path | None] = []
    refused: list[InputError] = []
    request = with_values_beside(located, request)
    for each in located:
        try:
            table = _read(each, request, stdin, progress)
            if each.found and len(located) > 1:
                _require_metric(table, request)
            tables.append(table)
            paths.append(each.path)
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
    lost = unmatched(tables, request)
    if lost:
        raise UsageError(
            f"values were given for {listed(lost, 5)}, and no log has a run of that name",
            hint="`scaleplan runs` lists the runs as they are named.",
        )
    tables = with_points_of_files(with_splits_of_names(tables, paths, request), paths)
    distinct = without_copies(tables, paths)
    return distinct.tables, [*_passed_over(refused), *distinct.notes]


def _passed_over(refused: Sequence[InputError]) -> list[Note]:
    """Return a note for each reason why files that were only found are no logs."""
    alike: dict[str, list[InputError]] = {}
    for error in refused:
        if Path(error.file or "").name not in (RUNS_FILE, CONFIG_FILE, *SETTINGS):
            alike.setdefault(error.message, []).append(error)
    notes = []
    for reason, errors in alike.items():
        text = f"Not a log, passed over: {errors[0]}."
        if len(errors) > 1:
            named = listed([error.where.removesuffix(": ") for error in errors], _SKIPPED_NAMED)
            text = f"{len(errors)} files are no logs, passed over: {reason}: {named}."
        notes.append(
            Note(
                id="SKIPPED_FILE", severity="info", text=text,
                numbers=(("files", float(len(errors))),),
            )
        )  # fmt: skip
    return notes


def shared_names(tables: Sequence[RawTable]) -> list[str]:
    """Return the runs of one name in several files.

    Files that bring different metrics, such as one of training and one of validation, belong
    together.
    """
    seen: dict[str, list[frozenset[str]]] = {}
    for table in (table for table in tables if not table.point):
        metrics = frozenset(name for name in table.columns if describe(name) is not None)
        for run in runs_in(table):
            seen.setdefault(run, []).append(metrics)
    return sorted(run for run, files in seen.items() if _overlap(files))


def _overlap(files: Sequence[frozenset[str]]) -> bool:
    """Tell whether two of several files have a metric in common, or one has none."""
    if len(files) < 2:
        return False
    return not all(files) or len(frozenset().union(*files)) < sum(map(len, files))


def with_values_beside(located: Sequence[Located], request: Request) -> Request:
    """Add what `runs.yaml` files beside the logs say; what was typed comes after it, and counts."""
    paths = [each.path for each in located if each.path is not None]
    logs = {path.resolve() for path in paths} - {
        path.resolve() for each in located if (path := each.path) is not None and each.found
        and path.name == RUNS_FILE
    }  # fmt: skip
    folders = dict.fromkeys(path.parent for path in paths)
    beside: list[tuple[str, str, str]] = []
    for folder in folders:
        beside += values_beside(folder, lambda name: keeps_text(request, name), logs=logs)
    return replace(request, given=(*beside, *request.given)) if beside else request


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
    if located.url:
        raise InputError(
            "is an address, which is read by an engine", file=located.name,
            hint="Use --engine duckdb (pip install 'scaleplan[large]') or --engine spark "
            "(pip install 'scaleplan[spark]').",
        )  # fmt: skip
    if located.path is None:
        if stdin is None and sys.stdin is None:
            raise InputError(
                "is closed", file=located.name, hint="Send a log into it, or name a file."
            )
        return _parse(stdin or sys.stdin.buffer, located, request, progress)
    if located.found and not located.path.is_file() and not located.path.is_dir():
        raise InputError(
            "is no regular file but a pipe, a socket or a device, which may never end",
            file=located.name, hint="Name it itself to read what is sent into it.",
        )  # fmt: skip
    store = STORES.get(located.extension)
    if store is not None:
        raw = store(located.path, located.name, lambda name: keeps_text(request, name))
        return _filled(finish(raw, located, request))
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
    source = TextSource(
        located.name, stream, advance=progress.advance, growing=request.growing,
        size=_size(located),
    )  # fmt: skip

    def keep_text(name: str) -> bool:
        return keeps_text(request, name)

    raw = read_table(source, located.extension, keep_text, request.pattern)
    return _filled(finish(raw, located, request))


def finish(raw: RawTable, located: Located, request: Request) -> RawTable:
    """Settle the cells of a table, and add what files beside it and the person say."""

    def keep_text(name: str) -> bool:
        return keeps_text(request, name)

    raw = widened(upright(raw, request, keep_text), request)
    settled = with_counts_of_all(without_totals(settle(raw, keep_text)))
    settled = without_lists(without_summaries(settled), request)
    settled = with_evaluations_placed(reshape(with_splits_of_rows(settled, request)))
    settled = with_ends_of_epochs(settled)
    if located.path is not None:
        settled = with_last_evaluation(settled, located.path, keep_text)
        settled = with_settings(settled, located.path, keep_text)
        settled = with_model_config(settled, located.path, request.count_config)
    return with_given(with_shared(settled, request), request)


def _filled(table: RawTable) -> RawTable:
    """Return a table that has rows.

    Raises:
        InputError: If it has none.
    """
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
