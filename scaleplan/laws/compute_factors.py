"""The law of runs under several labels along one input: a shared curve, one factor a label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import COUNT, CurvedLaw, ParameterSpec, T, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.21, 0.25, 0.3, 0.35, 0.45, 0.6, 0.8, 1.1)
_SHARED = 3  # E, A, alpha


@final
class ComputeFactors(CurvedLaw):
    """L(C, level) = E + A / (rho C)^alpha, rho = 1 for the first level.

    rho is the compute multiplier of a label over the first: how many times its own compute a run is
    worth. The second input numbers the levels from 1, the reference, to K. One object is the law of
    one K; to evaluate, K follows from the length of theta.

    Source: the optimizer law of Volkova et al. 2026 (arXiv 2602.07712) along one ray of tokens to
    parameters, where A / N^alpha + B / D^beta is one power of compute.
    """

    name: ClassVar[str] = "compute_factors"
    title: ClassVar[str] = "loss against compute under several labels, with a shared exponent"
    formula: ClassVar[str] = "L(C, level) = E + A / (rho C)^alpha"
    source: ClassVar[str] = "Volkova et al. 2026, arXiv 2602.07712, along one ray"
    holds: ClassVar[str] = (
        "labels that change what compute is worth, not what runs converge to; runs of one ratio of "
        "tokens to parameters"
    )
    inputs: ClassVar[tuple[str, ...]] = ("flops", "level")
    units: ClassVar[tuple[int, ...]] = (0, COUNT)

    def __init__(self, levels: int = 2) -> None:
        self.parameters = (*_shared(), *(_factor(level) for level in range(2, levels + 1)))

    def takes(self, count: int) -> bool:
        """Tell whether so many parameters are a law of two levels or more."""
        return count > _SHARED

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + A (rho C)^-alpha."""
        floor, size, alpha = theta[:_SHARED]
        value: T = floor + size * _worth(theta, inputs) ** -alpha
        return value

    def along(self, theta: Sequence[T], level: int) -> tuple[T, T, T]:
        """Return (E, A, alpha) of L = E + A / C^alpha at a level."""
        floor, size, alpha = theta[:_SHARED]
        if level == 1:
            return floor, size, alpha
        return floor, size * theta[_SHARED + level - 2] ** -alpha, alpha

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, alpha and each level's factor."""
        _, size, alpha = theta[:_SHARED]
        worth = _worth(theta, inputs)
        power = worth**-alpha
        part = size * power
        slopes: list[T] = [power * 0.0 + 1.0, power, -part * log(worth)]
        for level in range(2, _levels(len(theta)) + 1):
            here = _at_level(inputs[1], level)
            slopes.append(-alpha * part * here / theta[_SHARED + level - 2])
        return tuple(slopes)

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m c^alpha, alpha and the factors as they are."""
        floor, size, alpha = theta[:_SHARED]
        shared = [floor * metric, size * metric * inputs[0] ** alpha, alpha]
        return tuple(shared + list(theta[_SHARED:]))

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over the exponent: E from all runs, each level's term in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, non_negative

        shapes = np.array(_EXPONENTS)
        power = inputs[0] ** -shapes[:, None]
        floor = non_negative(np.stack([np.ones_like(power), power], axis=2), values)[:, 0]
        # The floor of all runs together is too high for the better levels: halves of it as well.
        floor, shapes = np.r_[floor, 0.5 * floor], np.r_[shapes, shapes]
        power = np.concatenate([power, power])
        left = (values - floor[:, None]) / values
        smallest = SMALLEST_SHARE * values.min() / power.max(axis=1)
        sizes = []
        for level in range(1, _levels(len(self.parameters)) + 1):
            relative = power * (inputs[1] == level) / values
            size = (relative * left).sum(axis=1) / np.maximum((relative**2).sum(axis=1), 1e-300)
            sizes.append(np.maximum(size, smallest))
        rho = [(size / sizes[0]) ** (-1.0 / shapes) for size in sizes[1:]]
        factors = [np.clip(r, 0.002, 500.0) for r in rho]
        return np.column_stack([floor, sizes[0], shapes, *factors])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 1.8 + 480/(rho C)^0.15 (rho of level 2: 1.4)`."""
        floor, size, alpha, *factors = (format_significant(v) for v in theta)
        levels = "; ".join(f"{names[1]} {k}: {rho}" for k, rho in enumerate(factors, start=2))
        return f"{metric} = {floor} + {size}/(rho {names[0]})^{alpha} (rho of {levels})"


def _shared() -> tuple[ParameterSpec, ...]:
    return (
        ParameterSpec(
            symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="reducible part of the first level at C = 1", unit="metric",
            low=0.0, high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="alpha", meaning="exponent of C", unit="", low=0.01, high=3.0),
    )  # fmt: skip


def _factor(level: int) -> ParameterSpec:
    return ParameterSpec(
        symbol=f"rho{level}", meaning=f"worth of compute, level {level} over level 1", unit="",
        low=1e-4, high=1e4, scale="log",
    )  # fmt: skip


def _levels(count: int) -> int:
    """Return how many levels a theta of so many parameters has."""
    return 1 + count - _SHARED


def _at_level(levels: T, level: int) -> T:
    """Return 1 where the run has this level, else 0."""
    if isinstance(levels, float):
        return 1.0 if levels == level else 0.0
    import numpy as np

    return np.asarray(levels == level, dtype=float)


def _worth(theta: Sequence[T], inputs: Sequence[T]) -> T:
    """Return rho C of each run."""
    rho = _at_level(inputs[1], 1)
    for level in range(2, _levels(len(theta)) + 1):
        rho = rho + _at_level(inputs[1], level) * theta[_SHARED + level - 2]
    return rho * inputs[0]
