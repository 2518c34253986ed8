"""The rows that stand for runs, as our own reading sees them, and which runs ended oddly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from scaleplan.runs.large.expression import Cells, Rule, endings
from scaleplan.runs.large.log import Log
from scaleplan.runs.large.unsuited import Unsuited
from scaleplan.runs.raw import RawTable
from scaleplan.runs.table import FloatArray


def representing(
    log: Log, cells: Cells, found: Sequence[dict[str, Any]], rule: Rule
) -> tuple[list[RawTable], tuple[str, ...]]:
    """Return the rows that stand for runs, one table a file, and the runs that ended oddly.

    Args:
        log: The rows of files.
        cells: The columns.
        found: What `representatives` gave.
        rule: Which row stands for a run.

    Returns:
        The tables, and the runs whose last row with a metric has one that is not finite.

    Raises:
        Unsuited: If such a row would stand for its run.
    """
    odd = [run for run in found if run["odd_end"] is not None]
    ended = {run["run"] for run in odd if run["odd_end"] > run["finite_end"]}
    # Both at one step: the order of the rows decides, which takes the engine another pass.
    ended |= _ended(log, cells, [r["run"] for r in odd if r["odd_end"] == r["finite_end"]])
    if rule == "last" and ended:
        raise Unsuited("a run ended with a metric that is not finite")
    picks = {run["run"]: int(run["pick"]) for run in found}
    tables = log.tables(list(picks.values()))
    if rule == "last":
        moved = _moved(log, cells, found, _places_of(log, cells, tables))
        tables = log.tables(list({**picks, **moved}.values())) if moved else tables
    return tables, tuple(run["run"] for run in found if run["run"] in ended)


def _ended(log: Log, cells: Cells, runs: Sequence[str]) -> set[str]:
    return {run["run"] for run in _last(log, cells, runs) if not run["last"]["finite"]}


def _moved(
    log: Log, cells: Cells, found: Sequence[dict[str, Any]], places: FloatArray
) -> dict[str, int]:
    """Return the last row of each run of which the one furthest down the log is not the last.

    Args:
        log: The rows of files.
        cells: The columns.
        found: What `representatives` gave.
        places: Where the rows furthest down stand in their runs, in the order of the log.
    """
    furthest = sorted(found, key=lambda run: int(run["pick"]))
    runs = [
        run["run"] for run, place in zip(furthest, places, strict=True) if place < run["finite_end"]
    ]
    return {run["run"]: int(run["last"]["row"]) for run in _last(log, cells, runs)}


def _last(log: Log, cells: Cells, runs: Sequence[str]) -> Iterable[dict[str, Any]]:
    return log.rows(endings(cells, runs)) if runs else ()


def _places_of(log: Log, cells: Cells, tables: Sequence[RawTable]) -> FloatArray:
    """Return the steps of rows in the order of the log."""
    name = log.layout.names[int(cells.position[1:])]
    return np.concatenate([table.columns[name].numbers for table in tables if len(table)])
