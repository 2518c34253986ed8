"""How compute is split between parameters and tokens, and what a given split is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scaleplan.laws import HasOptimum, get_law

if TYPE_CHECKING:
    from scaleplan.records import Fit

_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
_SECTIONS = 120  # of a golden section: they leave 1e-25 of the interval
_MOST_LOG_FLOPS = 150.0 * math.log(10.0)  # no loss that needs more compute is reached


def has_optimum(fit: Fit) -> bool:
    """Tell whether a compute-optimal size follows from this fit."""
    if not isinstance(get_law(fit.law), HasOptimum):
        return False
    return not any(note.id == "ALLOCATION_REFUSED" for note in fit.notes)


def optimal_split(fit: Fit, flops: float) -> tuple[float, float]:
    """Return (params, tokens) that minimise the loss for a training compute in FLOP.

    Raises:
        TypeError: If the law has no optimum; ask `has_optimum` first.
    """
    law = get_law(fit.law)
    if not isinstance(law, HasOptimum):
        raise TypeError(fit.law)
    return law.optimum(list(fit.main.theta), float(flops), fit.flops_per_param_token)


def optimal_split_given(fit: Fit, flops: float, others: Sequence[float]) -> tuple[float, float]:
    """Return (params, tokens) that minimise a law of further inputs at a training compute in FLOP.

    For laws of unique tokens, experts, granularity, widths or levels, by golden section over the
    logarithm of the size: the loss along C = k N D has one minimum.

    Args:
        fit: A fit whose first two inputs are params (or active params) and tokens.
        flops: Training compute.
        others: The law's inputs after those two, held.
    """
    law = get_law(fit.law)
    products = flops / fit.flops_per_param_token

    def loss(log_params: float) -> float:
        params = math.exp(log_params)
        return law.evaluate(list(fit.main.theta), [params, products / params, *others])

    params = math.exp(golden_section(loss, 0.0, math.log(products)))
    return params, products / params


def golden_section(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one minimum between `low` and `high` is smallest."""
    inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_inner, at_outer = function(inner), function(outer)
    for _ in range(_SECTIONS):
        if at_inner <= at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - _GOLDEN * (high - low)
            at_inner = function(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + _GOLDEN * (high - low)
            at_outer = function(outer)
    return 0.5 * (low + high)


def optimal_tokens(fit: Fit, params: float) -> float:
    """Return the tokens for which `params` is the compute-optimal size.

    At the optimum a A / N^a = b B / D^b (from the stationarity of the loss under C = k N D).

    Raises:
        TypeError: If the law has no optimum; ask `has_optimum` first.
    """
    law = get_law(fit.law)
    if not isinstance(law, HasOptimum):
        raise TypeError(fit.law)
    size, alpha, data, beta = law.balance(list(fit.main.theta))
    capacity = alpha * size * params**-alpha
    return float((beta * data / capacity) ** (1.0 / beta))


def marginal_ratio(fit: Fit, params: float, tokens: float) -> float | None:
    """Return what 1% more parameters buys over what 1% more tokens buys; 1 at the optimum.

    r = (a A N^-a) / (b B D^-b); None if the law has no such terms.
    """
    law = get_law(fit.law)
    if not isinstance(law, HasOptimum):
        return None
    size, alpha, data, beta = law.balance(list(fit.main.theta))
    return float(alpha * size * params**-alpha / (beta * data * tokens**-beta))


def least_flops(fit: Fit, loss: float) -> float | None:
    """Return the smallest training compute in FLOP that reaches a loss, None if none does.

    Solves L(N*(C), D*(C)) = loss by bisection on ln C: the optimal loss falls with compute.
    """
    law = get_law(fit.law)
    if not has_optimum(fit):
        return None

    def best(log_flops: float) -> float:
        return law.evaluate(list(fit.main.theta), list(optimal_split(fit, math.exp(log_flops))))

    low, high = 0.0, _MOST_LOG_FLOPS
    if best(high) > loss:
        return None
    for _ in range(200):
        middle = 0.5 * (low + high)
        if best(middle) > loss:
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))
