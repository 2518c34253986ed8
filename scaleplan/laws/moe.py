"""The joint law of active parameters, tokens and number of experts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import COUNT, CurvedLaw, ParameterSpec, T, log
from scaleplan.laws.experts import effective_experts, effective_experts_and_slopes
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.08, 0.18, 0.35, 0.7)
_BY_EXPERTS = (-0.25, 0.0, 0.25)
_STARTS, _MOST = (1.2, 2.5, 6.0), (60.0, 300.0, 3000.0)


@final
class MixtureOfExperts(CurvedLaw):
    """L(N, D, E) = a E^^delta N^(alpha + gamma ln E^) + b E^^omega D^(beta + zeta ln E^) + c.

    E^ is the effective number of experts (see `experts.py`), alpha and beta are negative. For a
    fixed E it is the Chinchilla law, whose parameters `section` gives.

    Source: Ludziejewski et al. 2025 (arXiv 2502.05172), equation 6, fit in table 3. N active
    parameters with embedding and unembedding, D training tokens, E experts a layer of which one is
    active; E = 1 is a dense model.
    """

    name: ClassVar[str] = "moe"
    title: ClassVar[str] = "loss of mixtures of experts, by active parameters, tokens and experts"
    formula: ClassVar[str] = (
        "L(N, D, E) = a E^^delta N^(alpha + gamma ln E^) + b E^^omega D^(beta + zeta ln E^) + c"
    )
    source: ClassVar[str] = "Ludziejewski et al. 2025, arXiv 2502.05172, equation 6"
    holds: ClassVar[str] = (
        "one active expert of at most 32, granularity 1, up to 5e9 total parameters; eleven "
        "parameters need many runs at several numbers of experts, dense ones among them"
    )
    inputs: ClassVar[tuple[str, ...]] = ("active_params", "tokens", "experts")
    units: ClassVar[tuple[int, ...]] = (0, 1, COUNT)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="a", meaning="capacity term at N = E^ = 1", unit="metric", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent of N at E^ = 1", unit="", low=-3.0,
                      high=0.0),
        ParameterSpec(symbol="delta", meaning="exponent of E^ in the capacity term", unit="",
                      low=-math.inf, high=math.inf),
        ParameterSpec(symbol="gamma", meaning="change of N's exponent with ln E^", unit="",
                      low=-0.5, high=0.5),
        ParameterSpec(
            symbol="b", meaning="data term at D = E^ = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="beta", meaning="exponent of D at E^ = 1", unit="", low=-3.0,
                      high=0.0),
        ParameterSpec(symbol="omega", meaning="exponent of E^ in the data term", unit="",
                      low=-math.inf, high=math.inf),
        ParameterSpec(symbol="zeta", meaning="change of D's exponent with ln E^", unit="",
                      low=-0.5, high=0.5),
        ParameterSpec(symbol="E_start", meaning="effective experts of a dense model", unit="",
                      low=0.5, high=30.0, scale="log"),
        ParameterSpec(symbol="E_max", meaning="effective experts of endlessly many", unit="",
                      low=32.0, high=1e6, scale="log"),
        ParameterSpec(symbol="c", meaning="irreducible loss", unit="metric", low=0.0,
                      high=math.inf),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return a E^^delta N^(alpha + gamma ln E^) + b E^^omega D^(beta + zeta ln E^) + c."""
        floor, size, alpha, data, beta = self.section(theta, inputs[2:])
        value: T = floor + size * inputs[0] ** -alpha + data * inputs[1] ** -beta
        return value

    def section(self, theta: Sequence[T], others: Sequence[T]) -> tuple[T, T, T, T, T]:
        """Return the Chinchilla parameters (E, A, alpha, B, beta) at a number of experts."""
        a, alpha, delta, gamma, b, beta, omega, zeta, start, most, floor = theta
        experts = effective_experts(others[0], start, most)
        level = log(experts)
        return (
            floor, a * experts**delta, -(alpha + gamma * level),
            b * experts**omega, -(beta + zeta * level),
        )  # fmt: skip

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives in the order of the parameters."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same powers."""
        a, alpha, delta, gamma, b, beta, omega, zeta, start, most, floor = theta
        experts, by_start, by_most = effective_experts_and_slopes(inputs[2], start, most)
        level, log_n, log_d = log(experts), log(inputs[0]), log(inputs[1])
        power_n = experts**delta * inputs[0] ** (alpha + gamma * level)
        power_d = experts**omega * inputs[1] ** (beta + zeta * level)
        capacity, shortage = a * power_n, b * power_d
        by_level = capacity * (delta + gamma * log_n) + shortage * (omega + zeta * log_d)
        return floor + capacity + shortage, (
            power_n, capacity * log_n, capacity * level, capacity * level * log_n,
            power_d, shortage * log_d, shortage * level, shortage * level * log_d,
            by_level * by_start, by_level * by_most, power_n * 0.0 + 1.0,
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return a m n^-alpha, alpha, delta - gamma ln n, gamma and likewise for D; E^ and c m."""
        a, alpha, delta, gamma, b, beta, omega, zeta, start, most, floor = theta
        return (
            a * metric * inputs[0] ** -alpha, alpha, delta - gamma * math.log(inputs[0]), gamma,
            b * metric * inputs[1] ** -beta, beta, omega - zeta * math.log(inputs[1]), zeta,
            start, most, floor * metric,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over the exponents and E^, with a, b and c in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        shapes = grid(_EXPONENTS, _EXPONENTS, _BY_EXPERTS, _BY_EXPERTS, _STARTS, _MOST)
        alpha, beta, delta, omega, start, most = (column[:, None] for column in shapes.T)
        experts = effective_experts(inputs[2], start, most)
        power_n = experts**delta * inputs[0] ** -alpha
        power_d = experts**omega * inputs[1] ** -beta
        linear = non_negative(np.stack([np.ones_like(power_n), power_n, power_d], axis=2), values)
        a, b = (
            np.maximum(linear[:, k], SMALLEST_SHARE * values.min() / power.max(axis=1))
            for k, power in ((1, power_n), (2, power_d))
        )
        none = np.zeros(len(shapes))
        return np.stack(
            [a, -shapes[:, 0], shapes[:, 2], none, b, -shapes[:, 1], shapes[:, 3], none,
             shapes[:, 4], shapes[:, 5], linear[:, 0]], axis=1,
        )  # fmt: skip

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return the formula with its numbers, and what E^ is."""
        a, alpha, delta, gamma, b, beta, omega, zeta, start, most, floor = (
            format_significant(v) for v in theta
        )
        return (
            f"{metric} = {a} * e^({delta}) * {names[0]}^({alpha} + ({gamma}) * ln e) + "
            f"{b} * e^({omega}) * {names[1]}^({beta} + ({zeta}) * ln e) + {floor} "
            f"(e: effective {names[2]}, from {start} to {most})"
        )
