"""Batches that printed lines count within an epoch: a part of it, or the steps of the run."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from scaleplan.runs.raw import RawTable
from scaleplan.runs.roles import rank

# timm's `Train: 0 [  10/1251 (  1%)]`, the PyTorch examples' `Epoch: [0][1000/5005]` and
# `Epoch: 1 [640/60000 (1%)]`, `Epoch 1/9 | Batch 10/500`.
_OF_EPOCH = re.compile(
    r"(?:\bepoch\b|^\W*train:)[:\s]{0,4}[\[(]?[ ]{0,4}"
    r"(?P<epoch>\d+)[ ]?(?:/[ ]?\d+)?[\])]?[\s,:|-]{0,8}"
    r"(?:batch[ ]?[:\[(]?[ ]{0,8}|[\[(][ ]{0,8})(?P<batch>\d+)[ ]?/[ ]?(?P<of>\d+)",
    re.IGNORECASE,
)
# `ep: 0, batch: 20, loss: 10.9`; a `batch size: 20` and a `time per batch 3` count nothing.
_COUNTED = re.compile(
    r"(?<![\w/])(?<!per )batch(?:[ ]?[:=#][ ]{0,8}|[ ]{1,8})"
    r"(?P<batch>\d{1,12})(?![\w/%]|[ ]/|[.,]\d)",
    re.IGNORECASE,
)
_EPOCH = re.compile(
    r"(?<![\w/])ep(?:[ ]?[:=#][ ]{0,8}|[ ]{1,8})(?P<epoch>\d{1,6})(?![\w/%.])", re.I
)
_BATCH = "batch"


def part_of_epoch(text: str) -> str | None:
    """Return the epochs at a line that says which of how many batches it is of; None for others.

    Args:
        text: The line.
    """
    match = _OF_EPOCH.search(text)
    if match is None or not 0 < int(match["of"]) >= int(match["batch"]):
        return None
    return repr(int(match["epoch"]) + int(match["batch"]) / int(match["of"]))


def batch_of(text: str) -> dict[str, str]:
    """Return the batch that a line counts, and its `ep`; empty for one that counts none.

    Args:
        text: A line with a metric, and with no other count of steps.
    """
    if "it/s" in text or "s/it" in text:
        return {}  # a bar of progress counts them
    match = _COUNTED.search(text)
    if match is None:
        return {}
    epoch = _EPOCH.search(text)
    during = {} if epoch is None else {"epoch": epoch["epoch"]}
    return {**during, _BATCH: match["batch"]}


def with_batches_counted(table: RawTable) -> RawTable:
    """Return a log whose batches are its steps if they rise and nothing else counts steps.

    Args:
        table: A printed log.
    """
    if _BATCH not in table.columns:
        return table
    columns = dict(table.columns)
    column = columns.pop(_BATCH)
    known = column.numbers[np.isfinite(column.numbers)]
    rising = int((np.diff(known) > 0.0).sum())
    counted = any(rank(role, name) is not None for role in ("step", "tokens") for name in columns)
    if not counted and 2 * rising >= known.size > 1:
        columns = {"step": column, **columns}
    return replace(table, columns=columns)
