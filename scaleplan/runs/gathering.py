"""The rows in their roles: numbers in base units, labels, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.records import Metric, Note, RowNote
from scaleplan.runs.columns import Assignment
from scaleplan.runs.doubts import directed, falling_score, mixed_shares, size_doubts, unit_doubts
from scaleplan.runs.factors import factor, has_own_scale, unit_factor
from scaleplan.runs.frame import Frame, coalesce, column_of_files, with_metric
from scaleplan.runs.metrics import UNKNOWN, describe, metric_record
from scaleplan.runs.numbers import conversion_notes, percent_cells
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.roles import SIZE_NAMES
from scaleplan.runs.shares import are_shares, said_percent, share_notes
from scaleplan.runs.table import BoolArray, IntArray
from scaleplan.runs.text import listed, words
from scaleplan.units import format_significant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """Rows in their roles.

    Args:
        files: The inputs.
        file_of: Shape (n,), index into `files`.
        lines: Shape (n,), 0 where the line is not known.
        roles: Numbers by role; `value` is the metric.
        names: The column behind each role.
        labels: Text by role or own name.
        extra: The other numeric columns.
    """

    files: tuple[str, ...]
    file_of: IntArray
    lines: IntArray
    roles: Mapping[str, RawColumn]
    names: Mapping[str, str]
    labels: Mapping[str, RawColumn]
    extra: Mapping[str, RawColumn]

    def __len__(self) -> int:
        return int(self.lines.size)

    def take(self, rows: IntArray) -> Gathered:
        """Return some of the rows, in the order given."""
        return replace(
            self, file_of=self.file_of[rows], lines=self.lines[rows],
            roles={k: c.take(rows) for k, c in self.roles.items()},
            labels={k: c.take(rows) for k, c in self.labels.items()},
            extra={k: c.take(rows) for k, c in self.extra.items()},
        )  # fmt: skip

    def row_note(self, row: int, reason: str) -> RowNote:
        """Return a note on a row: its file, line and run."""
        run = self.labels["run"].text(row) if "run" in self.labels else ""
        file = self.files[int(self.file_of[row])]
        return RowNote(file=file, line=int(self.lines[row]) or None, reason=reason, run=run)


def gather(
    frame: Frame, chosen: Assignment, shared: Sequence[Mapping[str, str]]
) -> tuple[Gathered, Metric, dict[str, str], tuple[RowNote, ...], tuple[Note, ...]]:
    """Put the columns into their roles and base units.

    Args:
        frame: The rows of all inputs.
        chosen: Which column plays which role.
        shared: What each input says about all of its runs; units are looked up in it.

    Returns:
        The rows, the metric, the declared unit of each role, what was changed, and notes.
    """
    frame = with_metric(frame, chosen.numbers["value"])
    changed: list[RowNote] = []
    roles: dict[str, RawColumn] = {}
    units: dict[str, str] = {}
    for role, names in chosen.numbers.items():
        column = coalesce(frame, names)
        changed.extend(_conversions(frame, column, names))
        declared = [
            declared_unit(role, names, each) if any(i in frame.present[n] for n in names) else ""
            for i, each in enumerate(shared)
        ]
        if any(declared):
            units[role] = next(unit for unit in declared if unit)
        column, scaled = _scaled(frame, column, role, names, declared)
        changed.extend(scaled)
        roles[role] = column
    metric = metric_record(chosen.metric, kind=chosen.kind, unit=units.get("value", ""))
    notes: tuple[Note, ...] = (*unit_doubts(chosen), *size_doubts(roles, chosen))
    if chosen.metric.preference == UNKNOWN and chosen.kind is None:
        metric, told = directed(metric, roles)
        notes += (told,)
    elif chosen.kind is None:
        notes += falling_score(metric, roles)
    roles["value"], metric, said, doubts = _metric_in_unit(frame, roles["value"], metric, chosen)
    train = chosen.numbers.get("train_value", ("",))[0]
    if "perplexity" in metric.unit and "train_value" in roles and _is_perplexity(train):
        roles["train_value"], twin = _logs_of(frame, roles["train_value"], train)
        said = [*said, *twin]
    notes += doubts
    units["value"] = metric.unit
    if "input" in units and unit_factor(units["input"]) != 1.0:
        notes += (_input_unit_note(chosen.numbers["input"][0], units["input"]),)
    gathered = Gathered(
        files=frame.files, file_of=frame.file_of, lines=frame.lines, roles=roles,
        names={role: listed(names) for role, names in chosen.numbers.items()},
        labels={role: coalesce(frame, names) for role, names in chosen.labels.items()},
        extra={name: frame.columns[name] for name in chosen.extra},
    )  # fmt: skip
    # A column in two roles is changed once.
    return gathered, metric, units, tuple(dict.fromkeys((*changed, *said))), notes


def declared_unit(role: str, names: tuple[str, ...], metadata: Mapping[str, str]) -> str:
    """Return the unit that the metadata declare for a role or its column; empty if none."""
    keys = [f"{name}{joint}" for name in (*names, role) for joint in ("_unit", "/unit")]
    keys += [f"units/{name}" for name in (*names, role)]
    if role == "value":
        keys += ["loss_unit", "metric_unit", "unit"]
    if role == "input" and set(SIZE_NAMES) & set(names):
        keys += ["size_unit", "params_unit"]
    return next((metadata[k] for k in keys if metadata.get(k)), "")


def _conversions(frame: Frame, column: RawColumn, names: tuple[str, ...]) -> list[RowNote]:
    """Return a line on each cell of a column that was not a plain number."""
    if not column.vocabulary:
        return []
    written = (column.codes >= 0) & ~np.isnan(column.numbers)
    result: list[RowNote] = []
    for file in np.unique(frame.file_of[written]):
        rows = np.flatnonzero(frame.file_of == file)
        name = column_of_files(frame, names)[int(file)] or names[0]
        result += conversion_notes(
            column.take(rows), name, frame.files[int(file)], frame.lines[rows]
        )
    return result


def _scaled(
    frame: Frame,
    column: RawColumn,
    role: str,
    names: tuple[str, ...],
    declared: Sequence[str],
) -> tuple[RawColumn, list[RowNote]]:
    """Bring a column to base units, as its name or its file says; a single input stays."""
    if role in {"value", "train_value", "input"}:
        return column, []
    result = column
    changed = []
    own: BoolArray | None = None
    for file, name in enumerate(column_of_files(frame, names)):
        if name is None:
            continue
        scale = factor(role, name)
        if scale == 1.0 and declared[file]:
            scale = unit_factor(declared[file], role)
        if scale != 1.0:
            own = _own_scales(column) if own is None else own
            here = (frame.file_of == file) & ~own
            result = replace(result, numbers=np.where(here, result.numbers * scale, result.numbers))
            reason = f"{name}: multiplied by {format_significant(scale)} to count single {role}"
            changed.append(RowNote(file=frame.files[file], line=None, reason=reason))
    return result, changed


def _own_scales(column: RawColumn) -> BoolArray:
    """Return the cells that say themselves what they count (350M); 1,500 and 19,5 do not."""
    own = np.array([*(has_own_scale(text) for text in column.vocabulary), False])[column.codes]
    return np.asarray(own & ~np.isnan(column.numbers))


def _is_perplexity(name: str) -> bool:
    found = describe(name)
    return found is not None and "perplexity" in found.unit


def _logs_of(frame: Frame, column: RawColumn, name: str) -> tuple[RawColumn, list[RowNote]]:
    """Return the natural logarithms of perplexities, and a line that says so."""
    numbers = column.numbers
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(numbers > 0.0, np.log(numbers), numbers)
    known = int(np.isfinite(numbers).sum())
    said = RowNote(
        file=frame.files[0] if len(frame.files) == 1 else "all files", line=None,
        reason=f"{name}: {known} perplexities replaced by their natural logarithm",
    )  # fmt: skip
    return replace(column, numbers=logs), [said]


def _metric_in_unit(
    frame: Frame, column: RawColumn, metric: Metric, chosen: Assignment
) -> tuple[RawColumn, Metric, list[RowNote], tuple[Note, ...]]:
    """Turn percentages into shares and perplexities into logarithms, and say so."""
    numbers = column.numbers
    if metric.kind == "score" and metric.unit == "fraction":
        share = are_shares(metric.name, numbers)
        metric = replace(metric, kind="accuracy") if share else replace(metric, unit="as logged")
    if not metric.bounded and "perplexity" not in metric.unit:
        return column, metric, [], share_notes(metric, numbers)
    known = numbers[np.isfinite(numbers)]
    file = frame.files[0] if len(frame.files) == 1 else "all files"
    if "perplexity" in metric.unit and known.size:
        logs, changed = _logs_of(frame, column, metric.name)
        return logs, metric.logarithm(), changed, ()
    if not metric.bounded:
        return column, metric, [], ()
    signs = percent_cells(column)
    in_percent = said_percent(metric.name)
    large = bool(known.size) and float(np.median(known)) > 1.0
    if metric.kind == "error" and large and not in_percent and not _is_rate(metric.name):
        # An error whose name does not make it a share (an RMSE, say) has no upper bound.
        unbounded = replace(
            metric, kind="loss", unit="as logged" if metric.unit == "fraction" else metric.unit
        )
        note = _unbounded_note(metric.name, float(known.max()))
        return column, unbounded, [], (note,)
    if not (large or in_percent) or signs == known.size:
        return column, metric, [], ()
    # Cells with a percent sign are shares already.
    signed = np.array([t.endswith("%") for t in (*column.vocabulary, "")], dtype=bool)
    shares = np.where(signed[column.codes], numbers, numbers / 100.0)
    reason = f"{metric.name}: {known.size - signs} percentages divided by 100"
    return (
        replace(column, numbers=shares), metric, [RowNote(file=file, line=None, reason=reason)],
        mixed_shares(metric.name, numbers[np.isfinite(numbers) & ~signed[column.codes]]),
    )  # fmt: skip


def _is_rate(name: str) -> bool:
    return bool({"rate", "top1", "top5", "wer", "cer"} & set(words(name)))


def _unbounded_note(name: str, largest: float) -> Note:
    return Note(
        id="ERROR_ABOVE_ONE", severity="info",
        text=f"{name} reaches {format_significant(largest)}: it is taken as an error without an "
        "upper bound, not as a share of wrong answers.",
        action="If it is a percentage, write it with % or name the column error (%).",
        numbers=(("largest", largest),),
    )  # fmt: skip


def _input_unit_note(column: str, unit: str) -> Note:
    return Note(
        id="INPUT_UNIT", severity="info",
        text=f"{column} is counted in units of {unit}, as the log declares; it is used as it "
        "stands.",
        action=f"Give sizes to predict in the same unit (1 means {unit}).",
    )  # fmt: skip
