"""The power law with a floor and a shifted input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_SHIFTS = (0.0, 0.03, 0.3, 1.0, 3.0, 30.0, 300.0)  # in units of the smallest input


@final
class Shifted(CurvedLaw):
    """y = E + A / (x + x0)^alpha: it levels off at small x as well as at large.

    Source: Zhai et al. 2021 (arXiv 2106.04560), the double-saturating power law
    E = a (C + d)^-b + c.
    """

    name: ClassVar[str] = "shifted"
    title: ClassVar[str] = "power law that saturates at both ends"
    formula: ClassVar[str] = "y = E + A / (x + x0)^alpha"
    source: ClassVar[str] = "Zhai et al. 2021, arXiv 2106.04560, double-saturating power law"
    holds: ClassVar[str] = "sweeps that reach down to where size does not matter yet; vision"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="E", meaning="irreducible part", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="reducible part at x + x0 = 1", unit="metric", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent", unit="", low=0.0, high=5.0),
        ParameterSpec(
            symbol="x0", meaning="input below which size no longer matters", unit="x", low=0.0,
            high=math.inf,
        ),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + A (x + x0)^-alpha."""
        floor, size, alpha, shift = theta
        value: T = floor + size * (inputs[0] + shift) ** -alpha
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, alpha and x0."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient from the same power."""
        floor, size, alpha, shift = theta
        moved = inputs[0] + shift
        power = moved**-alpha
        reducible = size * power
        return floor + reducible, (
            power * 0.0 + 1.0, power, -reducible * log(moved), -alpha * reducible / moved,
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m s^alpha, alpha, x0 s."""
        floor, size, alpha, shift = theta
        scale = inputs[0]
        return floor * metric, size * metric * scale**alpha, alpha, shift * scale

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over alpha and x0, with E and A in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        x = inputs[0]
        shapes = grid(np.geomspace(0.02, 3.0, 14), np.array(_SHIFTS) * x.min())
        power = (x + shapes[:, 1, None]) ** -shapes[:, 0, None]
        linear = non_negative(np.stack([np.ones_like(power), power], axis=2), values)
        smallest = SMALLEST_SHARE * values.min() / power.max(axis=1)
        return np.stack(
            [linear[:, 0], np.maximum(linear[:, 1], smallest), shapes[:, 0], shapes[:, 1]], axis=1
        )

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `error = 0.12 + 0.63/(C + 0.52)^0.32`."""
        floor, size, alpha, shift = (format_significant(v) for v in theta)
        return f"{metric} = {floor} + {size}/({names[0]} + {shift})^{alpha}"
