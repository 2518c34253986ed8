"""The straight line, P = aS + b."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, final

from scaleplan.laws.base import LinearLaw, ParameterSpec, T
from scaleplan.units import format_significant


@final
class Linear(LinearLaw):
    """y = a x + b, fitted by least squares.

    Source: the naive form of popular articles on scaling (performance P = aS + b). No study of
    training runs supports it over more than about half a decade; it is offered so that it can be
    tested against the data.
    """

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "straight line (performance against size, P = aS + b)"
    formula: ClassVar[str] = "y = a x + b"
    source: ClassVar[str] = "popular articles on scaling; not supported by published sweeps"
    holds: ClassVar[str] = "at most about half a decade of x; leaves the metric's range beyond"
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="a", meaning="slope", unit="metric per unit of x", low=-math.inf, high=math.inf
        ),
        ParameterSpec(
            symbol="b", meaning="value at x = 0", unit="metric", low=-math.inf, high=math.inf
        ),
    )

    @staticmethod
    def basis(x: T) -> T:
        """Return x itself."""
        return x

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `P = 0.1 * S + 0.5`."""
        sign = "-" if theta[1] < 0 else "+"
        return (
            f"{metric} = {format_significant(theta[0])} * {names[0]} {sign} "
            f"{format_significant(abs(theta[1]))}"
        )
