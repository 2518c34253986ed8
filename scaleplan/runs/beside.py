"""Columns beside the metric that a verdict on a curve looks at."""

from __future__ import annotations

from scaleplan.records import Metric
from scaleplan.runs.columns import Assignment
from scaleplan.runs.frame import Frame
from scaleplan.runs.metrics import describe
from scaleplan.runs.text import fold, split_unit

_HELD_OUT = frozenset({"validation", "test"})
_OF_TEXTS = frozenset({"wer", "cer", "worderrorrate", "charactererrorrate"})


def accuracy_column(frame: Frame, metric: Metric, column: str) -> str | None:
    """Return the column of accuracy, or of an error, on validation beside a loss, if there is one.

    Word error rates are counted of whole texts, which is done for evaluations only: beside a
    validation loss they are on validation without saying so.

    Args:
        frame: The rows of all files.
        metric: What runs are judged by.
        column: Its column.
    """
    if metric.kind != "loss":
        return None
    own = describe(column)
    held_out = own is not None and own.split in _HELD_OUT
    found = [
        (c.kind == "error", c.order, name) for name in frame.columns if name != column
        for c in [describe(name)] if c is not None and c.kind in {"accuracy", "error"}
        and (c.split in _HELD_OUT or (held_out and fold(split_unit(name)[0]) in _OF_TEXTS))
    ]  # fmt: skip
    return min(found)[2] if found else None


def loss_column(frame: Frame, metric: Metric, chosen: Assignment) -> str | None:
    """Return the column of the training loss beside a metric of another kind, if there is one.

    Args:
        frame: The rows of all files.
        metric: What runs are judged by.
        chosen: Which column plays which role.
    """
    if metric.kind == "loss" or "train_value" in chosen.numbers:
        return None
    found = [
        (c.split != "train", c.order, name) for name in frame.columns
        for c in [describe(name)] if c is not None and c.kind == "loss"
        and c.split in {"train", "plain"} and not frame.columns[name].is_text
    ]  # fmt: skip
    return min(found)[2] if found else None
