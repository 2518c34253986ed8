"""The broken power law with one break."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_SLOPES = (-0.3, 0.0, 0.05, 0.1, 0.25, 0.5)
_CHANGES = (-0.3, 0.1, 0.3, 0.7, 1.5, 4.0)
_SHARPNESS = (0.02, 0.2, 0.7, 2.0)
_BREAKS = 9  # quantiles of the input at which a break is looked for


@final
class Broken(CurvedLaw):
    """y = a + b x^-c0 (1 + (x/d)^(1/f))^(-c1 f): slope c0 below d, c0 + c1 above it.

    Source: Caballero et al. 2022 (arXiv 2210.14891) with one break; its public code.
    """

    name: ClassVar[str] = "broken"
    title: ClassVar[str] = "power law with one smooth break"
    formula: ClassVar[str] = "y = a + b x^-c0 (1 + (x/d)^(1/f))^(-c1 f)"
    source: ClassVar[str] = (
        "Caballero et al. 2022, arXiv 2210.14891, and its public code, one break"
    )
    holds: ClassVar[str] = "at least four runs on each side of the break; not for a first look"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="a", meaning="irreducible part", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="b", meaning="reducible part at x = 1 before the break", unit="metric", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(
            symbol="c0", meaning="exponent before the break", unit="", low=-5.0, high=5.0
        ),
        ParameterSpec(
            symbol="c1", meaning="change of the exponent at the break", unit="", low=-10.0,
            high=15.0,
        ),
        ParameterSpec(
            symbol="d", meaning="where the break is", unit="x", low=0.0, high=math.inf, scale="log"
        ),
        ParameterSpec(
            symbol="f", meaning="width of the break, in e-folds of x", unit="", low=0.005,
            high=10.0, scale="log",
        ),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return a + b x^-c0 (1 + (x/d)^(1/f))^(-c1 f), in logarithms so that nothing overflows."""
        floor, size, slope, change, at, width = theta
        distance = (log(inputs[0]) - log(at)) / width
        bend = 0.5 * (distance + abs(distance)) + log(1.0 + exp(-abs(distance)))
        return floor + size * exp(-slope * log(inputs[0]) - change * width * bend)

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to a, b, c0, c1, d and f."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient from the same power."""
        floor, size, slope, change, at, width = theta
        log_x = log(inputs[0])
        distance = (log_x - log(at)) / width
        # Logistic and softplus of the distance, without overflow, from one exponential.
        away = abs(distance)
        small = exp(-away)
        both = 1.0 + small
        bend = 0.5 * (distance + away) + log(both)
        # Share of the break passed, 0 far below d and 1 far above.
        passed = distance > 0.0
        above = (passed + (1.0 - passed) * small) / both
        power = exp(-slope * log_x - (change * width) * bend)
        reducible = size * power
        changing = change * reducible
        return floor + reducible, (
            power * 0.0 + 1.0,
            power,
            -reducible * log_x,
            -width * reducible * bend,
            changing * above / at,
            changing * (distance * above - bend),
        )

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return a m, b m s^c0, c0, c1, d s, f."""
        floor, size, slope, change, at, width = theta
        scale = inputs[0]
        return floor * metric, size * metric * scale**slope, slope, change, at * scale, width

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over both slopes, place and width of the break; a, b in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        log_x = np.log(inputs[0])
        breaks = np.quantile(log_x, np.linspace(0.1, 0.9, _BREAKS))
        shapes = grid(_SLOPES, _CHANGES, breaks, _SHARPNESS)
        slope, change, at, width = (column[:, None] for column in shapes.T)
        bend = np.logaddexp(0.0, (log_x - at) / width)
        power = np.exp(-slope * log_x - change * width * bend)
        linear = non_negative(np.stack([np.ones_like(power), power], axis=2), values)
        smallest = SMALLEST_SHARE * values.min() / power.max(axis=1)
        return np.stack(
            [linear[:, 0], np.maximum(linear[:, 1], smallest), shapes[:, 0], shapes[:, 1],
             np.exp(shapes[:, 2]), shapes[:, 3]], axis=1,
        )  # fmt: skip

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 0.1 + 2 x^-0.2 (1 + (x/1000)^(1/0.3))^(-0.5 * 0.3)`."""
        floor, size, slope, change, at, width = (format_significant(v) for v in theta)
        x = names[0]
        return (
            f"{metric} = {floor} + {size} * {x}^-({slope}) * "
            f"(1 + ({x}/{at})^(1/{width}))^(-({change}) * {width})"
        )
