"""Scores that are shares of 1 by what they are, and are fitted as such like an accuracy."""

from __future__ import annotations

import numpy as np

from scaleplan.records import Metric, Note
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import split_unit, words
from scaleplan.units import format_significant

_PHRASES: tuple[tuple[str, ...], ...] = (
    ("auc",), ("auroc",), ("auprc",), ("f1",), ("ndcg",), ("recall",), ("precision",), ("mrr",),
    ("map",), ("map50",), ("m", "ap"), ("m", "ap50"), ("iou",), ("miou",), ("dice",), ("mdice",),
    ("hmean",), ("mf1",), ("mfscore",), ("mprecision",), ("mrecall",), ("rouge",), ("rouge1",),
    ("rouge2",), ("rougel",), ("bleu",), ("sacrebleu",), ("chrf",), ("meteor",),
    ("sensitivity",), ("specificity",), ("hit", "rate"), ("hit", "ratio"), ("win", "rate"),
    ("pass", "rate"), ("solve", "rate"), ("pass", "1"), ("pass", "k"), ("coverage",),
    ("success", "rate"), ("exact", "match"), ("average", "precision"),
)  # fmt: skip


def is_share(column: str) -> bool:
    """Tell whether a column's name is that of a score between 0 and 1."""
    parts = words(split_unit(column)[0])
    return any(
        parts[start : start + len(phrase)] == phrase
        for phrase in _PHRASES
        for start in range(len(parts) - len(phrase) + 1)
    )


def said_percent(name: str) -> bool:
    """Tell whether a column's name says that it holds percentages."""
    return split_unit(name)[1] == "%" or bool({"percent", "pct", "percentage"} & set(words(name)))


def are_shares(name: str, numbers: FloatArray) -> bool:
    """Tell whether the values of a score let it be a share.

    A BLEU of 38 stays what people write; its limit of 100 is not used.

    Args:
        name: The column.
        numbers: Shape (n,), its values, percent signs taken off.
    """
    known = numbers[np.isfinite(numbers)]
    most = 100.0 if said_percent(name) else 1.0
    return bool(known.size) and float(known.min()) >= 0.0 and float(known.max()) <= most


def share_notes(metric: Metric, numbers: FloatArray) -> tuple[Note, ...]:
    """Say that a score whose name is that of a share is fitted without a limit, as it stands.

    Args:
        metric: What is fitted, its unit as the log gives it.
        numbers: Shape (n,), its values.
    """
    if metric.kind != "score" or not is_share(metric.name):
        return ()
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return ()
    largest = float(known.max())
    if float(known.min()) < 0.0 or not 1.0 < largest <= 100.0:
        return ()
    return (
        Note(
            id="SHARE_ABOVE_ONE", severity="info",
            text=f"{metric.name} reaches {format_significant(largest)}: it is taken as it stands, "
            "without the limit of 100 that percentages have.",
            action="If it is a percentage, write it with % or name the column "
            f"{split_unit(metric.name)[0]} (%).",
            numbers=(("largest", largest),),
        ),
    )  # fmt: skip
