"""The power law with a floor, the default for one input."""

from __future__ import annotations

import math
from typing import ClassVar, final

from scaleplan.laws.base import ParameterSpec
from scaleplan.laws.power_sum import PowerSumLaw


@final
class PowerFloor(PowerSumLaw):
    """y = E + A / x^alpha with an irreducible part E >= 0.

    Source: Henighan et al. 2020 (arXiv 2010.14701), equation 1.1.
    """

    name: ClassVar[str] = "power_floor"
    title: ClassVar[str] = "power law with an irreducible floor"
    formula: ClassVar[str] = "y = E + A / x^alpha"
    source: ClassVar[str] = "Henighan et al. 2020, arXiv 2010.14701, equation 1.1"
    holds: ClassVar[str] = "falling metrics over one input, other inputs ample or tied to it"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: ClassVar[tuple[ParameterSpec, ...]] = (
        ParameterSpec(
            symbol="E", meaning="irreducible part", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="reducible part at x = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent", unit="", low=0.0, high=3.0),
    )  # fmt: skip
    columns: ClassVar[tuple[int, ...]] = (0,)
    floor: ClassVar[bool] = True
    sign: ClassVar[int] = -1
