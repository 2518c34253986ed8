"""Loss against size beside speed against size, at the same training compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scaleplan.planning.active import counted_size, law_size
from scaleplan.planning.deployment import (
    BYTES,
    Load,
    kv_bytes_per_token,
    serve,
    serve_all,
    serving_assumptions,
)
from scaleplan.planning.forecast import forecast
from scaleplan.planning.shape import guess_transformer
from scaleplan.records import Accelerator, Assumption, Fit
from scaleplan.records.deployments import Deployment, Precision, SizeRow
from scaleplan.records.shapes import ModelShape

# Sizes around the plan's own.
_STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)


def deploy(
    shape: ModelShape, fit: Fit, *, flops: float, accelerators: Sequence[Accelerator],
    context: int, sequences: Sequence[int], precisions: Sequence[Precision],
    kv_precision: Precision | None, usd_per_hour: float | None, gpus: int | None = None,
    others: Mapping[str, float] | None = None,
) -> tuple[Deployment, tuple[Assumption, ...]]:  # fmt: skip
    """Return what serving a model takes, and how other sizes of the same compute compare.

    Args:
        shape: The model.
        fit: What predicts its performance.
        flops: Training compute, FLOP, which every size is given.
        accelerators: With what; sizes are compared on the first.
        context: Tokens in the cache of each sequence.
        sequences: Numbers of sequences decoded together.
        precisions: Of the weights; sizes are compared in the first.
        kv_precision: Of the cache; None is that of the weights.
        usd_per_hour: The user's price of an accelerator-hour.
        gpus: Accelerators that serve one copy; None takes the fewest. Sizes take the fewest.
        others: What the law needs besides parameters and tokens, by role.

    Raises:
        UsageError: If the context or the number of sequences is not allowed.
        PlanError: If no reasonable number of accelerators holds the model.
    """
    model = shape.transformer
    rows = serve_all(
        model, accelerators=accelerators, context=context, sequences=sequences,
        precisions=precisions, kv_precision=kv_precision, gpus=gpus, usd_per_hour=usd_per_hour,
    )  # fmt: skip
    cached: tuple[Precision, ...] = tuple(BYTES) if kv_precision is None else (kv_precision,)
    sizes = tuple(
        _size(
            shape, fit, step, flops=flops, accelerator=accelerators[0], context=context,
            sequences=max(sequences), precision=precisions[0], kv_precision=kv_precision,
            usd_per_hour=usd_per_hour, others=others,
        )
        for step in _STEPS
    )  # fmt: skip
    found = Deployment(
        context=context, rows=rows, sizes=sizes,
        kv_bytes_per_token=tuple((name, kv_bytes_per_token(model, name)) for name in cached),
    )  # fmt: skip
    return found, serving_assumptions()


def _size(
    shape: ModelShape, fit: Fit, step: float, *, flops: float, accelerator: Accelerator,
    context: int, sequences: int, precision: Precision, kv_precision: Precision | None,
    usd_per_hour: float | None, others: Mapping[str, float] | None,
) -> SizeRow:  # fmt: skip
    """Return one size; the plan's own keeps its shape, the others get one near their size."""
    params, active = shape.params.total * step, shape.params.active * step
    model = shape.transformer
    if step != 1.0:
        model = guess_transformer(params, active_params=active, context=max(context, model.context))
    tokens = flops / (fit.flops_per_param_token * counted_size(fit, params, active))
    single, many = (
        serve(
            model,
            Load(context=context, sequences=n, precision=precision, kv_precision=kv_precision),
            accelerator, usd_per_hour=usd_per_hour,
        )
        for n in (1, sequences)
    )  # fmt: skip
    value = _value(fit, params=params, active=active, tokens=tokens, others=others)
    return SizeRow(params=params, tokens=tokens, value=value, single=single, many=many)


def _value(
    fit: Fit, *, params: float, active: float, tokens: float, others: Mapping[str, float] | None
) -> float | None:
    """Return the forecast of a size; None for a law that does not depend on it."""
    if fit.inputs[0] not in {"params", "active_params"}:
        return None
    size = law_size(fit, params, active)
    found = forecast(
        fit, params=[size], tokens=[tokens] if "tokens" in fit.inputs else [], others=others
    )
    return found.points[0].value
