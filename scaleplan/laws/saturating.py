"""The law between chance and a limit, M4: for errors and accuracies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp, log, smaller
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_STEPS = 40
_CLOSE = 2e-4  # a last step this small leaves less than its fourth power
_FARTHEST = 500.0  # position beyond which a share counts as zero
_LN_2 = math.log(2.0)
_FLOORS = (0.0, 0.3, 0.6, 0.85, 0.97)  # shares of the smallest value
_CHANCES = (1.01, 1.1, 1.4, 2.5, 10.0)  # multiples of the largest
_SHAPES = (0.2, 0.5, 1.0, 2.5, 7.0, 18.0)


@final
class Saturating(CurvedLaw):
    """(y - e_inf) / (e0 - y)^alpha = b x^c: from e0 at chance down to e_inf in the limit.

    Source: Alabdulmohsin et al. 2022 (arXiv 2209.06640), estimator M4; its public code. y is an
    error, x any size; e0 is the error of guessing, 1 - 1/classes where all are equally likely.
    """

    name: ClassVar[str] = "saturating"
    title: ClassVar[str] = "sigmoid-like law from chance level down to a limit"
    formula: ClassVar[str] = "(y - e_inf) / (e0 - y)^alpha = b x^c"
    source: ClassVar[str] = "Alabdulmohsin et al. 2022, arXiv 2209.06640, estimator M4"
    holds: ClassVar[str] = "errors and accuracies of tasks on which the small models guess"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(
            symbol="e_inf", meaning="error in the limit", unit="metric", low=0.0, high=math.inf
        ),
        ParameterSpec(
            symbol="e0", meaning="error at chance", unit="metric", low=0.0, high=math.inf,
            scale="log",
        ),
        ParameterSpec(
            symbol="alpha", meaning="how fast chance is left", unit="", low=0.05, high=20.0,
            scale="log",
        ),
        ParameterSpec(
            symbol="b", meaning="the left side at x = 1", unit="metric^(1-alpha)", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="c", meaning="exponent", unit="", low=-10.0, high=0.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return y, the root of the formula between e_inf and e0."""
        floor, chance = theta[0], theta[1]
        return floor + (chance - floor) * _shares(_position(theta, inputs))[0]

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to e_inf, e0, alpha, b and c."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return y and its gradient, by the implicit function theorem at the root."""
        floor, chance, alpha, size, _ = theta
        place = _position(theta, inputs)
        # Distances to both ends from the position itself: no digits are lost near either.
        passed, left, logarithm = _shares(place)
        above, below = (chance - floor) * passed, (chance - floor) * left
        # G(y) = ln(y - e_inf) - alpha ln(e0 - y) - ln b - c ln x, dy = -dG / (dG/dy).
        total = below + alpha * above
        slope = above * below / total  # 1 / (dG/dy)
        return floor + above, (
            below / total,
            alpha * above / total,
            slope * (log(chance - floor) - logarithm),
            slope / size,
            slope * log(inputs[0]),
        )

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return e_inf m, e0 m, alpha, b m^(1-alpha) s^-c, c."""
        floor, chance, alpha, size, exponent = theta
        return (
            floor * metric, chance * metric, alpha,
            size * metric ** (1.0 - alpha) * inputs[0] ** -exponent, exponent,
        )  # fmt: skip

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over e_inf, e0 and alpha, with b and c from a line in logarithms."""
        import numpy as np

        from scaleplan.laws.starting import grid, line

        low, high = float(values.min()), float(values.max())
        shapes = grid(np.array(_FLOORS) * low, np.array(_CHANCES) * high, _SHAPES)
        floor, chance, alpha = (column[:, None] for column in shapes.T)
        side = np.log(values - floor) - alpha * np.log(chance - values)
        intercept, slope = line(np.log(inputs[0]), side)
        return np.column_stack([shapes, np.exp(intercept), np.clip(slope, -9.9, -1e-3)])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `error = y with (y - 0.1)/(0.9 - y)^1.5 = 40 C^-0.3`."""
        floor, chance, alpha, size, exponent = (format_significant(v) for v in theta)
        return (
            f"{metric} = y with (y - {floor})/({chance} - y)^{alpha} = {size} * "
            f"{names[0]}^{exponent}"
        )


def _position(theta: Sequence[T], inputs: Sequence[T]) -> T:
    """Return t with y = e_inf + (e0 - e_inf) / (1 + e^-t), by Householder's method of order 3.

    In t the formula reads F(t) = t + (alpha - 1) ln(1 + e^t) - goal = 0 with goal = ln b + c ln x
    - (1 - alpha) ln(e0 - e_inf). F rises with a slope between 1 and alpha and bends one way only,
    so that the roots of both its asymptotes and of its tangent at 0 lie on one side of its own
    root: the nearest of the three is less than 1 away.
    """
    floor, chance, alpha, size, exponent = theta
    rise = alpha - 1.0
    goal = log(size) + exponent * log(inputs[0]) + rise * log(chance - floor)
    side = 1.0 - 2.0 * (rise < 0.0)
    tangent = 2.0 * (goal - rise * _LN_2) / (1.0 + alpha)
    start = side * smaller(smaller(side * goal, side * goal / alpha), side * tangent)
    place = _within(start)
    for _ in range(_STEPS):
        passed, left, logarithm = _shares(place)
        slope = 1.0 + rise * passed
        step = (goal - place - rise * logarithm) / slope  # Newton's
        bend = rise * passed * left / slope * step
        step = step * (1.0 + 0.5 * bend) / (1.0 + bend + bend * step * (left - passed) / 6.0)
        before, place = place, _within(place + step)
        if _all_small(place - before, place):
            break
    return place


def _within(place: T) -> T:
    """Return t inside the range where e^-t is neither infinite nor zero."""
    return -smaller(-smaller(place, 0.0 * place + _FARTHEST), 0.0 * place + _FARTHEST)


def _shares(place: T) -> tuple[T, T, T]:
    """Return s(t) = 1 / (1 + e^-t), s(-t) and ln(1 + e^t)."""
    odds = exp(-place)
    passed = 1.0 / (1.0 + odds)
    left = odds * passed
    return passed, left, -log(left)


def _all_small(step: T, place: T) -> bool:
    if isinstance(step, float):
        return abs(step) <= _CLOSE * (1.0 + abs(place))
    import numpy as np

    # Not a number is no reason to go on: it stays one.
    return not bool((np.abs(step) > _CLOSE * (1.0 + np.abs(place))).any())
