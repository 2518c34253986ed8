"""The joint law of parameters and data set size of Kaplan et al."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, compute_optimal, exp, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8)


@final
class Kaplan(CurvedLaw):
    """L(N, D) = [(N_c / N)^(alpha_N / alpha_D) + D_c / D]^alpha_D.

    Source: Kaplan et al. 2020 (arXiv 2001.08361), equation 1.5. N non-embedding parameters, D
    tokens of the data set, trained to convergence and stopped early: D is not tokens processed.
    """

    name: ClassVar[str] = "kaplan"
    title: ClassVar[str] = "loss against parameters and data set size, without a floor"
    formula: ClassVar[str] = "L(N, D) = [(N_c / N)^(alpha_N / alpha_D) + D_c / D]^alpha_D"
    source: ClassVar[str] = "Kaplan et al. 2020, arXiv 2001.08361, equation 1.5"
    holds: ClassVar[str] = (
        "converged, early-stopped models of up to 1.5e9 non-embedding parameters; no floor, so too "
        "optimistic far beyond"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens")
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="N_c", meaning="parameters at which the loss would be 1", unit="parameters",
            low=0.0, high=math.inf, scale="log",
        ),
        ParameterSpec(
            symbol="alpha_N", meaning="exponent of N", unit="", low=0.002, high=3.0, scale="log"
        ),
        ParameterSpec(
            symbol="D_c", meaning="tokens at which the loss would be 1", unit="tokens", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(
            symbol="alpha_D", meaning="exponent of D", unit="", low=0.002, high=3.0, scale="log"
        ),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return [(N_c / N)^(alpha_N / alpha_D) + D_c / D]^alpha_D."""
        size, alpha, data, beta = theta
        value: T = ((size / inputs[0]) ** (alpha / beta) + data / inputs[1]) ** beta
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to N_c, alpha_N, D_c and alpha_D."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same powers."""
        size, alpha, data, beta = theta
        # Logarithms are needed anyway, and e to a product costs a third of a power.
        log_ratio = log(size) - log(inputs[0])
        capacity, shortage = exp(alpha / beta * log_ratio), data / inputs[1]
        total = capacity + shortage
        log_total = log(total)
        value = exp(beta * log_total)
        slope = value / total
        by_ratio = slope * capacity * log_ratio
        return value, (
            alpha * slope * capacity / size,
            by_ratio,
            beta * slope * shortage / data,
            value * log_total - alpha / beta * by_ratio,
        )

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return N_c n m^(1/alpha_N), alpha_N, D_c d m^(1/alpha_D), alpha_D."""
        size, alpha, data, beta = theta
        return (
            size * inputs[0] * metric ** (1.0 / alpha), alpha,
            data * inputs[1] * metric ** (1.0 / beta), beta,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over the exponents, with both constants from a linear system."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, solve_non_negative

        shapes = grid(_EXPONENTS, _EXPONENTS)
        alpha, beta = shapes[:, 0, None], shapes[:, 1, None]
        # L^(1/alpha_D) = c N^-(alpha_N/alpha_D) + D_c / D is linear in both; an error of it weighs
        # alpha_D / L^(1/alpha_D) in ln L.
        target = values ** (1.0 / beta)
        columns = np.stack(
            np.broadcast_arrays(inputs[0] ** -(alpha / beta), 1.0 / inputs[1]), axis=2
        )
        relative = columns / target[:, :, None]
        gram = relative.transpose(0, 2, 1) @ relative
        linear = solve_non_negative(gram, relative.sum(axis=1))
        linear = np.maximum(linear, SMALLEST_SHARE / relative.max(axis=1))
        size = linear[:, 0] ** (shapes[:, 1] / shapes[:, 0])
        return np.stack([size, shapes[:, 0], linear[:, 1], shapes[:, 1]], axis=1)

    def optimum(self, theta: Sequence[T], flops: T, flops_per_param_token: float) -> tuple[T, T]:
        """Return the split of C = k N D that minimises the loss, D taken as tokens seen once.

        Args:
            theta: (N_c, alpha_N, D_c, alpha_D).
            flops: Training compute C in FLOP.
            flops_per_param_token: k in C = k N D, 6 for dense transformers.
        """
        return compute_optimal(self.balance(theta), flops, flops_per_param_token)

    def balance(self, theta: Sequence[T]) -> tuple[T, T, T, T]:
        """Return (N_c^(alpha_N/alpha_D), alpha_N/alpha_D, D_c, 1)."""
        size, alpha, data, beta = theta
        return size ** (alpha / beta), alpha / beta, data, beta / beta

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = ((6.4e13/N)^(0.076/0.103) + 1.8e13/D)^0.103`."""
        size, alpha, data, beta = (format_significant(v) for v in theta)
        return f"{metric} = (({size}/{names[0]})^({alpha}/{beta}) + {data}/{names[1]})^{beta}"
