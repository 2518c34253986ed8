"""`scaleplan fit`: from logs to a law."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan.cli import options, values

EXAMPLES = """\b
Examples:
  scaleplan fit runs.csv -o fit.yaml
  scaleplan fit logs/*.jsonl --columns params=n_model,loss=val/ce --law chinchilla
  cat runs.csv | scaleplan fit - --format json"""


def fit_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Logs: CSV, YAML, JSON or JSONL files, folders, patterns, or -.",
        ),
    ],
    law: options.FitLawOption = "auto",
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    input_column: options.InputOption = None,
    all_points: options.AllPointsOption = False,
    resamples: options.ResamplesOption = 1000,
    level: options.LevelOption = 0.9,
    interval: options.IntervalOption = options.IntervalKind.AUTO,
    cluster: options.ClusterOption = None,
    delta: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Huber's threshold in log units. Default: chosen from the data, and shown.",
        ),
    ] = None,
    flops: Annotated[
        values.Numbers | None,
        typer.Option(
            parser=values.positives, metavar="NUMBER,...",
            help="Budgets for the table of compute-optimal sizes, for example 1e21,1e22.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Keep the fit for predict and budget (YAML)."
        ),
    ] = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Fit a scaling law to the logs of runs, and say how surely it holds."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import fit_runs, read_runs

    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet,
    )  # fmt: skip
    fit = fit_runs(
        read_runs(runs, reading), law=law, resamples=resamples, level=level, seed=seed,
        delta=delta, flops=flops.values if flops is not None else (), interval=interval.value,
        cluster=cluster, quiet=quiet,
    )  # fmt: skip
    if output is not None:
        from scaleplan.fitfile import save_fit

        save_fit(fit, output)
    emit(fit, options.Output(output_format=output_format, quiet=quiet, strict=strict))
