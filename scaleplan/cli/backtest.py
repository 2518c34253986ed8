"""`scaleplan backtest`: how good forecasts from the smaller runs would have been."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan.cli import options, plotting, values

EXAMPLES = """\b
Examples:
  scaleplan backtest runs.csv --plot backtest.png
  scaleplan backtest runs.csv --law auto,chinchilla,coupled --format json"""


def backtest_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Logs: CSV, YAML, JSON or JSONL files, folders, patterns, or -.",
        ),
    ],
    law: Annotated[
        values.Names | None,
        typer.Option(
            "--law", parser=values.names, metavar="NAME,...",
            help="The laws; auto is what fit would have chosen. Default: auto and those that the "
            "columns allow.",
        ),
    ] = None,
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    input_column: options.InputOption = None,
    all_points: options.AllPointsOption = False,
    best_of: options.BestOfOption = False,
    plot: plotting.PlotOption = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Forecast the larger runs of a log from its smaller ones, and show how far off that was."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.progress import progress
    from scaleplan.cli.sources import read_runs
    from scaleplan.planning.backtests import backtest

    plotting.check_plot(plot, runs, output_format=output_format)
    del seed  # nothing here is random; the option is there for scripts that give it to all
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet, best_of=best_of,
    )  # fmt: skip
    found = read_runs(runs, reading)
    with progress("law", quiet=quiet) as shown:
        result = backtest(found, laws=law.values if law is not None else (), on_progress=shown)
    below = ""
    if plot is not None:
        from scaleplan.planning.backtest_picture import backtest_picture

        below = plotting.write_plot(backtest_picture(result), plot)
    output = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    emit(result, output, below=below)
