"""Where a fit comes from: a saved file, or logs that are fitted now."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict

from scaleplan.cli import values
from scaleplan.cli.progress import progress, stages
from scaleplan.errors import FitError, InputError, UsageError
from scaleplan.records.advice import joined_notes
from scaleplan.units import format_number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.cli.options import Fitting, Reading
    from scaleplan.fitting.recipe import Recipe
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.records import Cleaning, Fit
    from scaleplan.runs.large import Engine
    from scaleplan.runs.request import Given
    from scaleplan.runs.table import Runs


def is_saved_fit(source: str, stdin: BinaryIO | None = None) -> bool:
    """Tell whether a source is a saved fit rather than a log.

    Args:
        source: A path, or `-` for standard input; a pattern, a folder or a named pipe is none.
        stdin: What `-` reads, if not the process's standard input.
    """
    from scaleplan.fitfile import is_fit_file, is_fit_stream

    if source == "-":
        stream = stdin or (None if sys.stdin is None else sys.stdin.buffer)
        return stream is not None and is_fit_stream(stream)
    # A pipe with a name can be read once only, by whoever reads the runs.
    return Path(source).is_file() and is_fit_file(source)


def opened_pipe(source: str) -> BinaryIO | None:
    """Return the stream of a named pipe, as a shell's <(...) is one; None for everything else."""
    try:
        piped = stat.S_ISFIFO(os.stat(source).st_mode)  # noqa: PTH116 - no path, but a descriptor
    except (OSError, ValueError):
        return None  # the reader of logs gives the error, with its hint
    return Path(source).open("rb") if piped else None


def saved_fit(source: str, stdin: BinaryIO | None = None) -> Fit:
    """Return the fit kept in a file, or given on standard input where the source is `-`.

    Args:
        source: The path, or `-`.
        stdin: What `-` reads, if not the process's standard input.
    """
    from scaleplan.fitfile import load_fit

    return load_fit(source, stdin=stdin or (None if sys.stdin is None else sys.stdin.buffer))


def is_published(source: str) -> bool:
    """Tell whether a source is the id of a published law, and no file of that name is there."""
    from scaleplan.catalog import published_laws

    if Path(source).suffix or Path(source).exists():
        return False
    return any(law.id == source for law in published_laws())


def refuse_misspelt(source: str) -> None:
    """Refuse what is no file and nearly the id of a published law.

    Args:
        source: As it was typed.

    Raises:
        InputError: With the ids that resemble it.
    """
    from scaleplan.catalog import published_laws
    from scaleplan.runs.text import near

    if Path(source).suffix or Path(source).exists():
        return
    alike = near(source, [law.id for law in published_laws()])
    if alike:
        raise InputError(
            "no such file, and no published law of that name", file=source,
            hint=f"Did you mean {' or '.join(alike)}? `scaleplan laws` lists them all.",
        )  # fmt: skip


class ReadingArguments(TypedDict):
    """The arguments that every reader of logs takes."""

    columns: dict[str, str] | None
    metric: str | None
    input_column: str | None
    all_points: bool
    best_of_each: tuple[str, ...] | None
    given: Given | None
    stdin: BinaryIO | None
    engine: Engine


def read_runs(
    sources: Sequence[str], reading: Reading, *, levels_of: str | None = None,
    stdin: bytes | BinaryIO | None = None,
) -> Runs:  # fmt: skip
    """Read logs as the command line says, with the values of a column as levels if one is named.

    `stdin` is what standard input gave, where it is needed more than once, or what `-` stands for.
    """
    from scaleplan.runs.reading import load_runs

    if stdin is None and "-" in sources and is_saved_fit("-"):
        raise InputError(
            "is a saved fit, not a log of runs", file="standard input",
            hint="Use it with `scaleplan predict -`, or with --fit -.",
        )  # fmt: skip
    arguments = _reading_arguments(reading)
    if stdin is not None:
        arguments["stdin"] = BytesIO(stdin) if isinstance(stdin, bytes) else stdin
    with progress("reading file", quiet=reading.quiet) as shown:
        return load_runs(sources, **arguments, levels_of=levels_of, on_progress=shown)


def has_levels(law: str) -> bool:
    """Tell whether a law, by its name, fits the groups of a label together."""
    from scaleplan.laws import ComputeFactors, OptimizerFactors, get_law

    return law != "auto" and isinstance(get_law(law), OptimizerFactors | ComputeFactors)


def read_groups(
    sources: Sequence[str], reading: Reading, by: str
) -> tuple[Cleaning, tuple[tuple[str, Runs], ...]]:
    """Read logs as the command line says, split by a column."""
    from scaleplan.runs.reading import load_groups

    with progress("reading file", quiet=reading.quiet) as shown:
        return load_groups(sources, by, **_reading_arguments(reading), on_progress=shown)


def columns_of(reading: Reading) -> dict[str, str] | None:
    """Return which column plays which role, as the command line says; None if it says nothing."""
    from scaleplan.runs.roles import METRIC_ROLES, role_named

    columns: dict[str, str] = {}
    kept: dict[str, str] = {}
    for group in reading.columns:
        for role, column in group.values:
            if group.from_file:
                kept[role] = column
            elif columns.setdefault(role, column) != column:
                message = f"--columns gives {role} two columns, {columns[role]} and {column}"
                raise UsageError(message, hint="Give each role once.")

    def meant(name: str) -> str:
        role = role_named(name) or name
        return "value" if role in METRIC_ROLES else role

    typed = {meant(role) for role in columns}
    typed |= {"value"} if reading.metric is not None else set()
    typed |= {"input"} if reading.input_column is not None else set()
    return {**{r: c for r, c in kept.items() if meant(r) not in typed}, **columns} or None


def given_of(reading: Reading) -> Given:
    """Return what the command line says beside the columns of logs."""
    from scaleplan.planning.shape_config import count_config
    from scaleplan.runs.request import Given

    return Given(
        pattern=reading.pattern, values=reading.given, count_config=count_config,
        also=dict(reading.also),
    )  # fmt: skip


def _reading_arguments(reading: Reading) -> ReadingArguments:
    return {
        "columns": columns_of(reading),
        "metric": reading.metric,
        "input_column": reading.input_column,
        "all_points": reading.all_points,
        "best_of_each": reading.best_of_each if reading.best_of else None,
        "given": given_of(reading),
        "stdin": sys.stdin.buffer if sys.stdin is not None else None,
        "engine": reading.engine.as_engine,
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
    on_draws: Callable[[Resamples], None] | None = None,
) -> Fit:
    """Fit runs and add what advice has to say about the fit."""
    from scaleplan.advice import fit_notes
    from scaleplan.fitting.api import fit

    recipe = recipe_of(fitting)
    try:
        with progress("resample", quiet=quiet) as shown, stages(len(runs), quiet=quiet) as law:
            fitted = fit(
                runs, law=fitting.law, resamples=resamples, level=level, seed=seed, recipe=recipe,
                flops=flops, interval=fitting.interval.value, cluster=fitting.cluster,
                on_progress=shown, on_law=law, on_draws=on_draws,
            )  # fmt: skip
    except FitError as error:
        # A refusal prints no table of dropped rows, and no notes, which may say the reason for it.
        hint = " ".join(filter(None, (error.hint, _dropped(runs.cleaning), _joined(runs))))
        raise FitError(error.message, hint=hint, file=error.file, line=error.line) from error
    return replace(fitted, notes=joined_notes(fitted.notes, fit_notes(fitted)))


def _joined(runs: Runs) -> str:
    """Return a sentence on the rows that were taken for points of curves, empty if none were."""
    note = next((one for one in runs.notes if one.id == "CURVES_REDUCED"), None)
    if note is None:
        return ""
    numbers = dict(note.numbers)
    return (
        f"{format_number_of(int(numbers['points']), 'row')} were taken for points of "
        f"{format_number_of(int(numbers['runs']), 'training curve')}; if each is a run of its own, "
        "give --all-points, or a column named run."
    )


def _dropped(cleaning: Cleaning) -> str:
    """Return a sentence on the rows that were dropped, empty if there are none."""
    if not cleaning.dropped:
        return ""
    first, count = cleaning.dropped[0], len(cleaning.dropped)
    where = first.file if first.line is None else f"{first.file}:{first.line}"
    verb = "was" if count == 1 else "were"
    return (
        f"{count} of {cleaning.rows_read} rows {verb} dropped, the first: {where}: {first.reason}."
    )


def refuse_overwriting(output: str, logs: Sequence[str]) -> None:
    """Refuse to write a result over a log that it is made from, which nobody means.

    Args:
        output: What `-o` names.
        logs: The files that were read.

    Raises:
        UsageError: If it is one of them, or `-`, where the result goes already.
    """
    if output == "-":
        raise UsageError(
            "a file cannot be written to standard output, where the result goes",
            hint="Give a file, for example -o fit.yaml.",
        )
    target = Path(output)
    if target.exists() and any(Path(log).exists() and target.samefile(log) for log in logs):
        raise UsageError(
            f"{output} is a log that is read here; the result would replace it",
            hint="Give another name, for example fit.yaml.",
        )


def further_inputs_of(fit: Fit, given: Sequence[values.Settings]) -> dict[str, float]:
    """Return what a law needs besides its main inputs, by role; a level by its name or number."""
    found: dict[str, float] = {}
    for role, text in (pair for group in given for pair in group.values):
        if role in found:
            message = f"--with gives {role} twice"
            raise UsageError(message, hint="Give each input once.")
        if role == "level" and text in fit.levels:
            found[role] = float(fit.levels.index(text) + 1)
            continue
        if role == "level" and fit.levels and text not in map(str, range(1, len(fit.levels) + 1)):
            message = f"{text!r} is no level of this fit; it has {', '.join(fit.levels)}"
            raise UsageError(message, hint="Write its name as it stands in the log.")
        found[role] = values.positive(text)
    return found
