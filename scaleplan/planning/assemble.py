"""A whole plan: the model, what it should reach, and a row for each number of accelerators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scaleplan.errors import PlanError, UsageError
from scaleplan.fitting.optimum import optimum_rows
from scaleplan.planning.allocation import has_optimum, optimal_split, optimal_tokens
from scaleplan.planning.forecast import forecast
from scaleplan.planning.plan import gpu_counts_around, plan_rows
from scaleplan.planning.shape import memory_shape
from scaleplan.records import (
    Accelerator,
    Assumption,
    Fit,
    Forecast,
    OptimumRow,
    Plan,
)

if TYPE_CHECKING:
    from scaleplan.records.shapes import ModelShape

# Tokens per parameter where no law of params and tokens is at hand: the ratio at which Chinchilla
# 70B was trained (Hoffmann et al. 2022, section 4.2); other laws put it between 5 and 100.
_RATIO_WITHOUT_LAW = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """Sizes of the run: all positive, flops = k x active_params x tokens."""

    params: float
    active_params: float
    tokens: float
    flops: float
    tokens_from: str


def assemble_plan(
    fit: Fit,
    *,
    params: float | None,
    active_params: float | None,
    tokens: float | None,
    flops: float | None,
    ratio: float | None,
    accelerators: Sequence[Accelerator],
    gpus: Sequence[int],
    mfu: float | None,
    usd_per_hour: float | None,
    batch_tokens: float | None,
    sequence_length: int,
    country: str | None,
    pue: float | None,
    others: Mapping[str, float] | None = None,
    shape: ModelShape | None = None,
) -> Plan:
    """Plan the training of one model.

    Args:
        fit: What predicts its performance.
        params: Parameters; None takes the compute-optimal size for `flops`.
        active_params: Parameters used per token (mixture of experts); None means all of them.
        tokens: Training tokens. Without tokens, ratio and flops: the number for which `params` is
            the compute-optimal size.
        flops: Training compute, FLOP.
        ratio: Tokens per parameter.
        accelerators: One row each for every count.
        gpus: Accelerator counts; for a single one, counts around it are planned as well.
        mfu: The user's own model-FLOP utilisation at the first of `gpus`, 0 to 1; None uses the
            table of whole runs.
        usd_per_hour: Price of one accelerator hour; None uses the catalogue.
        batch_tokens: Global batch; None uses the critical-batch rule.
        sequence_length: Tokens per sequence.
        country: Three-letter code for the grid's carbon intensity; None is the world's.
        pue: Power usage effectiveness of the data centre; None uses the default.
        others: What the law needs besides parameters and tokens, by role.
        shape: The transformer, where it is known before the size: its accounting gives the FLOP
            per parameter and token, and its layers the memory.

    Raises:
        UsageError: If the options contradict each other or do not determine the model.
        PlanError: If the fit cannot size the model that was asked for.
    """
    fit, convention = _counted(fit, shape)
    model = _model(fit, params, active_params, tokens, flops, ratio)
    counts = tuple(gpus)
    if len(counts) == 1 and len(accelerators) == 1:
        counts = gpu_counts_around(counts[0])
    rows, assumptions = plan_rows(
        params=model.params, active_params=model.active_params, tokens=model.tokens,
        flops=model.flops, accelerators=accelerators, gpus=counts, mfu=mfu, mfu_gpus=gpus[0],
        usd_per_hour=usd_per_hour, batch_tokens=batch_tokens, sequence_length=sequence_length,
        country=country, pue=pue,
        shape=None if shape is None or shape.asked_params is not None
        else memory_shape(shape.transformer, origin=shape.source or shape.origin),
    )  # fmt: skip
    sized = Assumption(name="training tokens", value=model.tokens, source=model.tokens_from)
    return Plan(
        params=model.params, active_params=model.active_params, tokens=model.tokens,
        flops=model.flops, forecast=_forecast(fit, model, others), rows=rows,
        accelerators=tuple(accelerators), optimum=_optimum(fit, model.flops), notes=(),
        assumptions=(sized, convention, *assumptions, *fit.assumptions),
    )  # fmt: skip


def _counted(fit: Fit, shape: ModelShape | None) -> tuple[Fit, Assumption]:
    """Return the fit with the FLOP per parameter and token that is used, and where it is from."""
    k, source = fit.flops_per_param_token, "median of flops / (params x tokens) in the log"
    if shape is not None and shape.accounting != "6nd":
        k = shape.flops_per_param_token
        source = f"--flop-count {shape.accounting}, at {shape.sequence_length} tokens a sequence"
        fit = replace(fit, flops_per_param_token=k)
    elif k == 6.0:
        source = "C = k N D; 6 for a dense transformer (Kaplan et al. 2020, arXiv 2001.08361)"
    return fit, Assumption(name="FLOP per parameter and token", value=k, source=source)


def _model(
    fit: Fit, params: float | None, active_params: float | None, tokens: float | None,
    flops: float | None, ratio: float | None,
) -> _Model:  # fmt: skip
    given = [
        name for name, value in (("--tokens", tokens), ("--ratio", ratio), ("--flops", flops))
        if value is not None
    ]  # fmt: skip
    if params is not None and len(given) > 1:
        message = f"{' and '.join(given)} contradict each other"
        raise UsageError(message, hint="With --params give at most one of them.")
    if params is None:
        params, tokens, how = _size_for(fit, tokens, flops, ratio)
    elif tokens is not None:
        how = "asked for"
    elif ratio is not None:
        tokens, how = ratio * params, f"asked for: {ratio:g} tokens per parameter"
    elif flops is not None:
        active = active_params or params
        tokens = flops / (fit.flops_per_param_token * active)
        how = "follows from --flops and --params"
    elif has_optimum(fit):
        tokens = optimal_tokens(fit, active_params or params)
        how = f"the number for which this size is compute-optimal under {fit.name}"
    else:
        tokens = _RATIO_WITHOUT_LAW * params
        how = "20 tokens per parameter: the law gives no optimum (Hoffmann et al. 2022, sec. 4.2)"
    active = params if active_params is None else active_params
    if active > params:
        message = f"--active-params {active:g} is more than --params {params:g}"
        raise UsageError(message, hint="Active parameters are those one token passes through.")
    return _Model(
        params=params, active_params=active, tokens=tokens,
        flops=fit.flops_per_param_token * active * tokens, tokens_from=how,
    )  # fmt: skip


def _size_for(
    fit: Fit, tokens: float | None, flops: float | None, ratio: float | None
) -> tuple[float, float, str]:
    """Return (params, tokens, how) when no size was given."""
    k = fit.flops_per_param_token
    if flops is None:
        message = "neither --params nor --flops was given, so there is no model to plan"
        raise UsageError(message, hint="For example --params 10B, or --flops 1e24.")
    if tokens is not None:
        return flops / (k * tokens), tokens, "asked for"
    if ratio is not None:
        params = (flops / (k * ratio)) ** 0.5
        return params, ratio * params, f"asked for: {ratio:g} tokens per parameter"
    if not has_optimum(fit):
        message = f"{fit.name} does not tell the compute-optimal size for {flops:g} FLOP"
        raise PlanError(message, hint="Give --params as well.")
    params, best = optimal_split(fit, flops)
    return params, best, f"compute-optimal for {flops:g} FLOP under {fit.name}"


def _forecast(fit: Fit, model: _Model, others: Mapping[str, float] | None) -> Forecast:
    if fit.inputs == ("flops",):
        return forecast(fit, flops=[model.flops])
    sized = {role for role in fit.inputs if role in {"params", "active_params", "tokens"}}
    if fit.inputs[0] in sized:
        # A law of params alone is one of the whole model; with tokens, of what a token sees.
        params = model.params if fit.inputs == ("params",) else model.active_params
        return forecast(
            fit, params=[params] if sized - {"tokens"} else [],
            tokens=[model.tokens] if "tokens" in sized else [], others=others,
        )  # fmt: skip
    message = f"{fit.name} is a law of {', '.join(fit.input_columns)}, not of params and tokens"
    raise PlanError(
        message, hint="Use `scaleplan predict --at`, or plan with a law of params and tokens."
    )


def _optimum(fit: Fit, flops: float) -> OptimumRow | None:
    if not has_optimum(fit):
        return None
    (row,) = optimum_rows(
        (fit.main, *fit.alternatives), budgets=[flops],
        flops_per_param_token=fit.flops_per_param_token, widening=fit.widening, ranges=fit.ranges,
        level=fit.interval.level if fit.interval is not None else 0.9, unit=fit.metric.unit,
        complement=fit.complement,
    )  # fmt: skip
    return row
