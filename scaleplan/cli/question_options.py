"""Options of `scaleplan budget` that ask a question: deadline, money, target, lifetime, repeats."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan.cli import values

GpusOption = Annotated[
    values.Counts | None,
    typer.Option(
        parser=values.counts, metavar="INTEGER,...",
        help="Number of accelerators, for example 1000 or 64,256,1000. Default: the smallest "
        "cluster that ends within --days, or within 30 days.",
    ),
]  # fmt: skip
DaysOption = Annotated[
    float | None,
    typer.Option(
        parser=values.days, metavar="TIME",
        help="Deadline, for example 30 or 30d, 12h, 2w. Without --gpus it finds the smallest "
        "cluster; with --gpus and no size, the best model.",
    ),
]  # fmt: skip
MaxUsdOption = Annotated[
    float | None,
    typer.Option(
        "--max-usd", parser=values.money, metavar="USD",
        help="Money, for example 1M. Finds the best model that it buys, or checks the one given.",
    ),
]  # fmt: skip
TargetOption = Annotated[
    float | None,
    typer.Option(
        "--target-loss", "--target", parser=values.number, metavar="NUMBER",
        help="The metric to reach, whatever it is: finds the cheapest size and tokens.",
    ),
]  # fmt: skip
InferenceOption = Annotated[
    float | None,
    typer.Option(
        "--inference-tokens", parser=values.positive, metavar="NUMBER",
        help="Tokens read and written after training: finds the size of least compute over all.",
    ),
]  # fmt: skip
UniqueOption = Annotated[
    float | None,
    typer.Option(
        "--unique-tokens", parser=values.positive, metavar="NUMBER",
        help="Different tokens there are; training on more repeats them.",
    ),
]  # fmt: skip
