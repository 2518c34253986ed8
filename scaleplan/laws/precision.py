"""The laws of training in low precision: narrow numbers cost effective parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import COUNT, CurvedLaw, ParameterSpec, T, exp, log
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.1, 0.2, 0.3, 0.42, 0.6, 0.9)
_SCALES = (0.5, 1.0, 2.0, 4.0)  # bits


def _width(symbol: str, of: str) -> ParameterSpec:
    return ParameterSpec(
        symbol=symbol, meaning=f"width of {of} that keeps 63% of the parameters", unit="bits",
        low=0.3, high=100.0, scale="log",
    )  # fmt: skip


_CHINCHILLA = (
    ParameterSpec(symbol="E", meaning="irreducible loss", unit="metric", low=0.0, high=math.inf),
    ParameterSpec(
        symbol="A", meaning="capacity term at N_eff = 1", unit="metric", low=0.0, high=math.inf,
        scale="log",
    ),
    ParameterSpec(symbol="alpha", meaning="exponent of N_eff", unit="", low=0.0, high=3.0),
    ParameterSpec(
        symbol="B", meaning="data term at D = 1", unit="metric", low=0.0, high=math.inf,
        scale="log",
    ),
    ParameterSpec(symbol="beta", meaning="exponent of D", unit="", low=0.0, high=3.0),
)  # fmt: skip


class _PrecisionLaw(CurvedLaw):
    """L = E + A / N_eff^alpha + B / D^beta, N_eff = N prod (1 - e^(-P_i / gamma_i))^power."""

    source: ClassVar[str] = "Kumar et al. 2024, arXiv 2411.04330, equations 3 and 4"
    holds: ClassVar[str] = (
        "training in 3 to 16 bits, as in their runs; the constants do not carry over to other "
        "architectures and number formats"
    )
    power: ClassVar[float]

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + A N_eff^-alpha + B D^-beta."""
        floor, size, alpha, data, beta = self.section(theta, inputs[2:])
        value: T = floor + size * inputs[0] ** -alpha + data * inputs[1] ** -beta
        return value

    def kept(self, theta: Sequence[T], widths: Sequence[T]) -> T:
        """Return N_eff / N at some widths in bits: prod (1 - e^(-P_i / gamma_i))^power."""
        shares = [1.0 - exp(-width / theta[5 + i]) for i, width in enumerate(widths)]
        product = shares[0]
        for share in shares[1:]:
            product = product * share
        result: T = product**self.power
        return result

    def section(self, theta: Sequence[T], others: Sequence[T]) -> tuple[T, T, T, T, T]:
        """Return the Chinchilla parameters (E, A, alpha, B, beta) at some widths."""
        floor, size, alpha, data, beta = theta[:5]
        return floor, size * self.kept(theta, others) ** -alpha, alpha, data, beta

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to E, A, alpha, B, beta and each gamma."""
        floor, size, alpha, data, beta = theta[:5]
        del floor
        effective = inputs[0] * self.kept(theta, inputs[2:])
        power_n, power_d = effective**-alpha, inputs[1] ** -beta
        capacity = size * power_n
        slopes: list[T] = []
        for i, width in enumerate(inputs[2:]):
            scale = theta[5 + i]
            lost = exp(-width / scale)
            slopes.append(alpha * capacity * self.power * width * lost / (scale**2 * (1.0 - lost)))
        shared = [
            power_n * 0.0 + 1.0, power_n, -capacity * log(effective),
            power_d, -data * power_d * log(inputs[1]),
        ]  # fmt: skip
        return tuple(shared + slopes)

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A m n^alpha, alpha, B m d^beta, beta and the gammas as they are."""
        floor, size, alpha, data, beta = theta[:5]
        shared = [
            floor * metric, size * metric * inputs[0] ** alpha, alpha,
            data * metric * inputs[1] ** beta, beta,
        ]  # fmt: skip
        return tuple(shared + list(theta[5:]))

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over exponents and gammas, with E, A and B in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        widths = inputs[2:]
        shapes = grid(_EXPONENTS, _EXPONENTS, *([_SCALES] * len(widths)))
        kept = np.ones((len(shapes), values.size))
        for i, width in enumerate(widths):
            kept *= (1.0 - np.exp(-width / shapes[:, 2 + i, None])) ** self.power
        power_n = (inputs[0] * kept) ** -shapes[:, 0, None]
        power_d = inputs[1] ** -shapes[:, 1, None]
        linear = non_negative(np.stack([np.ones_like(power_n), power_n, power_d], axis=2), values)
        size, data = (
            np.maximum(linear[:, k], SMALLEST_SHARE * values.min() / power.max(axis=1))
            for k, power in ((1, power_n), (2, power_d))
        )
        return np.column_stack([linear[:, 0], size, shapes[:, 0], data, shapes[:, 1:]])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 2.0 + 400/N_eff^0.5 + 3000/D^0.4 (N_eff = N (1 - ...))`."""
        floor, size, alpha, data, beta, *scales = (format_significant(v) for v in theta)
        kept = " ".join(
            f"(1 - e^(-{name}/{scale}))" for name, scale in zip(names[2:], scales, strict=True)
        )
        power = "" if self.power == 1.0 else f"^{self.power:g}"
        return (
            f"{metric} = {floor} + {size}/N_eff^{alpha} + {data}/{names[1]}^{beta} "
            f"(N_eff = {names[0]} {kept}{power})"
        )


@final
class Precision(_PrecisionLaw):
    """L(N, D, P) = E + A / N_eff^alpha + B / D^beta with N_eff = N (1 - e^(-P / gamma))^3.

    One width P in bits for weights, activations and the key-value cache, whose scales cannot be
    told apart then.

    Source: Kumar et al. 2024 (arXiv 2411.04330), equations 3 and 4 at equal widths.
    """

    name: ClassVar[str] = "precision"
    title: ClassVar[str] = "loss of training in low precision, one width for everything"
    formula: ClassVar[str] = "L(N, D, P) = E + A / (N (1 - e^(-P/gamma))^3)^alpha + B / D^beta"
    inputs: ClassVar[tuple[str, ...]] = ("params", "tokens", "bits")
    units: ClassVar[tuple[int, ...]] = (0, 1, COUNT)
    parameters: tuple[ParameterSpec, ...] = (*_CHINCHILLA, _width("gamma", "all numbers"))
    power: ClassVar[float] = 3.0


@final
class PrecisionParts(_PrecisionLaw):
    """L = E + A / N_eff^alpha + B / D^beta, N_eff = N prod over parts of (1 - e^(-P / gamma)).

    A width in bits for weights, activations and the key-value cache each.

    Source: Kumar et al. 2024 (arXiv 2411.04330), equations 3 and 4.
    """

    name: ClassVar[str] = "precision_parts"
    title: ClassVar[str] = "loss of training in low precision, a width for each part"
    formula: ClassVar[str] = (
        "L = E + A / (N (1 - e^(-P_w/g_w)) (1 - e^(-P_a/g_a)) (1 - e^(-P_kv/g_kv)))^alpha "
        "+ B / D^beta"
    )
    inputs: ClassVar[tuple[str, ...]] = (
        "params", "tokens", "weight_bits", "activation_bits", "kv_cache_bits",
    )  # fmt: skip
    units: ClassVar[tuple[int, ...]] = (0, 1, COUNT, COUNT, COUNT)
    parameters: tuple[ParameterSpec, ...] = (
        *_CHINCHILLA,
        _width("g_w", "weights"), _width("g_a", "activations"), _width("g_kv", "the cache"),
    )  # fmt: skip
    power: ClassVar[float] = 1.0
