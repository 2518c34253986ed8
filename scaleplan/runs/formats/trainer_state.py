"""The `trainer_state.json` of Hugging Face's Trainer: a log history, totals of FLOPs and tokens."""

from __future__ import annotations

from collections.abc import Mapping

from scaleplan.records import Note
from scaleplan.runs.formats.records import Found, Record, Value, flatten
from scaleplan.runs.numbers import read_number

_TOTALS = ("total_flos", "num_input_tokens_seen")
_MEAN = "train_loss"
_LEFT_OUT = Note(
    id="TOTALS_LEFT_OUT", severity="info",
    text="The last entry that the Trainer writes sums up a whole training: train_loss, the mean "
    "over it, is no point of the curve and was left out.",
)  # fmt: skip


def is_trainer_state(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is one."""
    history = document.get("log_history")
    return history is not None and not isinstance(history, str | Mapping)


def trainer_records(document: Mapping[str, Value]) -> Found:
    """Return the entries of the history, each with the FLOPs and tokens spent up to its step.

    Training spends the same at each step, so that the share of the totals is that of the steps.
    The last entry sums up the whole training: its `train_loss`, a mean over it, is left out, and
    what it took is said of the whole log. Since version 5 the entries of the training have a
    `train_runtime` as well.
    """
    history = document["log_history"]
    if isinstance(history, str | Mapping):  # is_trainer_state was not asked
        raise TypeError(type(history).__name__)
    last_step = _number(document.get("global_step"))
    closing: dict[str, Value] = {}
    for entry in history:
        if isinstance(entry, Mapping) and _closes(entry):
            closing.update(entry)
    totals = {name: _number(document.get(name)) or _number(closing.get(name)) for name in _TOTALS}
    records: list[Value] = []
    for entry in history:
        if not isinstance(entry, Mapping):
            records.append(entry)
            continue
        if _closes(entry):
            continue
        record = Record(entry)
        step = _number(entry.get("step"))
        for name, total in totals.items():
            # A Trainer that was not asked to count tokens leaves a total of 0.
            if total > 0.0 and last_step > 0.0 and step > 0.0 and name not in entry:
                record[name] = repr(total * step / last_step)
        records.append(record)
    rest = {k: v for k, v in document.items() if k not in {"log_history", *_TOTALS}}
    took = {k: v for k, v in closing.items() if k.startswith("train_") and k != _MEAN}
    notes = (_LEFT_OUT,) if _MEAN in closing else ()
    return Found(
        records=records, shared=flatten({**took, **rest}), notes=notes, one_run=True
    )  # fmt: skip


def _closes(entry: Mapping[str, Value]) -> bool:
    """Tell whether an entry sums up a training: how long all of it took, and no loss of a step."""
    return "train_runtime" in entry and "loss" not in entry


def _number(value: Value | None) -> float:
    return read_number(value) if isinstance(value, str) else 0.0
