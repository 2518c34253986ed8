"""Rows that sum up a whole training: their loss is the mean over it, and no reading."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.metrics import Candidate, describe
from scaleplan.runs.raw_table import RawColumn, RawTable, numeric_column
from scaleplan.runs.table import BoolArray
from scaleplan.runs.text import fold, listed
from scaleplan.units import format_number_of

# What Hugging Face's Trainer, and the programs on top of it, say with the last line of a training.
_SPENT = frozenset({"trainruntime", "trainsamplespersecond"})
_MEAN = "trainloss"
_MEAN_OF_OUTPUT = "trainingloss"  # TrainOutput(global_step=..., training_loss=..., metrics={...})
_COMPUTE = "totalflos"


@lru_cache(4096)
def tells_totals(name: str) -> bool:
    """Tell whether a name is that of the time, or the speed, of a whole training.

    Args:
        name: As the log has it; `train/train_runtime` is one as well.
    """
    return _last_part(name) in _SPENT


def without_totals(table: RawTable) -> RawTable:
    """Return a table in which the rows that sum up a training measure nothing.

    Since version 5 of transformers every line of a training has its `train_runtime`; one that sums
    up has no other loss than `train_loss`.

    Args:
        table: Any table.

    Returns:
        The same table unless it has such rows, and readings of the training loss in other ones: a
        table of finished runs has the mean over each, and nothing else.
    """
    spent = [column for name, column in table.columns.items() if tells_totals(name)]
    if not spent:
        return table
    means = {name for name in table.columns if _last_part(name) == _MEAN}
    closing = _said_in(spent)
    means |= {
        name for name, column in table.columns.items()
        if _last_part(name) == _MEAN_OF_OUTPUT and not (~column.blank & ~closing).any()
    }  # fmt: skip
    if not means:
        return table
    found = [each for each in map(describe, table.columns) if each is not None]
    losses = [each for each in found if each.kind == "loss" and each.column not in means]
    readings = [each for each in losses if _is_of_training(each)]
    totals = closing & _said_in([table.columns[name] for name in means])
    totals &= ~_said_in([table.columns[each.column] for each in losses], len(table))
    read = _said_in([table.columns[each.column] for each in readings], len(table))
    if not totals.any() or not read.any():
        return table
    columns = _of_the_training(table, totals)
    for each in found:
        columns[each.column] = _emptied(columns[each.column], totals)
    columns = {
        name: column for name, column in columns.items()
        if name not in means or not column.blank.all()
    }  # fmt: skip
    return replace(table, columns=columns, notes=(*table.notes, _note(table, totals, means)))


def _of_the_training(table: RawTable, totals: BoolArray) -> dict[str, RawColumn]:
    """Return the columns; what the closing row alone says of one training counts on every row.

    That is its compute, which a row before it that is taken for the run would lack. What sums up
    one of several trainings, or is 0 as where it was not counted, is left out.
    """
    columns = {}
    for name, column in table.columns.items():
        said = ~column.blank
        if not _is_total_compute(name) or not said.any() or (said & ~totals).any():
            columns[name] = column
        elif int(totals.sum()) == 1 and column.numbers[said][0] > 0.0:
            columns[name] = numeric_column(np.full(len(table), column.numbers[said][0]))
    return columns


def _is_total_compute(name: str) -> bool:
    """Tell whether a name is that of the compute of a whole training, FLOP."""
    return _last_part(name) == _COMPUTE


def _last_part(name: str) -> str:
    return fold(re.split(r"[/.]", name)[-1])


def _is_of_training(found: Candidate) -> bool:
    return not found.qualifiers and found.split in {"train", "plain"}


def _said_in(columns: list[RawColumn], rows: int = 0) -> BoolArray:
    """Return the rows in which one of some columns says something."""
    said = [~column.blank for column in columns]
    return np.asarray(np.any(said, axis=0)) if said else np.zeros(rows, dtype=bool)


def _emptied(column: RawColumn, rows: BoolArray) -> RawColumn:
    """Return a column that is empty in some rows."""
    return replace(
        column, numbers=np.where(rows, np.nan, column.numbers),
        codes=np.where(rows, -1, column.codes).astype(np.int32),
    )  # fmt: skip


def _note(table: RawTable, totals: BoolArray, means: set[str]) -> Note:
    count = int(totals.sum())
    first = int(table.lines[np.flatnonzero(totals)[0]])
    at = f" (line {first})" if count == 1 and first else ""
    return Note(
        id="TOTALS_LEFT_OUT", severity="info",
        text=f"{format_number_of(count, 'row')} of {table.file}{at} "
        f"{'sums' if count == 1 else 'sum'} up a whole training: {listed(sorted(means))}, the mean "
        "over it, is no point of the curve and was left out.",
        numbers=(("rows", float(count)),),
    )  # fmt: skip
