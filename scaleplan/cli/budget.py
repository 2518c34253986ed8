"""`scaleplan budget`: time, memory, cost and performance of a training run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import completion, family_options, options, shape_options, values

if TYPE_CHECKING:
    from scaleplan.records import Accelerator, Fit

EXAMPLES = """\b
Examples:
  scaleplan budget --gpus 1000 --params 1e10
  scaleplan budget --gpus 64,256,1000 --params 7B --ratio 100 --gpu h100 --price 2.5
  scaleplan budget --gpus 512 --flops 1e24 --fit fit.yaml --format json"""

_DEFAULT_LAW = "besiroglu_2024"


def budget_command(
    context: typer.Context,
    gpus: Annotated[
        values.Counts,
        typer.Option(
            parser=values.counts, metavar="INTEGER,...",
            help="Number of accelerators, for example 1000 or 64,256,1000.",
        ),
    ],
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
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Plan a training run: what it reaches, how long it takes, what it needs and costs."""
    values.refuse_together(fit=fit, law=law)
    values.refuse_together(tokens=tokens, ratio=ratio)
    output = options.Output(output_format=output_format, quiet=quiet, strict=strict)
    from scaleplan.cli.output import emit

    if family is not family_options.FamilyName.LANGUAGE:
        from scaleplan.cli.by_examples import plan_by_examples

        by_examples = plan_by_examples(
            context, family, accelerators=_accelerators(gpu), gpus=gpus.values, batch=batch,
            mfu=mfu, price=price, country=country, pue=pue,
        )  # fmt: skip
        return emit(by_examples, output)
    family_options.refuse_without_family(context)
    from scaleplan.advice import plan_notes
    from scaleplan.cli.sources import further_inputs_of, joined_notes, serious_notes
    from scaleplan.planning.assemble import assemble_plan

    model = shape_options.sized(
        shape, count=flop_count, params=params, active_params=active_params,
        sequence_length=sequence_length,
    )  # fmt: skip
    used, parts = _fit(fit, law), _accelerators(gpu)
    others = further_inputs_of(used, given or [])
    plan = assemble_plan(
        used, params=model.params, active_params=model.active_params, tokens=tokens, flops=flops,
        ratio=ratio, accelerators=parts, gpus=gpus.values, mfu=mfu, usd_per_hour=price,
        batch_tokens=batch, sequence_length=model.sequence_length, country=country, pue=pue,
        others=others, shape=model.shape,
    )  # fmt: skip
    plan = shape_options.with_shape(plan, model)
    if serve or any((serve_context, serve_sequences, serve_gpus, serve_precision, kv_precision)):
        plan = shape_options.served(
            plan, used, context=serve_context, sequences=serve_sequences, gpus=serve_gpus,
            precisions=serve_precision, kv_precision=kv_precision, accelerators=parts,
            price=price, others=others,
        )  # fmt: skip
    notes = joined_notes(plan.notes, plan_notes(plan, used), serious_notes(used))
    return emit(replace(plan, notes=notes), output)


def _fit(file: str | None, law: str | None) -> Fit:
    """Return the saved fit, or the published law."""
    if file is not None:
        from scaleplan.fitfile import load_fit

        return load_fit(file)
    from scaleplan.catalog import published_law
    from scaleplan.planning.published import fit_from_published

    return fit_from_published(published_law(_DEFAULT_LAW if law is None else law))


def _accelerators(names: str | None) -> tuple[Accelerator, ...]:
    """Return the accelerators that were named, each once."""
    from scaleplan.catalog import accelerator, accelerators, default_accelerator

    if names is None:
        return (default_accelerator(),)
    if names.strip().lower() == "all":
        return tuple(accelerators())
    found = [accelerator(name) for name in values.split_list(names)]
    return tuple({one.id: one for one in found}.values())
