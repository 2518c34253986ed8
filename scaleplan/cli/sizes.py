"""`scaleplan sizes`: which sizes a data set carries, between underfit and overfit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import options, values
from scaleplan.records.advice import joined_notes, serious_notes

if TYPE_CHECKING:
    from scaleplan.records import Fit, GapFit, Note
    from scaleplan.runs.table import Runs

EXAMPLES = """\b
Examples:
  scaleplan sizes runs.csv --tokens 2B
  scaleplan sizes epochs.csv --unique-tokens 50000 --max-gap 0.05
  scaleplan sizes runs.csv --params 10M,30M,100M --max-gap 5% --format json"""


def sizes_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Logs with training and validation values of runs of several sizes.",
        ),
    ],
    tokens: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Training tokens or samples. Default: the most in the log.",
        ),
    ] = None,
    unique_tokens: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Different tokens or samples of the data set. Default: the most in the log.",
        ),
    ] = None,
    params: Annotated[
        values.Numbers | None,
        typer.Option(
            parser=values.positives, metavar="NUMBER,...",
            help="Sizes of the table. Default: round ones around those of the log.",
        ),
    ] = None,
    max_gap: Annotated[
        values.Gap | None,
        typer.Option(
            parser=values.gap, metavar="GAP",
            help="Largest gap between training and validation: in the metric's unit, or as a "
            "percentage of the validation value. Default: 10%; for accuracies 0.1.",
        ),
    ] = None,
    law: options.FitLawOption = "auto",
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    input_column: options.InputOption = None,
    level: options.LevelOption = 0.9,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Show model sizes between underfit and overfit for a data set, from the logs of runs."""
    from scaleplan.advice import fit_notes
    from scaleplan.advice.sizes import size_notes
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import fit_runs, read_runs
    from scaleplan.planning.sizes import DEFAULT_MAX_GAP, Limit, size_plan

    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=False,
        quiet=quiet, pattern=pattern,
        given=values.all_given(given_values),
    )  # fmt: skip
    fitting = options.Fitting(
        law=law, objective=options.ObjectiveName.HUBER, delta=None, fix=[], bound=[]
    )
    logs = read_runs(runs, reading)
    fit = fit_runs(
        logs, fitting=fitting, resamples=0, level=level, seed=seed, flops=(), quiet=quiet
    )
    gap, said = _gap(logs, level=level)
    relative = logs.metric.kind in {"loss", "error"}
    limit = Limit(
        value=DEFAULT_MAX_GAP if max_gap is None else max_gap.value,
        relative=relative if max_gap is None else max_gap.relative,
    )
    _refuse_without_effect(fit, gap, logs, tokens=tokens, unique_tokens=unique_tokens)
    plan = size_plan(
        fit, gap, data=_data(logs, tokens=tokens, unique_tokens=unique_tokens),
        params=params.values if params is not None else (), limit=limit,
    )  # fmt: skip
    notes = joined_notes(said, tuple(size_notes(plan)), serious_notes(fit.notes), fit_notes(fit))
    emit(
        replace(plan, notes=notes),
        options.Output(output_format=output_format, quiet=quiet, strict=strict),
    )


def _gap(runs: Runs, *, level: float) -> tuple[GapFit | None, tuple[Note, ...]]:
    """Return the fitted gap, or a note that says why there is none."""
    from scaleplan.errors import FitError
    from scaleplan.fitting.gap import fit_gap
    from scaleplan.records import Note

    try:
        return fit_gap(runs, level=level), ()
    except FitError as error:
        text = f"The gap is not known: {error.message}. Sizes are judged by underfit only."
        return None, (
            Note(id="GAP_UNKNOWN", severity="warning", text=text, action=error.hint or ""),
        )


def _refuse_without_effect(
    fit: Fit, gap: GapFit | None, runs: Runs, *, tokens: float | None, unique_tokens: float | None
) -> None:
    """Refuse a number of the data set that neither the law nor the gap depends on.

    Raises:
        UsageError: If another number would give the same table.
    """
    from scaleplan.errors import UsageError

    used = {*fit.inputs, *(gap.inputs if gap is not None else ())}
    given = {"tokens": tokens, "unique_tokens": unique_tokens}

    def seen(**changed: float) -> list[float | None]:
        data = _data(runs, **{**given, **changed})
        return [data.get(role) for role in sorted(used)]

    for role, value in given.items():
        if value is None or seen(**{role: 2.0 * value}) != seen():
            continue
        gap_needs = f", the gap needs {' and '.join(gap.inputs)}" if gap is not None else ""
        option = f"--{role.replace('_', '-')}"
        raise UsageError(
            f"{option} would change nothing: {fit.name} needs {' and '.join(fit.inputs)}"
            f"{gap_needs}",
            hint=f"Leave it out, or give runs that differ in {role.replace('_', ' ')}.",
        )


def _data(runs: Runs, *, tokens: float | None, unique_tokens: float | None) -> dict[str, float]:
    """Return the data set: what was given, the rest from the log in its own proportion."""
    import numpy as np

    given = {"tokens": tokens, "unique_tokens": unique_tokens}
    logged = {
        role: runs.column(role) for role in given
        if runs.has(role) and not (role == "unique_tokens" and not runs.has("tokens"))
    }  # fmt: skip
    found = {role: value for role, value in given.items() if value is not None}
    for role, column in logged.items():
        if role in found:
            continue
        other = next((r for r in found if given.get(r) is not None and r in logged), None)
        if other is None:
            found[role] = float(np.nanmax(column))
        else:
            found[role] = found[other] * float(np.nanmedian(column / logged[other]))
    if "unique_tokens" not in found and runs.has("unique_tokens"):
        found["unique_tokens"] = float(np.nanmax(runs.column("unique_tokens")))
    return found
