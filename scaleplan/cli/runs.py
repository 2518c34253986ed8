"""`scaleplan runs`: the table of runs as it was understood."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan.cli import options, values

EXAMPLES = """\b
Examples:
  scaleplan runs logs/
  scaleplan runs export.csv --set params=124M -o runs.csv
  scaleplan runs train.log --pattern 'Epoch (?P<epoch>\\d+), Loss: (?P<loss>[\\d.]+)'"""


def runs_command(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Logs of any format that `scaleplan fit` reads, folders, patterns, or -.",
        ),
    ],
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    input_column: options.InputOption = None,
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    engine: options.EngineOption = options.EngineName.AUTO,
    all_points: options.AllPointsOption = False,
    best_of: options.BestOfOption = False,
    best_of_each: options.BestOfEachOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE",
            help="Write the runs to a file that `scaleplan fit` reads: .csv, .yaml or .parquet.",
        ),
    ] = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Show the runs of logs as they are understood: roles, units, sources, dropped rows."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import read_runs, refuse_overwriting
    from scaleplan.render.runs_view import RunsShown

    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet, best_of=best_of or best_of_each is not None,
        best_of_each=best_of_each.values if best_of_each is not None else (), pattern=pattern,
        given=values.all_given(given_values), engine=engine,
    )  # fmt: skip
    found = read_runs(logs, reading)
    if output is not None:
        from scaleplan.runfile import save_runs

        refuse_overwriting(output, found.cleaning.files)
        save_runs(found, output)
    emit(
        RunsShown(runs=found, notes=found.notes),
        options.Output(output_format=output_format, quiet=quiet, strict=strict),
    )
