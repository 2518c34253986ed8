"""What attention adds to the time of a token as sequences grow."""

from __future__ import annotations

import dataclasses

import pytest

from scaleplan.catalog import accelerator, planning_default
from scaleplan.planning.attention import attention_excess, attention_growth
from scaleplan.planning.plan import plan_rows
from scaleplan.planning.shape import guess_shape, memory_shape
from scaleplan.planning.transformer import count_flops, count_params
from scaleplan.records.shapes import Transformer

# github.com/mosaicml/llm-foundry, scripts/train/benchmarking/README.md: tokens/s of an A100 80GB.
MPT_1B = Transformer(
    layers=24, width=2048, heads=16, kv_heads=16, head_width=128, ffn_width=8192, vocabulary=50368,
    context=2048, gated=False, tied=True,
)  # fmt: skip
RATES = {2048: 20513, 4096: 17807, 8192: 13814, 16384: 9956, 32768: 6275}


def growth(model, length):
    shape, active = memory_shape(model, origin="test"), count_params(model).active
    return attention_growth(shape, active_params=active, sequence_length=length)


def test_it_is_that_of_every_product_with_the_full_matrix():
    for length in (512, 2048, 65536):
        full, usual = (count_flops(MPT_1B, at, "full").forward for at in (length, 2048))
        assert growth(MPT_1B, length) == pytest.approx(full / usual, rel=0.01)
    assert growth(MPT_1B, 2048) == 1.0
    assert growth(MPT_1B, 1024) < 1.0


@pytest.mark.parametrize("length", sorted(RATES))
def test_a_model_slows_down_with_its_sequences_as_published(length):
    assert RATES[2048] / RATES[length] == pytest.approx(growth(MPT_1B, length), rel=0.12)


def test_a_window_bounds_what_a_token_attends_to():
    narrow = dataclasses.replace(MPT_1B, window=2048, window_layers=24)
    assert growth(narrow, 65536) == 1.0
    half = dataclasses.replace(narrow, window_layers=12)
    assert 1.0 < growth(half, 65536) < growth(MPT_1B, 65536)


def test_a_guessed_shape_is_close_to_a_given_one():
    guessed = guess_shape(1.3e9)
    found = attention_growth(guessed, active_params=1.3e9, sequence_length=32768)
    assert found == pytest.approx(growth(MPT_1B, 32768), rel=0.2)


def test_times_of_long_sequences_are_less_certain():
    shape, active = memory_shape(MPT_1B, origin="test"), count_params(MPT_1B).active
    excess = [
        attention_excess(shape, active_params=active, sequence_length=length)
        for length in (2048, 8192, 16384, 131072)
    ]
    assert excess[:2] == [1.0, 1.0]
    assert 1.0 < excess[2] < excess[3] < planning_default("attention_weight_high").value


def row(**changes):
    use = {
        "params": 1.3e9, "active_params": 1.3e9, "tokens": 1e11, "flops": 6 * 1.3e20,
        "accelerators": [accelerator("h100")], "gpus": [8], "mfu": None, "usd_per_hour": None,
        "batch_tokens": 1e6, "sequence_length": 2048, "country": None, "pue": None,
        "shape": memory_shape(MPT_1B, origin="test"),
    }  # fmt: skip
    return plan_rows(**(use | changes))[0][0]


def test_the_time_grows_with_attention_and_not_with_how_flop_are_counted():
    short, long = row(), row(sequence_length=32768)
    # A longer training also loses more, beside its steps.
    assert long.days / short.days >= growth(MPT_1B, 32768) * (1 - 1e-9)
    assert long.days_high / long.days > short.days_high / short.days
    counted = row(sequence_length=32768, flops=6 * 1.3e20 * 3.0, over_6nd=3.0)
    assert counted.days == pytest.approx(long.days)
    assert counted.mfu == pytest.approx(3.0 * long.mfu)


def test_the_users_mfu_is_of_the_flop_that_are_counted():
    plain, long = (row(sequence_length=length, mfu=0.4).days for length in (2048, 4096))
    assert long == pytest.approx(plain)
    assert row(flops=12 * 1.3e20, over_6nd=2.0, mfu=0.4).days == pytest.approx(2 * plain)


def test_what_is_counted_by_examples_contains_its_attention():
    assert row(by_examples=True, sequence_length=1).mfu == pytest.approx(row().mfu)
