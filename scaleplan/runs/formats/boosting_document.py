"""What boosting writes in JSON: CatBoost's `catboost_training.json`, others' `evals_result`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scaleplan.runs.formats.records import Found, Record, Value

# As LightGBM calls what it minimises (docs: Parameters, metric).
METRICS = {"l2": "mse", "l1": "mae"}
COUNTED_SET = re.compile(r"valid_\d+")
# Sets of data as XGBoost, LightGBM and people call them: validation_0, valid_1, dtrain, eval.
_SET = re.compile(
    r"(?:d?(?:train|training|learn|valid|validation|val|eval|evaluation|test|dev))(?:_?\d+)?"
)


def is_boosting(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is the log of boosting: metrics by set of data, round by round."""
    return _is_catboost(document) or _is_evals_result(document)


def boosting_records(document: Mapping[str, Value]) -> Found:
    """Return the rounds of one training, each with the metrics of all sets of data."""
    if _is_catboost(document):
        return Found(records=_catboost(document), shared={})
    columns: dict[str, Sequence[Value]] = {}
    # A set without a name of its own that is the only one is the validation.
    only = sum(COUNTED_SET.fullmatch(name) is not None for name in document) == 1
    for name, metrics in document.items():
        for metric, values in _mapping(metrics).items():
            shown = "valid" if only and COUNTED_SET.fullmatch(name) else name
            columns[f"{shown}/{METRICS.get(metric, metric)}"] = _list(values)
    rounds = max(len(values) for values in columns.values())
    return Found(
        records=[
            Record(
                {"iteration": str(i), **{n: v[i] for n, v in columns.items() if i < len(v)}}
            )
            for i in range(rounds)
        ],
        shared={},
    )  # fmt: skip


def _is_evals_result(document: Mapping[str, Value]) -> bool:
    """Tell whether a document is `{set: {metric: [a number each round]}}`."""
    return bool(document) and all(
        _SET.fullmatch(name.casefold()) and isinstance(metrics, Mapping) and metrics
        and all(isinstance(v, Sequence) and not isinstance(v, str) for v in metrics.values())
        for name, metrics in document.items()
    )  # fmt: skip


def _is_catboost(document: Mapping[str, Value]) -> bool:
    meta, rounds = document.get("meta"), document.get("iterations")
    named = isinstance(meta, Mapping) and "learn_metrics" in meta
    return named and isinstance(rounds, Sequence) and not isinstance(rounds, str)


def _catboost(document: Mapping[str, Value]) -> list[Value]:
    """Return the rounds of CatBoost, whose metrics stand in the order of their names in `meta`."""
    meta = _mapping(document["meta"])
    named = {
        part: [str(_mapping(one).get("name", "")) for one in _list(meta.get(f"{part}_metrics", ()))]
        for part in ("learn", "test")
    }
    records: list[Value] = []
    for one in _list(document["iterations"]):
        if not isinstance(one, Mapping):
            records.append(one)
            continue
        record = Record({"iteration": one.get("iteration", "")})
        for part, split in (("learn", "train"), ("test", "test")):
            found = _list(one.get(part, ()))
            for name, value in zip(named[part], found, strict=False):
                record[f"{split}/{name}"] = value
        records.append(record)
    return records


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Value) -> Sequence[Value]:
    return () if isinstance(value, str | Mapping) else value
