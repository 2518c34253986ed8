"""Models of which a token uses a part: which size the law takes, and what training computes with.

Most laws here take one size, and C = k N D counts compute for that same size. Where a log gives all
parameters and the active ones, a law of all of them has a k of its own, smaller by their share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaleplan.records import Fit


def takes_all(fit: Fit) -> bool:
    """Tell whether a fit counts all parameters, of which its log says that a token uses a part."""
    return fit.flops_per_active_token is not None


def active_share(fit: Fit) -> float:
    """Return the active parameters over all of them in the runs of a fit; 1 if it has one size."""
    active = fit.flops_per_active_token
    return 1.0 if active is None else fit.flops_per_param_token / active


def seen_as_dense(fit: Fit, params: float, active: float) -> bool:
    """Tell whether a law takes a mixture of experts as a dense model of its active parameters.

    Args:
        fit: The law.
        params: All parameters of the model.
        active: Those a token uses.
    """
    sized = fit.inputs[:1] == ("params",) and "tokens" in fit.inputs and "experts" not in fit.inputs
    return active < params and sized and not takes_all(fit)


def with_share(fit: Fit, share: float) -> Fit:
    """Return a fit of all parameters with the k of models of another share of active ones.

    Args:
        fit: Any fit; one that has one size stays as it is.
        share: Active over all parameters, above 0 and at most 1.
    """
    active = fit.flops_per_active_token
    return fit if active is None else replace(fit, flops_per_param_token=active * share)


def with_flop_count(fit: Fit, flops_per_active_token: float) -> Fit:
    """Return a fit with another count of the FLOP of a token.

    Args:
        fit: Any fit.
        flops_per_active_token: FLOP per parameter that a token uses, and token.
    """
    if fit.flops_per_active_token is None:
        return replace(fit, flops_per_param_token=flops_per_active_token)
    return replace(
        fit, flops_per_param_token=flops_per_active_token * active_share(fit),
        flops_per_active_token=flops_per_active_token,
    )  # fmt: skip


def counted_size(fit: Fit, params: float, active: float) -> float:
    """Return N of C = k N D: all parameters where the fit counts those, else the active ones.

    Args:
        fit: What k is of.
        params: All parameters of the model.
        active: Those a token uses.
    """
    return params if takes_all(fit) else active


def law_size(fit: Fit, params: float, active: float) -> float:
    """Return the size that a law takes of a model.

    A law of params alone is one of the whole model; one with tokens, of what a token sees unless
    the fit counts all parameters.

    Args:
        fit: The law.
        params: All parameters of the model.
        active: Those a token uses.
    """
    return params if fit.inputs == ("params",) else counted_size(fit, params, active)
