"""Results of lm-evaluation-harness: one row a task, with its accuracy or its losses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scaleplan.records import Note
from scaleplan.runs.formats.records import Found, Record, Value
from scaleplan.runs.text import listed

# Which of a task's metrics is its accuracy, best first: names before the comma, the filter after.
_ACCURACIES = ("acc_norm", "acc", "exact_match")
_LOSSES = ("bits_per_byte", "byte_perplexity", "word_perplexity", "perplexity")


def is_lm_eval(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is one: results by task whose keys are `metric,filter`.

    Before its version 0.4 they had no filter, and `versions` of the tasks beside them.
    """
    results = document.get("results")
    if not isinstance(results, Mapping) or not results:
        return False
    tasks = [task for task in results.values() if isinstance(task, Mapping)]
    old = isinstance(document.get("versions"), Mapping) and "model_args" in _config(document)
    return bool(tasks) and (old or any("," in key for task in tasks for key in task))


def lm_eval_records(document: Mapping[str, Value]) -> Found:
    """Return one row a task: the model, its parameters where they are said, task and metrics.

    The model's name is that of the run. Of checkpoints, whose revision says so, `step` and `tokens`
    are where they stand, and the task is part of the name. `accuracy` is the normalised one
    (`acc_norm`) where a task has it; the other is kept as `accuracy_unnormalized`. A task without
    an accuracy keeps all of its metrics under their names.
    """
    results = document["results"]
    if not isinstance(results, Mapping):  # is_lm_eval was not asked
        raise TypeError(type(results).__name__)
    config = _config(document)
    name = _text(document.get("model_name")) or _model_of(config.get("model_args")) or "model"
    shots = document.get("n-shot")
    shots = shots if isinstance(shots, Mapping) else {}
    params = _text(config.get("model_num_parameters"))
    records: list[Value] = []
    for task, metrics in results.items():
        if not isinstance(metrics, Mapping):
            continue
        place = _place(config.get("model_args"))
        # Along its checkpoints a model has one curve for each task.
        run = f"{name} {task}" if "step" in place else name
        record = Record({"run": run, "task": task, **place})
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
        metric = key.partition(",")[0]
        if isinstance(value, str) and key != "alias":
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


def _config(document: Mapping[str, Value]) -> Mapping[str, Value]:
    config = document.get("config")
    return config if isinstance(config, Mapping) else {}


def _arguments(arguments: Value | None) -> dict[str, Value]:
    """Return `pretrained=NAME,dtype=...`, or the same as a mapping, as one."""
    if isinstance(arguments, Mapping):
        return dict(arguments)
    parts = (part.partition("=") for part in _text(arguments).split(","))
    return {key.strip(): value.strip() for key, _, value in parts}


def _place(arguments: Value | None) -> dict[str, str]:
    """Return where a checkpoint stands: `revision=step1000`, or `step1000-tokens5B`."""
    revision = _text(_arguments(arguments).get("revision"))
    found = {
        role: re.search(rf"(?:^|[-_]){role}[-_]?([0-9]+[KMBT]?)(?:$|[-_])", revision)
        for role in ("step", "tokens")
    }  # fmt: skip
    return {role: match[1] for role, match in found.items() if match is not None}


def _model_of(arguments: Value | None) -> str:
    """Return the model's name."""
    said = _arguments(arguments)
    return next((_text(said[key]) for key in ("pretrained", "model", "path") if key in said), "")


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
