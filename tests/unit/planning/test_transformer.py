import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.planning.shape import guess_shape, guess_transformer
from scaleplan.planning.shape_text import read_shape
from scaleplan.planning.transformer import (
    ACCOUNTINGS,
    count_flops,
    count_params,
    expert_share,
    matrix_params,
    measure,
    score_flops,
)
from scaleplan.records.shapes import Experts

# Two layers, small enough to count by hand.
TINY = read_shape("L=2,d=8,heads=2,kv=1,head_width=4,ffn=16,vocab=32,context=64", context=64)


def test_parameters_by_hand():
    counts = count_params(TINY)
    attention = 2 * (8 * 8 + 8 * 4 + 8 * 4 + 8 * 8)  # queries, keys, values, output
    feed_forward = 2 * 3 * 8 * 16
    norms = (2 * 2 + 1) * 8
    assert (counts.attention, counts.feed_forward, counts.other) == (
        attention, feed_forward, norms,
    )  # fmt: skip
    assert counts.embedding == counts.head == 32 * 8
    assert counts.total == counts.active == attention + feed_forward + norms + 512
    assert counts.non_embedding == counts.total - 512


def test_a_tied_head_is_counted_once_and_multiplied_all_the_same():
    tied = dataclasses.replace(TINY, tied=True)
    assert count_params(tied).total == count_params(TINY).total - 256
    assert matrix_params(tied) == matrix_params(TINY) == 2 * 192 + 2 * 384 + 256


def test_biases_and_layer_normalisation():
    full = dataclasses.replace(TINY, gated=False, biases="all", norm="layer")
    counts = count_params(full)
    assert counts.attention == 2 * (192 + (8 + 2 * 4) + 8)
    assert counts.feed_forward == 2 * (2 * 8 * 16 + 16 + 8)
    assert counts.other == 5 * 16
    assert count_params(dataclasses.replace(TINY, biases="qkv")).attention == 2 * (192 + 16)


def test_a_mixture_of_experts():
    sparse = dataclasses.replace(
        TINY, experts=Experts(count=4, active=2, width=16, shared_width=8, dense_layers=1)
    )
    counts = count_params(sparse)
    dense, router, shared, expert = 3 * 8 * 16, 8 * 4, 3 * 8 * 8, 3 * 8 * 16
    assert counts.feed_forward == dense + router + shared + 4 * expert
    assert counts.total - counts.active == 2 * expert


def test_attention_scores_by_hand():
    # 2 layers x (scores + weighted sum) x 2 FLOP x 8 values, with 10 tokens or 5 on average.
    assert score_flops(TINY, 10, causal=False) == 2 * 2 * 2 * 8 * 10
    assert score_flops(TINY, 10, causal=True) == 2 * 2 * 2 * 8 * 5


def test_a_window_limits_what_is_attended():
    narrow = dataclasses.replace(TINY, window=4, window_layers=1)
    layer = 2 * 2 * 8
    assert score_flops(narrow, 16, causal=False) == layer * (16 + 4)
    # (1 + 2 + 3 + 4 + 4 ...) / 16 without the half a token: 4 - 16/32.
    assert score_flops(narrow, 16, causal=True) == layer * (8 + 3.5)
    assert score_flops(narrow, 3, causal=True) == score_flops(TINY, 3, causal=True)


@pytest.mark.parametrize(
    ("params", "layers", "width", "length", "share"),
    [
        (8.03e9, 32, 4096, 8192, 0.13), (70.6e9, 80, 8192, 8192, 0.08),
        (405e9, 126, 16384, 8192, 0.04), (175e9, 96, 12288, 2048, 0.014),
    ],
)  # fmt: skip
def test_causal_attention_beside_6nd(params, layers, width, length, share):
    shape = f"L={layers},d={width},heads={width // 128},ffn={4 * width},vocab=1000"
    scores = 3.0 * score_flops(read_shape(shape, context=length), length, causal=True)
    assert scores / (6.0 * params) == pytest.approx(share, abs=0.006)


def test_training_is_three_times_forward_and_6nd_is_6_active():
    for name in ACCOUNTINGS:
        found = count_flops(TINY, 64, name)
        assert found.training == 3 * found.forward
    assert count_flops(TINY, 64, "6nd").training == 6 * count_params(TINY).active
    assert count_flops(TINY, 64, "causal").forward == 2 * matrix_params(TINY) + score_flops(
        TINY, 64, causal=True
    )


def test_the_notes_shares_of_attention():
    # 6 L d s over 6N: Llama 3 8B at 8k 13%, GPT-3 at 2k 1.4%.
    llama = read_shape("L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=128256", context=8192)
    found = measure(llama, origin="--shape", sequence_length=8192)
    assert found.attention_share == pytest.approx(32 * 4096 * 8192 / 8.03e9, rel=1e-3)
    assert found.flops_per_param_token == 6
    counted = measure(llama, origin="--shape", sequence_length=8192, accounting="causal")
    assert counted.flops_per_param_token == pytest.approx(6.41, abs=0.005)


@given(st.floats(1e7, 1e14))
def test_the_assumed_transformer_meets_its_size(params):
    model = guess_transformer(params, context=4096)
    assert count_params(model).total == pytest.approx(params, rel=0.03 if params < 1e9 else 0.005)
    memory = guess_shape(params)
    assert (model.layers, model.width, model.heads, model.vocabulary) == (
        memory.layers, memory.width, memory.heads, memory.vocabulary,
    )  # fmt: skip


@given(st.floats(1e-3, 1e15), st.floats(0.001, 1.0))
def test_any_size_has_a_transformer(params, share):
    model = guess_transformer(params, active_params=share * params, context=1)
    counts = count_params(model)
    assert 0 < counts.active <= counts.total
    assert model.heads % model.kv_heads == 0


@pytest.mark.parametrize(
    ("params", "active"), [(671e9, 37e9), (46.7e9, 12.9e9), (1e12, 3e10), (57e9, 14e9)]
)
def test_the_assumed_mixture_meets_both_sizes(params, active):
    counts = count_params(guess_transformer(params, active_params=active, context=4096))
    assert counts.total == pytest.approx(params, rel=0.02)
    assert counts.active == pytest.approx(active, rel=0.01)


def test_experts_that_a_step_reads():
    experts = Experts(count=8, active=2, width=1)
    assert expert_share(experts, 1) == 0.25
    assert expert_share(experts, 2) == pytest.approx(1 - 0.75**2)
    assert expert_share(experts, 1000) == pytest.approx(1)
