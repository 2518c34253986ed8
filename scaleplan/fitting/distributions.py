"""Quantiles and tail probabilities of t and F, in plain Python.

scipy has them, but importing it costs more than a whole fit, and forecasts need one t quantile.
Checked against scipy in the tests.
"""

from __future__ import annotations

import math
from functools import lru_cache

_TERMS = 400
_TINY = 1e-300


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    Args:
        a: First shape, positive.
        b: Second shape, positive.
        x: Upper limit, 0 to 1.

    Source: the continued fraction DLMF 8.17.22, summed by Lentz's method.
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):  # where the fraction converges fast
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            total *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * total


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=64)
def t_quantile(probability: float, dof: float) -> float:
    """Return the quantile of Student's t.

    Args:
        probability: Between 0 and 1, for example 0.95 for a two-sided 90% interval.
        dof: Degrees of freedom, at least 1.
    """
    if probability < 0.5:
        return -t_quantile(1.0 - probability, dof)
    tail = 2.0 * (1.0 - probability)
    low, high = 0.0, 1.0
    while _t_two_sided(high, dof) > tail:
        low, high = high, 2.0 * high
    log_scale = math.lgamma(0.5 * (dof + 1.0)) - math.lgamma(0.5 * dof)
    log_scale -= 0.5 * math.log(dof * math.pi)
    t = 0.5 * (low + high)
    for _ in range(100):
        excess = _t_two_sided(t, dof) - tail
        low, high = (t, high) if excess > 0.0 else (low, t)
        density = math.exp(log_scale - 0.5 * (dof + 1.0) * math.log1p(t * t / dof))
        step = 0.5 * excess / density  # Newton on the two-sided tail, whose slope is -2 density
        following = t + step
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - t) <= 1e-13 * max(1.0, t):
            return following
        t = following
    return t


def _t_two_sided(t: float, dof: float) -> float:
    return incomplete_beta(0.5 * dof, 0.5, dof / (dof + t * t))


def t_tail(t: float, dof: float) -> float:
    """Return the two-sided p-value of a t statistic."""
    return _t_two_sided(abs(t), dof)


def f_tail(statistic: float, numerator: float, denominator: float) -> float:
    """Return P(F > statistic) for an F distribution with the given degrees of freedom."""
    if statistic <= 0.0:
        return 1.0
    x = denominator / (denominator + numerator * statistic)
    return incomplete_beta(0.5 * denominator, 0.5 * numerator, x)


def normal_tail(z: float) -> float:
    """Return the two-sided p-value of a standard normal statistic."""
    return math.erfc(abs(z) / math.sqrt(2.0))
