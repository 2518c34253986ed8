"""`scaleplan compare`: systems side by side, or laws and objectives on one log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import completion, options, plotting, values
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.records import Fit, Objective

EXAMPLES = """\b
Examples:
  scaleplan compare adamw.csv muon.csv --target-flops 1e21
  scaleplan compare runs.csv --by optimizer --reference adamw --plot systems.png
  scaleplan compare runs.csv
  scaleplan compare runs.csv --params 10B --tokens 200B --law chinchilla,coupled
  scaleplan compare runs.csv --input images --metric error --at 60000 --format csv"""


def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Logs: CSV, YAML, JSON or JSONL files, folders, patterns, or -. Each of two or "
            "more is a system; of one alone laws are compared.",
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
            autocompletion=completion.laws,
            help="The laws; default: those that the columns allow. See `scaleplan laws`. Of "
            "systems: chinchilla, or power_floor along compute.",
        ),
    ] = None,
    objective: Annotated[
        values.Names | None,
        typer.Option(
            "--objective", parser=values.names, metavar="huber,log,raw",
            help="What is minimised; default: all three.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", autocompletion=completion.columns,
            help="The column whose values are the systems.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference", metavar="SYSTEM",
            help="The system that the others are measured by; default: the first.",
        ),
    ] = None,
    target_loss: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="A loss (or other metric) to compare systems at besides.",
        ),
    ] = None,
    target_flops: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="A training compute of the reference to compare systems at besides.",
        ),
    ] = None,
    resamples: options.ResamplesOption = 1000,
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
    """Say what compute of one system is worth in another; of one log, compare laws on it.

    Systems (recipes, optimizers, data sets) are two or more logs, or the values of --by COLUMN.
    """
    from scaleplan.cli.systems import check_options, compare_sources

    plotting.check_plot(plot, runs, output_format=output_format)
    systems = len(runs) > 1 or by is not None
    check_options(
        systems=systems, params=params, tokens=tokens, flops=flops, at=at, objective=objective,
        reference=reference, target_loss=target_loss, target_flops=target_flops,
    )  # fmt: skip
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet, pattern=pattern, given=values.all_given(given_values),
    )  # fmt: skip
    output = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    names = law.values if law is not None else ()
    if systems:
        compare_sources(
            runs, reading, output, by=by, reference=reference, laws=names,
            target_loss=target_loss, target_flops=target_flops, resamples=resamples, level=level,
            seed=seed, plot=plot,
        )  # fmt: skip
        return
    given = {"params": params, "tokens": tokens, "flops": flops, "input": at}
    target = {role: value for role, value in given.items() if value is not None}
    _compare_laws(runs, reading, output, target, names, _objectives(objective), level, plot)


def _compare_laws(
    sources: list[str], reading: options.Reading, output: options.Output,
    target: dict[str, float], laws: tuple[str, ...], objectives: tuple[Objective, ...],
    level: float, plot: str | None,
) -> None:  # fmt: skip
    """Fit several laws and objectives to the same runs, and forecast the same target by each."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.progress import progress
    from scaleplan.cli.sources import read_runs
    from scaleplan.planning.comparison import check_target, compare_laws

    check_target(target)
    found = read_runs(sources, reading)
    fits: dict[tuple[str, str], Fit] = {}
    with progress("fit", quiet=reading.quiet) as shown:
        result = compare_laws(
            found, laws=laws, objectives=objectives,
            target=target or None, level=level, on_progress=shown,
            on_fit=lambda law, objective, fit: fits.update({(law, objective): fit}),
        )  # fmt: skip
    below = ""
    if plot is not None:
        from scaleplan.planning.comparison_picture import comparison_picture

        below = plotting.write_plot(comparison_picture(result, fits, found), plot)
    emit(result, output, below)


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
