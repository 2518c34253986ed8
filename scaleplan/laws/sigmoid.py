"""The S-curve in ln x between chance and a limit: the saturating law with alpha = 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import CurvedLaw, ParameterSpec, T, exp, log, softplus
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_STEEPNESS = (0.15, 0.3, 0.6, 1.2, 2.5, 5.0)
_MIDDLES = 9  # over the inputs seen and half as far again on both sides
_LEAST_GAP = 0.01  # between chance and limit of a start, as a share of chance


@final
class Sigmoid(CurvedLaw):
    """y = e_inf + (e0 - e_inf) / (1 + (x/x0)^c): a logistic curve in ln x.

    Source: Alabdulmohsin et al. 2022 (arXiv 2209.06640), estimator M4 with alpha = 1, solved for y.
    y is an error; e0 is the error of guessing, 1 - 1/classes where all are equally likely.
    """

    name: ClassVar[str] = "sigmoid"
    title: ClassVar[str] = "S-curve in ln x from chance level down to a limit"
    formula: ClassVar[str] = "y = e_inf + (e0 - e_inf) / (1 + (x/x0)^c)"
    source: ClassVar[str] = (
        "Alabdulmohsin et al. 2022, arXiv 2209.06640, estimator M4 with alpha = 1"
    )
    holds: ClassVar[str] = (
        "errors and accuracies; with runs on one side of x0 only, the other level is a guess"
    )
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
            symbol="x0", meaning="where half of what can be gained is gained", unit="x", low=0.0,
            high=math.inf, scale="log",
        ),
        ParameterSpec(symbol="c", meaning="exponent", unit="", low=0.0, high=10.0),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return e_inf + (e0 - e_inf) / (1 + (x/x0)^c), without overflow."""
        floor, chance, middle, exponent = theta
        place = exponent * (log(inputs[0]) - log(middle))
        # The logarithm keeps the solver where chance lies above the limit: below it is no number.
        return floor + exp(log(chance - floor) - softplus(place))

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to e_inf, e0, x0 and c."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient from the same exponentials."""
        floor, chance, middle, exponent = theta
        distance = log(inputs[0]) - log(middle)
        place = exponent * distance
        left, passed = exp(-softplus(place)), exp(-softplus(-place))
        gap = exp(log(chance - floor))
        slope = gap * left * passed
        return floor + gap * left, (passed, left, slope * exponent / middle, -slope * distance)

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return e_inf m, e0 m, x0 s, c."""
        floor, chance, middle, exponent = theta
        return floor * metric, chance * metric, middle * inputs[0], exponent

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over x0 and c, with both levels from non-negative least squares."""
        import numpy as np

        from scaleplan.laws.starting import grid, non_negative

        low, high = np.log(inputs[0].min()), np.log(inputs[0].max())
        far = 0.5 * (high - low)
        shapes = grid(np.linspace(low - far, high + far, _MIDDLES), _STEEPNESS)
        place = shapes[:, 1, None] * (np.log(inputs[0]) - shapes[:, 0, None])
        left = np.exp(-np.logaddexp(0.0, place))
        levels = non_negative(np.stack([1.0 - left, left], axis=2), values)
        chance = np.maximum(levels[:, 1], values.max())
        floor = np.minimum(levels[:, 0], (1.0 - _LEAST_GAP) * chance)
        return np.column_stack([floor, chance, np.exp(shapes[:, 0]), shapes[:, 1]])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `error = 0.1 + 0.65 / (1 + (C/1e+23)^0.4)`."""
        floor, chance, middle, exponent = theta
        low, gap, at, power = (
            format_significant(v) for v in (floor, chance - floor, middle, exponent)
        )
        return f"{metric} = {low} + {gap} / (1 + ({names[0]}/{at})^{power})"
