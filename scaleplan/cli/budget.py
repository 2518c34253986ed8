"""`scaleplan budget`: time, memory, cost and performance of a training run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import cluster_options, completion, options, question_options, values

if TYPE_CHECKING:
    from scaleplan.records import Fit

EXAMPLES = """\b
Examples:
  scaleplan budget --gpus 1000 --params 1e10
  scaleplan budget --gpus 64,256,1000 --params 7B --ratio 100 --gpu h100 --price 2.5
  scaleplan budget --gpus 512 --flops 1e24 --fit fit.yaml --format json
  scaleplan budget --params 70B --tokens 1.4T --days 30
  scaleplan budget --max-usd 1M --days 60 --gpu h100,a100
  scaleplan budget --target-loss 2.0 --inference-tokens 1e13"""

_DEFAULT_LAW = "besiroglu_2024"
_SEQUENCE_LENGTH = 4096  # tokens; the context that most published runs of 2023 to 2025 began with


def budget_command(
    gpus: question_options.GpusOption = None,
    params: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Parameters of the model."),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Training tokens. Default: what makes this size compute-optimal.",
        ),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Tokens for each parameter."),
    ] = None,
    flops: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Training compute, FLOP."),
    ] = None,
    active_params: Annotated[
        float | None,
        typer.Option(
            parser=values.positive, metavar="NUMBER",
            help="Parameters that one token passes through (mixture of experts).",
        ),
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Forecast with a fit kept by `scaleplan fit -o`."),
    ] = None,
    law: Annotated[
        str | None,
        typer.Option(
            metavar="ID", autocompletion=completion.published,
            help=f"Forecast with a published law. Default: {_DEFAULT_LAW}.",
        ),
    ] = None,
    given: options.WithOption = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            metavar="ID,...|all", autocompletion=completion.gpus,
            help="Accelerators to plan for. See `scaleplan gpus`.",
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
            parser=values.price, metavar="USD", help="Price of one accelerator-hour, US dollars."
        ),
    ] = None,
    batch: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Tokens in one step."),
    ] = None,
    sequence_length: Annotated[
        int,
        typer.Option(parser=values.whole, metavar="INTEGER", help="Tokens in one sequence."),
    ] = _SEQUENCE_LENGTH,
    country: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Three-letter code, for the grid's carbon intensity."),
    ] = None,
    pue: Annotated[
        float | None,
        typer.Option(
            parser=values.at_least_one, metavar="NUMBER",
            help="Power usage effectiveness of the data centre.",
        ),
    ] = None,
    days: question_options.DaysOption = None,
    max_usd: question_options.MaxUsdOption = None,
    target: question_options.TargetOption = None,
    inference_tokens: question_options.InferenceOption = None,
    unique_tokens: question_options.UniqueOption = None,
    cluster: cluster_options.ClusterOption = None,
    optimizer: cluster_options.OptimizerOption = None,
    precision: cluster_options.PrecisionOption = None,
    gradients: cluster_options.GradientsOption = None,
    recompute: cluster_options.RecomputeOption = None,
    flash_attention: cluster_options.FlashOption = True,
    sequence_parallel: cluster_options.SequenceParallelOption = True,
    zero: cluster_options.ZeroOption = None,
    layout: cluster_options.LayoutOption = None,
    micro_batch: cluster_options.MicroBatchOption = None,
    experts: cluster_options.ExpertsOption = None,
    node_size: cluster_options.NodeSizeOption = None,
    mtbf: cluster_options.MtbfOption = None,
    checkpoint_seconds: cluster_options.CheckpointOption = None,
    restart_minutes: cluster_options.RestartOption = None,
    storage: cluster_options.StorageOption = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Plan a training run: what it reaches, how long it takes, what it needs and costs."""
    values.refuse_together(fit=fit, law=law)
    values.refuse_together(tokens=tokens, ratio=ratio)
    from scaleplan.advice import plan_notes
    from scaleplan.cli.output import emit
    from scaleplan.cli.sources import further_inputs_of, joined_notes, serious_notes
    from scaleplan.planning.answers import answer_plan
    from scaleplan.planning.wish import Machines, Wish

    setup = cluster_options.setup_of(
        optimizer=optimizer, precision=precision, gradients=gradients, recompute=recompute,
        zero=zero, layout=layout, flash_attention=flash_attention,
        sequence_parallel=sequence_parallel, micro_batch=micro_batch, experts=experts,
        node_size=node_size, mtbf=mtbf, checkpoint_seconds=checkpoint_seconds,
        restart_minutes=restart_minutes, storage=storage,
    )  # fmt: skip
    chosen = cluster_options.choose_cluster(
        cluster, gpu=gpu, mfu=mfu, price=price, country=country, pue=pue, setup=setup
    )
    used = _fit(fit, law)
    wish = Wish(
        params=params, active_params=active_params, tokens=tokens, ratio=ratio, flops=flops,
        target=target, days=days, max_usd=max_usd, inference_tokens=inference_tokens,
        unique_tokens=unique_tokens,
    )  # fmt: skip
    machines = Machines(
        accelerators=chosen.accelerators, gpus=() if gpus is None else gpus.values,
        mfu=chosen.mfu, mfu_gpus=chosen.mfu_gpus, usd_per_hour=chosen.price, batch_tokens=batch,
        sequence_length=sequence_length, country=chosen.country, pue=chosen.pue,
        setup=chosen.setup, ranked=chosen.ranked,
    )  # fmt: skip
    others = {} if unique_tokens is not None else further_inputs_of(used, given or [])
    plan = answer_plan(used, wish, machines, others=others)
    notes = joined_notes(plan.notes, plan_notes(plan, used), serious_notes(used))
    emit(
        replace(plan, notes=notes),
        options.Output(output_format=output_format, quiet=quiet, strict=strict),
    )


def _fit(file: str | None, law: str | None) -> Fit:
    """Return the saved fit, or the published law."""
    if file is not None:
        from scaleplan.fitfile import load_fit

        return load_fit(file)
    from scaleplan.catalog import published_law
    from scaleplan.planning.published import fit_from_published

    return fit_from_published(published_law(_DEFAULT_LAW if law is None else law))
