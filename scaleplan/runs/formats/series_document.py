"""Documents of series with steps of their own: Sacred, ClearML, `{metric: {step: value}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scaleplan.runs.formats.records import Found, Record, Value
from scaleplan.runs.metrics import describe
from scaleplan.runs.split_files import split_said

# How series give their steps and their values.
_AXES = (("steps", "values"), ("x", "y"), ("step", "value"), ("epochs", "values"))
_DEEPEST = 4


def series_records(document: Value) -> Found | None:
    """Return the points of a document of series, one record each; None if it is none.

    Args:
        document: Sacred's `{metric: {steps: [...], values: [...]}}`, ClearML's
            `[{name, x: [...], y: [...]}]`, MLflow's `{metrics: [{key, value, step}]}` and runs of
            it, or mappings `{run: {metric: {step: value}}}`.

    Returns:
        The points with `metric`, `step` and `value`; runs of MLflow with a row each.
    """
    if isinstance(document, Mapping):
        return _mlflow(document) or _listed_points(document) or _series(document)
    if not isinstance(document, str):
        named = [_named(one) for one in document]
        if document and all(named):
            return _found(point for each in named if each for point in each)
    return None


def _found(points: Iterator[Record]) -> Found:
    return Found(records=list(points), shared={})


def _series(document: Mapping[str, Value]) -> Found | None:
    """Return the points of series by name, or by run and name."""
    if all(map(_is_column, document.values())):
        return None  # columns with numbered rows, as pandas writes them
    points = list(_points(document, ()))
    return _found(iter(points)) if points and None not in points else None  # type: ignore[arg-type]


def _is_column(value: Value) -> bool:
    """Tell whether a value is a mapping of rows that are numbered from 0."""
    return isinstance(value, Mapping) and list(value) == list(map(str, range(len(value))))


def _points(value: Mapping[str, Value], names: tuple[str, ...]) -> Iterator[Record | None]:
    """Yield the points below some names; None where something is no series."""
    for name, inner in value.items():
        if not isinstance(inner, Mapping) or not inner or len(names) + 1 >= _DEEPEST:
            yield None
            return
        path = (*names, name)
        steps = _steps(inner)
        if steps is None:
            yield from _points(inner, path)
            continue
        of, metric = _named_by(path)
        run = {"run": "/".join(of)} if of else {}
        for step, number in steps:
            yield Record({**run, "metric": metric, "step": step, "value": number})


def _named_by(path: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the names of the run and the metric of a series.

    ClearML draws `train` and `val` as series of a chart that the metric names.
    """
    split = split_said(path[-1])
    if split is not None and len(path) > 1 and describe(path[-2]) is not None:
        return path[:-2], f"{split}/{path[-2]}"
    return path[:-1], path[-1]


def _steps(value: Mapping[str, Value]) -> list[tuple[Value, Value]] | None:
    """Return the steps and values of what may be a series; None if it is none."""
    for at, of in _AXES:
        steps, values = value.get(at), value.get(of)
        if _is_list(steps) and _is_list(values) and len(steps) == len(values):  # type: ignore[arg-type]
            return list(zip(steps, values, strict=True))  # type: ignore[arg-type]
    counted = [key for key in value if key.isdigit()]
    plain = all(isinstance(v, str) for v in value.values())
    if len(counted) < 2 or len(counted) < len(value) or not plain:
        return None
    return list(value.items())


def _is_list(value: Value | None) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _named(value: Value) -> list[Record]:
    """Return the points of one series of a list; none if it is no series with a name."""
    if not isinstance(value, Mapping):
        return []
    name = next((v for k in ("name", "metric", "key", "tag") if (v := value.get(k))), None)
    steps = _steps(value) if isinstance(name, str) and not _is_plain(value) else None
    return [Record({"metric": name, "step": s, "value": v}) for s, v in steps or () if name]


def _is_plain(value: Mapping[str, Value]) -> bool:
    return all(isinstance(inner, str) for inner in value.values())


def _listed_points(document: Mapping[str, Value]) -> Found | None:
    """Return the points of MLflow's answer to `metrics/get-history`."""
    metrics = document.get("metrics")
    if metrics is None or not _is_pairs(metrics):
        return None
    return Found(records=list(metrics), shared={})


def _is_pairs(value: Value) -> bool:
    """Tell whether a value is a list of `{key: ..., value: ...}`."""
    if isinstance(value, str | Mapping) or not value:
        return False
    return all(isinstance(one, Mapping) and "key" in one and "value" in one for one in value)


def _mlflow(document: Mapping[str, Value]) -> Found | None:
    """Return one record a run of MLflow's answers to `runs/get` and `runs/search`."""
    one, several = document.get("run"), document.get("runs")
    runs = [one] if one is not None else several
    if runs is None or isinstance(runs, str | Mapping) or not runs:
        return None
    records: list[Value] = []
    for run in runs:
        data = run.get("data") if isinstance(run, Mapping) else None
        if not isinstance(run, Mapping) or not isinstance(data, Mapping):
            return None
        info = run.get("info")
        info = info if isinstance(info, Mapping) else {}
        record = Record({"run": info.get("run_name") or info.get("run_id") or ""})
        for part in ("params", "metrics"):
            pairs = data.get(part, ())
            if _is_pairs(pairs):
                record.update(_pairs(pairs))
        records.append(record)
    return Found(records=records, shared={})


def _pairs(pairs: Value) -> dict[str, Value]:
    """Return pairs as a mapping, with the last step of those that have one."""
    found: dict[str, Value] = {}
    for one in pairs:
        if isinstance(one, Mapping):
            found[str(one["key"])] = one["value"]
            if "step" in one:
                found["step"] = max(str(found.get("step", "0")), str(one["step"]), key=_as_count)
    return found


def _as_count(text: str) -> int:
    return int(text) if text.isdigit() else 0
