"""`scaleplan tune`: the best learning rate and batch size from a grid, and how they scale."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan.cli import options, values

EXAMPLES = """\b
Examples:
  scaleplan tune grid.csv
  scaleplan tune grid.csv --params 7B --tokens 140B --sequence-length 2048
  scaleplan tune grid.csv --flops 1e22"""


def tune_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Logs of a grid of learning rates (and batch sizes), several sizes together.",
        ),
    ],
    params: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER", help="Predict the settings for this size."
        ),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="And these training tokens."),
    ] = None,
    flops: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Or for this training compute, of a grid that gives no more than compute.",
        ),
    ] = None,
    sequence_length: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Tokens in one sequence, to count batches in tokens.",
        ),
    ] = None,
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    level: options.LevelOption = 0.9,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Find the best learning rate and batch for each size, and the laws that they follow."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import read_runs
    from scaleplan.planning.tuning import tune

    del seed  # nothing here is random; the option is there for scripts that give it to all
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=None, all_points=False, quiet=quiet
    )
    given = {"params": params, "tokens": tokens, "flops": flops}
    target = {role: size for role, size in given.items() if size is not None}
    result = tune(
        read_runs(runs, reading), sequence_length=sequence_length, target=target, level=level
    )
    emit(result, options.Output(output_format=output_format, quiet=quiet, strict=strict))
