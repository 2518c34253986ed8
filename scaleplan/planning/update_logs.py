"""The logs of new runs beside those of an old fit: what became of their rows, and how they lie."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.records import Cleaning, Fit, Note, RowNote
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.runs.table import Runs

_SIZES = ("params", "active_params", "tokens", "flops")
_OFF_RAY = 1.25  # times the largest ratio of tokens to parameters; less is rounding of sizes


def keys_of(fit: Fit, runs: Runs) -> list[tuple[float, ...]]:
    """Return the inputs and the metric of each run, by which the same run is known again."""
    columns = [runs.column(role) for role in fit.inputs if role in runs.columns]
    return list(zip(*(map(float, column) for column in (*columns, runs.value)), strict=True))


def new_cleaning(fit: Fit, runs: Runs, *, known: Runs | None) -> tuple[Cleaning, int]:
    """Return what became of every row of the new logs, and how many runs are among the old ones.

    Args:
        fit: The old fit.
        runs: The new runs; one that lacks an input of the law is dropped.
        known: The old runs, None where they could not be read.
    """
    seen = set() if known is None else set(keys_of(fit, known))
    names = runs.labels.get("run")
    lost, old = [], 0
    for at, key in enumerate(keys_of(fit, runs)):
        inputs = zip(fit.inputs, key, strict=False)
        lacking = [role for role, number in inputs if not math.isfinite(number)]
        if lacking:
            file, line = runs.origins[at]
            reason = f"no {' and no '.join(lacking)}, which the law of the old fit takes"
            name = names[at] if names is not None else ""
            lost.append(RowNote(file=file, line=line, reason=reason, run=name))
        old += not lacking and key in seen
    cleaning = runs.cleaning
    place = {file: at for at, file in enumerate(cleaning.files)}
    dropped = sorted(
        (*cleaning.dropped, *lost), key=lambda note: (place.get(note.file, -1), note.line or 0)
    )
    used = cleaning.rows_used - len(lost)
    return replace(cleaning, rows_used=used, dropped=tuple(dropped)), old


def of_other_ratios(fit: Fit, runs: Runs) -> tuple[Note, ...]:
    """Say that new runs lie off the ray that a law of one size was fitted along.

    Args:
        fit: The old fit.
        runs: The new runs.
    """
    if len(fit.inputs) != 1 or fit.inputs[0] not in _SIZES or not fit.hull:
        return ()
    if not (runs.has("params") and runs.has("tokens")):
        return ()
    known = sorted(tokens / params for params, tokens in fit.hull)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = runs.column("tokens") / runs.column("params")
    ratios = ratios[np.isfinite(ratios)]
    off = ratios[(ratios > _OFF_RAY * known[-1]) | (ratios < known[0] / _OFF_RAY)]
    if not off.size:
        return ()
    low, high, least, most = (
        format_significant(v, 3) for v in (known[0], known[-1], off.min(), off.max())
    )
    held = low if low == high else f"{low} to {high}"
    return (
        Note(
            id="NEW_RUNS_OFF_RAY", severity="warning",
            text=f"{off.size} of {ratios.size} new runs have {least} to {most} tokens per "
            f"parameter, the old ones {held}: the old law of {fit.input_columns[0]} says what "
            "happens along theirs, and nothing about others.",
            action="Fit all logs anew, scaleplan fit OLD NEW: together they may carry a law of "
            "params and tokens.",
            numbers=(("runs", float(off.size)), ("least", float(off.min())),
                     ("most", float(off.max()))),
        ),
    )  # fmt: skip
