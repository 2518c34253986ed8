"""What matrix products in FP8 add to the speed of a training in bf16.

Recipes of today keep weights, gradients and states as in mixed precision and multiply the matrices
of linear layers in FP8, casting both sides before: torchtitan's Llama 3.1 8B takes 76.8 GiB with
it and 77.0 without (github.com/pytorch/torchtitan, benchmarks). Attention stays in bf16, so that

    S = (P + A) / (P / p + A)

with the products P of a token's forward pass, the full matrix of attention scores A, and a speed p
of the products over that in bf16.
"""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.catalog import planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.attention import FORWARD_FLOPS, attention_flops
from scaleplan.planning.shape import Shape
from scaleplan.records import Accelerator, Assumption

FP8 = "fp8"
_PRODUCTS = ("fp8_products", "fp8_products_moe")
BAND = ("fp8_band_low", "fp8_band_high")


def fp8_speed(shape: Shape, *, active_params: float, sequence_length: float, moe: float) -> float:
    """Return how many times faster a step is with FP8 products than in bf16.

    Args:
        shape: The transformer.
        active_params: Parameters per token.
        sequence_length: Tokens per sequence.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
    """
    dense, mixture = (planning_default(name).value for name in _PRODUCTS)
    faster = float(dense ** (1.0 - moe) * mixture**moe)
    products = FORWARD_FLOPS * active_params
    scores = attention_flops(shape, sequence_length)
    return (products + scores) / (products / faster + scores)


def check_fp8(accelerators: Sequence[Accelerator]) -> None:
    """Refuse to plan FP8 on parts that have no units for it.

    Raises:
        UsageError: With the first part that has none.
    """
    for part in accelerators:
        if not part.fp8:
            message = f"--precision fp8 needs units for FP8, of which none are known of {part.id}"
            hint = "Leave --precision out, or take for example --gpu h100, b200, mi300x or tpu_v7x."
            raise UsageError(message, hint=hint)


def fp8_assumptions(*, moe: float, measured: bool) -> tuple[Assumption, ...]:
    """Return what the speed in FP8 rests on.

    Args:
        moe: How much of the losses of a mixture of experts the model has.
        measured: Whether the MFU is the user's own, which holds for his precision.
    """
    if measured:
        return ()
    names = [name for name, part in zip(_PRODUCTS, (1.0 - moe, moe), strict=True) if part]
    return tuple(planning_default(name).assumption() for name in (*names, *BAND))
