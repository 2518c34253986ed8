"""Where a fit comes from: a saved file, or logs that are fitted now."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict

from scaleplan.cli.progress import progress
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.cli.options import Fitting, Reading
    from scaleplan.fitting.recipe import Recipe
    from scaleplan.records import Cleaning, Fit, Note
    from scaleplan.runs.table import Runs


def is_saved_fit(source: str) -> bool:
    """Tell whether a source is a saved fit rather than a log.

    Args:
        source: A path; `-`, a pattern, a folder or a pipe is none.
    """
    from scaleplan.fitfile import is_fit_file

    # A pipe can be read once only, by whoever reads the runs.
    return source != "-" and Path(source).is_file() and is_fit_file(source)


class ReadingArguments(TypedDict):
    """The arguments that every reader of logs takes."""

    columns: dict[str, str] | None
    metric: str | None
    input_column: str | None
    all_points: bool
    stdin: BinaryIO | None


def read_runs(sources: Sequence[str], reading: Reading) -> Runs:
    """Read logs as the command line says."""
    from scaleplan.runs.reading import load_runs

    with progress("reading file", quiet=reading.quiet) as shown:
        return load_runs(sources, **_reading_arguments(reading), on_progress=shown)


def read_groups(
    sources: Sequence[str], reading: Reading, by: str
) -> tuple[Cleaning, tuple[tuple[str, Runs], ...]]:
    """Read logs as the command line says, split by a column."""
    from scaleplan.runs.reading import load_groups

    with progress("reading file", quiet=reading.quiet) as shown:
        return load_groups(sources, by, **_reading_arguments(reading), on_progress=shown)


def _reading_arguments(reading: Reading) -> ReadingArguments:
    columns: dict[str, str] = {}
    for role, column in (pair for group in reading.columns for pair in group.values):
        if columns.setdefault(role, column) != column:
            message = f"--columns gives {role} two columns, {columns[role]} and {column}"
            raise UsageError(message, hint="Give each role once.")
    return {
        "columns": columns or None,
        "metric": reading.metric,
        "input_column": reading.input_column,
        "all_points": reading.all_points,
        "stdin": sys.stdin.buffer if sys.stdin is not None else None,
    }


def recipe_of(fitting: Fitting) -> Recipe:
    """Return the recipe that the options describe.

    Raises:
        UsageError: If a threshold is given to least squares, or a parameter is limited twice.
    """
    from scaleplan.fitting.recipe import Limit, Recipe

    objective = fitting.objective.as_objective
    if fitting.delta is not None and objective != "huber":
        message = f"--delta is Huber's threshold; --objective {objective} has none"
        raise UsageError(message, hint="Leave one of the two out.")
    found = [each for ranges in (*fitting.fix, *fitting.bound) for each in ranges.values]
    symbols = [symbol for symbol, _, _ in found]
    twice = {symbol for symbol in symbols if symbols.count(symbol) > 1}
    if twice:
        message = f"{', '.join(sorted(twice))} is fixed or bounded more than once"
        raise UsageError(message, hint="Give each parameter once, by --fix or by --bound.")
    kept = tuple(Limit(symbol=symbol, low=low, high=high) for symbol, low, high in found)
    return Recipe(objective=objective, delta=fitting.delta, limits=kept)


def fit_runs(
    runs: Runs,
    *,
    fitting: Fitting,
    resamples: int,
    level: float,
    seed: int,
    flops: Sequence[float],
    quiet: bool,
) -> Fit:
    """Fit runs and add what advice has to say about the fit."""
    from scaleplan.advice import fit_notes
    from scaleplan.fitting.api import fit

    recipe = recipe_of(fitting)
    with progress("resample", quiet=quiet) as shown:
        fitted = fit(
            runs, law=fitting.law, resamples=resamples, level=level, seed=seed, recipe=recipe,
            flops=flops, on_progress=shown,
        )  # fmt: skip
    return replace(fitted, notes=joined_notes(fitted.notes, fit_notes(fitted)))


def joined_notes(*groups: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes of all groups, each once."""
    return tuple({(note.id, note.text): note for group in groups for note in group}.values())


def serious_notes(fit: Fit) -> tuple[Note, ...]:
    """Return the warnings of a fit, which hold for all that is derived from it."""
    return tuple(note for note in fit.notes if note.severity != "info")
