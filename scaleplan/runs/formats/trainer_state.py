"""The `trainer_state.json` of Hugging Face's Trainer: a log history, totals of FLOPs and tokens."""

from __future__ import annotations

from collections.abc import Mapping

from scaleplan.runs.formats.records import Found, Record, Value, flatten
from scaleplan.runs.numbers import read_number

_TOTALS = ("total_flos", "num_input_tokens_seen")


def is_trainer_state(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is one."""
    history = document.get("log_history")
    return history is not None and not isinstance(history, str | Mapping)


def trainer_records(document: Mapping[str, Value]) -> Found:
    """Return the entries of the history, each with the FLOPs and tokens spent up to its step.

    Training spends the same at each step, so that the share of the totals is that of the steps.
    The last entry, which sums up the whole training (its `train_loss` is a mean over it), is left
    out. Since version 5 the entries of the training have a `train_runtime` as well.
    """
    history = document["log_history"]
    if isinstance(history, str | Mapping):  # is_trainer_state was not asked
        raise TypeError(type(history).__name__)
    last_step = _number(document.get("global_step"))
    totals = {name: _number(document.get(name)) for name in _TOTALS}
    records: list[Value] = []
    for entry in history:
        if not isinstance(entry, Mapping):
            records.append(entry)
            continue
        if "train_runtime" in entry and "loss" not in entry:
            continue
        record = Record(entry)
        step = _number(entry.get("step"))
        for name, total in totals.items():
            # A Trainer that was not asked to count tokens leaves a total of 0.
            if total > 0.0 and last_step > 0.0 and step > 0.0 and name not in entry:
                record[name] = repr(total * step / last_step)
        records.append(record)
    rest = {k: v for k, v in document.items() if k not in {"log_history", *_TOTALS}}
    return Found(records=records, shared=flatten(rest))


def _number(value: Value | None) -> float:
    return read_number(value) if isinstance(value, str) else 0.0
