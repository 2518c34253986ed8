"""Serving a transformer: what holds it, and how fast it answers.

A decoding step reads every weight and the cache of every sequence once, and multiplies each
sequence's token with the weights, so

    t = max( (W + b K) / (g x bandwidth),  b F / (g x peak) )  + L x layer

with W bytes of weights, b sequences, K bytes of cache of one, F FLOP of a token, g accelerators and
L layers, each with a time of its own for what is not reading: kernels, and exchanges where it is
cut over accelerators (roofline of Williams et al. 2009; Pope et al. 2022, arXiv 2211.05102,
section 2). Reading a prompt is bound by compute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.transformer import (
    count_flops,
    count_params,
    expert_share,
    matrix_params,
    score_width,
)
from scaleplan.records import Accelerator, Assumption
from scaleplan.records.deployments import Bound, Precision, ServingRow
from scaleplan.records.shapes import Transformer

# Bytes of a value; the scales of int8 and int4 blocks, 1 to 6% more, are not counted.
BYTES: dict[Precision, float] = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5}
_GIB = 2.0**30
_NODE_COUNTS = (1, 2, 4, 8)  # how a model is cut inside a node
_MOST_GPUS = 100_000
_MILLISECONDS = 1e3
_MICROSECONDS = 1e6
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of a served model.

    Args:
        context: Tokens in the cache of each sequence.
        sequences: Sequences decoded together.
        precision: Of the weights.
        kv_precision: Of the cache; None is that of the weights.
        gpus: Accelerators that serve one copy; None takes the fewest that hold it.
    """

    context: int
    sequences: int
    precision: Precision
    kv_precision: Precision | None = None
    gpus: int | None = None

    @property
    def cache(self) -> Precision:
        """Return the precision of the cache."""
        return self.kv_precision or self.precision


def kv_bytes_per_token(model: Transformer, precision: Precision) -> float:
    """Return the bytes that one token adds to the cache of all layers.

    2 L x kv heads x head width values; with latent attention L x (rank + rotary width), one vector
    for all heads (DeepSeek-V2, arXiv 2405.04434, table 1).

    Args:
        model: The shape.
        precision: Of the cache.
    """
    return BYTES[precision] * model.layers * _layer_values(model)


def kv_bytes(model: Transformer, context: int, precision: Precision) -> float:
    """Return the bytes of one sequence's cache; layers with a window keep no more than that.

    Args:
        model: The shape.
        context: Tokens of the sequence.
        precision: Of the cache.
    """
    narrow = min(model.window_layers, model.layers)
    kept = (model.layers - narrow) * context
    kept += narrow * min(model.window or context, context)
    return BYTES[precision] * kept * _layer_values(model)


def _layer_values(model: Transformer) -> int:
    if model.latent is not None:
        return model.latent.key_value_rank + model.latent.rotary_width
    return 2 * model.kv_heads * model.head_width


def weight_bytes(model: Transformer, precision: Precision) -> float:
    """Return the bytes of all weights.

    Args:
        model: The shape.
        precision: Of the weights.
    """
    return BYTES[precision] * count_params(model).total


def read_bytes(model: Transformer, load: Load) -> float:
    """Return the bytes that one decoding step reads: weights that are used, and all caches.

    Of a table of embeddings only the tokens' rows are read; of experts those that a token of the
    step is sent to.

    Args:
        model: The shape.
        load: What is asked of it.
    """
    params = count_params(model)
    read = float(params.total - params.embedding - params.head + model.vocabulary * model.width)
    experts = model.experts
    if experts is not None:
        routed = params.total - params.active
        share = expert_share(experts, load.sequences)
        unused = experts.count * (1.0 - share) / (experts.count - experts.active or 1)
        read -= routed * unused
    cache = kv_bytes(model, load.context, load.cache)
    return BYTES[load.precision] * read + load.sequences * cache


def decode_flops(model: Transformer, context: int) -> float:
    """Return the FLOP of one new token with so many in the cache.

    Args:
        model: The shape.
        context: Tokens in the cache.
    """
    narrow = min(model.window_layers, model.layers)
    attended = (model.layers - narrow) * context
    attended += narrow * min(model.window or context, context)
    return 2.0 * matrix_params(model) + 2.0 * attended * score_width(model)


def serve(
    model: Transformer, load: Load, accelerator: Accelerator, *, usd_per_hour: float | None = None
) -> ServingRow:
    """Return what serving takes, on the fewest accelerators that hold it if none are given.

    Compute runs at the 16-bit peak whatever the precision, which low-precision units only improve.

    Args:
        model: The shape.
        load: What is asked of it.
        accelerator: With what.
        usd_per_hour: The user's price of an accelerator-hour; None uses the catalogue's.

    Raises:
        UsageError: If the context or the number of sequences is not allowed.
        PlanError: If no reasonable number of accelerators holds it.
    """
    _check(model, load)
    weights = weight_bytes(model, load.precision)
    cache = load.sequences * kv_bytes(model, load.context, load.cache)
    gpus = _gpus(weights + cache, load, accelerator)
    peak = gpus * accelerator.peak_tflops * 1e12
    reached = planning_default("serving_mfu").value * peak
    compute = load.sequences * decode_flops(model, load.context)
    step = floor = speed = None
    bound: Bound | None = None
    if accelerator.memory_bandwidth_gbs is not None:
        rate = gpus * accelerator.memory_bandwidth_gbs * 1e9
        read = read_bytes(model, load)
        slow = read / (rate * planning_default("serving_bandwidth").value)
        each = planning_default("serving_layer").value / _MICROSECONDS
        step = max(slow, compute / reached) + model.layers * each
        floor = max(read / rate, compute / peak)
        bound = "bandwidth" if slow >= compute / reached else "compute"
        speed = load.sequences / step
    price = accelerator.usd_per_hour if usd_per_hour is None else usd_per_hour
    cost = None
    if price is not None and speed is not None:
        cost = price * gpus / (speed * _SECONDS_PER_HOUR) * 1e6
    prompt = count_flops(model, load.context, "causal").forward * load.context
    return ServingRow(
        gpu=accelerator.id, gpus=gpus, precision=load.precision, kv_precision=load.cache,
        sequences=load.sequences, context=load.context, weights_gib=weights / _GIB,
        kv_gib=cache / _GIB, step_ms=None if step is None else step * _MILLISECONDS,
        floor_ms=None if floor is None else floor * _MILLISECONDS, tokens_per_second=speed,
        bound=bound, prefill_seconds=prompt / reached, usd_per_million_tokens=cost,
    )  # fmt: skip


def _gpus(needed: float, load: Load, accelerator: Accelerator) -> int:
    """Return the accelerators asked for, if they hold it, or the fewest that do."""
    if load.gpus is None:
        return fewest_gpus(needed, accelerator)
    usable = planning_default("usable_memory").value * accelerator.memory_gib * _GIB
    if needed > load.gpus * usable:
        message = (
            f"{load.gpus} x {accelerator.id} do not hold {needed / _GIB:.3g} GiB of weights "
            f"({load.precision}) and cache of {load.sequences} sequences"
        )
        hint = f"Give --serve-gpus {math.ceil(needed / usable)}, fewer sequences or less context."
        raise PlanError(message, hint=hint)
    return load.gpus


def fewest_gpus(needed: float, accelerator: Accelerator) -> int:
    """Return the fewest accelerators that hold so many bytes: 1, 2, 4, 8, then whole nodes.

    Args:
        needed: Bytes of weights and caches.
        accelerator: One of them.

    Raises:
        PlanError: If it would be more than any cluster has.
    """
    usable = planning_default("usable_memory").value * accelerator.memory_gib * _GIB
    least = max(1, math.ceil(needed / usable))
    for count in _NODE_COUNTS:
        if count >= least:
            return count
    node = int(planning_default("node_size").value)
    count = math.ceil(least / node) * node
    if count > _MOST_GPUS:
        message = f"serving would take {count:,} {accelerator.id}"
        raise PlanError(message, hint="Give a shorter --serve-context or fewer --serve-sequences.")
    return count


def _check(model: Transformer, load: Load) -> None:
    for name, value in (("context", load.context), ("sequences", load.sequences)):
        if not 1 <= value <= 10**9:
            message = f"{value} is not allowed for --serve-{name}; it must be from 1 to 1e9"
            raise UsageError(message, hint="For example --serve-context 8192.")
    if model.positions == "learned" and load.context > model.context:
        message = f"a context of {load.context} is more than the {model.context} learned positions"
        raise UsageError(message, hint="Give a shorter --serve-context.")


def serve_all(
    model: Transformer, *, accelerators: Sequence[Accelerator], context: int,
    sequences: Sequence[int], precisions: Sequence[Precision], kv_precision: Precision | None,
    gpus: int | None, usd_per_hour: float | None,
) -> tuple[ServingRow, ...]:  # fmt: skip
    """Return one row for each accelerator, precision and number of sequences.

    Args:
        model: The shape.
        accelerators: With what.
        context: Tokens in the cache of each sequence.
        sequences: Numbers of sequences decoded together.
        precisions: Of the weights.
        kv_precision: Of the cache; None is that of the weights.
        gpus: Accelerators that serve one copy; None takes the fewest that hold it.
        usd_per_hour: The user's price of an accelerator-hour.
    """
    loads = [
        Load(
            context=context, sequences=count, precision=precision, kv_precision=kv_precision,
            gpus=gpus,
        )
        for precision in precisions
        for count in sequences
    ]  # fmt: skip
    return tuple(
        serve(model, load, part, usd_per_hour=usd_per_hour)
        for part in accelerators
        for load in loads
    )


def serving_assumptions() -> tuple[Assumption, ...]:
    """Return what serving rests on."""
    names = ("serving_bandwidth", "serving_layer", "serving_mfu")
    return tuple(planning_default(name).assumption() for name in names)
