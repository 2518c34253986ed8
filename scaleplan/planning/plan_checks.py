"""What a plan refuses: numbers that no training run can have."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaleplan.catalog import grid_intensity, planning_choice
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.layout_checks import check_layout
from scaleplan.planning.layouts import largest_cluster
from scaleplan.planning.memory import MemoryModel
from scaleplan.records import TrainingSetup
from scaleplan.units import format_count

# More than all accelerators of any cluster; a larger count is a slip of the keyboard.
MOST_GPUS = 10_000_000
_LARGEST_ZERO = 3
# Clusters of up to 200,000 accelerators train one model (xAI 2025, Colossus); below that, idle
# accelerators are shown as such.
_LARGEST_CLUSTER = 200_000
# What people ask an optimizer of, and is none: a few parameters trained beside frozen ones.
_ADAPTERS = frozenset({"lora", "qlora", "dora", "ia3", "peft", "adapter", "adapters"})


def check_amounts(amounts: dict[str, float]) -> None:
    """Refuse sizes that are not finite numbers above 0.

    Args:
        amounts: Name to value.
    """
    for name, value in amounts.items():
        if not math.isfinite(value) or value <= 0.0:
            message = f"{name} is {value:g}; it must be a finite number above 0"
            raise UsageError(message, hint="For example 10B, 1.4T or 1e22.")


def check_options(
    *, mfu: float | None, usd_per_hour: float | None, batch_tokens: float | None,
    pue: float | None, country: str | None, sequence_length: int,
) -> None:  # fmt: skip
    """Refuse options whose value is not allowed, each with what is."""
    if mfu is not None and not 0.0 < mfu <= 1.0:
        message = f"an MFU of {mfu:g} is not allowed; it must be above 0 and at most 1"
        hint = "It is a share of the dense peak: 0.4 or 40%, not 40."
        raise UsageError(message, hint=hint)
    if usd_per_hour is not None and not 0.0 < usd_per_hour < math.inf:
        message = f"a price of {usd_per_hour:g} $/h is not allowed; it must be above 0"
        hint = "Leave --price out for the catalogue's price, or give your own cost per hour."
        raise UsageError(message, hint=hint)
    if batch_tokens is not None and not 0.0 < batch_tokens < math.inf:
        message = f"a batch of {batch_tokens:g} tokens is not allowed; it must be above 0"
        raise UsageError(message, hint="Give the global batch in tokens, for example 4M.")
    if pue is not None and not 1.0 <= pue < math.inf:
        message = f"a PUE of {pue:g} is not allowed; it must be at least 1"
        raise UsageError(message, hint="Power of the whole site over that of the machines.")
    if sequence_length < 1:
        message = f"a sequence length of {sequence_length} is not allowed"
        raise UsageError(message, hint="Give the tokens per sequence, for example 4096.")
    grid_intensity(country)  # an unknown country is refused even where no power is known


def check_setup(setup: TrainingSetup) -> None:
    """Refuse a set-up with numbers that nothing can have.

    Raises:
        UsageError: If an optimizer or a precision is not known, or a number is not allowed.
    """
    _check_trains_all(setup.optimizer)
    planning_choice("optimizer", setup.optimizer)
    planning_choice("precision", setup.precision)
    if setup.zero is not None and not 0 <= setup.zero <= _LARGEST_ZERO:
        message = f"ZeRO stage {setup.zero} does not exist; there are 0, 1, 2 and 3"
        raise UsageError(message, hint="1 shares the optimiser, 2 gradients too, 3 weights too.")
    if setup.fsdp_only and setup.zero not in (None, _LARGEST_ZERO):
        message = f"--layout fsdp shares weights, which is ZeRO-3, and --zero {setup.zero} does not"
        hint = f"Leave --zero out, or give --layout tp=1,pp=1 --zero {setup.zero}."
        raise UsageError(message, hint=hint)
    amounts = {
        "gradient bytes": setup.gradient_bytes, "tp": setup.tensor, "pp": setup.pipeline,
        "dp": setup.data, "ep": setup.expert, "cp": setup.context,
        "micro-batch": setup.micro_batch,
        "experts": setup.experts, "node size": setup.node_size,
        "hours between failures": setup.failure_gpu_hours,
        "checkpoint seconds": setup.checkpoint_seconds,
        "restart minutes": setup.restart_minutes, "storage bandwidth": setup.storage_gbs,
    }  # fmt: skip
    check_amounts({name: value for name, value in amounts.items() if value is not None})


def _check_trains_all(optimizer: str | None) -> None:
    """Refuse adapters by name, with what full training says about them.

    Frozen weights keep 2 bytes and no gradient or optimiser; their own gradients are not computed,
    2 of 6 FLOP (Hu et al. 2021, arXiv 2106.09685, section 4.2).
    """
    if optimizer is None or "".join(filter(str.isalnum, optimizer.lower())) not in _ADAPTERS:
        return
    raise UsageError(
        f"{optimizer!r} is no optimizer, and adapters are out of scope: a plan trains all "
        "parameters",
        hint="Plan full training: an adapter takes at least two thirds of its time (4 of 6 FLOP) "
        "and, without gradients and optimiser of the frozen weights, at most its memory.",
    )


def check_counts(gpus: Sequence[int]) -> tuple[int, ...]:
    """Return the counts as whole numbers.

    Raises:
        UsageError: If there is none, or one that is no count of accelerators.
    """
    if not gpus:
        message = "no number of accelerators was given"
        raise UsageError(message, hint="For example --gpus 8 or --gpus 64,256,1000.")
    for count in gpus:
        # NaN and infinity fail the comparison before they are made whole.
        if isinstance(count, bool) or not 1 <= count <= MOST_GPUS or count != int(count):
            message = (
                f"{count} accelerators are not allowed; it must be a whole number from 1 to "
                f"{MOST_GPUS:,}"
            )
            raise UsageError(message, hint="For example --gpus 8 or --gpus 64,256,1000.")
    return tuple(int(count) for count in gpus)


def check_cluster(model: MemoryModel, setup: TrainingSetup, asked: Sequence[int]) -> None:
    """Refuse a layout that no cluster has, and clusters that a step cannot give work to.

    Args:
        model: The model and its batch.
        setup: What of the layout is given.
        asked: The counts that the user named.

    Raises:
        UsageError: If the layout contradicts itself or the shape.
        PlanError: If even the smallest count is more than could have work.
    """
    if setup.experts is not None and model.shape.experts not in (None, setup.experts):
        message = f"{setup.experts} experts contradict the {model.shape.experts} of the shape"
        raise UsageError(message, hint="Leave out --experts, or change experts= of --shape.")
    check_layout(model, setup)
    most = largest_cluster(model, setup)
    if min(asked) > max(most, _LARGEST_CLUSTER):
        batch = format_count(model.sequences * model.sequence_length)
        message = (
            f"{min(asked):,} accelerators cannot all have work: a step of {batch} tokens is "
            f"{model.sequences:,} sequences, enough for {most:,} however the model is spread"
        )
        hint = "Use fewer accelerators; a larger --batch gives work to more, at a loss."
        raise PlanError(message, hint=hint)
