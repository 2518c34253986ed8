"""How flat the optimum is: all sizes that are next to the best at one budget.

The loss hardly changes around the optimal size, so that the freedom of choice is far wider than the
interval of the optimum itself. Plain Python: no numpy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scaleplan.laws import HasOptimum, get_law

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.records import LawFit

# What counts as next to the best: differences between seeds of one run are of this size (0.01 nats
# per token is what published comparisons of sweeps call the valley; a choice).
_NEXT_TO_BEST = {"nats/token": 0.01}
_RELATIVE = 0.01  # for every other metric
_FARTHEST = math.log(1e6)  # of a valley's end from the optimum, in ln N
_HALVINGS = 60


def valley_label(unit: str) -> str:
    """Return what the valley of a metric in this unit is: `+0.01` or `+1%` above the best."""
    return f"+{_NEXT_TO_BEST[unit]:g}" if unit in _NEXT_TO_BEST else f"+{100.0 * _RELATIVE:g}%"


def valley(
    fit: LawFit, flops: float, flops_per_param_token: float, *, unit: str
) -> tuple[float | None, float | None]:
    """Return the smallest and largest params whose metric is next to the best at this budget.

    Solves L(N, C / (k N)) = L(N*, D*) + margin on both sides of N* by bisection on ln N: along a
    budget the laws with an optimum fall to it and rise from it.

    Args:
        fit: The law of params and tokens.
        flops: Training compute C in FLOP.
        flops_per_param_token: k in C = k N D.
        unit: The metric's unit; it decides on the margin.

    Returns:
        (low, high); None for a side on which a factor of 1e6 does not leave the valley.
    """
    law = get_law(fit.law)
    if not isinstance(law, HasOptimum):
        return None, None
    theta = list(fit.theta)
    best = law.optimum(theta, flops, flops_per_param_token)
    least = law.evaluate(theta, list(best))
    limit = least + _NEXT_TO_BEST.get(unit, _RELATIVE * least)

    def above(shift: float) -> bool:
        moved = [best[0] * math.exp(shift), best[1] * math.exp(-shift)]
        try:
            return law.evaluate(theta, moved) > limit
        except OverflowError:  # a power beyond the largest float is above every limit
            return True

    return _edge(best[0], above, -_FARTHEST), _edge(best[0], above, _FARTHEST)


def _edge(params: float, above: Callable[[float], bool], farthest: float) -> float | None:
    """Return the params at which the metric leaves the valley, between 0 and `farthest` in ln N."""
    if not above(farthest):
        return None
    inside, outside = 0.0, farthest
    for _ in range(_HALVINGS):
        middle = 0.5 * (inside + outside)
        if above(middle):
            outside = middle
        else:
            inside = middle
    return params * math.exp(inside)
