"""Options of `budget` for models that are not language models."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated

import typer

from scaleplan.cli import values
from scaleplan.errors import UsageError


@unique
class FamilyName(StrEnum):
    """Kind of model; all but language are those of records.families.Family."""

    LANGUAGE = "language"
    VIT = "vit"
    CNN = "cnn"
    RECOMMENDER = "recommender"
    OTHER = "other"


FamilyOption = Annotated[
    FamilyName,
    typer.Option(
        "--family",
        help="Kind of model. All but language are planned by --examples and --epochs, from the "
        "FLOP of one example, not by 6 x parameters x tokens.",
    ),
]
ForwardFlopsOption = Annotated[
    float | None,
    typer.Option(
        "--forward-flops", parser=values.positive, metavar="NUMBER",
        help="FLOP of one forward pass of one example (cnn, vit, other).",
    ),
]  # fmt: skip
MacsOption = Annotated[
    bool,
    typer.Option("--macs", help="--forward-flops counts multiply-adds, which are 2 FLOP each."),
]
ActivationsOption = Annotated[
    float | None,
    typer.Option(
        "--activations", parser=values.positive, metavar="NUMBER",
        help="Values that all convolutions of one example write (cnn): 11.1M for ResNet-50.",
    ),
]  # fmt: skip
ExamplesOption = Annotated[
    float | None,
    typer.Option(
        "--examples", parser=values.positive, metavar="NUMBER",
        help="Examples of the data set, for example 1.28M images.",
    ),
]  # fmt: skip
EpochsOption = Annotated[
    float | None,
    typer.Option(
        "--epochs", parser=values.positive, metavar="NUMBER",
        help="Passes over the examples. Default: 1.",
    ),
]  # fmt: skip
ImageSizeOption = Annotated[
    int | None,
    typer.Option(
        "--image-size", parser=values.whole, metavar="PIXELS",
        help="Width of an image (vit, cnn). Default: the shape's, else 224.",
    ),
]  # fmt: skip
PatchSizeOption = Annotated[
    int | None,
    typer.Option(
        "--patch-size", parser=values.whole, metavar="PIXELS",
        help="Width of a patch (vit). Default: the shape's, else 16.",
    ),
]  # fmt: skip
DenseParamsOption = Annotated[
    float | None,
    typer.Option(
        "--dense-params", parser=values.positive, metavar="NUMBER",
        help="Parameters of a recommender's dense layers.",
    ),
]  # fmt: skip
EmbeddingRowsOption = Annotated[
    float | None,
    typer.Option(
        "--embedding-rows", parser=values.positive, metavar="NUMBER",
        help="Rows of all embedding tables (recommender).",
    ),
]  # fmt: skip
EmbeddingWidthOption = Annotated[
    float | None,
    typer.Option(
        "--embedding-width", parser=values.positive, metavar="NUMBER",
        help="Values of an embedding row (recommender).",
    ),
]  # fmt: skip
LookupsOption = Annotated[
    float | None,
    typer.Option(
        "--lookups", parser=values.positive, metavar="NUMBER",
        help="Embedding rows that one example reads (recommender).",
    ),
]  # fmt: skip


# Options that only make sense with a family.
OWN = (
    "forward_flops", "macs", "activations", "examples", "epochs", "image_size", "patch_size",
    "dense_params", "embedding_rows", "embedding_width", "lookups",
)  # fmt: skip


def typed_options(context: typer.Context) -> dict[str, str]:
    """Return the options that were typed: the name of each value, and the option as it is written.

    Args:
        context: The command that runs.
    """
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            found[parameter.name or ""] = parameter.opts[0]
    return found


def refuse_without_family(context: typer.Context) -> None:
    """Refuse the options of the other families for a language model.

    Args:
        context: The command that runs.

    Raises:
        UsageError: If one of them was typed.
    """
    typed = [option for name, option in typed_options(context).items() if name in OWN]
    if typed:
        message = f"{typed[0]} needs --family"
        raise UsageError(message, hint="For example --family cnn, vit, recommender or other.")
