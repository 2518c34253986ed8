"""Where a fit comes from: a saved file, or logs that are fitted now."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.cli.progress import progress
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.cli.options import Reading
    from scaleplan.fitting.resampling import IntervalKind
    from scaleplan.records import Fit, Note
    from scaleplan.runs.table import Runs


def is_saved_fit(source: str) -> bool:
    """Tell whether a source is a saved fit rather than a log.

    Args:
        source: A path; `-`, a pattern, a folder or a pipe is none.
    """
    from scaleplan.fitfile import is_fit_file

    # A pipe can be read once only, by whoever reads the runs.
    return source != "-" and Path(source).is_file() and is_fit_file(source)


def read_runs(sources: Sequence[str], reading: Reading) -> Runs:
    """Read logs as the command line says."""
    from scaleplan.runs.reading import load_runs

    columns: dict[str, str] = {}
    for role, column in (pair for group in reading.columns for pair in group.values):
        if columns.setdefault(role, column) != column:
            message = f"--columns gives {role} two columns, {columns[role]} and {column}"
            raise UsageError(message, hint="Give each role once.")
    with progress("reading file", quiet=reading.quiet) as shown:
        return load_runs(
            sources,
            columns=columns or None,
            metric=reading.metric,
            input_column=reading.input_column,
            all_points=reading.all_points,
            stdin=sys.stdin.buffer if sys.stdin is not None else None,
            on_progress=shown,
        )


def fit_runs(
    runs: Runs,
    *,
    law: str,
    resamples: int,
    level: float,
    seed: int,
    delta: float | None,
    flops: Sequence[float],
    quiet: bool,
    interval: IntervalKind = "auto",
    cluster: str | None = None,
) -> Fit:
    """Fit runs and add what advice has to say about the fit."""
    from scaleplan.advice import fit_notes
    from scaleplan.fitting.api import fit

    with progress("resample", quiet=quiet) as shown:
        fitted = fit(
            runs, law=law, resamples=resamples, level=level, seed=seed, delta=delta,
            flops=flops, interval=interval, cluster=cluster, on_progress=shown,
        )  # fmt: skip
    return replace(fitted, notes=joined_notes(fitted.notes, fit_notes(fitted)))


def joined_notes(*groups: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes of all groups, each once."""
    return tuple({(note.id, note.text): note for group in groups for note in group}.values())


def serious_notes(fit: Fit) -> tuple[Note, ...]:
    """Return the warnings of a fit, which hold for all that is derived from it."""
    return tuple(note for note in fit.notes if note.severity != "info")
