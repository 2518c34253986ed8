"""The rectified law of fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_LEARNED = (0.0, 0.03, 0.3, 1.0, 3.0, 30.0, 300.0)  # in units of the smallest x^beta


@final
class Rectified(CurvedLaw):
    """y = E + B / (D_l + x^beta): what was learned before counts like D_l of what comes now.

    Source: Lin et al. 2024 (arXiv 2402.02314), the rectified scaling law. x is the number of
    fine-tuning examples or tokens, D_l the size already learned in pre-training, as x^beta.
    """

    name: ClassVar[str] = "rectified"
    title: ClassVar[str] = "fine-tuning loss against examples, with a head start"
    formula: ClassVar[str] = "y = E + B / (D_l + x^beta)"
    source: ClassVar[str] = "Lin et al. 2024, arXiv 2402.02314, the rectified scaling law"
    holds: ClassVar[str] = "fine-tuning of one model on growing sets of one task"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="E", meaning="irreducible part", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="B", meaning="reducible part at D_l + x^beta = 1", unit="metric x^beta", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="beta", meaning="exponent", unit="", low=0.0, high=5.0),
        ParameterSpec(
            symbol="D_l", meaning="what pre-training is worth", unit="x^beta", low=0.0,
            high=math.inf,
        ),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + B / (D_l + x^beta)."""
        floor, size, beta, learned = theta
        value: T = floor + size / (learned + inputs[0] ** beta)
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, B, beta and D_l."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient from the same power."""
        floor, size, beta, learned = theta
        power = inputs[0] ** beta
        part = 1.0 / (learned + power)
        slope = -size * part * part
        return floor + size * part, (
            part * 0.0 + 1.0, part, slope * power * log(inputs[0]), slope,
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, B m s^beta, beta, D_l s^beta."""
        floor, size, beta, learned = theta
        unit = inputs[0] ** beta
        return floor * metric, size * metric * unit, beta, learned * unit

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over beta and D_l, with E and B in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        shapes = grid(np.geomspace(0.05, 3.0, 12), _LEARNED)
        power = inputs[0] ** shapes[:, 0, None]
        learned = shapes[:, 1] * power.min(axis=1)
        part = 1.0 / (learned[:, None] + power)
        linear = non_negative(np.stack([np.ones_like(part), part], axis=2), values)
        smallest = SMALLEST_SHARE * values.min() / part.max(axis=1)
        return np.stack(
            [linear[:, 0], np.maximum(linear[:, 1], smallest), shapes[:, 0], learned], axis=1
        )

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 0.9 + 30/(12 + x^0.4)`."""
        floor, size, beta, learned = (format_significant(v) for v in theta)
        return f"{metric} = {floor} + {size}/({learned} + {names[0]}^{beta})"
