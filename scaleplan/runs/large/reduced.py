"""Per-step logs to runs by an engine: the same rows, counts and notes as `runs.curves` gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.columns import Assignment, assign
from scaleplan.runs.curves import Reduced, ended_notes, reduced_note
from scaleplan.runs.frame import join
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.given import unmatched
from scaleplan.runs.large.expression import (
    Cells,
    Kind,
    Rule,
    distinct_steps,
    representatives,
)
from scaleplan.runs.large.log import Layout, Log, OpenLog
from scaleplan.runs.large.representing import representing
from scaleplan.runs.large.unsuited import Unsuited
from scaleplan.runs.locating import Located
from scaleplan.runs.metrics import UNKNOWN
from scaleplan.runs.name_sharing import FIXED, one_row_a_run, same_names
from scaleplan.runs.opening import finish, with_values_beside
from scaleplan.runs.raw import ABSENT, RawTable
from scaleplan.runs.repeated_steps import is_setting
from scaleplan.runs.request import Request, keeps_text
from scaleplan.runs.roles import INPUT_ROLES, VAGUE_FLOPS, spellings
from scaleplan.runs.run_totals import tells_totals
from scaleplan.runs.shapes import is_shape
from scaleplan.runs.statistic_names import statistic
from scaleplan.runs.text import clean_text

EngineName = Literal["duckdb", "spark"]
NAMES: dict[EngineName, str] = {"duckdb": "DuckDB", "spark": "Spark"}
_LARGEST_SHARE = 1.0


def _duckdb() -> OpenLog:
    from scaleplan.runs.large.duckdb_engine import open_log

    return open_log


def _spark() -> OpenLog:
    from scaleplan.runs.large.spark_engine import open_log

    return open_log


# An engine is a module with `open_log`, imported when it is asked for.
OPENERS: dict[EngineName, Callable[[], OpenLog]] = {"duckdb": _duckdb, "spark": _spark}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LargeLog:
    """What an engine made of per-step logs.

    Args:
        tables: One a file, with the rows that stand for its runs.
        rows_read: Rows of all files.
        points: Rows of runs of more than one row.
        curves: How many such runs there are.
        best: Which point stands for a run: `lowest`, `highest`, or None for the last.
        ended: Runs that ended with a metric that is not finite.
        shared: Runs that stand in several files.
        engine: What the engine is called.
    """

    tables: list[RawTable]
    rows_read: int
    points: int
    curves: int
    best: str | None
    ended: tuple[str, ...]
    shared: tuple[str, ...]
    engine: str

    def reduced(self, rows: Gathered) -> Reduced:
        """Return the rows as `reduce_curves` would."""
        if not self.curves:
            return Reduced(rows=rows, dropped=(), notes=())
        note = reduced_note(self.points, self.curves, rows.names["value"], self.best)
        return Reduced(rows=rows, dropped=(), notes=(note, *ended_notes(self.ended)))

    @property
    def notes(self) -> list[Note]:
        """Say that the engine was used, and which runs stand in several files."""
        files = "1 file" if len(self.tables) == 1 else f"{len(self.tables)} files"
        used = Note(
            id="LARGE_ENGINE", severity="info",
            text=f"{self.engine} read and reduced {self.rows_read} rows of {files}.",
            numbers=(("rows", float(self.rows_read)),),
        )  # fmt: skip
        return [used, *same_names(self.shared)]


def reduce_large(
    located: Sequence[Located], request: Request, engine: EngineName, *, all_points: bool
) -> LargeLog:
    """Reduce per-step logs to one row a run, out of core.

    Args:
        located: The files.
        request: What was asked for.
        engine: What reduces them.
        all_points: Whether every point is wanted, which is no reduction.

    Raises:
        Unsuited: If our own reading might give something else.
        InputError: If the engine is missing or a file cannot be read.
    """
    if all_points:
        raise Unsuited("every point of a curve is wanted")
    if request.pattern is not None:
        raise Unsuited("lines are read by a pattern")
    if any(each.path is not None and not each.path.is_file() for each in located):
        raise Unsuited("an input is no regular file")
    request = with_values_beside(located, request)
    # Asked for every column of every file, of which there may be thousands.
    keep_text = cache(partial(keeps_text, request))
    with OPENERS[engine]()(located, keep_text) as log:
        before = finish(log.layout.preview, located[0], request)
        chosen = assign(join([before]), request)
        cells, best = _cells(log.layout, chosen, before, request)
        rule: Rule = "last" if best is None else best  # type: ignore[assignment]  # one of three
        found = log.rows(representatives(cells, rule))
        log.check(sum(run["points"] for run in found))
        _check_runs(found, cells, chosen.kind or chosen.metric.kind)
        _check_steps(found)
        _check_own_names(log, found, cells, chosen)
        found.sort(key=lambda run: int(run["first_row"]))
        read, ended = representing(log, cells, found, rule)
        several = sorted(
            run["run"] for run in found
            if log.file_of(run["first_row"]) != log.file_of(run["last_row"])
        )  # fmt: skip
        names, located = log.layout.names, log.located
    tables = [finish(table, each, request) for table, each in zip(read, located, strict=True)]
    _check_gaps(tables, chosen, dict(zip(names, cells.kinds.values(), strict=True)))
    if unmatched(tables, request):
        raise Unsuited("values are given for a run that is not there")
    _check_same(assign(join(tables), request), chosen, before, tables, found, cells, names)
    curves = [run["points"] for run in found if run["points"] > 1]
    return LargeLog(
        tables=tables, rows_read=sum(run["points"] for run in found), points=sum(curves),
        curves=len(curves), best=best, shared=tuple(several),
        ended=ended, engine=NAMES[engine],
    )  # fmt: skip


def _cells(
    layout: Layout, chosen: Assignment, before: RawTable, request: Request
) -> tuple[Cells, str | None]:
    """Return the columns as the expression knows them, and which point stands for a run."""
    names, kinds = layout.names, layout.kinds
    code = {name: f"c{i}" for i, name in enumerate(names)}
    numbers = chosen.numbers
    axis = numbers.get("step") or numbers.get("epoch")
    if axis is None or axis[0] not in code:
        raise Unsuited("no column counts steps or epochs")
    if any(map(tells_totals, names)):
        raise Unsuited("rows may sum up a whole training")
    run = chosen.labels.get("run", ("",))[0]
    if run not in code or not keeps_text(request, run):
        raise Unsuited("no column names the run of a row")
    value, kind = numbers["value"][0], chosen.kind or chosen.metric.kind
    if value not in code or "perplexity" in chosen.metric.unit or "%" in value:
        raise Unsuited(f"the metric {value} has to be converted")
    if chosen.metric.preference == UNKNOWN:
        raise Unsuited("it takes all values to tell which way the metric is better")
    if any(spellings(n)[-1] in VAGUE_FLOPS for n in names if n not in request.roles.values()):
        raise Unsuited("it takes all values to tell whether a column counts operations")
    if not {*INPUT_ROLES, "dense_params"} & set(numbers):
        raise Unsuited("no column gives a size")
    if {c for _, c, _ in request.given} & {run, value, axis[0]} or set(before.shared) & set(names):
        raise Unsuited("values are given for columns that the log has")
    typed = {code[n]: k for n, k in zip(names, kinds, strict=True)}
    if typed[code[value]] != "number" or typed[code[axis[0]]] != "number":
        raise Unsuited(f"{value} or {axis[0]} does not hold plain numbers")
    weighed = tuple(
        code[n] for n, k in zip(names, kinds, strict=True)
        if k == "text" and not keeps_text(request, n)
    )  # fmt: skip
    fixed = {n for role in FIXED for n in numbers.get(role, ()) if n in code}
    fixed |= {name for name in chosen.extra if is_shape(name) and name in code}
    settings = [n for role in ("seed", "input") for n in numbers.get(role, ()) if n in code]
    settings += [n for n, k in zip(names, kinds, strict=True) if k == "text" and is_setting(n)]
    best = None
    if chosen.metric.split in {"validation", "test"}:
        best = "lowest" if kind in {"loss", "error"} else "highest"
    beside = numbers.get("epoch", ("",))[0] if "step" in numbers else ""
    if beside in code and typed[code[beside]] != "number":
        raise Unsuited(f"{beside} does not hold plain numbers")
    cells = Cells(
        kinds=typed, run=code[run], value=code[value], position=code[axis[0]],
        weighed=weighed, checked=layout.checked, fixed=tuple(code[n] for n in sorted(fixed)),
        settings=tuple(code[n] for n in settings if code[n] != code[run]),
        epoch=code.get(beside),
    )  # fmt: skip
    return cells, best


def _check_runs(found: Sequence[dict[str, Any]], cells: Cells, kind: str) -> None:
    """Refuse what our own reading would tell in more detail."""
    names = [run["run"] for run in found]
    if any(name is None or not name.strip() or not _plain(name) for name in names):
        raise Unsuited("rows have no run, or a run's name has odd characters")
    if any(statistic(name) for name in names):
        raise Unsuited("a row may sum up others")
    if cells.epoch is not None and any(map(_begins_again, found)):
        raise Unsuited("steps are counted within epochs")
    if any(run["smallest"] is None for run in found):
        raise Unsuited("a run has no finite metric")
    least = min(run["smallest"] for run in found)
    if (kind == "loss" and least <= 0.0) or (kind != "score" and least < 0.0):
        raise Unsuited("a metric is below what it can be")
    if any(run[f"odd_{name}"] for run in found for name in cells.weighed):
        raise Unsuited("a column of text holds cells that may be numbers")


def _check_steps(found: Sequence[dict[str, Any]]) -> None:
    """Refuse a metric without a step, which our own reading gives that of the row before."""
    if any(np.isneginf(run["first_at"]) for run in found):
        raise Unsuited("a step is infinite")
    ends = [run[name] for run in found for name in ("finite_end", "odd_end")]
    if any(end is not None and np.isposinf(end) for end in ends):
        raise Unsuited("rows with a metric have no step")


def _begins_again(run: dict[str, Any]) -> bool:
    """Tell whether the last epoch of a run begins before the step at which the first one ended."""
    first, last = run["first_epoch"], run["last_epoch"]
    if not first or first["epoch"] is None or first["epoch"] == last["epoch"]:
        return False
    return bool(-last["at"] < -first["at"])


def _check_own_names(
    log: Log, found: Sequence[dict[str, Any]], cells: Cells, chosen: Assignment
) -> None:  # fmt: skip
    """Refuse where several runs share a name: `name_sharing` tells them apart row by row."""
    if any(run[f"low_{name}"] != run[f"high_{name}"] for run in found for name in cells.fixed):
        raise Unsuited("runs share a name: what is fixed when a run starts differs in one")
    several = [run for run in found if run["points"] > 1]
    varied = [
        run["run"]
        for run in several
        if any(run[f"low_{name}"] != run[f"high_{name}"] for name in cells.settings)
    ]
    if varied and any(r["logged"] > r["steps"] for r in log.rows(distinct_steps(cells, varied))):
        raise Unsuited("runs share a name: rows of one name and step differ in a setting")
    one_step = all(run["first_at"] == run["last_at"] for run in several)
    if several and (one_step or one_row_a_run(chosen.labels)):
        raise Unsuited("runs share a name: rows of one name are no points along a run")


def _plain(name: str) -> bool:
    return clean_text(name) == name and (name.lower() not in ABSENT or name.lower() == "nan")


def _check_gaps(tables: Sequence[RawTable], chosen: Assignment, kinds: dict[str, Kind]) -> None:
    """Refuse rows whose gaps are filled from others of their run."""
    filled = {n for role, names in chosen.numbers.items() if role not in {"value", "step"}
              for n in names}  # fmt: skip
    filled |= {name for names in chosen.labels.values() for name in names}
    for table in tables:
        for name in kinds.keys() - table.columns.keys():
            if name in filled and len(table):
                raise Unsuited(f"gaps of {name} are filled from other rows of a run")
        for name, column in table.columns.items():
            odd = (column.codes >= 0) & np.isnan(column.numbers)
            if kinds.get(name) == "number" and odd.any():
                raise Unsuited(f"{name} is not a number in a row that counts")
            if name in filled and name in kinds and column.blank.any():
                raise Unsuited(f"gaps of {name} are filled from other rows of a run")


def _check_same(
    after: Assignment, chosen: Assignment, before: RawTable, tables: Sequence[RawTable],
    found: Sequence[dict[str, Any]], cells: Cells, names: Sequence[str],
) -> None:  # fmt: skip
    """Refuse if the rows that are left would be understood in another way than all of them."""
    if (after.metric, after.numbers, after.labels) != (
        chosen.metric, chosen.numbers, chosen.labels
    ):  # fmt: skip
        raise Unsuited("the columns are understood in another way at the start of the log")
    if after.metric.kind in {"error", "accuracy"} and (
        max(run["largest"] for run in found) > _LARGEST_SHARE
    ):
        raise Unsuited("the metric may be in percent")
    frame = join(tables)
    for code in cells.weighed:
        name = names[int(code[1:])]
        text = sum(r[f"texts_{code}"] for r in found) > sum(r[f"numbers_{code}"] for r in found)
        if not text == before.columns[name].is_text == frame.columns[name].is_text:
            raise Unsuited(f"{name} holds both text and numbers")
