"""`scaleplan compare`: laws and objectives side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import options, plotting, values
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.records import Fit, Objective

EXAMPLES = """\b
Examples:
  scaleplan compare runs.csv
  scaleplan compare runs.csv --params 10B --tokens 200B --law chinchilla,coupled
  scaleplan compare runs.csv --input images --metric error --at 60000 --format csv"""


def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Logs: CSV, YAML, JSON or JSONL files, folders, patterns, or -.",
        ),
    ],
    params: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="The target's model size."),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Its training tokens."),
    ] = None,
    flops: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Its training compute; alone, split as the chosen law would.",
        ),
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(
            parser=values.number, metavar="NUMBER", help="Its value of the single --input."
        ),
    ] = None,
    law: Annotated[
        values.Names | None,
        typer.Option(
            "--law", parser=values.names, metavar="NAME,...",
            help="The laws; default: those that the columns allow. See `scaleplan laws`.",
        ),
    ] = None,
    objective: Annotated[
        values.Names | None,
        typer.Option(
            "--objective", parser=values.names, metavar="huber,log,raw",
            help="What is minimised; default: all three.",
        ),
    ] = None,
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    input_column: options.InputOption = None,
    all_points: options.AllPointsOption = False,
    level: options.LevelOption = 0.9,
    plot: plotting.PlotOption = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Fit several laws and objectives to the same runs, and forecast the same target by each."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.progress import progress
    from scaleplan.cli.sources import read_runs
    from scaleplan.planning.comparison import check_target, compare_laws

    plotting.check_plot(plot, runs, output_format=output_format)
    del seed  # nothing here is random; the option is there for scripts that give it to all
    given = {"params": params, "tokens": tokens, "flops": flops, "input": at}
    target = {role: value for role, value in given.items() if value is not None}
    check_target(target)
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet, pattern=pattern,
        given=values.all_given(given_values),
    )  # fmt: skip
    found = read_runs(runs, reading)
    fits: dict[tuple[str, str], Fit] = {}
    with progress("fit", quiet=quiet) as shown:
        result = compare_laws(
            found, laws=law.values if law is not None else (), objectives=_objectives(objective),
            target=target or None, level=level, on_progress=shown,
            on_fit=lambda law, objective, fit: fits.update({(law, objective): fit}),
        )  # fmt: skip
    below = ""
    if plot is not None:
        from scaleplan.planning.comparison_picture import comparison_picture

        below = plotting.write_plot(comparison_picture(result, fits, found), plot)
    emit(result, options.Output(output_format=output_format, quiet=quiet, strict=strict), below)


def _objectives(asked: values.Names | None) -> tuple[Objective, ...]:
    """Return the objectives of these names, all of them by default."""
    if asked is None:
        return tuple(each.as_objective for each in options.ObjectiveName)
    known = {each.value: each.as_objective for each in options.ObjectiveName}
    unknown = [name for name in asked.values if name not in known]
    if unknown:
        message = f"{unknown[0]!r} is no objective; allowed are {', '.join(known)}"
        raise UsageError(message, hint="For example --objective huber,log.")
    return tuple(known[name] for name in asked.values)
