"""Decoding speed against measured rates at batch 1: pytorch-labs/gpt-fast, README."""

from __future__ import annotations

import dataclasses
import statistics

import pytest

from scaleplan.catalog import accelerator
from scaleplan.planning.architectures import architecture
from scaleplan.planning.deployment import Load, serve
from scaleplan.planning.shape_text import read_shape

A100 = accelerator("a100_sxm_80gb")
# Model, precision, A100 80 GB, tokens per second.
RATES = [
    ("llama2-7b", "bf16", 1, 104.9),
    ("llama2-7b", "int8", 1, 155.58),
    ("llama2-7b", "bf16", 2, 168.84),
    ("llama2-7b", "bf16", 4, 254.02),
    ("llama2-7b", "bf16", 8, 328.43),
    ("llama2-70b", "int8", 1, 19.13),
    ("llama2-70b", "bf16", 2, 21.32),
    ("llama2-70b", "bf16", 4, 38.01),
    ("llama2-70b", "bf16", 8, 62.50),
    ("llama2-70b", "int8", 8, 80.44),
]


def served(name, precision, gpus):
    model = read_shape(architecture(name).shape, context=4096)
    return serve(model, Load(context=5, sequences=1, precision=precision, gpus=gpus), A100)


def test_speeds_are_those_measured():
    ratios = [served(*use).tokens_per_second / measured for *use, measured in RATES]
    assert statistics.median(abs(ratio - 1) for ratio in ratios) < 0.10
    assert all(1 / 1.2 < ratio < 1.2 for ratio in ratios), ratios


@pytest.mark.parametrize(("name", "precision", "gpus", "measured"), RATES)
def test_no_measurement_beats_the_floor(name, precision, gpus, measured):
    assert 1e3 / served(name, precision, gpus).floor_ms > measured


def test_the_cache_grows_latency():
    model = read_shape(architecture("llama2-7b").shape, context=4096)
    slim = dataclasses.replace(model, kv_heads=8)
    load = Load(context=4096, sequences=16, precision="bf16")
    assert serve(slim, load, A100).step_ms < serve(model, load, A100).step_ms
