"""The `trainer_state.json` of Hugging Face's Trainer: a log history and the total of FLOPs."""

from __future__ import annotations

from collections.abc import Mapping

from scaleplan.runs.formats.records import Found, Record, Value, flatten
from scaleplan.runs.numbers import read_number


def is_trainer_state(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is one."""
    history = document.get("log_history")
    return history is not None and not isinstance(history, str | Mapping)


def trainer_records(document: Mapping[str, Value]) -> Found:
    """Return the entries of the history, each with the FLOPs spent up to its step.

    Training spends the same at each step, so that the share of `total_flos` is that of the steps.
    The last entry, which sums up the whole training (its `train_loss` is a mean over it), is left
    out.
    """
    history = document["log_history"]
    if isinstance(history, str | Mapping):  # is_trainer_state was not asked
        raise TypeError(type(history).__name__)
    total = _number(document.get("total_flos"))
    last_step = _number(document.get("global_step"))
    records: list[Value] = []
    for entry in history:
        if not isinstance(entry, Mapping):
            records.append(entry)
            continue
        if "train_runtime" in entry:
            continue
        record = Record(entry)
        step = _number(entry.get("step"))
        if total > 0.0 and last_step > 0.0 and step > 0.0 and "total_flos" not in entry:
            record["total_flos"] = repr(total * step / last_step)
        records.append(record)
    rest = {k: v for k, v in document.items() if k not in {"log_history", "total_flos"}}
    return Found(records=records, shared=flatten(rest))


def _number(value: Value | None) -> float:
    return read_number(value) if isinstance(value, str) else 0.0
