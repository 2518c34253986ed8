"""The power law that a rising score approaches its limit by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray


@final
class PowerCeiling(CurvedLaw):
    """y = y_inf - A / x^alpha: a score that rises to a limit which nobody knows beforehand.

    Source: Domhan, Springenberg & Hutter 2015 (IJCAI), table 1, pow3; among the best of sixteen
    forms in Viering & Loog 2021 (arXiv 2103.10948), POW3. Differences are fitted, not ratios: a
    reward may be zero or below.
    """

    name: ClassVar[str] = "power_ceiling"
    title: ClassVar[str] = "power law that a rising score approaches a limit by"
    formula: ClassVar[str] = "y = y_inf - A / x^alpha"
    source: ClassVar[str] = "Domhan et al. 2015, IJCAI, table 1, pow3"
    holds: ClassVar[str] = (
        "scores that rise and level off, their limit unknown; shares of 1 are fitted as what is "
        "missing from 1 instead"
    )
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    residual: ClassVar[Literal["log", "raw"]] = "raw"
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="y_inf", meaning="limit of the score", unit="metric", low=-math.inf,
            high=math.inf,
        ),
        ParameterSpec(
            symbol="A", meaning="what the score lacks at x = 1", unit="metric", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent", unit="", low=0.0, high=5.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return y_inf - A x^-alpha."""
        limit, size, alpha = theta
        value: T = limit - size * inputs[0] ** -alpha
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to y_inf, A and alpha."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient from the same power."""
        limit, size, alpha = theta
        power = inputs[0] ** -alpha
        lacking = size * power
        return limit - lacking, (power * 0.0 + 1.0, -power, lacking * log(inputs[0]))

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return y_inf m, A m s^alpha, alpha."""
        limit, size, alpha = theta
        return limit * metric, size * metric * inputs[0] ** alpha, alpha

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over alpha, with y_inf and A from a straight line."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, line

        alpha = np.geomspace(0.02, 4.0, 24)
        power = inputs[0] ** -alpha[:, None]
        limit, slope = line(power, values)
        smallest = SMALLEST_SHARE * float(np.abs(values).max()) / power.max(axis=1)
        return np.column_stack([limit, np.maximum(-slope, smallest), alpha])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `reward = 1.3 - 240/N^0.31`."""
        limit, size, alpha = (format_significant(v) for v in theta)
        return f"{metric} = {limit} - {size}/{names[0]}^{alpha}"
