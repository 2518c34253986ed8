"""The law of runs under several labels: shared exponents, one pair of factors a label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import COUNT, CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.05, 0.1, 0.17, 0.25, 0.35, 0.45, 0.6, 0.8, 1.1, 1.6)
_SHARED = 5  # E, A, alpha, B, beta


@final
class OptimizerFactors(CurvedLaw):
    """L(N, D, level) = E + A / (rho_N N)^alpha + B / (rho_D D)^beta, rho = 1 for the first level.

    rho_N says how many times its own parameters a model is worth under a label, rho_D the same for
    tokens; made for optimizers, it serves any label (data set, schedule, architecture). The third
    input numbers the levels of the label from 1, the reference, to K. One object is the law of one
    K: `OptimizerFactors(4)` has parameters E, A, alpha, B, beta, rho_N2, rho_D2, ..., rho_D4. To
    evaluate, K follows from the length of theta, so that `get_law("optimizer_factors")` forecasts
    with a fit of any K.

    Source: Volkova et al. 2026 (arXiv 2602.07712). Laws fitted to one optimizer each are
    ill-conditioned; sharing E and the exponents is what makes the factors comparable.
    """

    name: ClassVar[str] = "optimizer_factors"
    title: ClassVar[str] = "loss under several optimizers (or any label), with shared exponents"
    formula: ClassVar[str] = "L(N, D, level) = E + A / (rho_N N)^alpha + B / (rho_D D)^beta"
    source: ClassVar[str] = "Volkova et al. 2026, arXiv 2602.07712"
    holds: ClassVar[str] = (
        "labels that change how much parameters and tokens are worth, not what they converge to"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens", "level")
    units: ClassVar[tuple[int, ...]] = (0, 1, COUNT)

    def __init__(self, levels: int = 2) -> None:
        self.parameters = (
            *_shared(),
            *(spec for k in range(2, levels + 1) for spec in _factors(k)),
        )

    def takes(self, count: int) -> bool:
        """Tell whether so many parameters are a law of two levels or more."""
        return count >= _SHARED + 2 and (count - _SHARED) % 2 == 0

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + A (rho_N N)^-alpha + B (rho_D D)^-beta."""
        floor, size, alpha, data, beta = theta[:_SHARED]
        worth_n, worth_d = _worth(theta, inputs)
        value: T = floor + size * worth_n**-alpha + data * worth_d**-beta
        return value

    def section(self, theta: Sequence[T], others: Sequence[T]) -> tuple[T, T, T, T, T]:
        """Return the Chinchilla parameters (E, A, alpha, B, beta) of a level."""
        floor, size, alpha, data, beta = theta[:_SHARED]
        one = others[0] * 0.0 + 1.0
        worth_n, worth_d = _worth(theta, (one, one, others[0]))
        return floor, size * worth_n**-alpha, alpha, data * worth_d**-beta, beta

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, alpha, B, beta and each level's factors."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same powers."""
        floor, size, alpha, data, beta = theta[:_SHARED]
        worth_n, worth_d = _worth(theta, inputs)
        power_n, power_d = worth_n**-alpha, worth_d**-beta
        capacity, shortage = size * power_n, data * power_d
        slopes: list[T] = []
        for level in range(2, _levels(len(theta)) + 1):
            rho_n, rho_d = theta[2 * level + 1], theta[2 * level + 2]
            here = _at_level(inputs[2], level)
            slopes += [-alpha * capacity * here / rho_n, -beta * shortage * here / rho_d]
        shared = [
            power_n * 0.0 + 1.0, power_n, -capacity * log(worth_n), power_d,
            -shortage * log(worth_d),
        ]  # fmt: skip
        return floor + capacity + shortage, tuple(shared + slopes)

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m n^alpha, alpha, B m d^beta, beta and the factors as they are."""
        floor, size, alpha, data, beta = theta[:_SHARED]
        shared = [
            floor * metric, size * metric * inputs[0] ** alpha, alpha,
            data * metric * inputs[1] ** beta, beta,
        ]  # fmt: skip
        return tuple(shared + list(theta[_SHARED:]))

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over the exponents: E from all runs, each level's terms in closed form."""
        import numpy as np

        from scaleplan.laws.starting import (
            SMALLEST_SHARE,
            grid,
            non_negative,
            solve_non_negative,
        )

        shapes = grid(_EXPONENTS, _EXPONENTS)
        powers = np.stack([inputs[k] ** -shapes[:, k, None] for k in (0, 1)], axis=2)
        columns = np.concatenate([np.ones((*powers.shape[:2], 1)), powers], axis=2)
        floor = non_negative(columns, values)[:, 0]
        left = (values - floor[:, None]) / values
        smallest = SMALLEST_SHARE * values.min() / powers.max(axis=1)
        sizes = []
        for level in range(1, _levels(len(self.parameters)) + 1):
            relative = powers * (inputs[2] == level)[:, None] / values[:, None]
            gram = relative.transpose(0, 2, 1) @ relative
            right = (relative * left[:, :, None]).sum(axis=1)
            sizes.append(np.maximum(solve_non_negative(gram, right), smallest))
        rho = [(size / sizes[0]) ** (-1.0 / shapes) for size in sizes[1:]]
        shared = [floor, sizes[0][:, 0], shapes[:, 0], sizes[0][:, 1], shapes[:, 1]]
        return np.column_stack([*shared, *(np.clip(r, 0.02, 50.0) for r in rho)])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 1.8 + 480/(rho_N N)^0.35 + 2100/(rho_D D)^0.37 (...)`."""
        floor, size, alpha, data, beta, *factors = (format_significant(v) for v in theta)
        levels = "; ".join(
            f"{names[2]} {k + 2}: {factors[2 * k]}, {factors[2 * k + 1]}"
            for k in range(len(factors) // 2)
        )
        return (
            f"{metric} = {floor} + {size}/(rho_N {names[0]})^{alpha} + "
            f"{data}/(rho_D {names[1]})^{beta} (rho_N, rho_D of {levels})"
        )


def _shared() -> tuple[ParameterSpec, ...]:
    return (
        ParameterSpec(
            symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="capacity term of the first level at N = 1", unit="metric",
            low=0.0, high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent of N", unit="", low=0.01, high=3.0),
        ParameterSpec(
            symbol="B", meaning="data term of the first level at D = 1", unit="metric", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="beta", meaning="exponent of D", unit="", low=0.01, high=3.0),
    )  # fmt: skip


def _factors(level: int) -> tuple[ParameterSpec, ParameterSpec]:
    return (
        ParameterSpec(
            symbol=f"rho_N{level}", meaning=f"worth of a parameter, level {level} over level 1",
            unit="", low=1e-3, high=1e3, scale="log",
        ),
        ParameterSpec(
            symbol=f"rho_D{level}", meaning=f"worth of a token, level {level} over level 1",
            unit="", low=1e-3, high=1e3, scale="log",
        ),
    )  # fmt: skip


def _levels(count: int) -> int:
    """Return how many levels a theta of so many parameters has."""
    return 1 + (count - _SHARED) // 2


def _at_level(levels: T, level: int) -> T:
    """Return 1 where the run has this level, else 0."""
    if isinstance(levels, float):
        return 1.0 if levels == level else 0.0
    import numpy as np

    return np.asarray(levels == level, dtype=float)


def _worth(theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, T]:
    """Return (rho_N N, rho_D D) of each run."""
    reference = _at_level(inputs[2], 1)
    rho_n, rho_d = reference, reference
    for level in range(2, _levels(len(theta)) + 1):
        here = _at_level(inputs[2], level)
        rho_n = rho_n + here * theta[2 * level + 1]
        rho_d = rho_d + here * theta[2 * level + 2]
    return rho_n * inputs[0], rho_d * inputs[1]
