"""The power law whose input saturates, M3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_LEVELS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@final
class M3(CurvedLaw):
    """y = b (1/x + g)^c: a power law whose floor is b g^c.

    Source: Alabdulmohsin et al. 2022 (arXiv 2209.06640), estimator M3; its public code.
    """

    name: ClassVar[str] = "m3"
    title: ClassVar[str] = "power law with a floor that is approached like 1/x"
    formula: ClassVar[str] = "y = b (1/x + g)^c"
    source: ClassVar[str] = "Alabdulmohsin et al. 2022, arXiv 2209.06640, estimator M3"
    holds: ClassVar[str] = "falling metrics that flatten within the sweep"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="b", meaning="value at 1/x + g = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(
            symbol="g", meaning="1/x at which the metric levels off", unit="1/x", low=0.0,
            high=math.inf,
        ),
        ParameterSpec(symbol="c", meaning="exponent", unit="", low=0.0, high=5.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return b (1/x + g)^c."""
        size, level, exponent = theta
        value: T = size * (1.0 / inputs[0] + level) ** exponent
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to b, g and c."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient from the same power."""
        size, level, exponent = theta
        base = 1.0 / inputs[0] + level
        power = base**exponent
        value = size * power
        return value, (power, exponent * value / base, value * log(base))

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return b m s^c, g / s, c."""
        size, level, exponent = theta
        return size * metric * inputs[0] ** exponent, level / inputs[0], exponent

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over g, with b and c from a straight line in logarithms."""
        import numpy as np

        from scaleplan.laws.starting import line

        levels = np.array(_LEVELS) / inputs[0].max()
        intercept, slope = line(np.log(1.0 / inputs[0] + levels[:, None]), np.log(values))
        return np.stack([np.exp(intercept), levels, np.clip(slope, 1e-3, 4.9)], axis=1)

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 7.2 (1/N + 3e-10)^0.12`."""
        size, level, exponent = (format_significant(v) for v in theta)
        return f"{metric} = {size} (1/{names[0]} + {level})^{exponent}"
