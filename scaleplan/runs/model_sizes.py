"""Sizes whose names alone do not say what they count: `size`, `budget`, `tokens` in two places."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.factors import factor, has_own_scale, unknown_unit
from scaleplan.runs.frame import Frame
from scaleplan.runs.roles import SMALLEST_FLOPS, VAGUE_FLOPS, rank, spellings
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import fold, listed, split_unit

_NAMES = frozenset({"size", "scale", "modelscale"})
# What may hold it: data/size, image/size and batch.size are sizes of other things.
_HOLDERS = frozenset(
    {"model", "config", "cfg", "hparams", "hyperparameters", "args", "network", "summary"}
)
_LEAST = 1e4  # no model of a sweep has fewer parameters; sizes of images and batches are smaller
_REACHED = 0.5  # of the tokens that were planned: the last row of a training, as logged


def model_size(frame: Frame, names: Sequence[str], beside: Sequence[str]) -> str | None:
    """Return the column called `size` or `scale` that counts the parameters of models, if any.

    Args:
        frame: The rows.
        names: The columns that may be it.
        beside: The columns of tokens; sizes equal to them are those of data.
    """
    for name in names:
        if _is_called_size(name) and not unknown_unit("params", name):
            sizes = _numbers(frame, name)
            data = any(np.array_equal(sizes, _numbers(frame, each)) for each in beside)
            if are_models(frame, name) and not data:
                return name
    return None


def _is_called_size(name: str) -> bool:
    *holders, last = re.split(r"[/.]", split_unit(name)[0])
    return fold(last) in _NAMES and all(fold(holder) in _HOLDERS for holder in holders)


def are_models(frame: Frame, name: str) -> bool:
    """Tell whether numbers are counts; powers of two without a suffix are scales of a loss.

    Args:
        frame: The rows.
        name: The column of the numbers.
    """
    sizes = _numbers(frame, name)
    known = sizes[np.isfinite(sizes)]
    if not known.size or float(known.min()) <= 0.0:
        return False
    written = any(map(has_own_scale, frame.columns[name].vocabulary))
    doubled = bool((np.frexp(known)[0] == 0.5).all())
    return written or (float(known.min()) >= _LEAST and not doubled)


def _numbers(frame: Frame, name: str) -> FloatArray:
    return np.asarray(frame.columns[name].numbers * factor("params", name), dtype=np.float64)


def model_size_note(column: str) -> Note:
    """Say that a column called `size` is taken as params."""
    return Note(
        id="INPUT_GUESSED", severity="info",
        text=f"No column has the name of params: {column}, whose values are counts, is taken as "
        "the parameters of the models.",
        action="If it counts something else, name the inputs with --columns or --input.",
    )  # fmt: skip


def is_compute(frame: Frame, name: str) -> bool:
    """Tell whether a vaguely named column (`budget`, `C`) can be a number of operations."""
    if spellings(name)[-1] not in VAGUE_FLOPS:
        return True
    numbers = frame.columns[name].numbers
    known = numbers[np.isfinite(numbers)] * factor("flops", name)
    return bool(known.size and np.median(known) >= SMALLEST_FLOPS)


def settings_first(
    frame: Frame, ranked: Sequence[str], params: Sequence[str]
) -> tuple[list[str], tuple[Note, ...]]:
    """Put the tokens that settings give beside params before those of evaluations.

    A document may list what a model scored on some sets of text, with the `tokens` of each set,
    beside one mapping of settings with the `params` and the `tokens` of the training.

    Args:
        frame: The rows.
        ranked: Columns that may be tokens, best first.
        params: Columns of params.

    Returns:
        The columns, best first, and what there is to say.
    """
    held = {_holder(name) for name in params} - {""}
    beside = [name for name in ranked if _holder(name) in held]
    if not beside or not ranked or _holder(ranked[0]) or not _of_sets(frame, ranked[0], beside[0]):
        return list(ranked), ()
    note = Note(
        id="TOKENS_OF_SETS", severity="info",
        text=f"{beside[0]}, beside {listed(params)}, is taken as the tokens of the "
        f"training; {ranked[0]}, beside the metric, as those of what it was measured on.",
        action=f"Say --columns tokens={ranked[0]!r} if it is the other way round.",
    )  # fmt: skip
    return [*beside, *(name for name in ranked if name not in beside)], (note,)


def _holder(name: str) -> str:
    """Return the mapping that a column comes from: `config` of `config/tokens`; may be empty."""
    return name.rpartition("/")[0]


def _of_sets(frame: Frame, own: str, settings: str) -> bool:
    """Tell whether the tokens of rows are those of evaluation sets, not of points of a training.

    The settings say one number a file; the rows of a file are a training where they count steps
    or epochs, or where their tokens rise to what the settings planned.

    Args:
        frame: The rows.
        own: The column of the rows.
        settings: The column of the settings.
    """
    if any(
        not _holder(name) and any(rank(role, name) is not None for role in ("step", "epoch"))
        for name in frame.columns
    ):
        return False
    pairs = [
        (frame.columns[own].numbers[rows], frame.columns[settings].numbers[rows])
        for file in frame.present[own] & frame.present[settings]
        for rows in [np.flatnonzero(frame.file_of == file)]
    ]
    one_each = all(planned.size and np.ptp(planned) == 0.0 for _, planned in pairs)
    several = any(found.size > 1 and np.ptp(found) > 0.0 for found, _ in pairs)
    alike = len({float(x) for found, _ in pairs for x in found}) == 1 < len(pairs)
    trained = all(
        bool((np.diff(found) > 0.0).all()) and float(found[-1]) >= _REACHED * float(planned[-1])
        for found, planned in pairs
    )
    return bool(pairs) and one_each and (several or alike) and not trained
