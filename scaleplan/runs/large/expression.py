"""The reduction of per-step rows to runs, written once for every engine.

It is an expression of Ibis over the table `log`, which compiles to the SQL of the engine that holds
the rows. The rules are those of `runs.curves`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scaleplan.runs.raw import ABSENT

Kind = Literal["number", "text"]
# Which row stands for a run: that of the best metric, or the last that has it.
Rule = Literal["lowest", "highest", "last"]

VIEW = "log"
# Whatever our own reading of a cell might take for a number (350M, 1,234, 76.3%), and more.
_NUMBER_LIKE = "^[ \t]*[+-]?[0-9.,_]+([eE][+-]?[0-9]+)?[ \t]*[A-Za-z%]*[ \t]*$"
# What every engine and our own reading take for one and the same number.
_PLAIN_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
# Not a number is above it, for every engine; comparing to it means the same in all of them, unlike
# the functions that look for numbers that are none.
_INFINITE = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The columns of the table.

    Args:
        kinds: The kind of each column, by its name in the table (`c0`, `c1` ...); beside them the
            table has `row`, which grows in the order of files and rows.
        run: The column that names runs.
        value: The metric, a column of numbers.
        position: The step, or the epoch, a column of numbers.
        weighed: Columns of text that might hold numbers, which are counted.
        checked: Columns whose cells the engine has to look at.
        fixed: Columns that say the same throughout a run; where they do not, runs share a name.
        settings: Columns that may tell apart runs of one name that stand at equal steps.
        epoch: The epoch, a column of numbers beside the step; None without one.
    """

    kinds: dict[str, Kind]
    run: str
    value: str
    position: str
    weighed: tuple[str, ...]
    checked: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    epoch: str | None = None


def log_table(cells: Cells) -> Any:  # noqa: ANN401 - Ibis builds its types at run time
    """Return the table as Ibis sees it."""
    import ibis

    types = {"number": "float64", "text": "string"}
    columns = {name: types[kind] for name, kind in cells.kinds.items()}
    return ibis.table({**columns, "row": "int64"}, name=VIEW)


def representatives(cells: Cells, rule: Rule) -> Any:  # noqa: ANN401
    """Return one row a run: its counts, and which row stands for it.

    The last row is here the one furthest down the log, which costs an engine half of ordering all
    rows by step: `representing` looks at its step, and `endings` settles where it is not the last,
    or not finite. Cells are left out by conditions of their own: filters of aggregates cost an
    engine more.

    Args:
        cells: The columns.
        rule: Which row stands for a run.
    """
    import ibis

    log = log_table(cells)
    value, at, finite, odd = _places(log, cells)
    known = _if(finite, value)
    key = {"value": -value if rule == "highest" else value, "at": at, "row": log.row}
    found = {
        "points": log.count(), "first_row": log.row.min(), "last_row": log.row.max(),
        "largest": known.max(), "smallest": known.min(), "first_at": at.min(), "last_at": at.max(),
        "finite_end": _if(finite, at).max(), "odd_end": _if(odd, at).max(),
        "pick": _if(value.notnull(), log.row).max() if rule == "last"
        else ibis.struct(key).min(where=finite)["row"],
    }  # fmt: skip
    if cells.epoch is not None:
        both = (log[cells.epoch].abs() < _INFINITE) & (at < _INFINITE)
        begun = ibis.struct({"epoch": log[cells.epoch], "at": -at})
        found |= {"first_epoch": begun.min(where=both), "last_epoch": begun.max(where=both)}
    for name in (*cells.fixed, *cells.settings):
        found |= {f"low_{name}": log[name].min(), f"high_{name}": log[name].max()}
    for name in cells.checked:
        if name not in {cells.run, cells.value, cells.position, *cells.weighed}:
            found[f"held_{name}"] = log[name].count()
    for name in cells.weighed:
        cell = log[name]
        known = (cell.try_cast("float64").abs() < _INFINITE).fill_null(False)
        meant = (~cell.strip().lower().isin(sorted(ABSENT))).fill_null(False)
        plain = known & cell.re_search(_PLAIN_NUMBER)
        found[f"numbers_{name}"] = known.sum()
        found[f"texts_{name}"] = meant.sum() - (known & meant).sum()
        found[f"odd_{name}"] = (meant & cell.re_search(_NUMBER_LIKE)).sum() - (meant & plain).sum()
    return log.group_by(run=log[cells.run]).aggregate(**found)


def endings(cells: Cells, runs: Sequence[str]) -> Any:  # noqa: ANN401
    """Return for some runs whether the last of their rows that has a metric has a finite one.

    Args:
        cells: The columns.
        runs: Their names.
    """
    import ibis

    log = _rows_of(cells, runs)
    _, at, finite, odd = _places(log, cells)
    last = ibis.struct({"at": at, "row": log.row, "finite": finite}).max(where=finite | odd)
    return log.group_by(run=log[cells.run]).aggregate(last=last)


def distinct_steps(cells: Cells, runs: Sequence[str]) -> Any:  # noqa: ANN401
    """Return for some runs how many rows have a metric, and at how many places they stand.

    Args:
        cells: The columns.
        runs: Their names.
    """
    log = _rows_of(cells, runs)
    logged = log[cells.value].notnull()
    place = log[cells.position]
    if cells.epoch is not None:
        place = place.cast("string") + "/" + log[cells.epoch].cast("string")
    return log.group_by(run=log[cells.run]).aggregate(
        logged=(logged & place.notnull()).sum(), steps=place.nunique(where=logged)
    )


def _rows_of(cells: Cells, runs: Sequence[str]) -> Any:  # noqa: ANN401
    """Return the rows of some runs."""
    log = log_table(cells)
    return log.filter(log[cells.run].isin(list(runs)))


def _places(log: Any, cells: Cells) -> tuple[Any, Any, Any, Any]:  # noqa: ANN401
    """Return the metric, where rows stand in their run, and which are finite or logged but odd."""
    value, position = log[cells.value], log[cells.position]
    size = value.abs()
    # Rows without a step come last; those that have a metric are refused.
    at = (position < _INFINITE).ifelse(position, _INFINITE)
    return value, at, size < _INFINITE, size >= _INFINITE


def _if(condition: Any, column: Any) -> Any:  # noqa: ANN401
    """Return the cells of a column where a condition holds, and nothing elsewhere."""
    import ibis

    return condition.ifelse(column, ibis.null(column.type()))
