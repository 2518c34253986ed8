"""From loss to task error, exponentially: the second step of a downstream forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_RATES = (0.03, 0.1, 0.3, 0.6, 1.0, 1.6, 2.5, 4.0, 6.0, 10.0, 16.0, 25.0, 40.0)


@final
class LossToError(CurvedLaw):
    """error = eps - k e^(-gamma L): the error falls as the loss does, from eps at high loss.

    Source: Gadre et al. 2024 (arXiv 2403.08540), equation 5, and its public code. L is the loss of
    a model on some text, error the mean of 1 - accuracy over tasks. Where the metric is an
    accuracy k is negative.
    """

    name: ClassVar[str] = "loss_to_error"
    title: ClassVar[str] = "task error against loss, exponential"
    formula: ClassVar[str] = "error = eps - k e^(-gamma L)"
    source: ClassVar[str] = "Gadre et al. 2024, arXiv 2403.08540, equation 5, and its public code"
    holds: ClassVar[str] = (
        "means over many tasks; single tasks often follow no such curve. A forecast through a "
        "forecast loss carries the errors of both"
    )
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    residual: ClassVar[Literal["log", "raw"]] = "raw"
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(symbol="eps", meaning="metric at high loss", unit="metric", low=-math.inf,
                      high=math.inf),
        ParameterSpec(symbol="k", meaning="how much of it is gone at loss 0", unit="metric",
                      low=-math.inf, high=math.inf),
        ParameterSpec(symbol="gamma", meaning="rate per unit of loss", unit="1/x", low=0.0,
                      high=math.inf, scale="log"),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return eps - k e^(-gamma L)."""
        limit, size, rate = theta
        return limit - size * exp(-rate * inputs[0])

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to eps, k and gamma."""
        _, size, rate = theta
        fallen = exp(-rate * inputs[0])
        return fallen * 0.0 + 1.0, -fallen, size * inputs[0] * fallen

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return eps m, k m, gamma / s."""
        limit, size, rate = theta
        return limit * metric, size * metric, rate / inputs[0]

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over gamma, with eps and k from a straight line."""
        import numpy as np

        from scaleplan.laws.starting import line

        rates = np.array(_RATES)
        limit, slope = line(np.exp(-rates[:, None] * inputs[0]), values)
        return np.stack([limit, -slope, rates], axis=1)

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `error = 0.857 - 2.21 e^(-0.715 loss)`."""
        limit, size, rate = (format_significant(v) for v in theta)
        return f"{metric} = {limit} - {size} e^(-{rate} {names[0]})"
