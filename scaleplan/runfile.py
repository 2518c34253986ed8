"""Cleaned runs as a CSV, YAML or Parquet file that is read back as the same runs."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.errors import InputError, UsageError
from scaleplan.fitfile import write_whole
from scaleplan.runs.text import inert, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scaleplan.runs.table import Runs


def save_runs(runs: Runs, path: str) -> None:
    """Write runs to a file, whole or not at all, in the format of its ending.

    Args:
        runs: Cleaned runs.
        path: Ends in `.csv`, `.yaml`, `.yml` or `.parquet`.

    Raises:
        UsageError: If the ending is another one, or Parquet's library is not installed.
        InputError: If the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending == ".csv":
        _write(path, _csv(runs).encode())
    elif ending in {".yaml", ".yml"}:
        _write(path, _yaml(runs).encode())
    elif ending == ".parquet":
        _write(path, _parquet(runs))
    else:
        raise UsageError(
            f"{path} ends in {ending or 'nothing'}; runs are written as .csv, .yaml or .parquet",
            hint="For example -o runs.csv.",
        )


def columns_of(runs: Runs) -> dict[str, list[float | str]]:
    """Return the columns of runs by the name under which they are read back.

    Labels first, then numbers in base units; the metric keeps its name.
    """
    size = len(runs)
    found: dict[str, list[float | str]] = {name: list(texts) for name, texts in runs.labels.items()}
    for role, column in runs.columns.items():
        if role == "level":
            continue  # numbers of a label, which is written itself
        name = _name(runs, role)
        found[name] = [float(v) for v in column]
    for name, column in runs.extra.items():
        found.setdefault(name, [float(v) for v in column])
    return {name: column for name, column in found.items() if len(column) == size}


def _name(runs: Runs, role: str) -> str:
    """Return what a role is called in the file: the metric keeps its name, if that says no unit.

    Numbers are in base units, so that a name such as `params (M)` would scale them again.
    """
    if role not in {"value", "train_value"}:
        return role
    column = next((use.column for use in runs.cleaning.columns if use.role == role), "")
    plain = {"value": runs.metric.kind, "train_value": f"train_{runs.metric.kind}"}[role]
    marked = not column or any(mark in column for mark in "%([;,") or "perplexity" in column.lower()
    return plain if marked or {"percent", "pct", "ppl"} & set(words(column)) else column


def _rows(columns: dict[str, list[float | str]]) -> Iterator[list[float | str]]:
    for row in zip(*columns.values(), strict=True):
        yield list(row)


def _csv(runs: Runs) -> str:
    columns = columns_of(runs)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([inert(name) for name in columns])
    for row in _rows(columns):
        writer.writerow([inert(v) if isinstance(v, str) else _number(v) for v in row])
    return text.getvalue()


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _yaml(runs: Runs) -> str:
    from scaleplan.fitfile import dump_plain

    columns = columns_of(runs)
    rows = [
        {
            name: _yaml_number(value) if isinstance(value, float) else value
            for name, value in zip(columns, row, strict=True)
            if not (isinstance(value, float) and math.isnan(value))
        }
        for row in _rows(columns)
    ]
    return dump_plain({"runs": rows})


def _yaml_number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _parquet(runs: Runs) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError(
            "Parquet files need pyarrow, which is not installed",
            hint="pip install 'scaleplan[large]'",
        ) from None
    sink = io.BytesIO()
    pq.write_table(pa.table(columns_of(runs)), sink)
    return sink.getvalue()


def _write(path: str, content: bytes) -> None:
    try:
        write_whole(Path(path), content)
    except OSError as error:
        raise InputError(
            f"the runs cannot be written: {error.strerror}", file=path,
            hint="Choose a folder that exists and that you may write to.",
        ) from error  # fmt: skip
