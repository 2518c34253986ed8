"""Results of lm-evaluation-harness: one row a task, with its accuracy or its losses."""

from __future__ import annotations

from collections.abc import Mapping

from scaleplan.records import Note
from scaleplan.runs.formats.records import Found, Record, Value
from scaleplan.runs.text import listed

# Which of a task's metrics is its accuracy, best first: names before the comma, the filter after.
_ACCURACIES = ("acc_norm", "acc", "exact_match")
_LOSSES = ("bits_per_byte", "byte_perplexity", "word_perplexity", "perplexity")


def is_lm_eval(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is one: results by task whose keys are `metric,filter`."""
    results = document.get("results")
    if not isinstance(results, Mapping) or not results:
        return False
    tasks = [task for task in results.values() if isinstance(task, Mapping)]
    return bool(tasks) and any("," in key for task in tasks for key in task)


def lm_eval_records(document: Mapping[str, Value]) -> Found:
    """Return one row a task: the model, its parameters where they are said, task and metrics.

    The model's name is that of the run. `accuracy` is the normalised one (`acc_norm`) where a task
    has it; the other is kept as `accuracy_unnormalized`. A task without an accuracy keeps all of
    its metrics under their names.
    """
    results = document["results"]
    if not isinstance(results, Mapping):  # is_lm_eval was not asked
        raise TypeError(type(results).__name__)
    config = document.get("config")
    config = config if isinstance(config, Mapping) else {}
    name = _text(document.get("model_name")) or _model_of(config.get("model_args")) or "model"
    shots = document.get("n-shot")
    shots = shots if isinstance(shots, Mapping) else {}
    params = _text(config.get("model_num_parameters"))
    records: list[Value] = []
    for task, metrics in results.items():
        if not isinstance(metrics, Mapping):
            continue
        record = Record({"run": name, "task": task})
        if params:
            record["params"] = params
        if _text(shots.get(task)):
            record["num_fewshot"] = _text(shots.get(task))
        record.update(_values(metrics))
        records.append(record)
    return Found(records=records, shared={}, notes=_mixed(records))


def _values(metrics: Mapping[str, Value]) -> dict[str, str]:
    """Return a task's metrics: `accuracy` with its standard error, or all under their names."""
    found: dict[str, str] = {}
    for key, value in metrics.items():
        metric, comma, _ = key.partition(",")
        if comma and isinstance(value, str):
            found.setdefault(metric, value)  # of several filters the first is the strict one
    having = [metric for metric in _ACCURACIES if metric in found]
    if not having:
        return found
    kept = {"accuracy": found[having[0]]}
    if f"{having[0]}_stderr" in found:
        kept["accuracy_stderr"] = found[f"{having[0]}_stderr"]
    if having[0] == "acc_norm" and "acc" in found:
        kept["accuracy_unnormalized"] = found["acc"]
    return kept


def _mixed(records: list[Value]) -> tuple[Note, ...]:
    """Say that some tasks have an accuracy and others a loss: one metric is used at a time."""
    rows = [record for record in records if isinstance(record, Mapping)]
    losses = [name for name in _LOSSES if any(name in row for row in rows)]
    if not losses or not any("accuracy" in row for row in rows):
        return ()
    # Worded alike for each model, so that it is said once for all of them.
    return (
        Note(
            id="TASKS_DIFFER", severity="info",
            text=f"Some tasks have an accuracy and others a loss ({listed(losses)}): one metric is "
            "used at a time.",
            action=f"Choose with --metric accuracy or --metric {losses[0]}.",
        ),
    )  # fmt: skip


def _model_of(arguments: Value | None) -> str:
    """Return the model's name from `pretrained=NAME,dtype=...`, or from the same as a mapping."""
    if isinstance(arguments, Mapping):
        said = dict(arguments)
    else:
        parts = (part.partition("=") for part in _text(arguments).split(","))
        said = {key.strip(): value.strip() for key, _, value in parts}
    return next((_text(said[key]) for key in ("pretrained", "model", "path") if key in said), "")


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
