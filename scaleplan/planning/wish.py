"""What is asked of a plan: the model as far as it is known, limits, and the machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from scaleplan.errors import UsageError
from scaleplan.planning.family import Model
from scaleplan.planning.plan import plan_rows
from scaleplan.planning.shape import shape_for_memory
from scaleplan.records import Accelerator, PlanRow, TrainingSetup
from scaleplan.records.base import Record

if TYPE_CHECKING:
    from scaleplan.records.shapes import ModelShape


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Wish(Record):
    """What was asked for; None is left open."""

    params: float | None = None
    active_params: float | None = None
    tokens: float | None = None
    ratio: float | None = None
    flops: float | None = None
    target: float | None = None
    days: float | None = None
    max_usd: float | None = None
    inference_tokens: float | None = None
    unique_tokens: float | None = None

    @property
    def leaves_the_split(self) -> bool:
        """Tell whether the law has to say how large the model is, or how long it is trained."""
        return self.params is None or (self.tokens is None and self.ratio is None)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Machines(Record):
    """What it is trained on; no counts means that one is to be found."""

    accelerators: tuple[Accelerator, ...]
    gpus: tuple[int, ...] = ()
    mfu: float | None = None
    mfu_gpus: int | None = None
    usd_per_hour: float | None = None
    batch_tokens: float | None = None
    sequence_length: int = 4096
    country: str | None = None
    pue: float | None = None
    setup: TrainingSetup | None = None
    ranked: bool = False
    shape: ModelShape | None = None

    @property
    def node(self) -> int | None:
        """Return the accelerators of a node, None for the default."""
        return None if self.setup is None else self.setup.node_size

    def row(self, model: Model, part: Accelerator, gpus: int) -> PlanRow:
        """Return the plan's row of a model on so many of one accelerator."""
        rows, _ = plan_rows(
            params=model.params, active_params=model.active_params, tokens=model.tokens,
            flops=model.flops, accelerators=[part], gpus=[gpus], mfu=self.mfu,
            mfu_gpus=self.mfu_gpus or (min(self.gpus) if self.gpus else gpus), setup=self.setup,
            usd_per_hour=self.usd_per_hour, batch_tokens=self.batch_tokens,
            sequence_length=self.sequence_length, country=self.country, pue=self.pue,
            shape=shape_for_memory(self.shape),
            over_6nd=1.0 if self.shape is None else self.shape.over_6nd,
        )  # fmt: skip
        return rows[0]

    def row_at(self, model: Model, part: Accelerator) -> Callable[[int], PlanRow]:
        """Return the plan's row of a model on one accelerator, by their number."""
        return partial(self.row, model, part)


# Nothing larger will be trained; such a number is a slip of the keyboard.
_LARGEST = {"params": 1e18, "active_params": 1e18, "tokens": 1e22, "flops": 1e36, "ratio": 1e12}
_CALLED = {"params": "parameters", "tokens": "tokens", "flops": "FLOP"}


def check_found(model: Model) -> None:
    """Refuse a model that follows from what was asked and is larger than any can be.

    Args:
        model: What money, time, a target or a ratio led to.

    Raises:
        UsageError: With what is too large.
    """
    for name in ("params", "tokens", "flops"):
        value, largest = getattr(model, name), _LARGEST[name]
        if value > largest:
            raise UsageError(
                f"what was asked for leads to {value:.3g} {_CALLED[name]}, more than {largest:g}, "
                "which no plan can be made for",
                hint="Check suffixes and exponents of the money, time, target or ratio.",
            )


def check_wish(wish: Wish) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: With the options and what to leave out.
    """
    for name, largest in _LARGEST.items():
        value = getattr(wish, name)
        if value is not None and value > largest:
            raise UsageError(
                f"--{name.replace('_', '-')} {value:.3g} is more than {largest:g}, which no plan "
                "can be made for",
                hint="Check the number's suffix or exponent.",
            )
    sized = [
        name for name, value in (
            ("--tokens", wish.tokens), ("--ratio", wish.ratio), ("--flops", wish.flops)
        ) if value is not None
    ]  # fmt: skip
    if wish.params is not None and len(sized) > 1:
        raise UsageError(
            f"{' and '.join(sized)} contradict each other",
            hint="With --params give at most one of them.",
        )
    if wish.target is not None and wish.flops is not None:
        raise UsageError(
            "--target-loss and --flops say the same thing twice",
            hint="The target determines the compute; give one of them.",
        )
    if wish.target is not None and wish.params is not None and sized:
        raise UsageError(
            f"--target-loss, --params and {sized[0]} say the same thing twice",
            hint="Any two of them determine the model.",
        )
    if wish.inference_tokens is not None and (wish.params is not None and wish.target is not None):
        raise UsageError(
            "--inference-tokens chooses the size for a target, and --params gives one",
            hint="Leave --params out.",
        )
    if wish.inference_tokens is not None and wish.target is not None and sized:
        raise UsageError(
            f"--inference-tokens chooses size and tokens for a target, and {sized[0]} ties them",
            hint=f"Leave {sized[0]} out, or leave --inference-tokens out.",
        )
    if wish.max_usd is not None and wish.target is not None:
        raise UsageError(
            "--max-usd and --target-loss both determine the model",
            hint="Give one; the plan of a target shows what it costs.",
        )
