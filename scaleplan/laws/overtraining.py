"""The over-training law: one exponent for parameters and tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, compute_optimal, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray


@final
class Overtraining(CurvedLaw):
    """L(N, D) = E + A / N^eta + B / D^eta: Chinchilla with equal exponents.

    Source: Gadre et al. 2024 (arXiv 2403.08540) and its public code, which write it as
    L(C, M) = E + (a M^h + b M^-h) C^-h with M = D / N the tokens per parameter and C = 6 N D; then
    eta = 2 h, A = a 6^-h, B = b 6^-h. N all parameters, D training tokens. Four parameters, so that
    few runs are enough.
    """

    name: ClassVar[str] = "overtraining"
    title: ClassVar[str] = "loss of over-trained models, one exponent for parameters and tokens"
    formula: ClassVar[str] = "L(N, D) = E + A / N^eta + B / D^eta"
    source: ClassVar[str] = "Gadre et al. 2024, arXiv 2403.08540, and its public code"
    holds: ClassVar[str] = (
        "5 to 640 tokens per parameter; the best of them is the same at all budgets"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens")
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="capacity term at N = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(
            symbol="B", meaning="data term at D = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="eta", meaning="exponent of N and of D", unit="", low=0.0, high=3.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + A N^-eta + B D^-eta."""
        floor, size, data, eta = theta
        value: T = floor + size * inputs[0] ** -eta + data * inputs[1] ** -eta
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, B and eta."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same powers."""
        floor, size, data, eta = theta
        power_n, power_d = inputs[0] ** -eta, inputs[1] ** -eta
        capacity, shortage = size * power_n, data * power_d
        return floor + capacity + shortage, (
            power_n * 0.0 + 1.0, power_n, power_d,
            -capacity * log(inputs[0]) - shortage * log(inputs[1]),
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m n^eta, B m d^eta, eta."""
        floor, size, data, eta = theta
        return (
            floor * metric, size * metric * inputs[0] ** eta, data * metric * inputs[1] ** eta, eta,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over eta, with E, A and B in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, non_negative

        eta = np.geomspace(0.02, 2.0, 30)
        power_n, power_d = (x ** -eta[:, None] for x in inputs)
        linear = non_negative(np.stack([np.ones_like(power_n), power_n, power_d], axis=2), values)
        sizes = [
            np.maximum(linear[:, k], SMALLEST_SHARE * values.min() / power.max(axis=1))
            for k, power in ((1, power_n), (2, power_d))
        ]
        return np.stack([linear[:, 0], *sizes, eta], axis=1)

    def optimum(self, theta: Sequence[T], flops: T, flops_per_param_token: float) -> tuple[T, T]:
        """Return the split of a compute budget that minimises the loss.

        Args:
            theta: (E, A, B, eta).
            flops: Training compute C in FLOP.
            flops_per_param_token: k in C = k N D, 6 for dense transformers.
        """
        return compute_optimal(self.balance(theta), flops, flops_per_param_token)

    def balance(self, theta: Sequence[T]) -> tuple[T, T, T, T]:
        """Return (A, eta, B, eta)."""
        _, size, data, eta = theta
        return size, eta, data, eta

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 1.837 + 90/N^0.273 + 130/D^0.273`."""
        floor, size, data, eta = (format_significant(v) for v in theta)
        return f"{metric} = {floor} + {size}/{names[0]}^{eta} + {data}/{names[1]}^{eta}"
