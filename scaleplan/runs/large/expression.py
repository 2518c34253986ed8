"""The reduction of per-step rows to runs, written once for every engine.

It is an expression of Ibis over the view `log`, which compiles to the SQL of the engine that holds
the rows. The rules are those of `runs.curves`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from scaleplan.runs.raw import ABSENT

Kind = Literal["number", "text"]
# Which row stands for a run: that of the best metric, or the last that has it.
Rule = Literal["lowest", "highest", "last"]

VIEW = "log"
# Whatever our own reading of a cell might take for a number (350M, 1,234, 76.3%), and more.
_NUMBER_LIKE = r"^\s*[+-]?[0-9.,_]+([eE][+-]?[0-9]+)?\s*[A-Za-z%]*\s*$"
_BLANK = sorted(ABSENT - {"nan"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The columns of the view.

    Args:
        kinds: The kind of each column, by its name in the view (`c0`, `c1` ...); beside them the
            view has `file`, and `row`, which grows in the order of files and rows.
        run: The column that names runs.
        value: The metric.
        position: The step, or the epoch.
        weighed: Columns of text that might hold numbers, which are counted.
    """

    kinds: dict[str, Kind]
    run: str
    value: str
    position: str
    weighed: tuple[str, ...]


def log_table(cells: Cells) -> Any:  # noqa: ANN401 - Ibis builds its types at run time
    """Return the view as Ibis sees it."""
    import ibis

    types = {"number": "float64", "text": "string"}
    columns = {name: types[kind] for name, kind in cells.kinds.items()}
    return ibis.table({**columns, "file": "string", "row": "int64"}, name=VIEW)


def representatives(cells: Cells, rule: Rule) -> Any:  # noqa: ANN401
    """Return one row a run: its counts, and the row that stands for it.

    Args:
        cells: The columns.
        rule: Which row stands for a run.
    """
    import ibis

    log = log_table(cells)
    logged = ~blank(log, cells, cells.value)
    value = number(log, cells, cells.value)
    finite = logged & value.notnull() & ~value.isnan() & ~value.isinf()
    # Rows without a step come last.
    position = number(log, cells, cells.position)
    late = (position.isnull() | position.isnan()).cast("int64")
    at = late.cast("boolean").ifelse(0.0, position)
    order: dict[str, Any] = {"late": late, "at": at, "row": log.row}
    place = ibis.struct(order)
    if rule != "last":
        order, chosen = {"value": value if rule == "lowest" else -value, **order}, finite
    else:
        order, chosen = {"late": -late, "at": -at, "row": -log.row}, logged
    row = ibis.struct({name: log[name] for name in (*cells.kinds, "file", "row")})
    found = {
        "points": log.count(), "logged": logged.sum(), "usable": finite.sum(),
        "first_row": log.row.min(), "first_file": log.file.min(), "last_file": log.file.max(),
        "largest": value.max(where=finite), "endless": position.isinf().sum(),
        "end": place.max(where=logged), "finite_end": place.max(where=finite),
        "cells": row.argmin(ibis.struct(order), where=chosen),
    }  # fmt: skip
    for name in cells.weighed:
        known = number(log, cells, name)
        counted = known.notnull() & ~known.isnan()
        text = log[name].strip().lower()
        meant = known.isnull() & log[name].notnull() & ~text.isin(sorted(ABSENT))
        found[f"numbers_{name}"] = counted.sum()
        found[f"texts_{name}"] = meant.sum()
        found[f"odd_{name}"] = (meant & log[name].re_search(_NUMBER_LIKE)).sum()
    return log.group_by(run=log[cells.run]).aggregate(**found)


def number(table: Any, cells: Cells, name: str) -> Any:  # noqa: ANN401
    """Return a column as numbers, empty where a cell is none."""
    column = table[name]
    if cells.kinds[name] == "number":
        return column
    return column.try_cast("float64")


def blank(table: Any, cells: Cells, name: str) -> Any:  # noqa: ANN401
    """Return which cells hold nothing, or a word for nothing."""
    column = table[name]
    if cells.kinds[name] == "number":
        return column.isnull()
    return column.isnull() | column.strip().lower().isin(_BLANK)
