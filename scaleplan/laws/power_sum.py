"""The family of laws that are sums of powers and a floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from scaleplan.laws.base import CurvedLaw, T, log, power
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_EXPONENTS = (0.02, 3.0)  # outside this range no published exponent of training lies
_GRID = {1: 40, 2: 14}  # grid points an exponent, by number of terms


class PowerSumLaw(CurvedLaw):
    """A law of the form y = E + sum over terms of A_k x_k^(sign b_k).

    theta is (E, A_1, b_1, A_2, b_2, ...), without E where the law has no floor.

    Attributes:
        columns: For each term, the index of the input it takes a power of.
        floor: Whether there is an irreducible part E >= 0.
        sign: -1 where exponents are written as decay (A/x^b), +1 where as growth (c x^d).
    """

    automatic: ClassVar[bool] = True
    columns: ClassVar[tuple[int, ...]]
    floor: ClassVar[bool]
    sign: ClassVar[int]

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return E + sum of A_k x_k^(sign b_k)."""
        terms = self.terms(theta, inputs)
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total + theta[0] if self.floor else total

    def terms(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return each A_k x_k^(sign b_k): the reducible parts of the metric."""
        first = 1 if self.floor else 0
        return tuple(
            theta[first + 2 * k] * power(inputs[column], self.sign * theta[first + 2 * k + 1])
            for k, column in enumerate(self.columns)
        )

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return (1, x^(s b), s A x^(s b) ln x, ...)."""
        first = 1 if self.floor else 0
        parts: list[T] = []
        for k, column in enumerate(self.columns):
            raised = power(inputs[column], self.sign * theta[first + 2 * k + 1])
            parts += [raised, self.sign * theta[first + 2 * k] * raised * log(inputs[column])]
        if self.floor:
            parts.insert(0, parts[0] * 0.0 + 1.0)
        return tuple(parts)

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `L = 1.817 + 477.8/N^0.3473 + 2143/D^0.3672`."""
        first = 1 if self.floor else 0
        shown = [format_significant(theta[0])] if self.floor else []
        for k, column in enumerate(self.columns):
            size = format_significant(theta[first + 2 * k])
            exponent = format_significant(theta[first + 2 * k + 1])
            operator = "/" if self.sign < 0 else " * "
            shown.append(f"{size}{operator}{names[column]}^{exponent}")
        return f"{metric} = " + " + ".join(shown)

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return E m, A_k m x_k^(-s b_k) and b_k."""
        first = 1 if self.floor else 0
        parts: list[T] = [theta[0] * metric] if self.floor else []
        for k, column in enumerate(self.columns):
            size, exponent = theta[first + 2 * k], theta[first + 2 * k + 1]
            parts += [size * metric * inputs[column] ** (-self.sign * exponent), exponent]
        return tuple(parts)

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid of exponents with E and all A_k in closed form."""
        import numpy as np

        from scaleplan.laws.starting import SMALLEST_SHARE, grid, non_negative

        terms = len(self.columns)
        exponents = grid(*[np.geomspace(*_EXPONENTS, _GRID[terms])] * terms)
        # A rising law without a floor has its exponents the other way round.
        exponents = exponents if self.floor else np.concatenate([-exponents, exponents])
        powers = [inputs[column] ** -exponents[:, k, None] for k, column in enumerate(self.columns)]
        if self.floor:
            powers.insert(0, np.ones_like(powers[0]))
        linear = non_negative(np.stack(powers, axis=2), values)
        sizes = np.maximum(linear[:, int(self.floor) :], SMALLEST_SHARE * float(values.min()))
        pairs = np.stack([sizes, -self.sign * exponents], axis=2).reshape(len(exponents), -1)
        return np.concatenate([linear[:, :1], pairs], axis=1) if self.floor else pairs
