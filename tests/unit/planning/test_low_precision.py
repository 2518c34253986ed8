"""Trainings whose matrix products are in FP8."""

from __future__ import annotations

import dataclasses

import pytest

from scaleplan.catalog import accelerator, accelerators, planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.low_precision import fp8_speed
from scaleplan.planning.plan import plan_rows
from scaleplan.planning.shape import memory_shape
from scaleplan.planning.states import param_bytes
from scaleplan.planning.transformer import count_params
from scaleplan.records import TrainingSetup
from scaleplan.records.shapes import Transformer


def mpt(layers, width, heads):
    return Transformer(
        layers=layers, width=width, heads=heads, kv_heads=heads, head_width=width // heads,
        ffn_width=4 * width, vocabulary=50368, context=2048, gated=False, tied=True,
    )  # fmt: skip


def llama(layers, width, inner, heads):
    return Transformer(
        layers=layers, width=width, heads=heads, kv_heads=8, head_width=128, ffn_width=inner,
        vocabulary=128256, context=8192,
    )  # fmt: skip


MPT_1B, MPT_3B = mpt(24, 2048, 16), mpt(32, 2560, 20)
LLAMA_8B, LLAMA_70B = llama(32, 4096, 14336, 32), llama(80, 8192, 28672, 64)
LLAMA_405B = llama(126, 16384, 53248, 128)


def speed(model, length, moe=0.0):
    shape, active = memory_shape(model, origin="test"), float(count_params(model).active)
    return fp8_speed(shape, active_params=active, sequence_length=length, moe=moe)


# Tokens/s in FP8 over those in bf16. The first five chose the speed of products: H100,
# github.com/mosaicml/llm-foundry and github.com/pytorch/torchtitan.
@pytest.mark.parametrize(("model", "length", "measured", "within"), [
    (MPT_3B, 512, 36527 / 27965, 0.1), (MPT_3B, 8192, 19146 / 16578, 0.1),
    (MPT_1B, 512, 70315 / 52275, 0.1), (MPT_1B, 8192, 32010 / 29157, 0.1),
    (LLAMA_8B, 8192, 8532 / 6667, 0.1),
    # Not so: torchtitan's commit 7a04053 tensorwise, arXiv 2411.08719, and TPU7x by
    # github.com/AI-Hypercomputer/tpu-recipes, training/ironwood.
    (LLAMA_8B, 8192, 7186 / 5760, 0.05), (LLAMA_70B, 4096, 570 / 415, 0.06),
    (LLAMA_70B, 8192, 4127.56 / 2686.98, 0.21), (LLAMA_405B, 8192, 763.54 / 499.77, 0.18),
    (LLAMA_70B, 131_072, 1087.99 / 963.03, 0.06),
])  # fmt: skip
def test_pairs_of_one_run_in_bf16_and_fp8(model, length, measured, within):
    assert measured == pytest.approx(speed(model, length), rel=within)


def test_attention_stays_in_bf16_and_mixtures_gain_less():
    found = [speed(LLAMA_8B, length) for length in (512, 8192, 131_072)]
    assert found == sorted(found, reverse=True)
    assert 1.0 < found[2] < found[0] < planning_default("fp8_products").value
    assert speed(LLAMA_8B, 2048, moe=1.0) < speed(LLAMA_8B, 2048)


def row(precision, *, part="h100", **changes):
    use = {
        "params": 8e9, "active_params": 8e9, "tokens": 1e12, "flops": 4.8e22, "gpus": [128],
        "accelerators": [accelerator(part)], "mfu": None, "usd_per_hour": None,
        "batch_tokens": 4e6, "sequence_length": 8192, "country": None, "pue": None,
        "shape": memory_shape(LLAMA_8B, origin="test"),
        "setup": TrainingSetup(precision=precision),
    }  # fmt: skip
    rows, assumptions = plan_rows(**(use | changes))
    return rows[0], {item.name for item in assumptions}


def test_a_plan_in_fp8_is_faster_and_less_certain_and_as_large():
    (plain, _), (low, said) = row("mixed"), row("fp8")
    assert plain.days / low.days == pytest.approx(speed(LLAMA_8B, 8192), rel=1e-3)
    assert low.days_low / low.days < plain.days_low / plain.days
    assert low.days_high / low.days > plain.days_high / plain.days
    assert low.memory_gib_per_gpu == plain.memory_gib_per_gpu
    assert param_bytes(precision="fp8") == param_bytes(precision="mixed")
    assert "speed of matrix products in FP8 over bf16" in said


def test_the_users_mfu_is_that_of_his_precision():
    assert row("fp8", mfu=0.5)[0].days == row("mixed", mfu=0.5)[0].days
    assert not any("FP8 over bf16" in name for name in row("fp8", mfu=0.5)[1])


def test_parts_without_units_for_it_are_refused():
    with pytest.raises(UsageError, match="a100_sxm_80gb") as caught:
        row("fp8", part="a100")
    assert "h100" in caught.value.hint
    own = dataclasses.replace(accelerator("h100"), id="ours")
    assert row("fp8", accelerators=[own])[0].days == row("fp8")[0].days
    without = {part.id for part in accelerators() if not part.fp8}
    assert {"v100_sxm_32gb", "a100_sxm_80gb", "rtx_3090", "tpu_v4", "tpu_v5p"} <= without
    assert not without & {"h100_sxm_80gb", "h200_sxm", "b200_sxm", "mi300x", "l40s", "tpu_v7x"}
