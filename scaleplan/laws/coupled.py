"""The coupled law of parameters and training tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, compute_optimal, exp, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.08, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.5)
_COUPLINGS = (0.2, 0.35, 0.5, 0.7, 1.0, 1.5)
_FLOORS = (0.0, 0.3, 0.6, 0.8, 0.95)  # shares of the smallest value


@final
class Coupled(CurvedLaw):
    """L(N, D) = E + (A / N^alpha + B / D^beta)^k.

    Source: Skaling (arXiv 2608.07222). N parameters, D training tokens seen once. With k = 1 it is
    the Chinchilla law; with k < 1 more data helps a large model more than a small one. It is the
    form that the additive law is tested against: their spread is a measure of model error.
    """

    name: ClassVar[str] = "coupled"
    title: ClassVar[str] = "loss against parameters and tokens that help each other"
    formula: ClassVar[str] = "L(N, D) = E + (A / N^alpha + B / D^beta)^k"
    source: ClassVar[str] = "Skaling 2026, arXiv 2608.07222"
    holds: ClassVar[str] = (
        "dense models, data seen once; E and k trade off, so a floor near 0 is no evidence of none"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens")
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="capacity term at N = 1", unit="metric^(1/k)", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(
            symbol="alpha", meaning="exponent of N inside the sum", unit="", low=0.01, high=5.0,
            scale="log",
        ),
        ParameterSpec(
            symbol="B", meaning="data term at D = 1", unit="metric^(1/k)", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(
            symbol="beta", meaning="exponent of D inside the sum", unit="", low=0.01, high=5.0,
            scale="log",
        ),
        ParameterSpec(
            symbol="k", meaning="coupling, 1 for none", unit="", low=0.05, high=5.0, scale="log"
        ),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + (A N^-alpha + B D^-beta)^k."""
        floor, size, alpha, data, beta, coupling = theta
        total = size * inputs[0] ** -alpha + data * inputs[1] ** -beta
        value: T = floor + total**coupling
        return value

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, alpha, B, beta and k."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same powers."""
        floor, size, alpha, data, beta, coupling = theta
        # Logarithms are needed anyway, and e to a product costs a third of a power.
        log_n, log_d = log(inputs[0]), log(inputs[1])
        power_n, power_d = exp(-alpha * log_n), exp(-beta * log_d)
        total = size * power_n + data * power_d
        log_total = log(total)
        reducible = exp(coupling * log_total)
        slope = coupling * reducible / total
        by_n, by_d = slope * power_n, slope * power_d
        return floor + reducible, (
            reducible * 0.0 + 1.0,
            by_n, -size * by_n * log_n,
            by_d, -data * by_d * log_d,
            reducible * log_total,
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m^(1/k) n^alpha, alpha, B m^(1/k) d^beta, beta, k."""
        floor, size, alpha, data, beta, coupling = theta
        unit = metric ** (1.0 / coupling)
        return (
            floor * metric, size * unit * inputs[0] ** alpha, alpha,
            data * unit * inputs[1] ** beta, beta, coupling,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over k, E and the exponents of the loss, with A and B in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, solve_non_negative

        shapes = grid(_EXPONENTS, _EXPONENTS)
        index = grid(range(len(_EXPONENTS)), range(len(_EXPONENTS))).astype(int).T
        found = []
        for coupling, share in grid(_COUPLINGS, _FLOORS):
            # The exponents of the loss are k alpha and k beta: those span the same range for all k.
            exponents = shapes / coupling
            floor = share * values.min()
            target = (values - floor) ** (1.0 / coupling)
            # d ln L = k (L - E) / L d ln (sum): what an error of the sum weighs in the loss.
            weight = coupling * (values - floor) / (values * target)
            power_n, power_d = (
                weight * x ** -(np.array(_EXPONENTS)[:, None] / coupling) for x in inputs
            )
            goal = weight * target
            gram = np.empty((len(shapes), 2, 2))
            gram[:, 0, 0] = (power_n**2).sum(axis=1)[index[0]]
            gram[:, 1, 1] = (power_d**2).sum(axis=1)[index[1]]
            gram[:, 0, 1] = gram[:, 1, 0] = (power_n @ power_d.T)[index[0], index[1]]
            right = np.stack([(power_n @ goal)[index[0]], (power_d @ goal)[index[1]]], axis=1)
            sizes = np.maximum(
                solve_non_negative(gram, right), SMALLEST_SHARE * float(target.min())
            )
            same = np.ones(len(shapes))
            found.append(
                np.stack(
                    [same * floor, sizes[:, 0], exponents[:, 0], sizes[:, 1], exponents[:, 1],
                     same * coupling], axis=1,
                )
            )  # fmt: skip
        return np.concatenate(found)

    def optimum(self, theta: Sequence[T], flops: T, flops_per_param_token: float) -> tuple[T, T]:
        """Return the split of a compute budget that minimises the loss: k does not move it.

        Args:
            theta: (E, A, alpha, B, beta, k).
            flops: Training compute C in FLOP.
            flops_per_param_token: k in C = k N D, 6 for dense transformers.
        """
        return compute_optimal(self.balance(theta), flops, flops_per_param_token)

    def balance(self, theta: Sequence[T]) -> tuple[T, T, T, T]:
        """Return (A, alpha, B, beta)."""
        return theta[1], theta[2], theta[3], theta[4]

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 1.7 + (30/N^0.4 + 90/D^0.5)^0.7`."""
        floor, size, alpha, data, beta, coupling = (format_significant(v) for v in theta)
        return (
            f"{metric} = {floor} + ({size}/{names[0]}^{alpha} + {data}/{names[1]}^{beta})"
            f"^{coupling}"
        )
