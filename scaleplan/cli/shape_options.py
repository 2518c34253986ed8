"""Options of `budget` for the model's shape and for serving it, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from scaleplan.cli import completion, values
from scaleplan.cli.boundary import OptionError
from scaleplan.errors import UsageError
from scaleplan.records.base import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scaleplan.planning.model_shape import GivenShape
    from scaleplan.records import Accelerator, Fit, Plan
    from scaleplan.records.deployments import Precision
    from scaleplan.records.shapes import Accounting, ModelShape

SEQUENCE_LENGTH = 4096  # tokens; the context that most published runs of 2023 to 2025 began with
_SERVED_TOGETHER = (1, 64)  # a person waiting, and a busy server


@unique
class FlopCountName(StrEnum):
    """How FLOP are counted; the values are those of records.shapes.Accounting."""

    SIX_N_D = "6nd"
    CAUSAL = "causal"
    FULL = "full"
    KAPLAN = "kaplan"
    CHINCHILLA = "chinchilla"
    MEGATRON = "megatron"

    @property
    def accounting(self) -> Accounting:
        """Return the record's own name for it."""
        from scaleplan.records.shapes import Accounting

        found: Accounting = next(name for name in get_args(Accounting) if name == self.value)
        return found


ShapeOption = Annotated[
    str | None,
    typer.Option(
        "--shape", metavar="KEY=VALUE,...|FILE|NAME", autocompletion=completion.shapes,
        help="The transformer: L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=128256,context=8192, "
        "with experts=8,topk=2 for a mixture; a model's config.json; or a published one such as "
        "llama3-8b. Default: a Llama-like one near --params.",
    ),
]  # fmt: skip
FlopCountOption = Annotated[
    FlopCountName,
    typer.Option(
        "--flop-count",
        help="How training FLOP are counted: 6 x parameters x tokens, every product with the "
        "causal half or the full matrix of attention scores, or as in these papers.",
    ),
]
SequenceLengthOption = Annotated[
    int | None,
    typer.Option(
        "--sequence-length", parser=values.whole, metavar="INTEGER",
        help=f"Tokens in one sequence. Default: the shape's context (at most {SEQUENCE_LENGTH} of "
        f"a config.json, which may name one reached after training), else {SEQUENCE_LENGTH}.",
    ),
]  # fmt: skip
ServeOption = Annotated[
    bool,
    typer.Option(
        "--serve", help="Add memory, latency and throughput of serving the model, by precision."
    ),
]
ServeContextOption = Annotated[
    int | None,
    typer.Option(
        "--serve-context", parser=values.whole, metavar="INTEGER",
        help="Tokens in the cache of each served sequence. Default: those of training.",
    ),
]  # fmt: skip
ServeSequencesOption = Annotated[
    values.Counts | None,
    typer.Option(
        "--serve-sequences", parser=values.counts, metavar="INTEGER,...",
        help="Sequences decoded together. Default: 1,64.",
    ),
]  # fmt: skip
ServeGpusOption = Annotated[
    int | None,
    typer.Option(
        "--serve-gpus", parser=values.whole, metavar="INTEGER",
        help="Accelerators that serve one copy of the model. Default: the fewest that hold it.",
    ),
]  # fmt: skip
ServePrecisionOption = Annotated[
    values.Names | None,
    typer.Option(
        "--serve-precision", parser=values.names, metavar="NAME,...",
        help="Precision of the weights: bf16, fp8, int8, int4. Default: each of them.",
    ),
]  # fmt: skip
KvPrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--kv-precision", metavar="NAME",
        help="Precision of the cache of keys and values. Default: that of the weights.",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Sized(Record):
    """A plan's model before planning: its sizes, and its shape where they give one."""

    params: float | None
    active_params: float | None
    sequence_length: int
    given: GivenShape | None
    shape: ModelShape | None


def sized(
    text: str | None, *, count: FlopCountName, params: float | None, active_params: float | None,
    sequence_length: int | None, fit: Fit,
) -> Sized:  # fmt: skip
    """Return the sizes that a shape and the size options agree on.

    The share of active parameters is that of the runs of `fit` where neither gives it.

    Raises:
        UsageError: If they do not agree, or FLOP are to be counted for a model of no size.
        InputError: If the shape is a file that is not usable.
    """
    from scaleplan.planning.active import active_share
    from scaleplan.planning.model_shape import agreed_size, find_shape, shape_of

    length = sequence_length or SEQUENCE_LENGTH
    given = None
    if text is not None:
        given = find_shape(text, context=length)
        params, active_params = agreed_size(given, params=params, active_params=active_params)
        length = sequence_length or given.transformer.context
        _check_positions(given, length)
    if params is None:
        if count is not FlopCountName.SIX_N_D:
            message = f"--flop-count {count.value} needs the model's size"
            raise UsageError(message, hint="Give --params or --shape as well.")
        return Sized(
            params=None, active_params=active_params, sequence_length=length, given=None, shape=None
        )
    active = params * active_share(fit) if active_params is None else min(active_params, params)
    shape = shape_of(
        given, params=params, active_params=active, sequence_length=length,
        accounting=count.accounting,
    )  # fmt: skip
    return Sized(
        params=params, active_params=active_params, sequence_length=length, given=given, shape=shape
    )


def _check_positions(given: GivenShape, length: int) -> None:
    model = given.transformer
    if model.positions == "learned" and length > model.context:
        message = f"--sequence-length {length} is more than the {model.context} learned positions"
        raise UsageError(message, hint="Give a shorter one, or leave it out.")


def served(
    plan: Plan, fit: Fit, *, context: int | None, sequences: values.Counts | None,
    gpus: int | None,
    precisions: values.Names | None, kv_precision: str | None,
    accelerators: Sequence[Accelerator], price: float | None,
    others: Mapping[str, float] | None,
) -> Plan:  # fmt: skip
    """Return a plan with what serving its model takes.

    Args:
        plan: A plan with its model's shape.
        fit: What predicts its performance.
        context: Tokens in the cache of each sequence; None is those of training.
        sequences: Numbers of sequences decoded together.
        gpus: Accelerators that serve one copy; None takes the fewest that hold it.
        precisions: Of the weights.
        kv_precision: Of the cache.
        accelerators: With what.
        price: The user's price of an accelerator-hour.
        others: What the law needs besides parameters and tokens.
    """
    if plan.shape is None:
        return plan
    from scaleplan.planning.active import with_flop_count, with_share
    from scaleplan.planning.deployment import BYTES
    from scaleplan.planning.size_speed import deploy

    used = with_share(
        with_flop_count(fit, plan.flops / plan.active_params / plan.tokens),
        plan.active_params / plan.params,
    )
    names = tuple(BYTES) if precisions is None else precisions.values
    deployment, assumptions = deploy(
        plan.shape, used, flops=plan.flops, accelerators=accelerators,
        context=context or plan.shape.sequence_length,
        sequences=_SERVED_TOGETHER if sequences is None else sequences.values,
        precisions=tuple(_precision("--serve-precision", name) for name in names),
        kv_precision=None if kv_precision is None else _precision("--kv-precision", kv_precision),
        usd_per_hour=price, gpus=gpus, others=others,
    )  # fmt: skip
    return replace(plan, deployment=deployment, assumptions=(*plan.assumptions, *assumptions))


def with_shape(plan: Plan, model: Sized) -> Plan:
    """Return a plan with its model's shape: the one it was planned with, or one near its size."""
    from scaleplan.planning.model_shape import shape_of

    shape = model.shape or shape_of(
        None, params=plan.params, active_params=plan.active_params,
        sequence_length=model.sequence_length, accounting="6nd",
    )  # fmt: skip
    return replace(plan, shape=shape)


def _precision(option: str, name: str) -> Precision:
    from scaleplan.planning.deployment import BYTES

    for known in BYTES:
        if name.strip().lower() == known:
            return known
    message = f"{option} {name[:40]!r} is not known"
    raise OptionError(message, hint=f"Known: {', '.join(BYTES)}.")
