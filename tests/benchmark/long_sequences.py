"""Predicted against published rates of one model at many lengths of the sequence.

    python tests/benchmark/long_sequences.py

Rates are tokens a second and GPU of running steps on 8 GPUs: MPT from
github.com/mosaicml/llm-foundry, scripts/train/benchmarking/README.md, bf16, rows with and without
activation checkpointing apart, Llama 3.1 from github.com/pytorch/torchtitan,
benchmarks/llama3_h100_202412_torchtitan.md, tables 2 and 6 (linear layers in FP8, 8 and 512 GPUs).
What a row is held against is the same model's at the length nearest to 2,048: how much longer a
token takes. Of the three ways to count, none was chosen on them; the last column is the weight of
the full matrix of scores that follows them best. The exit code is 0: the table is to be read.
"""

from __future__ import annotations

import math
import statistics

from scaleplan.planning.attention import attention_growth
from scaleplan.planning.shape import memory_shape
from scaleplan.planning.transformer import count_flops, count_params, score_flops
from scaleplan.records.shapes import Transformer

_USUAL = 2048
_WEIGHTS = [0.05 * step for step in range(61)]

Rates = dict[int, float]


def _mpt(layers: int, width: int, heads: int) -> Transformer:
    return Transformer(
        layers=layers, width=width, heads=heads, kv_heads=heads, head_width=width // heads,
        ffn_width=4 * width, vocabulary=50368, context=2048, gated=False, tied=True,
    )  # fmt: skip


def _llama(layers: int, width: int, heads: int, inner: int) -> Transformer:
    return Transformer(
        layers=layers, width=width, heads=heads, kv_heads=8, head_width=128, ffn_width=inner,
        vocabulary=128256, context=8192,
    )  # fmt: skip


_MODELS = {
    "MPT 30B": _mpt(48, 7168, 64), "MPT 13B": _mpt(40, 5120, 40), "MPT 7B": _mpt(32, 4096, 32),
    "MPT 3B": _mpt(32, 2560, 20), "MPT 1B": _mpt(24, 2048, 16), "MPT 760M": _mpt(24, 1536, 12),
    "MPT 350M": _mpt(24, 1024, 16), "MPT 125M": _mpt(12, 768, 12),
    "Llama 3.1 8B": _llama(32, 4096, 32, 14336), "Llama 3.1 405B": _llama(126, 16384, 128, 53248),
}  # fmt: skip
_TABLES: tuple[tuple[str, str, Rates], ...] = (
    ("A100", "MPT 30B", {2048: 916, 4096: 814, 8192: 574}),
    ("A100", "MPT 13B", {1024: 2330, 4096: 2060, 8192: 1795, 16384: 1431, 32768: 1016}),
    ("A100", "MPT 7B", {1024: 4357, 4096: 3684, 8192: 3206, 16384: 2453, 32768: 1672, 65536: 1013}),
    ("A100", "MPT 3B", {2048: 10811, 4096: 9457, 8192: 7695, 16384: 5529}),
    ("A100", "MPT 3B", {32768: 3029, 65536: 1767}),
    ("A100", "MPT 1B", {2048: 20513, 4096: 17807, 8192: 13814, 16384: 9956, 32768: 6275}),
    ("A100", "MPT 760M", {2048: 32434, 4096: 27351, 8192: 20933, 16384: 14274, 32768: 8802}),
    ("A100", "MPT 350M", {2048: 58782, 4096: 49555, 8192: 36569, 16384: 23559, 32768: 13652,
                          65536: 7524}),
    ("A100", "MPT 125M", {2048: 142830, 4096: 118396, 8192: 90392, 16384: 60040, 32768: 36407,
                          65536: 20368}),
    ("H100", "MPT 30B", {2048: 2002, 4096: 1802, 8192: 1384}),
    ("H100", "MPT 13B", {1024: 5502, 4096: 4717, 16384: 2985, 32768: 1976}),
    ("H100", "MPT 7B", {1024: 10203, 4096: 8611, 8192: 6935, 32768: 3318, 65536: 1956}),
    ("H100", "MPT 3B", {1024: 27046, 4096: 20964, 8192: 16578, 16384: 11152}),
    ("H100", "MPT 3B", {32768: 5873, 65536: 3262}),
    ("H100", "MPT 1B", {2048: 45455, 4096: 38535, 8192: 29157, 16384: 19649, 32768: 12025}),
    ("H100", "MPT 760M", {2048: 63147, 4096: 55459, 8192: 41825, 16384: 27815, 32768: 16291}),
    ("H100, FP8", "Llama 3.1 8B", {32768: 3890, 65536: 2540, 131072: 1071, 262144: 548}),
    ("H100, FP8", "Llama 3.1 405B", {32768: 76, 65536: 47, 131072: 31, 262144: 16}),
)  # fmt: skip


def main() -> int:
    """Print a row a table, then all of them."""
    print("published over predicted time of a token, relative to the same model's at 2,048 tokens")
    print(
        f"{'GPU':10} {'model':15} {'lengths':>14} {'6ND':>6} {'causal':>7} {'full':>6} {'weight'}"
    )
    found: dict[str, list[tuple[float, float, float]]] = {}
    for part, name, rates in _TABLES:
        model, first = _MODELS[name], min(rates, key=lambda length: abs(length - _USUAL))
        last = max(rates)
        rows = [
            _ratios(model, rates, first, length) for length in sorted(rates) if length > first
        ]  # fmt: skip
        found.setdefault(part, []).extend(rows)
        shown = " ".join(f"{value:6.2f}" for value in rows[-1])
        print(f"{part:10} {name:15} {first:6} {last:7} {shown} {_weight(model, rates):6.2f}")
    for part, rows in found.items():
        ends = (
            f"{statistics.median(column):.2f} {max(column):.2f}"
            for column in zip(*rows, strict=True)
        )
        print(f"{part}: {len(rows)} lengths, median and largest each: " + ", ".join(ends))
    return 0


def _ratios(
    model: Transformer, rates: Rates, first: int, length: int
) -> tuple[float, float, float]:
    """Return published over predicted growth from `first` to `length`: 6ND, causal, full."""
    took = rates[first] / rates[length]
    causal = [count_flops(model, at, "causal").forward for at in (first, length)]
    shape, active = memory_shape(model, origin="published"), float(count_params(model).active)
    growth = [
        attention_growth(shape, active_params=active, sequence_length=at) for at in (first, length)
    ]
    return took, took * causal[0] / causal[1], took * growth[0] / growth[1]


def _weight(model: Transformer, rates: Rates) -> float:
    """Return the weight of the matrix of scores at which rate x work varies least."""
    products = 2.0 * count_params(model).active

    def spread(weight: float) -> float:
        return statistics.pstdev(
            math.log(rate * (products + weight * score_flops(model, length, causal=False)))
            for length, rate in rates.items()
        )

    return min(_WEIGHTS, key=spread)


if __name__ == "__main__":
    raise SystemExit(main())
