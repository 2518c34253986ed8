"""Other sizes and tokens that reach the same loss, and what they cost.

All of it holds for laws whose loss rises with A / N^alpha + B / D^beta and nothing else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scaleplan.laws import HasOptimum, get_law
from scaleplan.planning.active import active_share
from scaleplan.planning.allocation import golden_section, least_flops, optimal_split

if TYPE_CHECKING:
    from scaleplan.records import Fit

# FLOP a parameter and token of a forward pass (Kaplan et al. 2020, arXiv 2001.08361, table 1).
_INFERENCE_FLOPS_PER_PARAM_TOKEN = 2.0
_WIDEST = 30.0  # e-folds of model size that are searched above the smallest feasible one


def critical_size_ratio(*, alpha: float, beta: float) -> float:
    """Return the share of the compute-optimal size below which no data reach the same loss.

    (1 + alpha / beta)^(-1/alpha); de Vries 2023, "Go smol or go home", the asymptote of k_N.

    Args:
        alpha: Exponent of params.
        beta: Exponent of tokens.
    """
    return float((1.0 + alpha / beta) ** (-1.0 / alpha))


def inference_aware_size(
    fit: Fit, loss: float, inference_tokens: float
) -> tuple[float, float, float] | None:
    """Return the size and tokens that reach a loss with the least compute over a model's life.

    min k N D + 2 N D_inf over N with D such that L(N, D) = loss; Sardana et al. 2023 (arXiv
    2401.00448), equation 2.

    Args:
        fit: A fit of a law of params and tokens.
        loss: What is to be reached.
        inference_tokens: D_inf, tokens that the model will read and write after training.

    Returns:
        (params, tokens, FLOP of training and inference), or None if no size reaches the loss.

    Raises:
        TypeError: If the law has no optimum; ask `has_optimum` first.
    """
    law = get_law(fit.law)
    if not isinstance(law, HasOptimum):
        raise TypeError(fit.law)
    least = least_flops(fit, loss)
    if least is None:
        return None
    size, alpha, data, beta = law.balance(list(fit.main.theta))
    best = optimal_split(fit, least)
    goal = size * best[0] ** -alpha + data * best[1] ** -beta

    def tokens_of(params: float) -> float:
        left = goal - size * params**-alpha
        return float((data / left) ** (1.0 / beta)) if left > 0.0 else math.inf

    served = _INFERENCE_FLOPS_PER_PARAM_TOKEN * active_share(fit) * inference_tokens

    def total(log_params: float) -> float:
        params = math.exp(log_params)
        training = fit.flops_per_param_token * params * tokens_of(params)
        return training + served * params

    smallest = math.log(size / goal) / alpha
    log_params = golden_section(total, smallest, smallest + _WIDEST)
    params = math.exp(log_params)
    return params, tokens_of(params), total(log_params)
