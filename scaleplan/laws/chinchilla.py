"""The Chinchilla law of parameters and training tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, final

from scaleplan.laws.base import ParameterSpec, T, compute_optimal
from scaleplan.laws.power_sum import PowerSumLaw


@final
class Chinchilla(PowerSumLaw):
    """L(N, D) = E + A / N^alpha + B / D^beta.

    Source: Hoffmann et al. 2022 (arXiv 2203.15556), equation 2; N parameters, D training tokens
    seen once, L in the log's own unit.
    """

    name: ClassVar[str] = "chinchilla"
    title: ClassVar[str] = "loss against parameters and tokens"
    formula: ClassVar[str] = "L(N, D) = E + A / N^alpha + B / D^beta"
    source: ClassVar[str] = "Hoffmann et al. 2022, arXiv 2203.15556, equation 2"
    holds: ClassVar[str] = (
        "dense models, data seen once, learning-rate schedule ending with the run"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens")
    parameters: ClassVar[tuple[ParameterSpec, ...]] = (
        ParameterSpec(
            symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="capacity term at N = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent of N", unit="", low=0.0, high=3.0),
        ParameterSpec(
            symbol="B", meaning="data term at D = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(symbol="beta", meaning="exponent of D", unit="", low=0.0, high=3.0),
    )  # fmt: skip
    columns: ClassVar[tuple[int, ...]] = (0, 1)
    floor: ClassVar[bool] = True
    sign: ClassVar[int] = -1

    def optimum(self, theta: Sequence[T], flops: T, flops_per_param_token: float) -> tuple[T, T]:
        """Return the split of a compute budget that minimises the loss.

        Args:
            theta: (E, A, alpha, B, beta).
            flops: Training compute C in FLOP.
            flops_per_param_token: k in C = k N D, 6 for dense transformers.
        """
        return compute_optimal(self.balance(theta), flops, flops_per_param_token)

    def balance(self, theta: Sequence[T]) -> tuple[T, T, T, T]:
        """Return (A, alpha, B, beta)."""
        _, size, alpha, data, beta = theta
        return size, alpha, data, beta
