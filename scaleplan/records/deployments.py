"""Serving a trained model: memory, latency and throughput."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.base import Record

Precision = Literal["bf16", "fp8", "int8", "int4"]
Bound = Literal["bandwidth", "compute"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ServingRow(Record):
    """One way to serve a model: precision, sequences at a time, accelerators.

    Args:
        gpu: Accelerator.
        gpus: Fewest accelerators that hold weights and cache.
        precision: Of the weights.
        kv_precision: Of the cache of keys and values.
        sequences: Sequences decoded together.
        context: Tokens in the cache of each.
        weights_gib: Weights.
        kv_gib: Cache of all sequences.
        step_ms: Time of a decoding step, which is the latency per token; None without a known
            memory bandwidth.
        floor_ms: The same at full bandwidth and full peak: no implementation is faster.
        tokens_per_second: Tokens of all sequences.
        bound: What the step waits for.
        prefill_seconds: Time to read a prompt as long as the context.
        usd_per_million_tokens: Of decoding; None without a price.
    """

    gpu: str
    gpus: int
    precision: Precision
    kv_precision: Precision
    sequences: int
    context: int
    weights_gib: float
    kv_gib: float
    step_ms: float | None
    floor_ms: float | None
    tokens_per_second: float | None
    bound: Bound | None
    prefill_seconds: float
    usd_per_million_tokens: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SizeRow(Record):
    """A size trained with the plan's compute: what it reaches, and how it serves.

    Args:
        params: Parameters.
        tokens: Training tokens that the same compute pays for.
        value: Forecast of the metric; None where the law is not one of params and tokens.
        single: Serving one sequence at a time.
        many: Serving as many sequences as were asked for.
    """

    params: float
    tokens: float
    value: float | None
    single: ServingRow
    many: ServingRow


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Deployment(Record):
    """What serving takes.

    Args:
        context: Tokens in the cache of each sequence.
        kv_bytes_per_token: Bytes that a token adds to the cache, by precision.
        rows: One an accelerator, precision and number of sequences.
        sizes: Smaller and larger models of the same training compute.
    """

    context: int
    kv_bytes_per_token: tuple[tuple[Precision, float], ...]
    rows: tuple[ServingRow, ...]
    sizes: tuple[SizeRow, ...]
