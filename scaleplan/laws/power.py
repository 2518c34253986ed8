"""The pure power law, G = c S^d."""

from __future__ import annotations

import math
from typing import ClassVar, final

from scaleplan.laws.base import ParameterSpec
from scaleplan.laws.power_sum import PowerSumLaw


@final
class Power(PowerSumLaw):
    """y = c x^d, without a floor; d is negative where the metric falls with x.

    Source: Kaplan et al. 2020 (arXiv 2001.08361), equations 1.1 to 1.3, write it as (x_c / x)^a.
    """

    name: ClassVar[str] = "power"
    title: ClassVar[str] = "power law without a floor (G = c S^d)"
    formula: ClassVar[str] = "y = c x^d"
    source: ClassVar[str] = "Kaplan et al. 2020, arXiv 2001.08361, equations 1.1-1.3"
    holds: ClassVar[str] = "far above the irreducible loss; predicts zero loss in the limit"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: ClassVar[tuple[ParameterSpec, ...]] = (
        ParameterSpec(
            symbol="c", meaning="value at x = 1", unit="metric", low=0.0, high=math.inf, scale="log"
        ),
        ParameterSpec(symbol="d", meaning="exponent", unit="", low=-10.0, high=10.0),
    )
    columns: ClassVar[tuple[int, ...]] = (0,)
    floor: ClassVar[bool] = False
    sign: ClassVar[int] = 1
