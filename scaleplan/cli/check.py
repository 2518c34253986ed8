"""`scaleplan check`: is a training run going well?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import options, plotting, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.records import CurveCheck, Fit
    from scaleplan.runs.series import Curve

EXAMPLES = """\b
Examples:
  scaleplan check epochs.csv
  scaleplan check logs/*.csv --strict --format json
  scaleplan check metrics.jsonl --total-steps 100000 --fit fit.yaml --with params=124M
  scaleplan check metrics.csv --watch"""


def check_command(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Logs per step or epoch: CSV, JSONL, JSON or YAML files, folders, patterns, or -.",
        ),
    ],
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    total_steps: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Where runs are planned to end, in the steps (or epochs) of the log: forecasts "
            "the metric there.",
        ),
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="A fit kept by `scaleplan fit -o`: is the run where it should be?"
        ),
    ] = None,
    given: options.WithOption = None,
    level: options.LevelOption = 0.9,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Follow a log that is still written, until Ctrl-C."),
    ] = False,
    plot: plotting.PlotOption = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Judge training curves: overfitting, underfitting, diverged, plateau or healthy."""
    from scaleplan.cli.output import emit
    from scaleplan.errors import UsageError

    plotting.check_plot(plot, logs, output_format=output_format, watch=watch)
    law = _fit(fit)
    inputs = _given(given or [], law)
    reading = options.Reading(
        columns=columns or [],
        metric=metric,
        input_column=None,
        all_points=True,
        quiet=quiet,
        pattern=pattern,
        given=values.all_given(given_values),
    )
    output = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    if watch:
        from scaleplan.cli.watching import watch_logs

        if "-" in logs:
            raise UsageError("--watch cannot follow standard input", hint="Give a file.")
        watch_logs(
            logs,
            lambda: _check(
                logs, reading, law, inputs, level, total_steps, hushed=True, growing=True
            )[0],
            output,
        )  # fmt: skip
        return
    found, curves = _check(logs, reading, law, inputs, level, total_steps, hushed=quiet)
    below = ""
    if plot is not None:
        from scaleplan.advice.curves.pictures import curves_picture

        below = plotting.write_plot(curves_picture(found, curves), plot)
    emit(found, output, below=below)


def _check(
    logs: Sequence[str], reading: options.Reading, fit: Fit | None, given: dict[str, float],
    level: float, total: float | None, *, hushed: bool, growing: bool = False,
) -> tuple[CurveCheck, tuple[Curve, ...]]:  # fmt: skip
    """Read the logs and judge their runs."""
    from scaleplan.advice.curves import check_curves
    from scaleplan.cli.progress import progress
    from scaleplan.cli.sources import columns_of, given_of
    from scaleplan.runs.series import load_curves

    with progress("reading file", quiet=hushed) as shown:
        log = load_curves(
            logs, columns=columns_of(reading), metric=reading.metric, given=given_of(reading),
            growing=growing, stdin=sys.stdin.buffer if sys.stdin is not None else None,
            on_progress=shown,
        )  # fmt: skip
    with progress("run", quiet=hushed) as shown:
        found = check_curves(log, level=level, total=total, fit=fit, given=given, on_progress=shown)
    return found, log.curves


def _fit(file: str | None) -> Fit | None:
    if file is None:
        return None
    from scaleplan.cli.sources import saved_fit

    return saved_fit(file)


def _given(given: list[values.Settings], fit: Fit | None) -> dict[str, float]:
    """Return inputs of the law that the command line gives, by role."""
    from scaleplan.errors import UsageError

    pairs = [pair for group in given for pair in group.values]
    if pairs and fit is None:
        raise UsageError("--with gives inputs of a fit, and there is none", hint="Give --fit FILE.")
    return {role: values.positive(text) for role, text in pairs}
