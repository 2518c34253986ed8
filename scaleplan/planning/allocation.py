"""How compute is split between parameters and tokens, and what a given split is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scaleplan.laws import HasOptimum, get_law
from scaleplan.planning.samples import knows_compute

if TYPE_CHECKING:
    from scaleplan.records import Fit

_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
_SECTIONS = 120  # of a golden section: they leave 1e-25 of the interval
_HALVINGS = 64  # of an interval of compute: they leave less than the last digit of its logarithm
_STEP = 1e-4  # of a central difference in a logarithm: its error is about 1e-8
_MOST_LOG_FLOPS = 150.0 * math.log(10.0)  # no loss that needs more compute is reached


def has_optimum(fit: Fit) -> bool:
    """Tell whether a compute-optimal size follows from this fit."""
    return has_balance(fit) and knows_compute(fit)


def has_balance(fit: Fit) -> bool:
    """Tell whether a fit says what parameters buy beside tokens, whatever both cost."""
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


def marginal_ratio_given(
    fit: Fit, params: float, tokens: float, others: Sequence[float]
) -> float | None:
    """Return what 1% more parameters buys over what 1% more tokens buys, further inputs held.

    By central differences in the logarithms; None where more tokens buy nothing.

    Args:
        fit: A fit whose first two inputs are params (or active params) and tokens.
        params: Parameters.
        tokens: Training tokens.
        others: The law's inputs after those two, held.
    """
    law, theta = get_law(fit.law), list(fit.main.theta)
    up, down = math.exp(_STEP), math.exp(-_STEP)
    by_params = law.evaluate(theta, [params * down, tokens, *others]) - law.evaluate(
        theta, [params * up, tokens, *others]
    )
    by_tokens = law.evaluate(theta, [params, tokens * down, *others]) - law.evaluate(
        theta, [params, tokens * up, *others]
    )
    return by_params / by_tokens if by_tokens > 0.0 else None


def least_flops(fit: Fit, loss: float, others: Sequence[float] = ()) -> float | None:
    """Return the smallest training compute in FLOP that reaches a loss, None if none does.

    Solves L(N*(C), D*(C)) = loss by bisection on ln C: the optimal loss falls with compute.

    Args:
        fit: The fit.
        loss: What is to be reached.
        others: The law's inputs after params and tokens, held.
    """
    law = get_law(fit.law)
    if not others and not has_optimum(fit):
        return None

    def best(log_flops: float) -> float:
        flops = math.exp(log_flops)
        split = optimal_split_given(fit, flops, others) if others else optimal_split(fit, flops)
        return law.evaluate(list(fit.main.theta), [*split, *others])

    low, high = 0.0, _MOST_LOG_FLOPS
    if best(high) > loss:
        return None
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if best(middle) > loss:
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))
