"""`scaleplan report`: fit, forecast and plan as one page of HTML."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import cluster_options, completion, options, values
from scaleplan.records.advice import joined_notes

if TYPE_CHECKING:
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.records import Fit, Picture
    from scaleplan.render.html_report import Section
    from scaleplan.runs.table import Runs

EXAMPLES = """\b
Examples:
  scaleplan report runs.csv -o report.html
  scaleplan report runs.csv --params 10B --tokens 200B --gpus 64,256 -o report.html
  scaleplan report runs.csv --flops 1e23 --gpu a100 -o report.html"""

_OTHER_PAGES = frozenset(
    {".csv", ".doc", ".docx", ".json", ".jsonl", ".md", ".parquet", ".pdf", ".png", ".svg",
     ".tex", ".txt", ".xlsx", ".yaml", ".yml"}
)  # fmt: skip


def report_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...", help="Logs: CSV, YAML, JSON or JSONL files, folders, patterns, or -."
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where the page is written.")
    ],
    params: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="The planned model's size."),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Its training tokens."),
    ] = None,
    flops: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Or its training compute."),
    ] = None,
    gpus: Annotated[
        values.Counts | None,
        typer.Option(
            parser=values.counts, metavar="INTEGER,...",
            help="Numbers of accelerators. Default: the smallest cluster within 30 days.",
        ),
    ] = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            metavar="ID,...", autocompletion=completion.gpus, help="Accelerators to plan for."
        ),
    ] = None,
    mfu: Annotated[
        float | None,
        typer.Option(
            parser=values.fraction, metavar="SHARE",
            help="Your own steady-state model-FLOP utilisation, for example 40%.",
        ),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            parser=values.hourly_price, metavar="USD",
            help="Price of one accelerator-hour, US dollars."
        ),
    ] = None,
    cluster: cluster_options.ClusterOption = None,
    law: options.FitLawOption = "auto",
    columns: options.ColumnsOption = None,
    metric: options.MetricOption = None,
    input_column: options.InputOption = None,
    given_values: options.SetOption = None,
    pattern: options.PatternOption = None,
    resamples: options.ResamplesOption = 1000,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Write a report: the fit, and the forecast and plan of a model, as one page of HTML."""
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import fit_runs, read_runs, refuse_overwriting
    from scaleplan.records import TrainingSetup

    _require_page(output)
    reading = options.Reading(
        columns=columns or [], metric=metric, input_column=input_column, all_points=False,
        quiet=quiet, pattern=pattern, given=values.all_given(given_values),
    )  # fmt: skip
    fitting = options.Fitting(
        law=law, objective=options.ObjectiveName.HUBER, delta=None, fix=[], bound=[]
    )
    logs = read_runs(runs, reading)
    refuse_overwriting(output, logs.cleaning.files)
    draws: list[Resamples] = []
    fit = fit_runs(
        logs, fitting=fitting, resamples=resamples, level=0.9, seed=seed, flops=(), quiet=quiet,
        on_draws=draws.append,
    )  # fmt: skip
    sections = [_fit_section(fit, logs, draws)]
    if params is not None or flops is not None:
        sections.append(
            _plan_section(
                fit, params=params, tokens=tokens, flops=flops,
                gpus=() if gpus is None else gpus.values,
                chosen=cluster_options.choose_cluster(
                    cluster, gpu=gpu, mfu=mfu, price=price, country=None, pue=None,
                    setup=TrainingSetup(),
                ),
            )
        )  # fmt: skip
    _write(sections, output)
    emit(fit, options.Output(output_format=output_format, quiet=quiet, strict=strict))


def _require_page(path: str) -> None:
    """Refuse a name that promises something else than a page of HTML.

    Raises:
        UsageError: If it ends in another way; one without an ending promises nothing.
    """
    ending = Path(path).suffix.lower()
    if ending in _OTHER_PAGES:
        from scaleplan.errors import UsageError

        raise UsageError(
            f"{path} ends in {ending}; a report is written as one page of .html",
            hint="For example -o report.html; a browser prints it as PDF.",
        )


def _fit_section(fit: Fit, runs: Runs, draws: list[Resamples]) -> Section:
    from scaleplan.planning.pictures import fit_picture
    from scaleplan.render.fit_view import fit_view
    from scaleplan.render.html_report import Section

    return Section(view=fit_view(fit), svgs=_svgs(fit_picture(fit, runs, *draws)))


def _plan_section(
    fit: Fit, *, params: float | None, tokens: float | None, flops: float | None,
    gpus: tuple[int, ...], chosen: cluster_options.ClusterChoice,
) -> Section:  # fmt: skip
    from scaleplan.advice import plan_notes
    from scaleplan.planning.answers import answer_plan
    from scaleplan.planning.pictures import plan_picture
    from scaleplan.planning.wish import Machines, Wish
    from scaleplan.render.html_report import Section
    from scaleplan.render.plan_view import plan_view

    plan = answer_plan(
        fit, Wish(params=params, tokens=tokens, flops=flops),
        Machines(
            accelerators=chosen.accelerators, gpus=gpus, mfu=chosen.mfu, mfu_gpus=chosen.mfu_gpus,
            usd_per_hour=chosen.price, country=chosen.country, pue=chosen.pue, setup=chosen.setup,
            ranked=chosen.ranked,
        ),
    )  # fmt: skip
    plan = replace(plan, notes=joined_notes(plan.notes, plan_notes(plan, fit)))
    return Section(view=plan_view(plan), svgs=_svgs(plan_picture(plan, fit)))


def _svgs(picture: Picture) -> tuple[str, ...]:
    from scaleplan.render.plot import panel_svgs

    return panel_svgs(picture)


def _write(sections: list[Section], path: str) -> None:
    import platform
    import shlex

    import numpy as np

    from scaleplan import __version__
    from scaleplan.errors import InputError
    from scaleplan.fitfile import write_whole
    from scaleplan.render.html_report import render_report

    version = f"scaleplan {__version__}, Python {platform.python_version()}, numpy {np.__version__}"
    page = render_report(
        sections, command=shlex.join(["scaleplan", *sys.argv[1:]]), version=version,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )  # fmt: skip
    try:
        write_whole(Path(path), page.encode("utf-8", "replace"))
    except OSError as error:
        raise InputError(
            f"the report cannot be written: {error.strerror}", file=path,
            hint="Choose a folder that exists and that you may write to.",
        ) from error  # fmt: skip
