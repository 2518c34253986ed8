"""`scaleplan budget`: time, memory, cost and performance of a training run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import (
    cluster_options,
    completion,
    family_options,
    options,
    plotting,
    question_options,
    shape_options,
    values,
)
from scaleplan.records.advice import joined_notes

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


def budget_command(
    context: typer.Context,
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
            help="Parameters that one token passes through (mixture of experts). Default: "
            "all, or the share of them in the runs of the fit.",
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
            parser=values.hourly_price, metavar="USD",
            help="Price of one accelerator-hour, US dollars."
        ),
    ] = None,
    batch: Annotated[
        float | None,
        typer.Option(parser=values.positive, metavar="NUMBER", help="Tokens in one step."),
    ] = None,
    sequence_length: shape_options.SequenceLengthOption = None,
    shape: shape_options.ShapeOption = None,
    flop_count: shape_options.FlopCountOption = shape_options.FlopCountName.SIX_N_D,
    serve: shape_options.ServeOption = False,
    serve_context: shape_options.ServeContextOption = None,
    serve_sequences: shape_options.ServeSequencesOption = None,
    serve_gpus: shape_options.ServeGpusOption = None,
    serve_precision: shape_options.ServePrecisionOption = None,
    kv_precision: shape_options.KvPrecisionOption = None,
    family: family_options.FamilyOption = family_options.FamilyName.LANGUAGE,
    forward_flops: family_options.ForwardFlopsOption = None,
    macs: family_options.MacsOption = False,
    activations: family_options.ActivationsOption = None,
    examples: family_options.ExamplesOption = None,
    epochs: family_options.EpochsOption = None,
    image_size: family_options.ImageSizeOption = None,
    patch_size: family_options.PatchSizeOption = None,
    dense_params: family_options.DenseParamsOption = None,
    embedding_rows: family_options.EmbeddingRowsOption = None,
    embedding_width: family_options.EmbeddingWidthOption = None,
    lookups: family_options.LookupsOption = None,
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
    plot: plotting.PlotOption = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Plan a training run: what it reaches, how long it takes, what it needs and costs."""
    values.refuse_together(fit=fit, law=law)
    values.refuse_together(tokens=tokens, ratio=ratio)
    plotting.check_plot(plot, output_format=output_format)
    output = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    from scaleplan.cli.output import emit
    from scaleplan.errors import UsageError

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
    if family is not family_options.FamilyName.LANGUAGE:
        from scaleplan.cli.by_examples import plan_by_examples

        if gpus is None:
            raise UsageError("--family needs --gpus", hint="For example --gpus 8,64.")
        by_examples = plan_by_examples(
            context, family, accelerators=chosen.accelerators, gpus=gpus.values, batch=batch,
            mfu=chosen.mfu, price=chosen.price, country=chosen.country, pue=chosen.pue,
        )  # fmt: skip
        return emit(by_examples, output)
    family_options.refuse_without_family(context)
    from scaleplan.advice import concerning, plan_notes
    from scaleplan.cli.sources import further_inputs_of
    from scaleplan.planning.answers import answer_plan
    from scaleplan.planning.wish import Machines, Wish

    used = _fit(fit, law)
    model = shape_options.sized(
        shape, count=flop_count, params=params, active_params=active_params,
        sequence_length=sequence_length, fit=used,
    )  # fmt: skip
    wish = Wish(
        params=model.params, active_params=model.active_params, tokens=tokens, ratio=ratio,
        flops=flops, target=target, days=days, max_usd=max_usd,
        inference_tokens=inference_tokens, unique_tokens=unique_tokens,
    )  # fmt: skip
    machines = Machines(
        accelerators=chosen.accelerators, gpus=() if gpus is None else gpus.values,
        mfu=chosen.mfu, mfu_gpus=chosen.mfu_gpus, usd_per_hour=chosen.price, batch_tokens=batch,
        sequence_length=model.sequence_length, country=chosen.country, pue=chosen.pue,
        setup=chosen.setup, ranked=chosen.ranked, shape=model.shape,
    )  # fmt: skip
    others = {} if unique_tokens is not None else further_inputs_of(used, given or [])
    plan = shape_options.with_shape(answer_plan(used, wish, machines, others=others), model)
    if serve or any((serve_context, serve_sequences, serve_gpus, serve_precision, kv_precision)):
        plan = shape_options.served(
            plan, used, context=serve_context, sequences=serve_sequences, gpus=serve_gpus,
            precisions=serve_precision, kv_precision=kv_precision,
            accelerators=chosen.accelerators, price=chosen.price, others=others,
        )  # fmt: skip
    about = concerning(used, plan.forecast.points, best_size=wish.leaves_the_split)
    notes = joined_notes(plan.notes, plan_notes(plan, used), about)
    return emit(replace(plan, notes=notes), output, plotting.plot_plan(plan, used, plot))


def _fit(file: str | None, law: str | None) -> Fit:
    """Return the saved fit, or the published law."""
    if file is not None:
        from scaleplan.cli.sources import saved_fit
        from scaleplan.planning.samples import check_plan

        used = saved_fit(file)
        check_plan(used)
        return used
    from scaleplan.catalog import published_law
    from scaleplan.planning.published import fit_from_published

    return fit_from_published(published_law(_DEFAULT_LAW if law is None else law))
