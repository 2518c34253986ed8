"""`scaleplan fit`: from logs to a law."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import options, plotting, values
from scaleplan.errors import FitError, UsageError
from scaleplan.records.advice import joined_notes

if TYPE_CHECKING:
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.records import Fit
    from scaleplan.runs.table import Runs

EXAMPLES = """\b
Examples:
  scaleplan fit runs.csv -o fit.yaml
  scaleplan fit logs/*.jsonl --columns params=n_model,loss=val/ce --law chinchilla
  scaleplan fit runs.csv --law chinchilla --objective log --fix alpha=0.34 --bound E=0:3
  scaleplan fit --update fit.yaml new_runs.csv -o fit2.yaml
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
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    input_column: options.InputOption = None,
    engine: options.EngineOption = options.EngineName.AUTO,
    all_points: options.AllPointsOption = False,
    best_of: options.BestOfOption = False,
    best_of_each: options.BestOfEachOption = None,
    by: options.ByOption = None,
    resamples: options.ResamplesOption = 1000,
    level: options.LevelOption = 0.9,
    interval: options.IntervalOption = options.IntervalKind.AUTO,
    cluster: options.ClusterOption = None,
    objective: options.ObjectiveOption = options.ObjectiveName.HUBER,
    delta: options.DeltaOption = None,
    fix: options.FixOption = None,
    bound: options.BoundOption = None,
    flops: Annotated[
        values.Numbers | None,
        typer.Option(
            parser=values.positives, metavar="NUMBER,...",
            help="Budgets for the table of compute-optimal sizes, for example 1e21,1e22.",
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            parser=values.whole, metavar="INTEGER",
            help="Number of equally likely classes behind an accuracy: chance is 1 / this. "
            "Default: a column num_classes.",
        ),
    ] = None,
    test_examples: Annotated[
        int | None,
        typer.Option(
            parser=values.whole, metavar="INTEGER",
            help="Number of test examples behind an accuracy, for its noise and ceiling. "
            "Default: a column test_examples.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE",
            help="Keep the fit for predict and budget (YAML); with --by, fit-{group}.yaml.",
        ),
    ] = None,
    plot: plotting.PlotOption = None,
    update: Annotated[
        str | None,
        typer.Option(
            "--update", metavar="FIT",
            help="Judge these new runs by an older fit, and fit the old runs and these together.",
        ),
    ] = None,
    old: Annotated[
        list[str] | None,
        typer.Option(
            "--old", metavar="LOG",
            help="With --update: the logs of the old runs, if they are no longer where they were. "
            "May be repeated.",
        ),
    ] = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Fit a scaling law to the logs of runs, and say how surely it holds."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import (
        fit_runs,
        has_levels,
        read_runs,
        refuse_overwriting,
    )
    from scaleplan.fitfile import check_fit_name, save_fit

    plotting.check_plot(plot, runs, output_format=output_format, update=update)
    _check_input(input_column, law)
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=all_points,
        quiet=quiet, best_of=best_of or best_of_each is not None,
        best_of_each=best_of_each.values if best_of_each is not None else (), pattern=pattern,
        given=values.all_given(given_values), engine=engine,
    )  # fmt: skip
    fitting = options.Fitting(
        law=law, objective=objective, delta=delta, fix=fix or [], bound=bound or [],
        interval=interval, cluster=cluster,
    )  # fmt: skip
    budgets = flops.values if flops is not None else ()
    written = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    _check_old(old, update)
    if update is not None:
        values.refuse_together(update=update, by=by)
        _update(
            update, runs, old or [], reading, fitting, written, output=output,
            resamples=resamples, level=level, seed=seed, flops=budgets,
        )  # fmt: skip
        return
    together = by is not None and has_levels(law)
    if by is not None and not together:
        values.refuse_together(by=by, classes=classes)
        values.refuse_together(by=by, test_examples=test_examples)
        values.refuse_together(by=by, plot=plot)
        _groups(
            runs, by, reading, fitting, written, output=output, resamples=resamples, level=level,
            seed=seed, flops=budgets,
        )  # fmt: skip
        return
    logs = read_runs(runs, reading, levels_of=by)
    if output is not None:
        refuse_overwriting(output, logs.cleaning.files)
        check_fit_name(output)
    draws: list[Resamples] = []
    fit = fit_runs(
        logs, fitting=fitting, resamples=resamples, level=level, seed=seed,
        flops=budgets, quiet=quiet, on_draws=draws.append,
    )  # fmt: skip
    fit = _with_its_test(fit, logs, classes=classes, test_examples=test_examples)
    if output is not None:
        save_fit(fit, output)
    emit(fit, written, below=plotting.plot_fit(fit, logs, draws, plot))


def _with_its_test(
    fit: Fit, logs: Runs, *, classes: int | None, test_examples: int | None
) -> Fit:  # fmt: skip
    """Return a fit with what the test behind an accuracy says about its runs."""
    from scaleplan.advice.classification import classification_notes
    from scaleplan.advice.test_sets import logged_test

    if fit.metric.kind in {"accuracy", "error"}:
        said = logged_test(logs, classes=classes, test_examples=test_examples)
        classes, test_examples = said.classes, said.test_examples
        fit = replace(fit, assumptions=(*fit.assumptions, *said.assumptions))
    told = classification_notes(
        fit, logs.value.tolist(), classes=classes, test_examples=test_examples
    )
    return replace(fit, notes=joined_notes(fit.notes, tuple(told)))


def _check_input(input_column: str | None, law: str) -> None:
    """Refuse a column for the single input of a law that takes others."""
    if input_column is None or law == "auto":
        return
    from scaleplan.laws import get_law

    takes = get_law(law).inputs
    if len(takes) > 1:
        raise UsageError(
            f"--input names the one input of a law of one, and {law} takes {' and '.join(takes)}",
            hint="Leave out --input, or take a law of one input such as power_floor.",
        )


def _check_old(old: list[str] | None, update: str | None) -> None:
    """Refuse the logs of old runs where no old fit is updated."""
    if old and update is None:
        message = "--old gives the old runs of --update"
        raise UsageError(message, hint="Give --update FIT too, or leave it out.")


def _groups(
    runs: list[str], by: str, reading: options.Reading, fitting: options.Fitting,
    written: options.Output, *, output: str | None, resamples: int, level: float, seed: int,
    flops: tuple[float, ...],
) -> None:  # fmt: skip
    """Fit the runs of each value of a column apart."""
    from scaleplan.cli.groups import check_place, fit_groups, save_groups
    from scaleplan.cli.output import emit

    if output is not None:
        check_place(output)
    fits = fit_groups(
        runs, reading, fitting, by, resamples=resamples, level=level, seed=seed, flops=flops
    )
    if output is not None:
        save_groups(fits, output)
    emit(fits, written)


def _update(
    file: str,
    runs: list[str],
    old: list[str],
    reading: options.Reading,
    fitting: options.Fitting,
    written: options.Output,
    *,
    output: str | None,
    resamples: int,
    level: float,
    seed: int,
    flops: tuple[float, ...],
) -> None:
    """Show what new runs say about an older fit, and keep the fit to all of them."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import refuse_overwriting
    from scaleplan.cli.update import updated
    from scaleplan.fitfile import check_fit_name, save_fit

    if output is not None:
        refuse_overwriting(output, [*runs, *old])
        check_fit_name(output)
    found = updated(
        file, runs, old, reading, fitting, resamples=resamples, level=level, seed=seed, flops=flops
    )
    if output is not None:
        if found.fit is None:
            raise FitError(found.notes[-1].text, hint=found.notes[-1].action)
        save_fit(found.fit, output)
    emit(found, written)
