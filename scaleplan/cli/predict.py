"""`scaleplan predict`: what a run that was not trained would reach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from scaleplan.cli import options, plotting, question_options, values
from scaleplan.errors import UsageError
from scaleplan.records.advice import joined_notes, serious_notes

if TYPE_CHECKING:
    from scaleplan.records import Fit

EXAMPLES = """\b
Examples:
  scaleplan predict fit.yaml --params 10B --tokens 200B
  scaleplan predict fit.yaml --flops 1e22,1e23 --format csv
  scaleplan predict besiroglu_2024 --params 70B --tokens 1.4T
  scaleplan predict fit.yaml --params 10B --tokens 1T --unique-tokens 100B
  scaleplan predict loss.yaml --flops 1e22 --then accuracy.yaml
  scaleplan predict runs.csv --law power --at 4096"""


def predict_command(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FIT_OR_RUNS...",
            help="A fit kept by `scaleplan fit -o`, a published law by its id (see `scaleplan "
            "laws`), or logs to fit now.",
        ),
    ],
    params: Annotated[
        values.Numbers | None,
        typer.Option(
            parser=values.positives, metavar="NUMBER,...", help="Model sizes, for example 7B,70B."
        ),
    ] = None,
    tokens: Annotated[
        values.Numbers | None,
        typer.Option(parser=values.positives, metavar="NUMBER,...", help="Training tokens."),
    ] = None,
    flops: Annotated[
        values.Numbers | None,
        typer.Option(
            parser=values.positives, metavar="NUMBER,...",
            help="Training compute; alone, the compute-optimal model is predicted.",
        ),
    ] = None,
    at: Annotated[
        values.Numbers | None,
        typer.Option(
            parser=values.numbers, metavar="NUMBER,...",
            help="Values of the single input of a law of one column.",
        ),
    ] = None,
    unique_tokens: question_options.UniqueOption = None,
    given: options.WithOption = None,
    then: Annotated[
        str | None,
        typer.Option(
            "--then", metavar="FIT",
            help="A second saved fit, of one input that is what the first predicts: for example "
            "accuracy against val_loss. Its metric is forecast with the errors of both.",
        ),
    ] = None,
    law: options.FitLawOption = "auto",
    objective: options.ObjectiveOption = options.ObjectiveName.HUBER,
    delta: options.DeltaOption = None,
    fix: options.FixOption = None,
    bound: options.BoundOption = None,
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    input_column: options.InputOption = None,
    all_points: options.AllPointsOption = False,
    plot: plotting.PlotOption = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Forecast the metric of runs that were not trained, with an interval."""
    from scaleplan.advice import concerning, forecast_notes
    from scaleplan.advice.repeats import repeated_points
    from scaleplan.cli.output import emit
    from scaleplan.planning.forecast import forecast
    from scaleplan.planning.repeats import knowing

    plotting.check_plot(plot, sources, output_format=output_format)
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet, pattern=pattern,
        given=values.all_given(given_values),
    )  # fmt: skip
    fitting = options.Fitting(
        law=law, objective=objective, delta=delta, fix=fix or [], bound=bound or []
    )
    second = None if then is None else _second_fit(then)
    fit = _fit(sources, reading, fitting, seed=seed)
    others = _others(fit, given or [], unique_tokens)
    fit = knowing(fit, others)
    empty = values.Numbers(())
    result = forecast(
        fit, params=(params or empty).values, tokens=(tokens or empty).values,
        flops=(flops or empty).values, inputs=(at or empty).values,
        others=others, then=second,
    )  # fmt: skip
    notes = joined_notes(
        result.notes, forecast_notes(result, fit), tuple(repeated_points(result, fit)),
        concerning(fit, result.points, best_size=params is None and tokens is None),
        () if second is None else serious_notes(second.notes),
    )  # fmt: skip
    below = ""
    if plot is not None:
        from scaleplan.planning.pictures import forecast_picture

        below = plotting.write_plot(forecast_picture(fit, result.points), plot)
    written = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    emit(replace(result, notes=notes), written, below=below)


def _others(
    fit: Fit, given: list[values.Settings], unique_tokens: float | None
) -> dict[str, float]:
    """Return what is given besides sizes, by role."""
    from scaleplan.cli.sources import further_inputs_of

    others = further_inputs_of(fit, given)
    if unique_tokens is None:
        return others
    if "unique_tokens" in others:
        message = "--unique-tokens and --with give the unique tokens twice"
        raise UsageError(message, hint="Leave one of them out.")
    return {**others, "unique_tokens": unique_tokens}


def _second_fit(source: str) -> Fit:
    """Return the saved fit that takes the forecast further."""
    from scaleplan.cli.sources import is_saved_fit, saved_fit

    if Path(source).is_file() and not is_saved_fit(source):
        message = f"--then takes a saved fit, and {source} is none"
        hint = "Make one: scaleplan fit runs.csv --metric accuracy --input loss -o accuracy.yaml."
        raise UsageError(message, hint=hint)
    return saved_fit(source)


def _fit(
    sources: list[str], reading: options.Reading, fitting: options.Fitting, *, seed: int
) -> Fit:
    """Return the saved fit, or fit the logs; a single pipe, such as <(...), may send either."""
    from scaleplan.cli.sources import opened_pipe

    pipe = opened_pipe(sources[0]) if len(sources) == 1 else None
    if pipe is None:
        return _fit_of(sources, None, reading, fitting, seed=seed)
    with pipe:
        return _fit_of(["-"], pipe, reading, fitting, seed=seed)


def _fit_of(
    sources: list[str], stdin: BinaryIO | None, reading: options.Reading, fitting: options.Fitting,
    *, seed: int,
) -> Fit:  # fmt: skip
    """Return the saved fit, or fit the logs, of sources of which `-` reads `stdin` if it is one."""
    from scaleplan.cli.sources import (
        fit_runs,
        is_published,
        is_saved_fit,
        read_runs,
        refuse_misspelt,
        saved_fit,
    )

    saved = [source for source in sources if is_saved_fit(source, stdin) or is_published(source)]
    if not saved:
        if len(sources) == 1:
            refuse_misspelt(sources[0])
        # The bootstrap serves the table of parameters, which a forecast does not show.
        return fit_runs(
            read_runs(sources, reading, stdin=stdin), fitting=fitting, resamples=0, level=0.9,
            seed=seed, flops=(), quiet=reading.quiet,
        )  # fmt: skip
    if len(sources) > 1:
        message = f"{saved[0]} is a finished fit and cannot be read together with other files"
        raise UsageError(message, hint="Give one saved fit or published law, or logs only.")
    unused = {
        "--law": fitting.law != "auto", "--delta": fitting.delta, "--fix": fitting.fix,
        "--bound": fitting.bound, "--columns": reading.columns,
        "--objective": fitting.objective is not options.ObjectiveName.HUBER,
        "--metric": reading.metric,
        "--input": reading.input_column, "--all-points": reading.all_points,
    }  # fmt: skip
    given = [name for name, value in unused.items() if value]
    if given:
        message = f"{' and '.join(given)} cannot change {saved[0]}, which is fitted already"
        raise UsageError(message, hint="Give the logs instead, or leave these options out.")
    if is_published(sources[0]):
        from scaleplan.catalog import published_law
        from scaleplan.planning.published import fit_from_published

        return fit_from_published(published_law(sources[0]))
    return saved_fit(sources[0], stdin)
