"""Logs that are no text: Parquet, TensorBoard event files, folders of runs; and one refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import KeepText, missing
from scaleplan.runs.formats.dvclive import is_dvclive, read_dvclive
from scaleplan.runs.formats.event_records import unread_events
from scaleplan.runs.formats.parquet_file import read_parquet
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.text import clean_text

EVENTS = ".tfevents"  # stands for `events.out.tfevents.*`, which have no ending
PARQUET = ".parquet"
WANDB = ".wandb"
DVCLIVE = ".dvclive"  # stands for the folder of one run: plots/metrics/ beside metrics.json
MLFLOW = ".mlflow"  # stands for the folder of one run: meta.yaml beside metrics/
_LARGEST_VALUE = 1 << 16  # characters of a parameter of MLflow that are read

Store = Callable[[Path, str, KeepText], RawTable]


def kind_of(path: Path) -> str:
    """Return what kind of store a path is; empty for everything else."""
    if path.is_dir():
        if is_mlflow_run(path):
            return MLFLOW
        return DVCLIVE if is_dvclive(path) else ""
    if path.name.startswith("events.out.tfevents."):
        return EVENTS
    ending = path.suffix.lower()
    return ending if ending in {PARQUET, WANDB} else ""


def is_mlflow_run(folder: Path) -> bool:
    """Tell whether a folder is one run of MLflow's file store."""
    return (folder / "meta.yaml").is_file() and (folder / "metrics").is_dir()


def refuse_wandb(path: Path, name: str, keep_text: KeepText) -> RawTable:
    """Refuse the binary log of Weights & Biases: no reader of it is documented.

    Args:
        path: The file.
        name: What messages call it.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: Always, with what to do instead.
    """
    raise InputError(
        "is the binary log of Weights & Biases, for which there is no documented reader",
        file=name,
        hint="Export the run as CSV after `wandb sync`, or give its wandb-summary.json, if any.",
    )


def read_events(path: Path, name: str, keep_text: KeepText) -> RawTable:
    """Read the scalars of a TensorBoard event file; its folder names the run.

    Args:
        path: The file.
        name: What messages call it.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If tensorboard is missing, or the file holds no scalars.
    """
    try:
        from tensorboard.backend.event_processing.event_accumulator import (
            TENSORS,
            EventAccumulator,
        )
        from tensorboard.util import tensor_util
    except ImportError:
        raise missing(name, "tensorboard", "tensorboard") from None
    found = EventAccumulator(str(path), size_guidance={"scalars": 0, TENSORS: 0})
    found.Reload()
    tags = found.Tags()
    values: dict[int, dict[str, str]] = {}
    for tag in tags.get("scalars", []):
        for event in found.Scalars(tag):
            values.setdefault(event.step, {})[clean_text(tag)] = repr(float(event.value))
    for tag in tags.get("tensors", []):
        for event in found.Tensors(tag):
            array = tensor_util.make_ndarray(event.tensor_proto)
            if array.ndim == 0 and array.dtype.kind in "fiu":
                values.setdefault(event.step, {})[clean_text(tag)] = repr(float(array))
    if not values:
        raise InputError(
            "holds no scalars", file=name,
            hint="Give the event file of a run that logged some; it may have been cut off.",
        )  # fmt: skip
    rows = [{"step": str(step), **row} for step, row in sorted(values.items())]
    table = _table(rows, name, keep_text, run=path.parent.name or path.name)
    return replace(table, notes=unread_events(path, name))


def read_mlflow(path: Path, name: str, keep_text: KeepText) -> RawTable:
    """Read one run of MLflow's file store: `metrics/NAME` holds time, value and step a line.

    Args:
        path: The folder of the run.
        name: What messages call it.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If it holds no metrics.
    """
    if re.search(r"^lifecycle_stage:\s*deleted", _text(path / "meta.yaml", name), re.MULTILINE):
        raise InputError("was deleted in MLflow", file=name, hint="Restore the run to use it.")
    values: dict[str, dict[str, str]] = {}
    notes: list[Note] = []
    for file in sorted((path / "metrics").rglob("*")):
        if not file.is_file():
            continue
        metric = clean_text(str(file.relative_to(path / "metrics")))
        bad = 0
        for line in _text(file, name).splitlines():
            parts = line.split()
            if len(parts) < 2:
                bad += bool(parts)
                continue
            step = parts[2] if len(parts) > 2 else "0"
            values.setdefault(step, {})[metric] = parts[1]
        if bad:
            notes.append(
                Note(id="LINES_PASSED_OVER", severity="info",
                     text=f"{bad} lines of {clean_text(str(file))} hold no time, value and step.")
            )  # fmt: skip
    if not values:
        raise InputError("holds no metrics", file=name, hint="Give the folder of a run with some.")
    params = {
        clean_text(file.name): _text(file, name)[:_LARGEST_VALUE].strip()
        for file in sorted((path / "params").glob("*")) if file.is_file()
    }  # fmt: skip
    named = path / "tags" / "mlflow.runName"
    run = _text(named, name).strip() if named.is_file() else path.name
    metrics = {name for row in values.values() for name in row}
    hidden = sorted(name for name in params if name in metrics or name == "step")
    if hidden:
        notes.append(
            Note(id="PARAMS_HIDDEN", severity="warning",
                 text=f"{name} has params and metrics of one name ({', '.join(hidden)}); the "
                 "metrics are used.", action="Rename one of them.")
        )  # fmt: skip
    kept = {name: value for name, value in params.items() if name not in hidden}
    rows = [{**kept, "step": step, **row} for step, row in values.items()]
    table = _table(rows, name, keep_text, run=clean_text(run))
    return RawTable(
        file=table.file, columns=table.columns, lines=table.lines, shared=table.shared,
        dropped=table.dropped, notes=tuple(notes), decimal_comma=False,
    )  # fmt: skip


def _text(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror}", file=name) from error


def _table(rows: list[dict[str, str]], name: str, keep_text: KeepText, *, run: str) -> RawTable:
    builder = TableBuilder(name, keep_text=keep_text)
    names = list(dict.fromkeys(column for row in rows for column in row))
    columns = {column: [row.get(column, "") for row in rows] for column in names}
    columns["run"] = [clean_text(run)] * len(rows)
    builder.add(columns, [0] * len(rows))
    return builder.build({})


STORES: dict[str, Store] = {
    PARQUET: read_parquet,
    EVENTS: read_events,
    MLFLOW: read_mlflow,
    DVCLIVE: read_dvclive,
    WANDB: refuse_wandb,
}
