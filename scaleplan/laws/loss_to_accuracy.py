"""From loss to accuracy, as a sigmoid: the second step of a downstream forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp, softplus
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_RATES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_MIDDLES = 9  # over the losses seen and half as far again on both sides


@final
class LossToAccuracy(CurvedLaw):
    """accuracy = q + p / (1 + e^(k (L - L0))): from chance q at high loss up to q + p at low.

    Source: the public code of the OLMo ladder (Bhagia et al. 2024, arXiv 2412.04403), which writes
    p / (1 + e^(-k (L - L0))) + q with p negative: its (p, q) are (-p, q + p) here. Grattafiori et
    al. 2024 (arXiv 2407.21783) use the same sigmoid. L is the loss on the task's own answers. Where
    the metric is an error p is negative.
    """

    name: ClassVar[str] = "loss_to_accuracy"
    title: ClassVar[str] = "task accuracy against loss, a sigmoid from chance up"
    formula: ClassVar[str] = "accuracy = q + p / (1 + e^(k (L - L0)))"
    source: ClassVar[str] = "Bhagia et al. 2024, arXiv 2412.04403, and its public code"
    holds: ClassVar[str] = (
        "one task, runs on both sides of L0; with runs on one side only p and q are guesses. A "
        "forecast through a forecast loss carries the errors of both"
    )
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    residual: ClassVar[Literal["log", "raw"]] = "raw"
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(symbol="q", meaning="metric at high loss, chance", unit="metric",
                      low=-math.inf, high=math.inf),
        ParameterSpec(symbol="p", meaning="what is gained from high to low loss", unit="metric",
                      low=-math.inf, high=math.inf),
        ParameterSpec(symbol="k", meaning="steepness per unit of loss", unit="1/x", low=0.0,
                      high=math.inf, scale="log"),
        ParameterSpec(symbol="L0", meaning="loss of the steepest point", unit="x", low=0.0,
                      high=math.inf, scale="log"),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return q + p / (1 + e^(k (L - L0))), without overflow."""
        chance, gain, rate, middle = theta
        return chance + gain * exp(-softplus(rate * (inputs[0] - middle)))

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to q, p, k and L0."""
        _, gain, rate, middle = theta
        place = rate * (inputs[0] - middle)
        reached = exp(-softplus(place))
        slope = gain * reached * exp(-softplus(-place))
        return (
            reached * 0.0 + 1.0, reached, -slope * (inputs[0] - middle), slope * rate,
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return q m, p m, k / s, L0 s."""
        chance, gain, rate, middle = theta
        return chance * metric, gain * metric, rate / inputs[0], middle * inputs[0]

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over k and L0, with q and p from a straight line."""
        import numpy as np

        from scaleplan.laws.starting import grid, line

        low, high = np.log(inputs[0].min()), np.log(inputs[0].max())
        far = 0.5 * (high - low)
        shapes = grid(_RATES, np.exp(np.linspace(low - far, high + far, _MIDDLES)))
        place = shapes[:, 0, None] * (inputs[0] - shapes[:, 1, None])
        chance, gain = line(np.exp(-np.logaddexp(0.0, place)), values)
        return np.column_stack([chance, gain, shapes])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `accuracy = 0.25 + 0.6 / (1 + e^(4 (loss - 0.9)))`."""
        chance, gain, rate, middle = (format_significant(v) for v in theta)
        return f"{metric} = {chance} + {gain} / (1 + e^({rate} ({names[0]} - {middle})))"
