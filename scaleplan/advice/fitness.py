"""Too large or too small for the data: judged by what more of each would buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scaleplan.planning.allocation import (
    has_optimum,
    least_flops,
    marginal_ratio,
    marginal_ratio_given,
    optimal_split,
    optimal_split_given,
)
from scaleplan.planning.forecast import further_inputs
from scaleplan.records import Fit, Note
from scaleplan.units import format_count, format_flops, format_percent

# At the optimum 1% more parameters and 1% more tokens buy the same (stationarity under C = kND);
# beyond 2:1 the plan is lopsided whatever the uncertainty of the exponents.
_LOPSIDED, _LEANING = 2.0, 1.5
_WASTE_INFO, _WASTE_WARNING = 1.2, 1.5
_SOURCE = "stationarity of the fitted law under C = k N D (Hoffmann et al. 2022, section 3.3)"


def fitness_notes(
    fit: Fit, params: float, tokens: float, *, metric_value: float,
    others: Mapping[str, float] | None = None, whole: float | None = None, size_limit: str = "",
) -> Iterator[Note]:  # fmt: skip
    """Yield whether parameters or data limit this model, and what compute that wastes.

    A mixture of experts under a law of dense models is judged where its active parameters and all
    of them are on the same side.

    Args:
        fit: The fit.
        params: Parameters.
        tokens: Training tokens.
        metric_value: The predicted metric there.
        others: The law's further inputs by role, such as the unique tokens; they are held.
        whole: All parameters of a mixture of which `params` are the active ones.
        size_limit: What keeps the model smaller than the optimum of its compute for good reason.
    """
    held = [(others or {})[role] for role in further_inputs(fit)] if "tokens" in fit.inputs else []
    flops = fit.flops_per_param_token * params * tokens
    ratio = _ratio(fit, params, tokens, held)
    if ratio is None:
        return
    if whole is not None and _side(_ratio(fit, whole, tokens, held)) != _side(ratio):
        return
    if held:
        best_params, best_tokens = optimal_split_given(fit, flops, held)
    else:
        best_params, best_tokens = optimal_split(fit, flops)
    numbers = (
        ("marginal_ratio", ratio), ("params_over_optimal", params / best_params),
        ("optimal_params", best_params), ("optimal_tokens", best_tokens),
    )  # fmt: skip
    one = "parameter" if whole is None else "active parameter"
    per_param = f"{format_count(tokens / params)} tokens per {one}"
    best = (
        f"At the same compute the optimum is {format_count(best_params)} parameters on "
        f"{format_count(best_tokens)} tokens ({format_count(best_tokens / best_params)} per "
        "parameter)."
    )
    if ratio > _LEANING and size_limit:
        yield _on_purpose(per_param, best, size_limit, numbers)
        return
    if ratio > _LEANING:
        yield Note(
            id="CAPACITY_LIMITED", severity="warning" if ratio > _LOPSIDED else "info",
            text=f"Underfit side: the model is small for its data ({per_param}). 1% more "
            f"parameters buys {ratio:.1f} times what 1% more tokens buys. {best}",
            action="Train a larger model on fewer tokens, unless a small model is wanted for "
            "cheap inference.",
            numbers=numbers, source=_SOURCE,
        )  # fmt: skip
    elif ratio < 1.0 / _LEANING:
        yield Note(
            id="DATA_LIMITED", severity="warning" if ratio < 1.0 / _LOPSIDED else "info",
            text=f"Overfit side: the model is large for its data ({per_param}). 1% more tokens "
            f"buys {1.0 / ratio:.1f} times what 1% more parameters buys. {best} With fresh data "
            "this is under-training; with repeated data it overfits.",
            action="Train a smaller model on more tokens; if there are no more, watch the gap "
            "between training and validation loss.",
            numbers=numbers, source=_SOURCE,
        )  # fmt: skip
    else:
        yield Note(
            id="BALANCED", severity="info",
            text=f"Neither underfit nor overfit side: at {per_param} 1% more parameters buys "
            f"{ratio:.2f} times what 1% more tokens buys.",
            numbers=numbers, source=_SOURCE,
        )  # fmt: skip
    yield from _waste(fit, flops, metric_value, held)


def _ratio(fit: Fit, params: float, tokens: float, held: Sequence[float]) -> float | None:
    """Return what 1% more parameters buys over what 1% more tokens buys, None if unknown."""
    if held:
        return marginal_ratio_given(fit, params, tokens, held)
    return marginal_ratio(fit, params, tokens) if has_optimum(fit) else None


def _side(ratio: float | None) -> int:
    """Return 1 where parameters limit, -1 where data do, 0 where neither does."""
    return 0 if ratio is None else (ratio > _LEANING) - (ratio < 1.0 / _LEANING)


def _on_purpose(
    per_param: str, best: str, size_limit: str, numbers: tuple[tuple[str, float], ...]
) -> Note:
    return Note(
        id="SMALLER_ON_PURPOSE", severity="info",
        text=f"Smaller than the optimum of its training compute, for a reason ({per_param}): what "
        f"sets the size is {size_limit}. {best}",
        numbers=numbers, source=_SOURCE,
    )  # fmt: skip


def _waste(fit: Fit, flops: float, value: float, held: Sequence[float]) -> Iterator[Note]:
    needed = least_flops(fit, 1.0 - value if fit.complement else value, held)
    if needed is None or needed <= 0.0:
        return
    waste = flops / needed
    if waste > _WASTE_INFO:
        yield Note(
            id="COMPUTE_WASTE", severity="warning" if waste > _WASTE_WARNING else "info",
            text=f"The same {fit.metric.name} is reachable with {format_percent(1.0 / waste, 2)} "
            f"of the compute ({format_flops(needed)} of {format_flops(flops)} FLOP).",
            action="Take the optimal size, unless the split is meant for cheaper inference.",
            numbers=(("compute_ratio", waste), ("least_flops", needed)),
            source=_SOURCE,
        )  # fmt: skip
