"""The law of repeated data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp, log, smaller
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.1, 0.2, 0.3, 0.45, 0.7, 1.1)
_REPEATS = (1.5, 5.0, 15.0, 60.0)
_EXCESSES = (0.5, 5.0, 50.0)


@final
class DataConstrained(CurvedLaw):
    """L(N, D, U) = E + A / N'^alpha + B / D'^beta with repeats and excess parameters decaying.

    D' = U + U R_D (1 - e^(-(D/U - 1) / R_D)) is what D tokens drawn from U unique ones are worth;
    N' likewise counts parameters beyond N_opt(U), the best size for one epoch over U, with R_N:
    N_opt = (alpha A U^beta / (beta B))^(1/alpha), from the law's own coefficients.

    Source: Muennighoff et al. 2023 (arXiv 2305.16264), as in the public code
    huggingface/datablations (parametric_fit notebook). On their 182 runs R_D and R_N are poorly
    determined: the objective stays within 1% for R_D from 8 to 200.
    """

    name: ClassVar[str] = "data_constrained"
    title: ClassVar[str] = "loss with repeated data"
    formula: ClassVar[str] = "L(N, D, U) = E + A / N'^alpha + B / D'^beta, repeats decaying by R_D"
    source: ClassVar[str] = "Muennighoff et al. 2023, arXiv 2305.16264, and its public code"
    holds: ClassVar[str] = (
        "loss falls with every epoch in it; where large models get worse with repeats it is wrong"
    )
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens", "unique_tokens")
    units: ClassVar[tuple[int, ...]] = (0, 1, 1)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="A", meaning="capacity term at N = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(
            symbol="alpha", meaning="exponent of N", unit="", low=0.01, high=3.0, scale="log"
        ),
        ParameterSpec(
            symbol="B", meaning="data term at D = 1", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(
            symbol="beta", meaning="exponent of D", unit="", low=0.01, high=3.0, scale="log"
        ),
        ParameterSpec(
            symbol="R_D", meaning="repeats after which data have lost most of their worth", unit="",
            low=0.05, high=1e4, scale="log",
        ),
        ParameterSpec(
            symbol="R_N", meaning="the same for excess parameters", unit="", low=0.05, high=1e4,
            scale="log",
        ),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + A N'^-alpha + B D'^-beta."""
        floor, size, alpha, data, beta, _, decay_n = theta
        unique = smaller(inputs[1], inputs[2])
        base = smaller(inputs[0], self.optimal_params(theta, unique))
        worth_n, _, _ = _worth(inputs[0], base, decay_n)
        worth_d = self.effective_tokens(theta, inputs[1], inputs[2])
        value: T = floor + size * worth_n**-alpha + data * worth_d**-beta
        return value

    @staticmethod
    def effective_tokens(theta: Sequence[T], tokens: T, unique_tokens: T) -> T:
        """Return D', how many fresh tokens are worth as much as these with their repeats."""
        return _worth(tokens, smaller(tokens, unique_tokens), theta[5])[0]

    @staticmethod
    def optimal_params(theta: Sequence[T], unique_tokens: T) -> T:
        """Return N_opt(U), the compute-optimal size for one epoch over U unique tokens."""
        _, size, alpha, data, beta, _, _ = theta
        return exp(_log_optimal_params(size, alpha, data, beta, unique_tokens))

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, alpha, B, beta, R_D and R_N."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient; N_opt moves with A, alpha, B and beta."""
        floor, size, alpha, data, beta, decay_d, decay_n = theta
        unique = smaller(inputs[1], inputs[2])
        log_best = _log_optimal_params(size, alpha, data, beta, unique)
        base = smaller(inputs[0], exp(log_best))
        worth_n, by_base, by_decay_n = _worth(inputs[0], base, decay_n)
        worth_d, _, by_decay_d = _worth(inputs[1], unique, decay_d)
        power_n, power_d = worth_n**-alpha, worth_d**-beta
        capacity, shortage = size * power_n, data * power_d
        slope_n, slope_d = -alpha * capacity / worth_n, -beta * shortage / worth_d
        # d N' along ln N_opt; zero where N < N_opt, because there N' = N whatever N_opt is.
        moved = slope_n * by_base * base
        return floor + capacity + shortage, (
            power_n * 0.0 + 1.0,
            power_n + moved / (alpha * size),
            -capacity * log(worth_n) + moved * (1.0 / alpha - log_best) / alpha,
            power_d - moved / (alpha * data),
            -shortage * log(worth_d) + moved * (log(unique) - 1.0 / beta) / alpha,
            slope_d * by_decay_d,
            slope_n * by_decay_n,
        )

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m n^alpha, alpha, B m d^beta, beta, R_D, R_N."""
        floor, size, alpha, data, beta, decay_d, decay_n = theta
        return (
            floor * metric, size * metric * inputs[0] ** alpha, alpha,
            data * metric * inputs[1] ** beta, beta, decay_d, decay_n,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over exponents and decays; E, A, B in closed form with N' = N."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        unique = np.minimum(inputs[1], inputs[2])
        shapes = grid(_EXPONENTS, _EXPONENTS, _REPEATS, _EXCESSES)
        worth_d = _worth(inputs[1], unique, shapes[:, 2, None])[0]
        power_n = np.broadcast_to(inputs[0] ** -shapes[:, 0, None], worth_d.shape)
        power_d = worth_d ** -shapes[:, 1, None]
        linear = non_negative(np.stack([np.ones_like(power_n), power_n, power_d], axis=2), values)
        size, data = (
            np.maximum(linear[:, k], SMALLEST_SHARE * values.min() / power.max(axis=1))
            for k, power in ((1, power_n), (2, power_d))
        )
        return np.stack(
            [linear[:, 0], size, shapes[:, 0], data, shapes[:, 1], shapes[:, 2], shapes[:, 3]],
            axis=1,
        )

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 1.87 + 521/N'^0.353 + 1488/D'^0.353 (R_D 15.4, R_N 5.31)`."""
        floor, size, alpha, data, beta, decay_d, decay_n = (format_significant(v) for v in theta)
        return (
            f"{metric} = {floor} + {size}/{names[0]}'^{alpha} + {data}/{names[1]}'^{beta} "
            f"(repeats of {names[2]}: R_D {decay_d}, R_N {decay_n})"
        )


def _log_optimal_params(size: T, alpha: T, data: T, beta: T, unique: T) -> T:
    """Return ln N_opt(U): where alpha A / N^alpha = beta B / U^beta."""
    return (beta * log(unique) + log(alpha * size / (beta * data))) / alpha


def _worth(amount: T, base: T, decay: T) -> tuple[T, T, T]:
    """Return what an amount is worth of which only `base` is new, and its derivatives.

    Returns:
        base + base R (1 - e^-q) with q = (amount / base - 1) / R, and its derivatives with respect
        to base and to R.
    """
    over = (amount / base - 1.0) / decay
    kept = exp(-over)
    share = 1.0 + decay * (1.0 - kept)
    return base * share, share - kept * amount / base, base * (1.0 - kept - over * kept)
