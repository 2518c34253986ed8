"""Whether a model is so small that no amount of data would take it much further."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.laws import HasOptimum, get_law
from scaleplan.planning.allocation import has_optimum, least_flops, optimal_split
from scaleplan.planning.equal_loss import critical_size_ratio
from scaleplan.records import Fit, Note
from scaleplan.units import format_count, format_significant

# Within 15% of the smallest possible size the tokens needed grow without bound; a convention.
_NEAR = 1.15


def critical_size(fit: Fit, params: float, *, metric_value: float) -> Iterator[Note]:
    """Yield that a model is close to the smallest one that can reach its predicted metric at all.

    Args:
        fit: The fit.
        params: Parameters.
        metric_value: The predicted metric there.
    """
    law = get_law(fit.law)
    if not isinstance(law, HasOptimum) or not has_optimum(fit):
        return
    needed = least_flops(fit, 1.0 - metric_value if fit.complement else metric_value)
    if needed is None or needed <= 0.0:
        return
    best = optimal_split(fit, needed)[0]
    _, alpha, _, beta = law.balance(list(fit.main.theta))
    smallest = critical_size_ratio(alpha=alpha, beta=beta) * best
    if params >= _NEAR * smallest:
        return
    yield Note(
        id="CRITICAL_SIZE", severity="warning",
        text=f"{format_count(params)} parameters are {format_significant(params / smallest, 3)} "
        f"times the smallest size that can reach {fit.metric.name} "
        f"{format_significant(metric_value)} at all ({format_count(smallest)}): tokens have "
        "almost no effect left.",
        action=f"Train a larger model; {format_count(best)} parameters reach the same with the "
        "least compute.",
        numbers=(("params", params), ("smallest_params", smallest), ("optimal_params", best)),
        source="de Vries 2023, Go smol or go home: k_N above (1 + alpha/beta)^(-1/alpha)",
    )  # fmt: skip
