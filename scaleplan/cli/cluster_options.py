"""Options of `scaleplan budget` about the cluster: memory, layout, failures, storage, a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, unique
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli import completion, values
from scaleplan.cli.boundary import OptionError
from scaleplan.errors import UsageError
from scaleplan.records.base import Record

if TYPE_CHECKING:
    from scaleplan.records import Accelerator, Cluster, TrainingSetup

_PART = re.compile(r"(tp|pp|dp|ep|cp)\s*=?\s*(\S+)")
_LAYOUT_HINT = "For example --layout tp=8,pp=12; dp, ep and cp may be given, or auto or fsdp."


@unique
class RecomputeName(StrEnum):
    """Which activations are computed again; the values are those of records.Recompute."""

    NONE = "none"
    SELECTIVE = "selective"
    FULL = "full"

    @property
    def as_recompute(self) -> Recompute:
        """Return the record's own name for it."""
        match self:
            case RecomputeName.NONE:
                return "none"
            case RecomputeName.SELECTIVE:
                return "selective"
            case RecomputeName.FULL:
                return "full"


if TYPE_CHECKING:
    from scaleplan.records import Recompute


@unique
class GradientName(StrEnum):
    """What gradients are kept in."""

    BF16 = "bf16"
    FP32 = "fp32"


_GRADIENT_BYTES = {GradientName.BF16: 2.0, GradientName.FP32: 4.0}


@unique
class ZeroStage(Enum):
    """What copies of the model share."""

    NOTHING = "0"
    OPTIMIZER = "1"
    GRADIENTS = "2"
    WEIGHTS = "3"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LayoutChoice(Record):
    """A layout as it was typed; None is searched for."""

    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: int | None = None
    context: int | None = None
    fsdp_only: bool = False


def layout(text: str | LayoutChoice) -> LayoutChoice:
    """Read `auto`, `fsdp` or the degrees of parallelism, as `tp=8,pp=12` or `TP8 x PP12`."""
    if isinstance(text, LayoutChoice):
        return text
    shown = text.strip().lower()
    if shown == "auto":
        return LayoutChoice()
    if shown in {"fsdp", "zero3", "zero-3"}:
        return LayoutChoice(fsdp_only=True)
    found: dict[str, int] = {}
    for part in re.split(r"\s*,\s*|\s+x\s+|\s+", shown):
        match = _PART.fullmatch(part)
        if match is None or match.group(1) in found:
            wrong = f"{part[:20]!r} is not tp, pp, dp, ep or cp, once"
            raise OptionError(f"{text[:60]!r} is not a layout: {wrong}", hint=_LAYOUT_HINT)
        found[match.group(1)] = values.whole(match.group(2))
    return LayoutChoice(
        tensor=found.get("tp"), pipeline=found.get("pp"), data=found.get("dp"),
        expert=found.get("ep"), context=found.get("cp"),
    )  # fmt: skip


ClusterOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="YAML file with your own accelerators, prices, MFU, node."),
]
OptimizerOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=completion.optimizers,
        help="adamw, adamw_8bit, adafactor, muon, lion or sgd. Default: adamw.",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="mixed (bf16 weights and an fp32 copy), fp32, bf16 (no copy) or fp8 (as mixed, with "
        "products in FP8 on parts that have them). Default: mixed.",
    ),
]
GradientsOption = Annotated[
    GradientName | None,
    typer.Option(help="What gradients are kept in. Default: as the weights."),
]
RecomputeOption = Annotated[
    RecomputeName | None,
    typer.Option(help="Activations computed again. Default: none, or full where needed."),
]
ZeroOption = Annotated[
    ZeroStage | None,
    typer.Option(help="ZeRO stage. Default: 1, or 3 where needed."),
]
FlashOption = Annotated[
    bool,
    typer.Option(
        "--flash-attention/--no-flash-attention", help="Whether attention scores are never kept."
    ),
]
SequenceParallelOption = Annotated[
    bool,
    typer.Option(
        "--sequence-parallel/--no-sequence-parallel",
        help="Whether tensor parallelism splits all activations.",
    ),
]
LayoutOption = Annotated[
    LayoutChoice | None,
    typer.Option(
        parser=layout,
        metavar="tp=N,pp=N,...",
        help="Parallel layout: tp, pp, dp, ep and cp, or fsdp alone. Default: searched.",
    ),
]
MicroBatchOption = Annotated[
    int | None,
    typer.Option(
        parser=values.whole, metavar="INTEGER", help="Sequences at once on a device. Default: 1."
    ),
]
ExpertsOption = Annotated[
    int | None,
    typer.Option(
        parser=values.whole, metavar="INTEGER", help="Experts of each layer, for the layout."
    ),
]
NodeSizeOption = Annotated[
    int | None,
    typer.Option(parser=values.whole, metavar="INTEGER", help="Accelerators in a node."),
]
MtbfOption = Annotated[
    float | None,
    typer.Option(
        parser=values.positive,
        metavar="HOURS",
        help="Accelerator-hours between failures: 50000 is one a day on 2083.",
    ),
]
CheckpointOption = Annotated[
    float | None,
    typer.Option(
        parser=values.positive,
        metavar="SECONDS",
        help="How long a checkpoint stops training. Default: until it is written, a minute at "
        "most.",
    ),
]
RestartOption = Annotated[
    float | None,
    typer.Option(
        parser=values.positive, metavar="MINUTES", help="From a failure until training goes on."
    ),
]
StorageOption = Annotated[
    float | None,
    typer.Option(parser=values.positive, metavar="GB/S", help="Bandwidth of the storage."),
]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ClusterChoice(Record):
    """What the command line and the cluster file say together; the command line comes first."""

    accelerators: tuple[Accelerator, ...]
    ranked: bool
    mfu: float | None
    mfu_gpus: int | None
    price: float | None
    country: str | None
    pue: float | None
    setup: TrainingSetup


def setup_of(
    *, optimizer: str | None, precision: str | None, gradients: GradientName | None,
    recompute: RecomputeName | None, zero: ZeroStage | None, layout: LayoutChoice | None,
    flash_attention: bool, sequence_parallel: bool, micro_batch: int | None,
    experts: int | None, node_size: int | None, mtbf: float | None,
    checkpoint_seconds: float | None, restart_minutes: float | None, storage: float | None,
) -> TrainingSetup:  # fmt: skip
    """Return what the options say about the set-up."""
    from scaleplan.records import TrainingSetup

    layout = layout or LayoutChoice()
    return TrainingSetup(
        optimizer=optimizer, precision=precision,
        gradient_bytes=None if gradients is None else _GRADIENT_BYTES[gradients],
        recompute=None if recompute is None else recompute.as_recompute,
        flash_attention=flash_attention, sequence_parallel=sequence_parallel,
        zero=None if zero is None else int(zero.value), tensor=layout.tensor,
        pipeline=layout.pipeline, data=layout.data, expert=layout.expert, context=layout.context,
        fsdp_only=layout.fsdp_only, micro_batch=micro_batch, experts=experts,
        node_size=node_size, failure_gpu_hours=mtbf, checkpoint_seconds=checkpoint_seconds,
        restart_minutes=restart_minutes, storage_gbs=storage,
    )  # fmt: skip


def choose_cluster(
    file: str | None, *, gpu: str | None, mfu: float | None, price: float | None,
    country: str | None, pue: float | None, setup: TrainingSetup,
) -> ClusterChoice:  # fmt: skip
    """Return the cluster to plan with.

    Args:
        file: The user's cluster file.
        gpu: Accelerators as they were typed.
        mfu: The user's MFU.
        price: The user's price of an accelerator-hour.
        country: Where the power comes from.
        pue: Power usage effectiveness.
        setup: What the options say about the set-up.
    """
    if file is None:
        return ClusterChoice(
            accelerators=_accelerators(gpu, None), ranked=_all(gpu), mfu=mfu, mfu_gpus=None,
            price=price, country=country, pue=pue, setup=setup,
        )  # fmt: skip
    from scaleplan.clusterfile import load_cluster

    cluster = load_cluster(file)
    return ClusterChoice(
        accelerators=_accelerators(gpu, cluster), ranked=_all(gpu or cluster.gpu),
        mfu=cluster.mfu if mfu is None else mfu,
        mfu_gpus=cluster.mfu_gpus if mfu is None else None,
        price=cluster.usd_per_hour if price is None else price,
        country=country or cluster.country, pue=cluster.pue if pue is None else pue,
        setup=replace(
            setup, node_size=setup.node_size or cluster.node_size,
            failure_gpu_hours=setup.failure_gpu_hours or cluster.mtbf_gpu_hours,
            checkpoint_seconds=setup.checkpoint_seconds or cluster.checkpoint_seconds,
            restart_minutes=setup.restart_minutes or cluster.restart_minutes,
            storage_gbs=setup.storage_gbs or cluster.storage_gbs,
        ),
    )  # fmt: skip


def _all(names: str | None) -> bool:
    return names is not None and names.strip().lower() == "all"


def _accelerators(names: str | None, cluster: Cluster | None) -> tuple[Accelerator, ...]:
    """Return the accelerators that were named, each once; the user's own come first."""
    from scaleplan.catalog import accelerator, accelerators, default_accelerator

    own = {} if cluster is None else {part.id: part for part in cluster.accelerators}
    wanted = names if names is not None or cluster is None else cluster.gpu
    if wanted is None:
        return tuple(own.values()) or (default_accelerator(),)
    if _all(wanted):
        return (*own.values(), *(part for part in accelerators() if part.id not in own))
    found: dict[str, Accelerator] = {}
    for name in values.split_list(wanted):
        try:
            part = own[name] if name in own else accelerator(name)
        except UsageError as error:
            if not own:
                raise
            hint = f"{error.hint} The cluster file has {', '.join(own)}."
            raise UsageError(error.message, hint=hint) from error
        found[part.id] = part
    return tuple(found.values())
