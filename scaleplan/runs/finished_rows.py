"""Tables of finished runs, one row a run: each row ends a curve that is not in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from scaleplan.runs.gathering import Gathered
from scaleplan.runs.inputs import is_clock
from scaleplan.runs.name_sharing import fixed_columns
from scaleplan.runs.table import IntArray
from scaleplan.runs.text import fold, listed, words

_COUNTERS = ("step", "epoch")
# A column of text so called that says something else on every row tells what was tried in it. A
# time, a message or the path of a checkpoint is another one on every row of a log as well.
_TELLING = frozenset({
    "run", "runs", "job", "exp", "experiment", "trial", "name", "id", "uuid", "model", "config",
    "configuration", "sweep", "variant", "arch", "architecture", "commit", "sha", "hash",
    "revision", "branch", "description", "notes", "change", "changes", "idea", "hypothesis",
    "ablation", "method", "setting", "settings", "recipe", "hyperparameters", "hparams",
})  # fmt: skip
_OF_A_POINT = frozenset({
    "step", "iteration", "iter", "epoch", "checkpoint", "ckpt", "path", "file", "dir", "folder",
    "url", "uri", "message", "msg", "log", "sample", "output", "event", "record", "row", "line",
})  # fmt: skip
# Where the log or the results of what a row tells lie: a run has one, a point of a curve has none.
_OWN_PLACES = frozenset({"logpath", "logdir", "rundir", "runpath", "expdir", "outputdir"})

GIVE_CURVES = (
    "Give the logs of the runs, one row for each step or epoch with a column named step; "
    "`scaleplan runs` and `scaleplan fit` read this table as it stands."
)


def finished_files(
    rows: Gathered, runs: Sequence[IntArray], printed: Collection[int], *,
    named: Sequence[str] = (),
) -> dict[int, str]:  # fmt: skip
    """Return the files each of whose rows is a run of its own.

    Args:
        rows: The rows of all files, of which there may be ten million.
        runs: The rows of each run, as they were told apart.
        printed: The files that are printed logs, whose lines are points of runs.
        named: The columns that name runs.

    Returns:
        By the number of the file: why it holds no curves.
    """
    alone = np.array([int(run[0]) for run in runs if run.size == 1], dtype=np.int64)
    sizes = np.bincount(rows.file_of, minlength=len(rows.files))
    alone_in = np.bincount(rows.file_of[alone], minlength=len(rows.files))
    found = {}
    for file in np.flatnonzero(sizes > 1).tolist():
        if file in printed:
            continue
        size = int(sizes[file])
        every = int(alone_in[file]) == size
        shown = _apart(rows, file, named) if every else _told(rows, file, size)
        if shown:
            found[file] = (
                f"it holds no training curves: each of its {size} rows is a run of its own "
                f"({shown})"
            )
    return found


def _apart(rows: Gathered, file: int, named: Sequence[str]) -> str:
    """Return what tells apart the rows of a file each of which was taken for a run."""
    if "run" in rows.labels and named:
        return f"{listed(named, 3)} is another one in each"
    here = rows.file_of == file
    names = [
        name for name, column in fixed_columns(rows).items()
        if np.unique(column.numbers[here]).size > 1
    ]  # fmt: skip
    return f"they differ in {listed(names, 3)}" if names else "they differ in their settings"


def _told(rows: Gathered, file: int, size: int) -> str:
    """Return how a text in each row tells runs, where no column counts steps; else nothing."""
    for name, column in rows.labels.items():
        if not _tells_of_runs(name) or 2 * len(column.vocabulary) < size:
            continue
        here = np.flatnonzero(rows.file_of == file)
        counted = (rows.roles[role].numbers[here] for role in _COUNTERS if role in rows.roles)
        if any(bool(np.isfinite(numbers).any()) for numbers in counted):
            return ""
        # A hash of digits alone is read as a number among texts.
        said = {column.text(row) for row in here.tolist()}
        if "" not in said and len(said) == size:
            return f"{name} is another one in each, and nothing counts steps or epochs"
    return ""


def _tells_of_runs(name: str) -> bool:
    if fold(name) in _OWN_PLACES:
        return True
    said = set(words(name))
    return bool(said & _TELLING) and not (said & _OF_A_POINT or is_clock(name))
