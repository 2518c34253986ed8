"""Compute over a model's whole life: training, and the tokens it reads and writes afterwards."""

from __future__ import annotations

import math

from scaleplan.errors import PlanError
from scaleplan.planning.active import active_share
from scaleplan.planning.allocation import has_optimum
from scaleplan.planning.equal_loss import inference_aware_size
from scaleplan.planning.family import Family, Model
from scaleplan.planning.target import model_for_target
from scaleplan.records import Fit, LifetimeRow
from scaleplan.units import format_count, format_significant

# FLOP a parameter and token of a forward pass (Kaplan et al. 2020, arXiv 2001.08361, table 1).
_INFERENCE_FLOPS_PER_PARAM_TOKEN = 2.0
# A size within a fifth of the least compute is one of the flat valley around it; a choice.
_NEAR_LEAST = 1.2
_EXACT = 1e-3
_STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)


def lifetime_model(fit: Fit, target: float, inference_tokens: float) -> Model:
    """Return the model that reaches a metric with the least compute over its life.

    Args:
        fit: A law of params and tokens with an optimum.
        target: The metric, in its own unit.
        inference_tokens: Tokens that it reads and writes after training.

    Raises:
        PlanError: If the law has no optimum, or no model reaches the target.
    """
    if not has_optimum(fit):
        raise PlanError(
            f"{fit.name} does not tell the compute-optimal size, so that training cannot be "
            "weighed against inference",
            hint="Fit runs of several sizes and ratios, or use a published law.",
        )
    model_for_target(Family(fit=fit), target)  # a target out of reach is refused with its bound
    found = inference_aware_size(fit, 1.0 - target if fit.complement else target, inference_tokens)
    if found is None:
        raise PlanError("no size reaches the target", hint="Aim for another value.")
    params, tokens, _ = found
    return Model(
        params=params, active_params=params * active_share(fit), tokens=tokens,
        flops=fit.flops_per_param_token * params * tokens,
        how="least compute over training and inference (Sardana et al. 2023, arXiv 2401.00448)",
    )  # fmt: skip


def lifetime_limit(model: Model, best: Model, inference_tokens: float) -> str:
    """Say that a size is meant for training and inference together; empty where it is too small.

    Args:
        model: The planned model.
        best: The one of least compute over its life, for the same metric.
        inference_tokens: Tokens after training.
    """
    share = total_flops(model, inference_tokens) / total_flops(best, inference_tokens)
    if model.params < best.params and share > _NEAR_LEAST:
        return ""
    least = (
        "the least" if share < 1.0 + _EXACT else f"{format_significant(share, 3)} times the least"
    )
    return (
        f"compute over training and inference, which together take {least} with "
        f"{format_count(inference_tokens)} tokens of inference"
    )


def total_flops(model: Model, inference_tokens: float) -> float:
    """Return the FLOP of a model's training and inference together.

    Args:
        model: The model.
        inference_tokens: Tokens after training.
    """
    per_token = _INFERENCE_FLOPS_PER_PARAM_TOKEN * model.active_params
    return model.flops + per_token * inference_tokens


def lifetime_rows(
    fit: Fit, target: float, inference_tokens: float, best: Model
) -> tuple[LifetimeRow, ...]:
    """Return sizes around the best that reach the same metric, smallest first.

    Args:
        fit: As in `lifetime_model`.
        target: The metric.
        inference_tokens: Tokens after training.
        best: The model of `lifetime_model`.
    """
    training_best = model_for_target(Family(fit=fit), target)
    sizes = {step * best.params: step == 1.0 for step in _STEPS}
    sizes[training_best.params] = False
    rows = []
    for params, is_best in sorted(sizes.items()):
        try:
            model = model_for_target(Family(fit=fit, params=params), target)
        except PlanError:
            continue  # too small for the target with any number of tokens: no row is true of it
        if not math.isfinite(model.flops):
            continue
        total = total_flops(model, inference_tokens)
        rows.append(
            LifetimeRow(
                params=params, tokens=model.tokens, training_flops=model.flops,
                inference_flops=total - model.flops, total_flops=total, best=is_best,
            )
        )  # fmt: skip
    return tuple(rows)
