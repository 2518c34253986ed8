"""The law of fine-grained mixtures of experts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.05, 0.1, 0.15, 0.25, 0.4, 0.7)
_GAINS = (0.2, 0.5, 1.0, 2.0)


@final
class Granularity(CurvedLaw):
    """L(N, D, G) = c + (g / G^gamma + a) / N^alpha + b / D^beta.

    Source: Krajewski et al. 2024 (arXiv 2402.07871), equation 9, fit in table 1. N all parameters
    of the mixture without embeddings (not the active ones), D training tokens, G the granularity:
    by how much an expert is narrower than a dense layer. The expansion rate is the same in all
    their runs, 64, so that N stands for 64 times fewer active parameters in those layers.
    """

    name: ClassVar[str] = "granularity"
    title: ClassVar[str] = "loss of fine-grained mixtures of experts, by total parameters"
    formula: ClassVar[str] = "L(N, D, G) = c + (g / G^gamma + a) / N^alpha + b / D^beta"
    source: ClassVar[str] = "Krajewski et al. 2024, arXiv 2402.07871, equation 9"
    holds: ClassVar[str] = (
        "one ratio of total to active parameters, granularity 1 to 16; routing costs are not in it"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens", "granularity")
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(symbol="c", meaning="irreducible loss", unit="metric", low=0.0,
                      high=math.inf),
        ParameterSpec(
            symbol="g", meaning="what coarse experts lose, at N = 1", unit="metric", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="gamma", meaning="exponent of the granularity", unit="", low=0.01,
                      high=10.0, scale="log"),
        ParameterSpec(
            symbol="a", meaning="capacity term of endlessly fine experts, at N = 1", unit="metric",
            low=0.0, high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent of N", unit="", low=0.0, high=3.0),
        ParameterSpec(
            symbol="b", meaning="data term at D = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="beta", meaning="exponent of D", unit="", low=0.0, high=3.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return c + (g G^-gamma + a) N^-alpha + b D^-beta."""
        floor, size, alpha, data, beta = self.section(theta, inputs[2:])
        value: T = floor + size * inputs[0] ** -alpha + data * inputs[1] ** -beta
        return value

    def section(self, theta: Sequence[T], others: Sequence[T]) -> tuple[T, T, T, T, T]:
        """Return the Chinchilla parameters (E, A, alpha, B, beta) at a granularity."""
        floor, coarse, gain, fine, alpha, data, beta = theta
        return floor, coarse * others[0] ** -gain + fine, alpha, data, beta

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to c, g, gamma, a, alpha, b and beta."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same powers."""
        floor, coarse, gain, fine, alpha, data, beta = theta
        power_n, power_d = inputs[0] ** -alpha, inputs[1] ** -beta
        by_coarse = inputs[2] ** -gain * power_n
        capacity, shortage = coarse * by_coarse + fine * power_n, data * power_d
        return floor + capacity + shortage, (
            power_n * 0.0 + 1.0, by_coarse, -coarse * by_coarse * log(inputs[2]), power_n,
            -capacity * log(inputs[0]), power_d, -shortage * log(inputs[1]),
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return c m, g m n^alpha s^gamma, gamma, a m n^alpha, alpha, b m d^beta, beta."""
        floor, coarse, gain, fine, alpha, data, beta = theta
        unit = metric * inputs[0] ** alpha
        return (
            floor * metric, coarse * unit * inputs[2] ** gain, gain, fine * unit, alpha,
            data * metric * inputs[1] ** beta, beta,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over the exponents, with c, g, a and b in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        shapes = grid(_GAINS, _EXPONENTS, _EXPONENTS)
        gain, alpha, beta = (column[:, None] for column in shapes.T)
        power_n, power_d = inputs[0] ** -alpha, inputs[1] ** -beta
        columns = np.stack(
            [np.ones_like(power_n), power_n * inputs[2] ** -gain, power_n, power_d], axis=2
        )
        linear = non_negative(columns, values)
        smallest = SMALLEST_SHARE * values.min() / columns.max(axis=1)
        coarse, fine, data = (np.maximum(linear[:, k], smallest[:, k]) for k in (1, 2, 3))
        return np.stack(
            [linear[:, 0], coarse, shapes[:, 0], fine, shapes[:, 1], data, shapes[:, 2]], axis=1
        )

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 0.47 + (2.1/G^0.58 + 18.1)/N^0.115 + 30.8/D^0.147`."""
        floor, coarse, gain, fine, alpha, data, beta = (format_significant(v) for v in theta)
        return (
            f"{metric} = {floor} + ({coarse}/{names[2]}^{gain} + {fine})/{names[0]}^{alpha} + "
            f"{data}/{names[1]}^{beta}"
        )
