"""A whole plan: the model, what it should reach, and a row for each number of accelerators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scaleplan.errors import PlanError, UsageError
from scaleplan.fitting.optimum import optimum_rows
from scaleplan.planning.active import (
    active_share,
    counted_size,
    law_size,
    seen_as_dense,
    takes_all,
    with_flop_count,
    with_share,
)
from scaleplan.planning.allocation import has_optimum, optimal_tokens
from scaleplan.planning.family import Family, Model
from scaleplan.planning.forecast import forecast
from scaleplan.planning.plan import by_cost, gpu_counts_around, plan_rows, plan_storage
from scaleplan.planning.shape import shape_for_memory
from scaleplan.records import (
    Accelerator,
    Assumption,
    Fit,
    Forecast,
    OptimumRow,
    Plan,
    TrainingSetup,
)

if TYPE_CHECKING:
    from scaleplan.records.shapes import ModelShape

# Tokens per parameter where no law of params and tokens is at hand: the ratio at which Chinchilla
# 70B was trained (Hoffmann et al. 2022, section 4.2); other laws put it between 5 and 100.
_RATIO_WITHOUT_LAW = 20.0
# With more accelerators side by side the counts around a single one would fill pages.
_MOST_WITH_NEIGHBOURS = 4


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
    mfu_gpus: int | None = None,
    setup: TrainingSetup | None = None,
    ranked: bool = False,
    tokens_from: str | None = None,
    shape: ModelShape | None = None,
) -> Plan:
    """Plan the training of one model.

    Args:
        fit: What predicts its performance.
        params: Parameters; None takes the compute-optimal size for `flops`.
        active_params: Parameters used per token (mixture of experts); None means all of them, or
            the share of the runs of the fit.
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
        mfu_gpus: On how many accelerators `mfu` was measured; None is the first of `gpus`.
        setup: Optimiser, precision, layout, failures and storage; None takes the defaults.
        ranked: Whether rows that fit come first, and of those the cheapest.
        tokens_from: How the tokens were found, where the caller found them.
        shape: The transformer, where it is known before the size: its accounting gives the FLOP
            per parameter and token, and its layers the memory.

    Raises:
        UsageError: If the options contradict each other or do not determine the model.
        PlanError: If the fit cannot size the model that was asked for.
    """
    fit, convention = counted(fit, shape)
    model = default_model(
        fit, params=params, active_params=active_params, tokens=tokens, flops=flops, ratio=ratio
    )
    fit, parts = _of_its_share(fit, model)
    counts = tuple(gpus)
    fixed = setup is not None and setup.fixes_accelerators
    if len(counts) == 1 and len(accelerators) <= _MOST_WITH_NEIGHBOURS and not fixed:
        counts = gpu_counts_around(counts[0])
    known = shape_for_memory(shape)
    rows, assumptions = plan_rows(
        params=model.params, active_params=model.active_params, tokens=model.tokens,
        flops=model.flops, accelerators=accelerators, gpus=counts, mfu=mfu,
        mfu_gpus=gpus[0] if mfu_gpus is None else mfu_gpus, setup=setup,
        usd_per_hour=usd_per_hour, batch_tokens=batch_tokens, sequence_length=sequence_length,
        country=country, pue=pue, shape=known,
        over_6nd=1.0 if shape is None else shape.over_6nd,
    )  # fmt: skip
    wanted = frozenset(gpus)  # there may be thousands
    rows = tuple(replace(row, asked=row.gpus in wanted) for row in rows)
    sized = Assumption(name="training tokens", value=model.tokens, source=tokens_from or model.how)
    return Plan(
        params=model.params, active_params=model.active_params, tokens=model.tokens,
        flops=model.flops, forecast=_forecast(fit, model, others),
        rows=by_cost(rows) if ranked else rows,
        storage=plan_storage(
            model.params, active_params=model.active_params, tokens=model.tokens, setup=setup,
            shape=known,
        ),
        accelerators=tuple(accelerators), asked_gpus=tuple(gpus),
        optimum=_optimum(fit, model.flops), notes=(),
        assumptions=(sized, convention, *parts, *assumptions, *fit.assumptions),
    )  # fmt: skip


def counted(fit: Fit, shape: ModelShape | None) -> tuple[Fit, Assumption]:
    """Return the fit with the FLOP per parameter and token that is used, and where it is from.

    Args:
        fit: A law.
        shape: The transformer, if one was given; its accounting may replace that of the fit.
    """
    k, source = fit.flops_per_param_token, "median of flops / (params x tokens) in the log"
    if shape is not None and shape.accounting != "6nd":
        k = shape.flops_per_param_token
        source = f"--flop-count {shape.accounting}, at {shape.sequence_length} tokens a sequence"
        fit = with_flop_count(fit, k)
    elif takes_all(fit):
        k = fit.flops_per_active_token or k
        source = "per active parameter: median of flops / (active params x tokens) in the log"
    elif k == 6.0:
        source = "C = k N D; 6 for a dense transformer (Kaplan et al. 2020, arXiv 2001.08361)"
    return fit, Assumption(name="FLOP per parameter and token", value=k, source=source)


def default_model(
    fit: Fit, *, params: float | None, active_params: float | None, tokens: float | None,
    flops: float | None, ratio: float | None, others: Mapping[str, float] | None = None,
) -> Model:  # fmt: skip
    """Return the model that sizes and defaults determine.

    Args:
        fit: The law.
        params: Parameters; None takes the compute-optimal size for `flops`.
        active_params: Parameters used per token; None takes the share of the fit's runs.
        tokens: Training tokens. Without tokens, ratio and flops: the number for which `params` is
            the compute-optimal size.
        flops: Training compute, FLOP.
        ratio: Tokens per parameter.
        others: Further inputs of the law, by role.

    Raises:
        UsageError: If the sizes contradict each other or do not determine the model.
        PlanError: If the law cannot size it.
    """
    given = [
        name for name, value in (("--tokens", tokens), ("--ratio", ratio), ("--flops", flops))
        if value is not None
    ]  # fmt: skip
    if params is not None and len(given) > 1:
        message = f"{' and '.join(given)} contradict each other"
        raise UsageError(message, hint="With --params give at most one of them.")
    if params is None:
        return _model_for(fit, tokens, flops, ratio, dict(others or {}))
    active = params * active_share(fit) if active_params is None else active_params
    if active > params:
        message = f"--active-params {active:g} is more than --params {params:g}"
        raise UsageError(message, hint="Active parameters are those one token passes through.")
    fit, size = with_share(fit, active / params), counted_size(fit, params, active)
    if tokens is not None:
        how = "asked for"
    elif ratio is not None:
        tokens, how = ratio * params, f"asked for: {ratio:g} tokens per parameter"
    elif flops is not None:
        tokens = flops / (fit.flops_per_param_token * size)
        how = "follows from --flops and --params"
    elif has_optimum(fit):
        tokens = optimal_tokens(fit, size)
        how = f"the number for which this size is compute-optimal under {fit.name}"
    else:
        tokens = _RATIO_WITHOUT_LAW * params
        how = "20 tokens per parameter: the law gives no optimum (Hoffmann et al. 2022, sec. 4.2)"
    return Model(
        params=params, active_params=active, tokens=tokens,
        flops=fit.flops_per_param_token * size * tokens, how=how,
    )  # fmt: skip


def _of_its_share(fit: Fit, model: Model) -> tuple[Fit, tuple[Assumption, ...]]:
    """Return the fit for the share of active parameters that a model has, and what that assumes."""
    if seen_as_dense(fit, model.params, model.active_params):
        source = "the active ones: the law was fitted to dense models, and knows no experts"
        taken = Assumption(
            name="parameters the law takes", value=model.active_params, source=source
        )
        return fit, (taken,)
    if not takes_all(fit):
        return fit, ()
    share, usual = model.active_params / model.params, active_share(fit)
    source = f"a share of {share:.3g} of all"
    if math.isclose(share, usual, rel_tol=1e-6):
        source += ", as in the runs of the fit"
    else:
        source += f", where the runs of the fit have {usual:.3g}: its law knows no share"
    said = Assumption(name="active parameters", value=model.active_params, source=source)
    return with_share(fit, share), (said,)


def _model_for(
    fit: Fit, tokens: float | None, flops: float | None, ratio: float | None,
    others: Mapping[str, float],
) -> Model:  # fmt: skip
    """Return the model of a training compute when no size was given."""
    if flops is None:
        message = "neither --params nor --flops was given, so there is no model to plan"
        raise UsageError(message, hint="For example --params 10B, or --flops 1e24.")
    family = Family(fit=fit, tokens=tokens, ratio=ratio if tokens is None else None, others=others)
    model = family.at(flops)
    how = "asked for" if tokens is not None else f"for {flops:g} FLOP, {family.says}"
    return replace(model, how=how)


def _forecast(fit: Fit, model: Model, others: Mapping[str, float] | None) -> Forecast:
    dense = model.params == model.active_params or takes_all(fit)
    k = fit.flops_per_param_token
    if (
        dense
        and math.isclose(k * model.params * model.tokens, model.flops, rel_tol=1e-6)
        and (len(fit.inputs) == 1 and fit.inputs[0] in {"params", "tokens", "flops"})
    ):
        # All sizes, as `predict` gives them: how far they lie beyond the runs counts for all.
        return forecast(fit, params=[model.params], tokens=[model.tokens])
    if fit.inputs == ("flops",):
        return forecast(fit, flops=[model.flops])
    sized = {role for role in fit.inputs if role in {"params", "active_params", "tokens"}}
    if fit.inputs[0] in sized:
        params = law_size(fit, model.params, model.active_params)
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
