"""Training curves as they were logged: every run with its series of each metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from scaleplan.errors import InputError, UsageError
from scaleplan.records import Metric, Note
from scaleplan.runs.beside import accuracy_column, loss_column
from scaleplan.runs.columns import Assignment, assign
from scaleplan.runs.curve import Curve, CurveLog, Series
from scaleplan.runs.curve_building import SERIES, Builder
from scaleplan.runs.curve_places import without_places
from scaleplan.runs.curve_rows import axis_of, members, runs_of, without_words
from scaleplan.runs.dropped_rows import dropped_notes
from scaleplan.runs.epoch_steps import with_steps_of_runs
from scaleplan.runs.finished_rows import GIVE_CURVES, finished_files
from scaleplan.runs.formats import EXTENSIONS
from scaleplan.runs.frame import Frame, join
from scaleplan.runs.gathering import Gathered, gather
from scaleplan.runs.lacking import lacking, runs_in
from scaleplan.runs.large import near
from scaleplan.runs.learning_rates import logged_rates
from scaleplan.runs.locating import locate
from scaleplan.runs.metric_choice import choice_notes
from scaleplan.runs.name_sharing import same_names, with_own_names
from scaleplan.runs.opening import Progress, read_all, shared_names
from scaleplan.runs.raw import RawColumn, RawTable
from scaleplan.runs.request import Given, Request, read_request
from scaleplan.runs.spoiled_names import spoiled_notes
from scaleplan.runs.table import BoolArray
from scaleplan.runs.text import listed
from scaleplan.runs.unvalidated import unvalidated

__all__ = ["Curve", "CurveLog", "Series", "load_curves"]

_NAMED = 5


def load_curves(
    sources: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    given: Given | None = None,
    growing: bool = False,
    stdin: BinaryIO | None = None,
    on_progress: Progress | None = None,
) -> CurveLog:
    """Read per-step or per-epoch logs.

    Files with other columns have their own roles: each is judged by the metric it has.

    Args:
        sources: Files, patterns, folders, and `-` for standard input.
        columns: Role to column.
        metric: The metric's column, or its kind.
        given: What the logs do not say, and how printed ones are read.
        growing: Whether the logs are still written, so that a last line may be half a line.
        stdin: What `-` reads.
        on_progress: Called with (bytes done, bytes in all; 0 if not known).

    Raises:
        InputError: If the logs cannot be read or hold no curve, or mix rows of several runs.
        UsageError: If an argument names a role or column that does not exist.
    """
    request = replace(
        read_request(columns, metric, None, given), growing=growing, curves=True
    )  # fmt: skip
    with near(locate(sources, EXTENSIONS), "small") as located:
        tables, skipped = read_all(located, request, stdin, on_progress)
    parts, refused = _parts(tables, request)
    curves: list[Curve] = []
    notes = [*skipped, *same_names(shared_names(tables))]
    notes += dict.fromkeys(n for t in tables for n in t.notes)
    notes += dropped_notes(tables)
    for part in parts:
        found, said, finished = _curves_of(part, len(tables) > 1, growing=growing)
        curves += found
        notes += said if found else ()
        refused += finished
    judged = tuple(curve for curve in curves if len(curve.main))
    if not curves:
        raise _no_curves(refused)
    if not judged:
        name = listed(parts[0].chosen.numbers["value"])
        words = next((f": {n.text.rstrip('.')}" for n in notes if n.id == "METRIC_NOT_NUMBERS"), "")
        raise InputError(
            f"no run has a point of {name}{words}", file=tables[0].file,
            hint="Name the metric with --metric COLUMN.",
        )  # fmt: skip
    notes += _not_judged([curve for curve in curves if not len(curve.main)], refused)
    notes += _metrics_differ(judged)
    return CurveLog(
        curves=judged, files=tuple(table.file for table in tables),
        rows=sum(len(table) for table in tables), notes=tuple(notes),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """Files whose columns play the same roles."""

    tables: list[RawTable]
    frame: Frame
    chosen: Assignment

    @property
    def guessed(self) -> bool:
        """Tell whether the metric was found by its name."""
        return self.chosen.uses[0].how == "guessed"


@dataclass(frozen=True, slots=True)
class _Refused:
    """Files in which nothing can be judged, why, and what to do."""

    files: tuple[str, ...]
    reason: str
    action: str = "Name the metric with --metric COLUMN, or leave the file out."


def _parts(
    tables: list[RawTable], request: Request
) -> tuple[list[_Part], list[_Refused]]:  # fmt: skip
    """Assign roles to the columns of all files; of those apart that lack the others' metric.

    Raises:
        InputError: If no file has a metric, or each has several that are equally good.
        UsageError: If a column that was named is in no file.
    """
    pending, parts, refused = [tables], [], []
    first: InputError | UsageError | None = None
    while pending:
        group = pending.pop(0)
        frame = join(group)
        try:
            chosen = assign(frame, request)
        except (InputError, UsageError) as error:
            apart = _by_columns(group)
            if len(apart) > 1:
                pending += apart
                continue
            first = first or error
            refused.append(_Refused(tuple(table.file for table in group), str(error)))
            continue
        others = lacking(group, chosen.numbers["value"])
        if others:
            pending += [
                [t for i, t in enumerate(group) if i not in others], [group[i] for i in others]
            ]  # fmt: skip
            continue
        if "learning_rate" in chosen.numbers and "learning_rate" not in request.roles:
            rates = logged_rates(frame, chosen.numbers["learning_rate"])
            chosen.numbers["learning_rate"] = rates
        parts.append(_Part(tables=group, frame=frame, chosen=chosen))
    if not parts and first is not None:
        raise first
    return parts, refused


def _by_columns(tables: list[RawTable]) -> list[list[RawTable]]:
    """Return the files in groups of the same columns; files of one run stay together."""
    groups: list[list[RawTable]] = []
    for table in tables:
        alike = [
            group for group in groups
            if any(set(t.columns) == set(table.columns) for t in group)
            or any(runs_in(t) & runs_in(table) for t in group)
        ]  # fmt: skip
        groups = [group for group in groups if group not in alike]
        groups.append([t for group in alike for t in group] + [table])
    return groups


def _curves_of(
    part: _Part, several: bool, *, growing: bool
) -> tuple[list[Curve], list[Note], list[_Refused]]:  # fmt: skip
    """Return the curves of files whose columns play the same roles, and the files without any."""
    rows, kind, _, _, notes = gather(part.frame, part.chosen, [t.shared for t in part.tables])
    spoiled = spoiled_notes(rows)
    rows, told = with_own_names(rows, part.chosen.labels, curves=True)
    rows, joined = with_steps_of_runs(rows)
    rows, words = without_words(rows)
    axis, position = axis_of(rows)
    rows, unplaced = without_places(rows, axis)
    groups, split = runs_of(_without_schedule(rows, part.tables), position)
    builder = Builder(
        rows=rows, frame=part.frame, metric=kind, axis=axis, position=position,
        accuracy=accuracy_column(part.frame, kind, part.chosen.metric.column),
        loss=loss_column(part.frame, kind, part.chosen),
        validated=part.chosen.metric.split in {"validation", "test"},
        # Of whole columns, once: there may be a thousand runs in them.
        blank=_blanks(rows, part, kind),
        named="run" in rows.labels, by_file=several,
    )  # fmt: skip
    printed = [i for i, table in enumerate(part.tables) if table.printed]
    runs = members(groups)
    # Runs that have just begun have one row each as well.
    finished = {} if growing else finished_files(
        rows, runs, printed, named=part.chosen.labels.get("run", ())
    )  # fmt: skip
    curves = [
        builder.curve(each, i + 1) for i, each in enumerate(runs)
        if int(rows.file_of[each[0]]) not in finished
    ]  # fmt: skip
    parts = choice_notes(part.chosen.metric, part.frame.columns) if part.guessed else ()
    refused = [_Refused((rows.files[i],), why, GIVE_CURVES) for i, why in finished.items()]
    said = [*parts, *notes, *spoiled, *told, *joined, *words, *unplaced, *split]
    return curves, said, refused


def _no_curves(refused: Sequence[_Refused]) -> InputError:
    """Return the error for logs all of which are tables of finished runs."""
    last = refused[-1]
    return InputError(last.reason, file=last.files[0], hint=last.action)


def _without_schedule(rows: Gathered, tables: Sequence[RawTable]) -> Gathered:
    """Return rows without learning rates where all are lines of printed logs.

    Rows of a table may be runs that differ in it; the lines that a program prints are points of
    one, along which it changes.
    """
    if not all(table.printed for table in tables):
        return rows
    roles = {role: column for role, column in rows.roles.items() if role != "learning_rate"}
    return replace(rows, roles=roles)


def _blanks(rows: Gathered, part: _Part, metric: Metric) -> dict[str, BoolArray | None]:
    """Return what is empty in each series: cells, and scores of epochs without validation."""
    found = {role: _blank(rows.roles[role]) for role in SERIES if role in rows.roles}
    if metric.kind == "loss":
        return found
    held = part.chosen.metric
    zeros = unvalidated(part.frame, held.column, held.split)
    if zeros is not None:
        empty = found["value"]
        found["value"] = zeros if empty is None else zeros | empty
    return found


def _blank(column: RawColumn) -> BoolArray | None:
    """Return the empty cells of a column; None if it has none."""
    blank = column.blank
    return blank if bool(blank.any()) else None


def _not_judged(empty: Sequence[Curve], refused: Sequence[_Refused]) -> list[Note]:
    """Say which runs and files have nothing to judge."""
    notes = []
    if empty:
        names = listed([curve.run for curve in empty], _NAMED)
        notes.append(Note(
            id="NOT_JUDGED", severity="warning",
            text=f"{len(empty)} run{'s' if len(empty) != 1 else ''} ({names}) "
            f"{'have' if len(empty) != 1 else 'has'} no point of {empty[0].metric.name}: there is "
            "nothing to judge.",
            action="Name another metric with --metric COLUMN.",
            numbers=(("runs", float(len(empty))),),
        ))  # fmt: skip
    notes += [
        Note(
            id="NOT_JUDGED", severity="warning",
            text=f"{listed(each.files, _NAMED)}: nothing can be judged: {each.reason}.",
            action=each.action, numbers=(("files", float(len(each.files))),),
        )
        for each in refused
    ]  # fmt: skip
    return notes


def _metrics_differ(curves: Sequence[Curve]) -> list[Note]:
    """Say that runs are judged by different metrics, if they are."""
    counts = Counter(curve.metric.name for curve in curves)
    if len(counts) < 2:
        return []
    said = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
    return [
        Note(
            id="METRICS_DIFFER", severity="info",
            text=f"Runs are judged by different metrics, each by what it logged: {said}.",
            action="Do not compare their values with each other.",
            numbers=(("metrics", float(len(counts))),),
        )
    ]  # fmt: skip
