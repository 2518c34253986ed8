"""`scaleplan next`: which runs to train next, so that a forecast gets sharp for the least money."""

from __future__ import annotations

from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import cluster_options, completion, options, values
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.planning.next_runs_target import Request
    from scaleplan.records import Fit, NextRuns

EXAMPLES = """\b
Examples:
  scaleplan next fit.yaml --budget 1e20 --target-params 10B --target-tokens 200B
  scaleplan next fit.yaml --budget-usd 5000 --gpu h100 --gpus 8 --target-flops 1e24
  scaleplan next --budget 1e20 --prior besiroglu --emit csv -o runs.csv
  scaleplan next fit.yaml --budget 1e20 --emit sh > runs.sh"""

_SEQUENCE_LENGTH = 4096  # tokens, as `budget` has it
_GPUS = 8  # one node
_SWEEP_RUNS = 8  # five parameters, and three runs to spare for the noise
_SWEEP_SPAN = 100.0  # from the cheapest run of a first sweep to all of its budget
_SMALLEST_SWEEP = 1e15  # FLOP: 3M parameters at 20 tokens each, below which no published law goes


@unique
class EmitKind(StrEnum):
    """What the runs are written as; the values are the keys of render.launch_file.LAUNCH_FILES."""

    YAML = "yaml"
    CSV = "csv"
    SH = "sh"


def next_command(
    fit: Annotated[
        str | None,
        typer.Argument(metavar="[FIT]", help="A fit kept by `scaleplan fit -o`."),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="ID", autocompletion=completion.published,
            help="Plan a first sweep, without any runs yet: a published law as the prior.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER", help="Compute for the runs together, FLOP."
        ),
    ] = None,
    budget_usd: Annotated[
        float | None,
        typer.Option(
            parser=values.price, metavar="USD", help="Money for them instead, US dollars."
        ),
    ] = None,
    target_params: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER", help="The model to forecast: its size."
        ),
    ] = None,
    target_tokens: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Its training tokens."),
    ] = None,
    target_flops: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Its training compute; alone, the compute-optimal model is the target. Default: "
            "100 times the budget.",
        ),
    ] = None,
    cheapest: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Least compute of one run, FLOP. Default: a tenth of the cheapest fitted run.",
        ),
    ] = None,
    dearest: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER", help="Most compute of one run, FLOP."
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option(parser=values.whole, metavar="INTEGER", help="Most runs to propose.")
    ] = 30,
    candidates: Annotated[
        int,
        typer.Option(
            parser=values.whole, metavar="INTEGER", help="About how many candidates to look at."
        ),
    ] = 400,
    gpu: Annotated[
        str | None,
        typer.Option(
            metavar="ID", autocompletion=completion.gpus,
            help="The accelerator that hours and cost are of. See `scaleplan gpus`.",
        ),
    ] = None,
    gpus: Annotated[
        int,
        typer.Option(
            parser=values.whole, metavar="INTEGER", help="How many of it, one run at a time."
        ),
    ] = _GPUS,
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
    sequence_length: Annotated[
        int, typer.Option(parser=values.whole, metavar="INTEGER", help="Tokens in one sequence.")
    ] = _SEQUENCE_LENGTH,
    emit: Annotated[
        EmitKind | None,
        typer.Option(
            "--emit",
            help="Write the runs for a launcher: a log with the results left open, or a script. "
            "Without -o it takes the place of the table.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write them."),
    ] = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Choose the runs whose results narrow the interval at a target most for a budget."""
    from scaleplan.advice.next_target import with_target_notes
    from scaleplan.cli.output import emit as emit_result
    from scaleplan.planning.next_runs import plan_next
    from scaleplan.planning.next_runs_rows import Cluster
    from scaleplan.planning.next_runs_target import Request, compute_budget
    from scaleplan.records import TrainingSetup

    kind = _kind(emit, output)
    if kind is not None and output is None and output_format is not options.OutputFormat.TABLE:
        raise UsageError(
            f"--emit {kind.value} without -o takes the place of the result, so that "
            f"--format {output_format.value} would do nothing",
            hint="Give the runs a file with -o, or leave one of the two out.",
        )
    if budget is None and budget_usd is None:
        message = "there is no budget"
        raise UsageError(message, hint="Give --budget 1e20 (FLOP) or --budget-usd 5000.")
    values.refuse_together(budget=budget, budget_usd=budget_usd)
    chosen = cluster_options.choose_cluster(
        cluster, gpu=gpu, mfu=mfu, price=price, country=None, pue=None, setup=TrainingSetup()
    )
    trained_on = Cluster(
        accelerator=chosen.accelerators[0], gpus=gpus, mfu=chosen.mfu, usd_per_hour=chosen.price,
        sequence_length=sequence_length,
    )  # fmt: skip
    request = Request(
        flops=budget, usd=budget_usd, target_params=target_params, target_tokens=target_tokens,
        target_flops=target_flops, cheapest=cheapest, dearest=dearest,
        fewest=1 if prior is None else _SWEEP_RUNS, most=runs, candidates=candidates, seed=seed,
    )  # fmt: skip
    compute = compute_budget(request, trained_on)
    used, request = _fit(fit, prior, request, compute)
    plan = with_target_notes(plan_next(used, request, trained_on), used, mfu=chosen.mfu)
    shown = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    if kind is None:
        emit_result(plan, shown)
        return
    _emit_runs(plan, kind, output, shown, read=fit)


def _emit_runs(
    plan: NextRuns, kind: EmitKind, output: str | None, shown: options.Output, *, read: str | None
) -> None:
    """Write the runs for a launcher: to a file, or in place of the result."""
    from scaleplan.cli.output import emit as emit_result
    from scaleplan.cli.output import write_result
    from scaleplan.cli.sources import refuse_overwriting
    from scaleplan.fitfile import write_text
    from scaleplan.render.launch_file import launch_file

    text = launch_file(plan, kind.value)
    if output is None:
        write_result(text, plan.notes, shown)
        return
    refuse_overwriting(output, [] if read is None else [read])
    write_text(text, output, what="the file of runs")
    emit_result(plan, shown)


def _kind(emit: EmitKind | None, output: str | None) -> EmitKind | None:
    """Return what the runs are written as: what was asked for, or what the file's name says."""
    if emit is not None or output is None:
        return emit
    suffix = Path(output).suffix.lower().lstrip(".").replace("yml", "yaml")
    if suffix in set(EmitKind):
        return EmitKind(suffix)
    raise UsageError(f"what to write to {output} is not clear", hint="Give --emit yaml, csv or sh.")


def _fit(
    file: str | None, prior: str | None, request: Request, compute: float
) -> tuple[Fit, Request]:
    """Return the saved fit, or a published law as the prior of a first sweep."""
    from dataclasses import replace

    from scaleplan.catalog import published_law
    from scaleplan.cli.sources import is_published, opened_pipe, saved_fit

    if (file is None) == (prior is None):
        message = "give a fit or --prior" if file is None else "a fit takes the place of --prior"
        raise UsageError(
            message,
            hint="scaleplan next fit.yaml --budget 1e20, or scaleplan next --budget 1e20 --prior "
            "besiroglu.",
        )
    if prior is not None:
        from scaleplan.planning.next_runs_prior import prior_fit, sweep_centre

        published = published_law(prior)
        cheapest = request.cheapest or max(_SMALLEST_SWEEP, compute / _SWEEP_SPAN)
        fit = prior_fit(published, centre=sweep_centre(published, cheapest, compute))
        return fit, replace(request, cheapest=cheapest)
    name = file or ""
    if is_published(name):
        message = f"{name} is a published law, which knows nothing of your runs"
        raise UsageError(message, hint=f"Plan a first sweep with --prior {name}.")
    pipe = opened_pipe(name)
    if pipe is not None:
        with pipe:
            return saved_fit("-", pipe), request
    return saved_fit(name), request
