"""Exports whose shape is not one row a run: W&B charts, TensorBoard scalars, Keras histories."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.frame import stack
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawColumn, RawTable, numeric_column, text_column
from scaleplan.runs.roles import rank
from scaleplan.runs.text import fold, listed

_CHART_COLUMN = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?P<bound>__MIN|__MAX)?")
_CHART_AXES = ("step", "epoch", "tokens")
_SIZES = ("params", "active_params", "non_embedding_params", "tokens", "flops")
_TENSORBOARD = ("walltime", "step", "value")
_TENSORBOARD_FILE = re.compile(r"run-(?P<run>.+?)-tag-(?P<tag>.+)")


def reshape(table: RawTable) -> RawTable:
    """Bring the export of a tracker into the form of one row a run and step.

    Args:
        table: Any table.

    Returns:
        The same table if it is no such export.
    """
    if tuple(fold(name) for name in table.columns) == _TENSORBOARD:
        return _tensorboard(table)
    return _history(table) if _is_history(table) else _chart(table)


def _is_history(table: RawTable) -> bool:
    """Tell whether a table is the history of one training.

    Nothing but metrics, in training and validation, and the learning rate is in it, or nothing but
    metrics while its size stands beside it once: only their order tells its rows apart.
    """
    names = [name for name in table.columns if rank("learning_rate", name) is None]
    found = [c for c in map(describe, names) if c is not None]
    if not found or len(found) < len(names) or len(table) < 2:
        return False
    said_once = any(rank(role, name) is not None for role in _SIZES for name in table.shared)
    return said_once or any(
        one.split == "validation" and other.split in {"train", "plain"} and one.kind == other.kind
        for one in found for other in found
    )  # fmt: skip


def _history(table: RawTable) -> RawTable:
    """Count the epochs of `{"loss": [...], "val_loss": [...]}`, as Keras keeps its history."""
    note = Note(
        id="HISTORY", severity="info",
        text=f"{table.file} holds metrics along a training and nothing that tells its rows apart: "
        f"the {len(table)} of them are taken for the epochs of one run.",
        action="Add a column of sizes, such as params, if each row is a run.",
    )  # fmt: skip
    epochs = numeric_column(np.arange(1.0, len(table) + 1.0))
    return replace(
        table, columns={"epoch": epochs, **table.columns}, notes=(*table.notes, note)
    )  # fmt: skip


def _tensorboard(table: RawTable) -> RawTable:
    """Name run and metric of `Wall time,Step,Value` after the file, as TensorBoard does."""
    stem = PurePath(table.file).name.removesuffix(".gz").rsplit(".", 1)[0]
    match = _TENSORBOARD_FILE.fullmatch(stem)
    folder = PurePath(table.file).parent.name
    if match is not None:
        run, tag = _split_run(match["run"], match["tag"], folder)
    elif describe(stem) is not None:
        run, tag = folder or stem, stem
    else:
        run, tag = stem, "value"
    wall, step, value = table.columns.values()
    columns = {"Wall time": wall, "step": step, tag: value, "run": text_column([run] * len(table))}
    note = Note(
        id="TENSORBOARD", severity="info",
        text=f"{table.file} is a TensorBoard export; its name gives the run {run} and the metric "
        f"{tag}.",
    )  # fmt: skip
    return replace(table, columns=columns, notes=(*table.notes, note))


def _split_run(run: str, tag: str, folder: str) -> tuple[str, str]:
    """Return run and metric; Keras writes training and validation as runs of their own."""
    head, _, last = run.rpartition("_")
    split = {"train": "train", "validation": "val", "val": "val", "test": "test"}.get(last)
    if split is None:
        return run, tag
    return head or folder or "run", f"{split}_{tag.removeprefix('epoch_')}"


def _chart(table: RawTable) -> RawTable:
    """Turn the columns `<run> - <metric>` of a W&B chart into rows; drop their bounds."""
    curves: dict[tuple[str, str], RawColumn] = {}
    bounds, axes = 0, {}
    for name, column in table.columns.items():
        match = _CHART_COLUMN.fullmatch(name)
        if match is None:
            axes[name] = column
        elif match["bound"]:
            bounds += 1
        else:
            curves[match["run"], match["metric"]] = column
    stepped = any(rank(role, name) is not None for name in axes for role in _CHART_AXES)
    # Nothing else writes bounds: the only other column is the axis, whatever it counts.
    shown = {metric for _, metric in curves}
    timed = not stepped and bounds > 0 and len(axes) == 1 and not shown & {*axes, "step"}
    if not curves or not (stepped or timed) or len(axes) > 2:
        return table
    runs = list(dict.fromkeys(run for run, _ in curves))
    metrics = list(dict.fromkeys(metric for _, metric in curves))
    sizes = [len(table)] * len(runs)
    columns = {name: stack([column] * len(runs), sizes) for name, column in axes.items()}
    for metric in metrics:
        columns[metric] = stack([curves.get((run, metric)) for run in runs], sizes)
    columns["run"] = text_column([run for run in runs for _ in range(len(table))])
    axis = ""
    if timed:
        (name,) = axes
        columns["step"] = columns.pop(name)
        axis = f" Its axis, {name}, stands for the step."
    note = Note(
        id="WANDB_CHART", severity="info",
        text=f"{table.file} is a chart export of {len(runs)} runs ({listed(runs, 5)}); each "
        f"column became a run and {bounds} columns of bounds were left out.{axis}",
    )  # fmt: skip
    long = replace(
        table, columns=columns, lines=np.tile(table.lines, len(runs)), notes=(*table.notes, note)
    )
    # Each run logs at its own steps: cells of the others' steps are empty and say nothing.
    filled = np.logical_or.reduce([~columns[m].blank for m in metrics])
    return _take(long, filled)


def _take(table: RawTable, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> RawTable:
    rows = np.flatnonzero(keep)
    columns = {name: column.take(rows) for name, column in table.columns.items()}
    return replace(table, columns=columns, lines=table.lines[rows])
