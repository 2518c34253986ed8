"""Results of lm-evaluation-harness: one accuracy a task, with its standard error."""

from __future__ import annotations

from collections.abc import Mapping

from scaleplan.runs.formats.records import Found, Record, Value

# Which of a task's metrics stands for it, best first: names before the comma, the filter after it.
_METRICS = ("acc_norm", "acc", "exact_match", "f1", "word_perplexity", "bits_per_byte")


def is_lm_eval(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is one: results by task whose keys are `metric,filter`."""
    results = document.get("results")
    if not isinstance(results, Mapping) or not results:
        return False
    tasks = [task for task in results.values() if isinstance(task, Mapping)]
    return bool(tasks) and any("," in key for task in tasks for key in task)


def lm_eval_records(document: Mapping[str, Value]) -> Found:
    """Return one run a task: the model, its parameters where they are said, task and accuracy."""
    results = document["results"]
    if not isinstance(results, Mapping):  # is_lm_eval was not asked
        raise TypeError(type(results).__name__)
    config = document.get("config")
    config = config if isinstance(config, Mapping) else {}
    name = _text(document.get("model_name")) or _model_of(_text(config.get("model_args")))
    records: list[Value] = []
    for task, metrics in results.items():
        if not isinstance(metrics, Mapping):
            continue
        record = Record({"run": name or "model", "task": _text(metrics.get("alias")) or task})
        params = _text(config.get("model_num_parameters"))
        if params:
            record["params"] = params
        for key, value in _values(metrics):
            record[key] = value
        records.append(record)
    return Found(records=records, shared={})


def _values(metrics: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Return `accuracy` with its standard error, or the metric under its own name."""
    found: dict[str, str] = {}
    for key, value in metrics.items():
        metric, comma, _ = key.partition(",")
        if comma and isinstance(value, str):
            found.setdefault(metric, value)
    for metric in _METRICS:
        if metric in found:
            name = "accuracy" if metric in {"acc_norm", "acc", "exact_match"} else metric
            rows = [(name, found[metric])]
            if f"{metric}_stderr" in found:
                rows.append((f"{name}_stderr", found[f"{metric}_stderr"]))
            return rows
    return list(found.items())


def _model_of(arguments: str) -> str:
    """Return the model's name from `pretrained=NAME,dtype=...`."""
    for part in arguments.split(","):
        key, _, value = part.partition("=")
        if key.strip() in {"pretrained", "model", "path"}:
            return value.strip()
    return ""


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
