"""Which column is the metric, what kind of metric it is and in what unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scaleplan.errors import InputError
from scaleplan.records import Metric, MetricKind
from scaleplan.runs.metric_names import DETECTION, PHRASES
from scaleplan.runs.named_columns import how_to_name, no_metric
from scaleplan.runs.shares import is_share
from scaleplan.runs.text import listed, singular, split_measured, split_unit, words

Split = Literal["validation", "test", "plain", "train"]

_SPLITS: Mapping[str, Split] = {
    "val": "validation", "valid": "validation", "validation": "validation", "eval": "validation",
    "evaluation": "validation", "dev": "validation", "heldout": "validation",
    "holdout": "validation", "test": "test", "train": "train", "training": "train",
}  # fmt: skip
_SPLIT_ORDER: tuple[Split, ...] = ("validation", "test", "plain", "train")
_KIND_ORDER: tuple[MetricKind, ...] = ("loss", "error", "accuracy", "score")
KIND_WORDS = frozenset(_KIND_ORDER)
# Of a column whose name says nothing about it; which way is better the values have to tell.
UNKNOWN = 9
_LETTERS: Mapping[str, MetricKind] = {"L": "loss", "P": "score"}
# Words that do not tell one metric from another.
_NEUTRAL = frozenset(
    {"summary", "metrics", "metric", "final", "best", "last", "min", "avg", "average", "mean",
     "per", "token", "log", "history", "results", "result", "rate", "nats", "epoch", "total",
     "overall", "ce", "nll", "xent", "reduced", "lm"}
)  # fmt: skip
# Bounds and spreads of a metric, and settings that are named after one, are no metric.
_NO_METRIC = frozenset(
    {"low", "high", "low95", "high95", "lower", "upper", "std", "stderr", "sem", "se", "var", "ci",
     "ci95", "max", "scale", "weight", "coef", "coefficient", "grad", "norm", "delta", "threshold",
     "time", "step", "steps", "fn", "function", "type", "unit", "count", "message",
     "smoothing", "id", "teacher"}
)  # fmt: skip
_COEFFICIENT = frozenset({"coef", "coefficient", "coeff"})
# Those of them that stand for another reading of the metric whose name is beside them.
_READINGS = frozenset(
    {"low", "high", "low95", "high95", "lower", "upper", "std", "stderr", "sem", "se", "var", "ci",
     "ci95", "max", "step"}
)  # fmt: skip
# Said of one reading; beside val_loss, final_loss is no training loss as loss is.
_ONE_READING = frozenset({"final", "best", "last", "min"})
_SYNONYMS = frozenset({"loss", "top1", "acc", "accuracy", "error"})
_JOINED = re.compile(
    "(" + "|".join(sorted(_SPLITS, key=len, reverse=True)) + ")"
    "(loss|acc|accuracy|error|err|bpb|ppl|perplexity|score|ce|nll|top1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a column's name says about it as a metric.

    Args:
        column: The name.
        kind: The kind of metric.
        preference: Order among metrics of the kind, 0 first.
        split: What it was measured on.
        qualifiers: Words that tell it from others of its kind (`c4`, `smoothed`).
        neutral: Number of words that say little (`final`, `summary`).
        unit: The unit that the name implies; may be empty.
    """

    column: str
    kind: MetricKind
    preference: int
    split: Split
    qualifiers: tuple[str, ...]
    neutral: int
    unit: str

    @property
    def order(self) -> tuple[int, ...]:
        """Return what candidates are sorted by."""
        return (
            _SPLIT_ORDER.index(self.split), _KIND_ORDER.index(self.kind),
            len(self.qualifiers) > 0, self.preference, self.neutral,
        )  # fmt: skip

    @property
    def meaning(self) -> tuple[str, int, Split, tuple[str, ...]]:
        """Return what two columns must share to hold the same metric."""
        return self.kind, self.preference, self.split, self.qualifiers


def describe(column: str) -> Candidate | None:
    """Return what a column's name says about it as a metric; None if it does not name one."""
    name, unit = split_measured(column)
    if name in _LETTERS:
        return _candidate(column, _LETTERS[name], 0, "plain", (), 0, unit)
    parts = " ".join(_JOINED.sub(r"\1 \2", w) for w in words(name)).replace("top 1", "top1").split()
    parts = [singular(word) for word in parts]
    if "dice" in parts:  # the coefficient of that name is the score itself
        parts = [word for word in parts if word not in _COEFFICIENT]
    if _NO_METRIC & set(parts):
        return None
    for phrase, kind, preference, phrase_unit in PHRASES:
        start = _find(parts, phrase)
        if start is None:
            continue
        rest = parts[:start] + parts[start + len(phrase) :]
        if kind == "loss" and parts[start + len(phrase) :][:1] == ["value"]:
            rest.remove("value")  # Megatron-LM's lm loss value; a value loss is another thing
        # top1_error, cross_entropy_loss, val_ce_loss: a second word of the same thing.
        rest = [w for w in rest if w not in _SYNONYMS]
        splits = [_SPLITS[w] for w in parts if w in _SPLITS]  # of `train/return` in the phrase
        other: Split = "validation" if (kind, preference) == ("score", DETECTION) else "plain"
        split: Split = min(splits, key=_SPLIT_ORDER.index, default=other)
        if "train" in splits:
            split = "train"
        qualifiers = tuple(w for w in rest if w not in _SPLITS and w not in _NEUTRAL)
        neutral = sum(w not in _SPLITS for w in rest) - len(qualifiers)
        return _candidate(column, kind, preference, split, qualifiers, neutral, unit or phrase_unit)
    return None


def of_no_metric(column: str) -> bool:
    """Tell whether a name has a word of bounds, spreads and settings, which are no metric."""
    return bool(_NO_METRIC & set(words(column)))


def spelling(column: str) -> tuple[str, ...]:
    """Return the words of a name as all spell it who mean the same: val_loss, Validation Loss."""
    return tuple(_SPLITS.get(word, word) for word in words(column))


def is_reading(column: str) -> bool:
    """Tell whether a column is another reading of a metric: its spread, or its value in a batch.

    Lightning logs `train_loss_step` beside `train_loss_epoch`.
    """
    parts = words(split_unit(column)[0])
    rest = [word for word in parts if word not in _READINGS]
    return len(rest) < len(parts) and describe(" ".join(rest)) is not None


def _candidate(
    column: str, kind: MetricKind, preference: int, split: Split, qualifiers: tuple[str, ...],
    neutral: int, unit: str,
) -> Candidate:  # fmt: skip
    if unit == "%":
        unit = "fraction"
    return Candidate(
        column=column, kind=kind, preference=preference, split=split, qualifiers=qualifiers,
        neutral=neutral, unit=unit,
    )  # fmt: skip


def _find(parts: Sequence[str], phrase: tuple[str, ...]) -> int | None:
    for start in range(len(parts) - len(phrase) + 1):
        if tuple(parts[start : start + len(phrase)]) == phrase:
            return start
    return None


def guessed_metric(
    columns: Sequence[str], present: Mapping[str, frozenset[int]], kind: str | None = None
) -> Candidate:
    """Return the metric among the columns of a log.

    Args:
        columns: Names of columns that could be it.
        present: The files that each column is in.
        kind: `loss`, `error`, `accuracy` or `score`, to look for this kind only.

    Raises:
        InputError: If there is none, or several that are equally good.
    """
    found = [c for c in map(describe, columns) if c is not None and kind in {None, c.kind}]
    if not found:
        raise InputError(no_metric(kind, columns), hint=how_to_name(columns))
    # L beside a named loss is the number of layers.
    spelled = [c for c in found if not _is_letter(c)]
    found = spelled if any(c.kind == "loss" for c in spelled) else found
    found.sort(key=lambda c: c.order)
    best = found[0]
    if best.qualifiers:
        # What says the same of its data is another reading: perplexity, or the training batch's.
        rivals = [
            c for c in found[1:] if c.kind == best.kind and c.split != "train"
            and (c.qualifiers != best.qualifiers or c.order == best.order)
        ]  # fmt: skip
    else:
        rivals = [c for c in found[1:] if c.order == best.order]
    # One metric under two names in two files is one metric.
    rivals = [
        c for c in rivals
        if c.meaning != best.meaning or present[c.column] & present[best.column]
    ]  # fmt: skip
    if rivals:
        raise InputError(
            "several columns could be the metric: "
            + listed(dict.fromkeys(c.column for c in (best, *rivals))),
            hint=_how_to_choose([best, *rivals]),
        )
    return best


def _how_to_choose(found: Sequence[Candidate]) -> str:
    """Return how to say which metric is meant, with one that is likely as the example."""
    counted = [number for c in found if (number := _set_number(c)) is not None]
    if len(counted) < len(found):
        return f"Choose one with --metric NAME, for example --metric {found[0].column!r}."
    last = found[counted.index(max(counted))].column
    return (
        f"Choose one with --metric NAME, for example --metric {last!r}: boosting stops by the last "
        "set that it is given, and the first is often that of training."
    )


def _set_number(found: Candidate) -> int | None:
    """Return the number of a set of data that has no other name, as XGBoost's `validation_1`."""
    said = found.qualifiers
    counted = found.split == "validation" and len(said) == 1 and said[0].isdecimal()
    return int(said[0]) if counted else None


def _is_letter(found: Candidate) -> bool:
    return split_unit(found.column)[0] in _LETTERS


def same_metric(chosen: Candidate, columns: Sequence[str]) -> list[str]:
    """Return the columns that hold the same metric under another name, the chosen one first."""
    others = [
        c for c in columns
        if c != chosen.column and (found := describe(c)) is not None
        and found.meaning == chosen.meaning
    ]  # fmt: skip
    return [chosen.column, *others]


def train_metric(chosen: Candidate, columns: Sequence[str]) -> str | None:
    """Return the column that holds the same metric on the training data."""
    if chosen.split not in {"validation", "test"}:
        return None
    found = [
        c for c in map(describe, columns)
        if c is not None and not _is_letter(c)
        and c.split in {"train", "plain"} and c.kind == chosen.kind
        and c.preference == chosen.preference and c.qualifiers == chosen.qualifiers
        and (c.split == "train" or set(words(c.column)) & _ONE_READING <= set(words(chosen.column)))
    ]  # fmt: skip
    found.sort(key=lambda c: (c.split != "train", c.neutral))
    return found[0].column if found else None


def metric_record(chosen: Candidate, *, kind: str | None, unit: str) -> Metric:
    """Return the record of the metric.

    Args:
        chosen: The column.
        kind: The kind that was asked for, if one was.
        unit: The unit that the log declares; may be empty.
    """
    sure = next((k for k in _KIND_ORDER if k == kind), chosen.kind)
    if kind is None and sure == "score" and not unit and is_share(chosen.column):
        unit = "fraction"  # if its values allow it; whoever calls it a score himself means one
    return Metric(name=chosen.column, kind=sure, unit=unit or chosen.unit or "as logged")
