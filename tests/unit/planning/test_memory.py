import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.planning.memory import (
    Layout,
    activation_bytes,
    choose_layout,
    layout_gib,
    memory_assumptions,
    state_bytes,
)
from scaleplan.planning.shape import Shape, guess_shape

GPT3 = Shape(layers=96, width=12288, heads=96, vocabulary=51200)
USABLE = 0.9


def layout(tensor=1, pipeline=1, data=1, zero=0, full_recompute=False):
    return Layout(
        tensor=tensor, pipeline=pipeline, data=data, zero=zero, full_recompute=full_recompute
    )


@pytest.mark.parametrize(("zero", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_zero_paper_figure_1(zero, gigabytes):
    """Rajbhandari et al. 2020: 7.5B parameters on 64 devices."""
    assert state_bytes(7.5e9, zero=zero, copies=64) / 1e9 == pytest.approx(gigabytes, abs=0.05)


def test_fp32_gradients_take_two_bytes_more():
    assert state_bytes(1.0, zero=0, copies=1, gradient_bytes=4) == 18
    assert state_bytes(1.0, zero=1, copies=12, gradient_bytes=4) == 7
    assert state_bytes(1.0, zero=2, copies=2, gradient_bytes=4) == 2 + 2 + 6


@pytest.mark.parametrize(
    ("params", "parts", "gigabytes"), [(174.6e9, 8 * 12, 33), (529.6e9, 280, 34)]
)
def test_states_of_the_megatron_models(params, parts, gigabytes):
    """Narayanan et al. 2021: 175B on 96 and 530B on 280 A100 of 80 GB, 18 bytes a parameter."""
    held = state_bytes(params / parts, zero=0, copies=1, gradient_bytes=4)
    assert held / 1e9 == pytest.approx(gigabytes, abs=0.5)


def test_weights_of_llama_405b_on_tp8_pp16():
    """Llama team 2024 names 6 GB of weights a GPU; gradients are as many, the rest is shared."""
    assert state_bytes(405e9 / 128, zero=1, copies=10**9) / 1e9 == pytest.approx(2 * 6.3, abs=0.1)
    assert state_bytes(405e9 / 128, zero=2, copies=10**9) / 1e9 == pytest.approx(6.3, abs=0.1)


def test_fsdp_from_8_to_128_devices():
    # torchtitan measured 82.4 and 67.0 GiB for Llama 3 8B; the states alone explain 14.0 of 15.4.
    drop = state_bytes(8.03e9, zero=3, copies=8) - state_bytes(8.03e9, zero=3, copies=128)
    assert drop / 2**30 == pytest.approx(14.0, abs=0.1)


@pytest.mark.parametrize(("full_recompute", "gigabytes"), [(False, 82), (True, 4.8 + 0.86)])
def test_activations_of_one_gpt3_sequence(full_recompute, gigabytes):
    """Korthikanti et al. 2022; full recomputation also holds the layer at work."""
    held = activation_bytes(
        GPT3, layers=96, sequences=1, sequence_length=2048,
        layout=layout(full_recompute=full_recompute),
    )  # fmt: skip
    assert held / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_tensor_parallelism_divides_activations():
    one, eight = (
        activation_bytes(
            GPT3, layers=12, sequences=3, sequence_length=2048, layout=layout(tensor=tensor)
        )
        for tensor in (1, 8)
    )
    assert one == 8 * eight


def _megatron(memory):
    held = layout_gib(
        174.6e9, shape=GPT3, batch_sequences=1536, sequence_length=2048, gradient_bytes=4,
        layout=dataclasses.replace(
            layout(tensor=8, pipeline=12, full_recompute=True), sequence_parallel=False
        ),
    )  # fmt: skip
    return held <= USABLE * memory


def test_activations_without_sequence_parallelism():
    """Korthikanti et al. 2022, equation 2 without its score term: s b h (10 + 24/t)."""
    apart = dataclasses.replace(layout(tensor=8), sequence_parallel=False)
    held = activation_bytes(GPT3, layers=1, sequences=1, sequence_length=2048, layout=apart)
    assert held == 2048 * 12288 * (10 + 24 / 8)


def test_the_megatron_layout_fits_its_gpus_and_not_half_of_their_memory():
    assert _megatron(80)
    assert not _megatron(40)


def test_neox_20b_fits_its_gpus():
    """Black et al. 2022: TP2 x PP4 x DP12 with ZeRO-1 on 96 A100 of 40 GB."""
    shape = Shape(layers=44, width=6144, heads=64, vocabulary=50432)
    held = layout_gib(
        20.6e9, shape=shape, batch_sequences=1538, sequence_length=2048,
        layout=layout(tensor=2, pipeline=4, data=12, zero=1),
    )  # fmt: skip
    assert held <= USABLE * 40


def test_the_first_stage_keeps_a_micro_batch_for_each_stage():
    def held(batch):
        return layout_gib(
            1e9, shape=GPT3, batch_sequences=batch, sequence_length=2048,
            layout=layout(pipeline=8),
        )  # fmt: skip

    assert held(8) == held(800)
    # With two micro-batches no more than two can be in flight.
    assert held(2) < held(8)


def test_gathered_layers_are_counted_under_zero_3():
    def states(zero):
        return layout_gib(
            1e10, shape=GPT3, batch_sequences=64, sequence_length=1,
            layout=layout(data=64, zero=zero),
        )  # fmt: skip

    # 16/64 bytes a parameter, and two layers of 96 in bf16; 1.5 GiB runtime, little else.
    expected = (1e10 * 16 / 64 + 2 * 2 * 1e10 / 96) / 2**30 + 1.5
    assert states(3) == pytest.approx(expected, rel=0.02)
    assert states(3) < states(1)


def test_the_layout_is_written_as_people_write_it():
    text = layout(tensor=8, pipeline=2, data=62, zero=1).write(1000)
    assert text == "TP8 x PP2 x DP62, ZeRO-1, selective recompute, micro-batch 1, 8 idle"
    text = layout(full_recompute=True).write(1)
    assert text == "TP1 x PP1 x DP1, no ZeRO, full recompute, micro-batch 1"


def choose(params, gpus, memory, batch=4e6, length=4096):
    return choose_layout(
        params, shape=guess_shape(params), gpus=gpus, batch_tokens=batch, sequence_length=length,
        memory_gib=memory,
    )  # fmt: skip


def test_a_small_model_needs_no_tricks():
    use = choose(1e8, 1, 24)
    assert use.fits
    assert use.layout == layout()


def test_ten_billion_on_a_node_of_h100_share_the_optimiser_and_two_the_layers():
    use = choose(1e10, 8, 80)
    assert use.fits
    assert use.layout == layout(tensor=2, data=4, zero=1)


def test_ten_billion_do_not_fit_on_one():
    use = choose(1e10, 1, 80)
    assert not use.fits
    assert use.gib > 16e10 / 2**30
    assert use.layout.full_recompute


@pytest.mark.parametrize(
    ("params", "gpus", "memory"),
    [
        (174.6e9, 384, 80), (529.6e9, 560, 80), (1008e9, 3072, 80), (405e9, 16384, 80),
        (40e9, 384, 40), (20.6e9, 96, 40), (65.2e9, 2048, 80), (6.7e9, 8, 80), (176e9, 384, 80),
    ],
)  # fmt: skip
def test_published_runs_fit_where_they_ran(params, gpus, memory):
    assert choose(params, gpus, memory).fits


@pytest.mark.parametrize(
    ("params", "gpus", "memory"), [(175e9, 32, 80), (405e9, 64, 80), (70e9, 8, 80), (7e9, 1, 80)]
)
def test_states_alone_forbid_too_few(params, gpus, memory):
    assert not choose(params, gpus, memory).fits


@given(
    st.floats(1e6, 1e13), st.integers(1, 100_000), st.floats(8, 300), st.floats(1, 4),
    st.floats(1e3, 1e8), st.sampled_from([128, 2048, 8192, 131072]),
)  # fmt: skip
def test_more_memory_never_turns_a_fit_into_none(params, gpus, memory, factor, batch, length):
    small = choose(params, gpus, memory, batch, length)
    large = choose(params, gpus, memory * factor, batch, length)
    assert large.fits or not small.fits
    for use, limit in ((small, memory), (large, memory * factor)):
        assert use.fits == (use.gib <= USABLE * limit)
        assert 1 <= use.layout.accelerators <= gpus
        assert use.layout.data <= max(1, batch / length)


def test_a_layout_that_uses_the_cluster_comes_before_a_simpler_one_that_idles():
    # 1,024 sequences cannot feed 8,192 copies of two accelerators each.
    use = choose(1e10, 16384, 80, batch=1024 * 4096)
    assert use.layout.accelerators == 16384
    assert use.layout.tensor * use.layout.pipeline == 16


@given(st.floats(1e9, 1e12), st.integers(1, 4096))
def test_a_cluster_with_enough_sequences_is_kept_busy(params, gpus):
    use = choose(params, 8 * gpus, 1e6, batch=4096 * 8 * gpus)
    assert use.layout.accelerators >= 0.95 * 8 * gpus


def test_its_assumptions_are_named():
    values = {item.name: item.value for item in memory_assumptions()}
    assert values["share of the memory that may be planned with"] == 0.9
    assert values["margin on activations"] == 1.2
