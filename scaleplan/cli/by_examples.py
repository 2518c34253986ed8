"""`budget --family`: the plan of a model that is not a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaleplan.cli import values
from scaleplan.cli.family_options import OWN, FamilyName, typed_options
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from scaleplan.records import Accelerator, Note
    from scaleplan.records.families import ExampleModel, FamilyPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyChoice:
    """What the command line says about a model that is planned by examples."""

    family: FamilyName
    shape: str | None = None
    params: float | None = None
    forward_flops: float | None = None
    macs: bool = False
    activations: float | None = None
    examples: float | None = None
    epochs: float | None = None
    image_size: int | None = None
    patch_size: int | None = None
    dense_params: float | None = None
    embedding_rows: float | None = None
    embedding_width: float | None = None
    lookups: float | None = None


_TABLES = ("dense_params", "embedding_rows", "embedding_width", "lookups")
# What each family takes besides examples and epochs.
_TAKES = {
    FamilyName.VIT: ("shape", "params", "forward_flops", "macs", "image_size", "patch_size"),
    FamilyName.CNN: ("shape", "params", "forward_flops", "macs", "activations", "image_size"),
    FamilyName.OTHER: ("params", "forward_flops", "macs"),
    FamilyName.RECOMMENDER: _TABLES,
}


# What every family takes: the cluster and the output.
_COMMON = (
    "examples", "epochs", "family", "gpus", "gpu", "mfu", "price", "batch", "country", "pue",
    "cluster", "output_format", "quiet", "strict", "seed",
)  # fmt: skip


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def plan_by_examples(
    context: typer.Context, family: FamilyName, *, accelerators: Sequence[Accelerator],
    gpus: Sequence[int], batch: float | None, mfu: float | None, price: float | None,
    country: str | None, pue: float | None,
) -> FamilyPlan:  # fmt: skip
    """Return the plan of a model that is not a language model.

    Args:
        context: The command that runs, whose typed options are all looked at.
        family: Kind of model.
        accelerators: One row each for every count.
        gpus: Accelerator counts; for a single one, counts around it are planned as well.
        batch: Examples in a step.
        mfu: The user's steady model-FLOP utilisation.
        price: The user's price of an accelerator-hour.
        country: Where the power comes from.
        pue: Power usage effectiveness.

    Raises:
        UsageError: If an option is missing, or does not belong to the family.
    """
    from scaleplan.planning.families import plan_family, with_notes
    from scaleplan.planning.plan import gpu_counts_around

    for name, option in typed_options(context).items():
        if name not in (*_TAKES[family], *_COMMON):
            message = f"{option} says nothing about --family {family.value}"
            takes = ", ".join(map(_option, (*_TAKES[family], "examples", "epochs")))
            raise UsageError(message, hint=f"It takes {takes}.")
    choice = FamilyChoice(
        family=family, shape=context.params["shape"], params=context.params["params"],
        **{name: context.params[name] for name in OWN},
    )  # fmt: skip
    if choice.examples is None:
        message = f"--family {family.value} needs --examples"
        raise UsageError(message, hint="For example --examples 1.28M --epochs 90.")
    model, notes = _model(choice)
    alone = len(gpus) == 1 and len(accelerators) == 1
    plan = plan_family(
        model, examples=choice.examples, epochs=choice.epochs or 1.0, accelerators=accelerators,
        gpus=tuple(gpus), around=gpu_counts_around(gpus[0]) if alone else (), batch=batch, mfu=mfu,
        usd_per_hour=price, country=country, pue=pue,
    )  # fmt: skip
    return with_notes(plan, notes)


def _model(choice: FamilyChoice) -> tuple[ExampleModel, tuple[Note, ...]]:
    """Return what one example takes."""
    values.refuse_together(shape=choice.shape, forward_flops=choice.forward_flops)
    if choice.family is FamilyName.RECOMMENDER:
        return _recommender(choice), ()
    if choice.macs and choice.forward_flops is None:
        message = "--macs needs --forward-flops"
        raise UsageError(message, hint="For example --forward-flops 4.1G --macs.")
    if choice.activations is not None and choice.forward_flops is None:
        message = "--activations needs --forward-flops"
        hint = "For example --forward-flops 386M --macs --activations 6.75M."
        raise UsageError(message, hint=hint)
    if choice.forward_flops is not None:
        from scaleplan.planning.families import by_flops

        return by_flops(
            choice.forward_flops, macs=choice.macs, params=choice.params,
            family=choice.family.value, activations=choice.activations,
        )  # fmt: skip
    if choice.shape is not None:
        values.refuse_together(shape=choice.shape, params=choice.params)
        return _shaped(choice, choice.shape), ()
    if choice.family is FamilyName.VIT and choice.params is not None:
        from scaleplan.planning.families import by_patches
        from scaleplan.planning.image_models import patch_count

        size, patch = choice.image_size or _IMAGE, choice.patch_size or _PATCH
        return by_patches(choice.params, patch_count(size, patch)), ()
    example = {
        FamilyName.VIT: "--shape vit-b-16, or --params 632M --image-size 224 --patch-size 14",
        FamilyName.CNN: "--shape resnet-50, or --forward-flops 4.1G --macs",
    }
    message = f"--family {choice.family.value} needs the FLOP of one example"
    hint = f"For example {example.get(choice.family, '--forward-flops 8.2G')}."
    raise UsageError(message, hint=hint)


_IMAGE, _PATCH = 224, 16  # pixels; ViT-B/16 as published


def _shaped(choice: FamilyChoice, text: str) -> ExampleModel:
    from scaleplan.planning.architectures import architecture
    from scaleplan.planning.image_models import convolutional_network, vision_transformer

    origin, source = "--shape", ""
    if "=" not in text:
        published = architecture(text)
        if published.family != choice.family.value:
            message = f"{published.id} is no {choice.family.value}"
            raise UsageError(message, hint=f"Use --family {published.family}.")
        origin, source, text = published.id, published.source, published.shape
    if choice.family is FamilyName.VIT:
        return vision_transformer(
            text, image=choice.image_size, patch=choice.patch_size, origin=origin, source=source
        )
    return convolutional_network(text, image=choice.image_size, origin=origin, source=source)


def _recommender(choice: FamilyChoice) -> ExampleModel:
    from scaleplan.planning.recommender import recommender_model

    dense, rows = choice.dense_params, choice.embedding_rows
    width, lookups = choice.embedding_width, choice.lookups
    if dense is None or rows is None or width is None or lookups is None:
        missing = next(name for name in _TABLES if getattr(choice, name) is None)
        raise UsageError(
            f"--family recommender needs {_option(missing)}",
            hint="For example --dense-params 10M --embedding-rows 1B --embedding-width 128 "
            "--lookups 40.",
        )
    return recommender_model(dense, rows=rows, width=width, lookups=lookups)
