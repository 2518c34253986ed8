"""The law of routed language models: parameters and number of experts at a fixed amount of data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from scaleplan.laws.base import COUNT, CurvedLaw, ParameterSpec, T, exp, log
from scaleplan.laws.experts import effective_experts, effective_experts_and_slopes
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_LN10 = math.log(10.0)
_STARTS, _MOST = (0.7, 1.2, 2.0, 4.0, 8.0, 16.0), (40.0, 100.0, 300.0, 1000.0, 1e4, 1e5)


@final
class Routed(CurvedLaw):
    """log10 L = a log10 N + b log10 E^ + c log10 N log10 E^ + d.

    E^ is the effective number of experts (see `experts.py`).

    Source: Clark et al. 2022 (arXiv 2202.01169), equation 1, and its public code, which takes
    logarithms to base 10. N parameters that one token passes through, E experts. All their models
    saw the same 130e9 tokens: the law says nothing about data and is no guide to allocation.
    """

    name: ClassVar[str] = "routed"
    title: ClassVar[str] = "loss of routed models, by active parameters and experts at fixed data"
    formula: ClassVar[str] = "log10 L = a log10 N + b log10 E^ + c log10 N log10 E^ + d"
    source: ClassVar[str] = "Clark et al. 2022, arXiv 2202.01169, equation 1, and its public code"
    holds: ClassVar[str] = "one amount of training data for all runs; no floor"
    inputs: ClassVar[tuple[str, ...]] = ("active_params", "experts")
    units: ClassVar[tuple[int, ...]] = (0, COUNT)
    parameters: tuple[ParameterSpec, ...] = (
        ParameterSpec(symbol="a", meaning="exponent of N at E^ = 1", unit="", low=-3.0, high=3.0),
        ParameterSpec(symbol="b", meaning="exponent of E^ at N = 1", unit="", low=-math.inf,
                      high=math.inf),
        ParameterSpec(symbol="c", meaning="change of both exponents, per decade", unit="",
                      low=-1.0, high=1.0),
        ParameterSpec(symbol="d", meaning="log10 of the loss at N = E^ = 1", unit="",
                      low=-math.inf, high=math.inf),
        ParameterSpec(symbol="E_start", meaning="effective experts of a dense model", unit="",
                      low=0.1, high=30.0, scale="log"),
        ParameterSpec(symbol="E_max", meaning="effective experts of endlessly many", unit="",
                      low=32.0, high=1e6, scale="log"),
    )  # fmt: skip

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return 10^(a log10 N + b log10 E^ + c log10 N log10 E^ + d)."""
        a, b, c, d, start, most = theta
        log_n = log(inputs[0]) / _LN10
        log_e = log(effective_experts(inputs[1], start, most)) / _LN10
        return exp(_LN10 * (a * log_n + b * log_e + c * log_n * log_e + d))

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivatives with respect to a, b, c, d, E_start and E_max."""
        return self.value_and_gradient(theta, inputs)[1]

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the loss and its gradient from the same logarithms."""
        a, b, c, d, start, most = theta
        experts, by_start, by_most = effective_experts_and_slopes(inputs[1], start, most)
        log_n, log_e = log(inputs[0]) / _LN10, log(experts) / _LN10
        value = exp(_LN10 * (a * log_n + b * log_e + c * log_n * log_e + d))
        by_level = value * (b + c * log_n)
        scaled = _LN10 * value
        return value, (
            scaled * log_n, scaled * log_e, scaled * log_n * log_e, scaled,
            by_level * by_start, by_level * by_most,
        )  # fmt: skip

    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return a, b - c log10 n, c, d - a log10 n + log10 m, E_start, E_max."""
        a, b, c, d, start, most = theta
        log_n = math.log10(inputs[0])
        return a, b - c * log_n, c, d - a * log_n + math.log10(metric), start, most

    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return a grid over E_start and E_max, with a, b, c and d from a linear fit."""
        import numpy as np

        from scaleplan.laws.starting import grid

        shapes = grid(_STARTS, _MOST)
        log_n, target = np.log10(inputs[0]), np.log10(values)
        linear = []
        for start, most in shapes:
            log_e = np.log10(effective_experts(inputs[1], start, most))
            columns = np.stack([log_n, log_e, log_n * log_e, np.ones_like(log_n)], axis=1)
            linear.append(np.linalg.lstsq(columns, target, rcond=None)[0])
        return np.column_stack([np.array(linear), shapes])

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `log10 L = -0.082 * log10 N + ... (e: effective experts)`."""
        a, b, c, d, start, most = (format_significant(v) for v in theta)
        x, e = f"log10 {names[0]}", "log10 e"
        return (
            f"{metric} = 10^({a} * {x} + ({b}) * {e} + ({c}) * {x} * {e} + {d}) "
            f"(e: effective {names[1]}, from {start} to {most})"
        )
