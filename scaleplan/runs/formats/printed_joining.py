"""Columns in which lines of different form say the same thing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.runs.metrics import describe, spelling
from scaleplan.runs.raw import RawColumn, RawTable, filled_from
from scaleplan.runs.roles import rank
from scaleplan.runs.text import fold


def united(table: RawTable) -> RawTable:
    """Join columns in which lines of different form say the same thing.

    nanoGPT prints `step 250: train loss 1.9, val loss 2.0` where it validates and `iter 260: loss
    1.8` between: both count steps, and a loss without further name, beside one on training data,
    is that of a training batch. `val_loss` of one program and `Validation Loss` of another one, as
    in the cells of a notebook, are one.

    Args:
        table: A printed log.
    """
    columns = dict(table.columns)
    steps = [name for name in columns if rank("step", name) is not None]
    if any(_is_global(name) for name in steps):  # `STEP: 25/404 -- GLOBAL_STEP: 429`
        steps.sort(key=_is_global, reverse=True)
        beside = [name for name in steps[1:] if _side_by_side(columns[steps[0]], columns[name])]
        columns = {name: column for name, column in columns.items() if name not in beside}
        steps = [name for name in steps if name not in beside]
    for name in steps[1:]:
        _join(columns, steps[0], name)
    spelled: dict[tuple[str, ...], str] = {}
    for name in [name for name in columns if describe(name) is not None]:
        kept = spelled.setdefault(spelling(name), name)
        if kept != name:
            _join(columns, kept, name)
    metrics = [found for name in columns if (found := describe(name)) is not None]
    for plain in metrics:
        twins = [
            other.column for other in metrics
            if plain.split == "plain" and other.split == "train"
            and replace(other, split="plain").meaning == plain.meaning
        ]  # fmt: skip
        if twins:
            _join(columns, twins[0], plain.column, at=steps[0] if steps else None)
    return replace(table, columns=columns)


def _join(columns: dict[str, RawColumn], kept: str, name: str, at: str | None = None) -> None:
    """Move a column's cells into the empty cells of another; at steps that have one they go."""
    # Names that one line sets side by side mean different things there.
    if _side_by_side(columns[kept], columns[name]):
        return
    other = columns.pop(name)
    if at is not None:
        step = columns[at].numbers
        # A mean over many batches says more than the batch that came next.
        again = np.isin(step, step[~columns[kept].blank])
        other = replace(
            other, numbers=np.where(again, np.nan, other.numbers),
            codes=np.where(again, -1, other.codes).astype(np.int32),
        )  # fmt: skip
    columns[kept] = filled_from(columns[kept], other)


def _is_global(name: str) -> bool:
    return fold(name) == "globalstep"


def _side_by_side(column: RawColumn, other: RawColumn) -> bool:
    return bool((~column.blank & ~other.blank).any())
