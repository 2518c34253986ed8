import dataclasses

import pytest

from scaleplan.catalog import accelerator, accelerators, planning_default
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.architectures import architecture
from scaleplan.planning.deployment import (
    BYTES,
    Load,
    fewest_gpus,
    kv_bytes,
    kv_bytes_per_token,
    read_bytes,
    serve,
    weight_bytes,
)
from scaleplan.planning.shape_text import read_shape
from scaleplan.planning.transformer import count_params

H100 = accelerator("h100")
LLAMA_70B = read_shape(architecture("llama2-70b").shape, context=4096)
LLAMA_8B = read_shape(architecture("llama3-8b").shape, context=8192)
MIXTRAL = read_shape(architecture("mixtral-8x7b").shape, context=8192)


def test_the_cache_of_llama_2_70b():
    # 80 layers x 8 heads x 128 x keys and values x 2 bytes.
    assert kv_bytes_per_token(LLAMA_70B, "bf16") == 320 * 1024
    assert kv_bytes_per_token(LLAMA_70B, "fp8") == 160 * 1024
    assert kv_bytes_per_token(LLAMA_70B, "int4") == 80 * 1024
    assert kv_bytes(LLAMA_70B, 4096, "bf16") == 1.25 * 2**30


def test_the_cache_of_latent_attention_is_one_vector_a_layer():
    model = read_shape(architecture("deepseek-v3").shape, context=4096)
    assert kv_bytes_per_token(model, "bf16") == 61 * (512 + 64) * 2


def test_a_window_bounds_the_cache():
    model = read_shape(architecture("mistral-7b").shape, context=8192)
    assert kv_bytes(model, 8192, "bf16") == kv_bytes(model, 4096, "bf16") == 4096 * 128 * 1024


def test_weights_by_precision():
    total = count_params(LLAMA_8B).total
    assert [weight_bytes(LLAMA_8B, name) / total for name in BYTES] == [2, 1, 1, 0.5]


def test_a_step_reads_every_weight_but_the_input_table_and_every_cache():
    one = Load(context=1000, sequences=3, precision="fp8", kv_precision="bf16")
    weights = 8_030_261_248 - 128256 * 4096
    assert read_bytes(LLAMA_8B, one) == weights + 3 * 1000 * 128 * 1024
    # A tied table is read as the output head.
    tied = dataclasses.replace(LLAMA_8B, tied=True)
    assert read_bytes(tied, one) == read_bytes(LLAMA_8B, one)


def test_a_step_reads_the_experts_that_are_used():
    active, total = count_params(MIXTRAL).active, count_params(MIXTRAL).total
    table = 32000 * 4096

    def weights(sequences):
        load = Load(context=1, sequences=sequences, precision="int8")
        return read_bytes(MIXTRAL, load) - sequences * kv_bytes(MIXTRAL, 1, "int8")

    assert weights(1) == pytest.approx(active - table)
    assert weights(2) == pytest.approx(active - table + (total - active) * (0.4375 - 0.25) / 0.75)
    assert weights(500) == pytest.approx(total - table)


def test_latency_of_one_sequence_is_weights_and_cache_over_bandwidth():
    row = serve(LLAMA_8B, Load(context=8192, sequences=1, precision="bf16"), H100)
    read = 2 * (8_030_261_248 - 128256 * 4096) + 2**30
    assert row.gpus == 1
    assert row.bound == "bandwidth"
    assert row.floor_ms == pytest.approx(read / 3350e9 * 1e3)
    # 80% of the bandwidth, and 75 us for each of 32 layers.
    assert row.step_ms == pytest.approx(row.floor_ms / 0.8 + 32 * 0.075)
    assert row.tokens_per_second == pytest.approx(1e3 / row.step_ms)
    assert row.usd_per_million_tokens == pytest.approx(3.0 / 3600 / row.tokens_per_second * 1e6)


def test_large_batches_of_short_contexts_wait_for_compute():
    row = serve(LLAMA_8B, Load(context=16, sequences=4096, precision="bf16"), H100)
    assert row.bound == "compute"
    flops = 4096 * 2 * (8_030_261_248 - 128256 * 4096)
    assert row.floor_ms == pytest.approx(flops / 989e12 * 1e3, rel=0.01)


def test_a_prompt_is_read_at_the_speed_of_compute():
    row = serve(LLAMA_8B, Load(context=8192, sequences=1, precision="bf16"), H100)
    flops = 8192 * 1.07 * 2 * 8.03e9
    share = planning_default("serving_mfu").value
    assert row.prefill_seconds == pytest.approx(flops / (989e12 * share), rel=0.01)


def test_the_fewest_accelerators():
    usable = 0.9 * 80 * 2**30
    counts = [fewest_gpus(share * usable, H100) for share in (0.1, 1, 1.01, 3, 7, 9, 17)]
    assert counts == [1, 1, 2, 4, 8, 16, 24]
    assert serve(LLAMA_70B, Load(context=1, sequences=1, precision="bf16"), H100).gpus == 2
    assert serve(LLAMA_70B, Load(context=1, sequences=1, precision="int4"), H100).gpus == 1


def test_as_many_as_are_asked_for_if_they_hold_it():
    load = Load(context=1, sequences=1, precision="bf16", gpus=8)
    assert serve(LLAMA_70B, load, H100).gpus == 8
    with pytest.raises(PlanError, match="do not hold 128 GiB") as caught:
        serve(LLAMA_70B, dataclasses.replace(load, gpus=1), H100)
    assert "--serve-gpus 2" in caught.value.hint


def test_every_part_of_the_catalogue_serves_and_none_without_bandwidth_has_a_speed():
    for part in accelerators():
        row = serve(LLAMA_8B, Load(context=64, sequences=2, precision="int8"), part)
        assert (row.step_ms is None) == (part.memory_bandwidth_gbs is None)
        assert row.step_ms is None or row.step_ms > row.floor_ms


def test_an_unknown_bandwidth_leaves_speed_open():
    blind = dataclasses.replace(H100, memory_bandwidth_gbs=None)
    row = serve(LLAMA_8B, Load(context=64, sequences=2, precision="int8"), blind)
    assert row.step_ms is row.tokens_per_second is row.bound is row.usd_per_million_tokens is None
    assert row.weights_gib > 7


def test_what_is_refused():
    with pytest.raises(PlanError, match="serving would take"):
        serve(LLAMA_8B, Load(context=10**9, sequences=10**6, precision="bf16"), H100)
    with pytest.raises(UsageError, match="--serve-context"):
        serve(LLAMA_8B, Load(context=0, sequences=1, precision="bf16"), H100)
    gpt2 = read_shape(architecture("gpt2-xl").shape, context=1024)
    with pytest.raises(UsageError, match="1024 learned positions"):
        serve(gpt2, Load(context=2048, sequences=1, precision="bf16"), H100)
