"""The straight line in the logarithm of the input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, final

from scaleplan.laws.base import LinearLaw, ParameterSpec, T, log
from scaleplan.units import format_significant


@final
class LogLinear(LinearLaw):
    """y = a ln x + b, fitted by least squares.

    Source: the first-order expansion of any power law in ln x. It becomes negative, or passes 100%,
    at a computable x = exp(-b/a).
    """

    name: ClassVar[str] = "log_linear"
    title: ClassVar[str] = "straight line in ln x (local approximation of a power law)"
    formula: ClassVar[str] = "y = a ln x + b"
    source: ClassVar[str] = "first-order expansion of a power law in ln x"
    holds: ClassVar[str] = "inside the fitted range; leaves the metric's range beyond"
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="a", meaning="change per e-fold of x", unit="metric", low=-math.inf,
            high=math.inf,
        ),
        ParameterSpec(
            symbol="b", meaning="value at x = 1", unit="metric", low=-math.inf, high=math.inf
        ),
    )  # fmt: skip

    @staticmethod
    def basis(x: T) -> T:
        """Return ln x."""
        return log(x)

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `accuracy = 0.05 * ln(N) - 0.4`."""
        sign = "-" if theta[1] < 0 else "+"
        return (
            f"{metric} = {format_significant(theta[0])} * ln({names[0]}) {sign} "
            f"{format_significant(abs(theta[1]))}"
        )
