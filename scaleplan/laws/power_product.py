"""The product of powers of parameters and data, c N^a D^b."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray


@final
class PowerProduct(CurvedLaw):
    """y = c N^a D^b, for scores that rise without a known limit, and losses far above their floor.

    Source: Hernandez et al. 2021 (arXiv 2102.01293), equation 1.2, the data that pre-training is
    worth: 1.9e4 D^0.18 N^0.38 characters.
    """

    name: ClassVar[str] = "power_product"
    title: ClassVar[str] = "product of powers of parameters and data, without a limit"
    formula: ClassVar[str] = "y(N, D) = c N^a D^b"
    source: ClassVar[str] = "Hernandez et al. 2021, arXiv 2102.01293, equation 1.2"
    holds: ClassVar[str] = (
        "between the runs, and beyond as long as neither size runs short of the other: it knows no "
        "limit and no compute-optimal size"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens")
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="c", meaning="value at N = 1 and D = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="a", meaning="exponent of N", unit="", low=-10.0, high=10.0),
        ParameterSpec(symbol="b", meaning="exponent of D", unit="", low=-10.0, high=10.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return c N^a D^b."""
        c, a, b = theta
        return c * exp(a * log(inputs[0]) + b * log(inputs[1]))

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to c, a and b."""
        c, a, b = theta
        log_n, log_d = log(inputs[0]), log(inputs[1])
        powers = exp(a * log_n + b * log_d)
        return powers, c * powers * log_n, c * powers * log_d

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return c m n^-a d^-b, a, b."""
        c, a, b = theta
        return c * metric * exp(-(a * math.log(inputs[0]) + b * math.log(inputs[1]))), a, b

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return the least-squares plane in logarithms, and planes tilted from it."""
        import numpy as np

        columns = np.column_stack([np.ones_like(values), np.log(inputs[0]), np.log(inputs[1])])
        level, a, b = np.linalg.lstsq(columns, np.log(values), rcond=None)[0]
        tilts = np.array([[0.0, 0.0], [0.2, 0.0], [0.0, 0.2], [-0.2, 0.0], [0.0, -0.2]])
        made = np.column_stack(
            [np.full(len(tilts), np.exp(level)), a + tilts[:, 0], b + tilts[:, 1]]
        )
        return np.asarray(np.clip(made, [0.0, -9.0, -9.0], [np.inf, 9.0, 9.0]))

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `score = 0.02 * N^0.38 * D^0.18`."""
        c, a, b = (format_significant(v) for v in theta)
        return f"{metric} = {c} * {names[0]}^{a} * {names[1]}^{b}"
