import dataclasses

import pytest

from scaleplan.planning.memory import Layout, memory_assumptions, memory_model
from scaleplan.planning.shape import Shape, guess_shape
from scaleplan.records import TrainingSetup

GPT3 = Shape(layers=96, width=12288, heads=96, vocabulary=51200)


def layout(tensor=1, pipeline=1, data=1, zero=0, recompute="none", expert=1):
    return Layout(
        tensor=tensor, pipeline=pipeline, data=data, zero=zero, recompute=recompute, expert=expert
    )


def model(params=174.6e9, shape=GPT3, sequences=1536, length=2048, active=None, **setup):
    return memory_model(
        params, active_params=active or params, shape=shape, batch_tokens=sequences * length,
        sequence_length=length, setup=TrainingSetup(**setup),
    )  # fmt: skip


@pytest.mark.parametrize(("recompute", "gigabytes"), [("none", 82), ("full", 4.8 + 0.86)])
def test_activations_of_one_gpt3_sequence(recompute, gigabytes):
    """Korthikanti et al. 2022; full recomputation also holds the layer at work."""
    held = model().stage_activations(layout(recompute=recompute), in_flight=1)
    assert held / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_without_flash_attention_the_scores_are_kept():
    """Korthikanti et al. 2022: 275 GB a GPT-3 sequence with them, 82 GB once recomputed."""
    kept = model(flash_attention=False)
    for recompute, gigabytes in (("none", 275), ("selective", 82)):
        held = kept.stage_activations(layout(recompute=recompute), in_flight=1)
        assert held / 1e9 == pytest.approx(gigabytes, rel=0.01)
    assert model().stage_activations(layout(recompute="selective"), in_flight=1) == held


def test_tensor_parallelism_divides_activations():
    one, eight = (
        model().stage_activations(layout(tensor=tensor), in_flight=3) for tensor in (1, 8)
    )
    assert one == 8 * eight


def test_activations_without_sequence_parallelism():
    """Korthikanti et al. 2022, equation 2 without its score term: s b h (10 + 24/t)."""
    shape = dataclasses.replace(GPT3, layers=1)
    held = model(shape=shape, sequence_parallel=False).stage_activations(
        layout(tensor=8), in_flight=1
    )
    assert held == 2048 * 12288 * (10 + 24 / 8)


def test_a_micro_batch_of_four_takes_four_times_the_activations():
    one, four = (model(micro_batch=n).activations(layout(tensor=8)) for n in (1, 4))
    assert four == pytest.approx(4 * one)


def test_the_first_stage_keeps_a_micro_batch_for_each_stage():
    def held(sequences):
        return model(sequences=sequences).activations(layout(pipeline=8))

    assert held(8) == held(800)
    # With two micro-batches no more than two can be in flight.
    assert held(2) < held(8)


def test_a_stage_that_gets_one_layer_more_counts():
    shape = dataclasses.replace(GPT3, layers=126)
    uneven = model(shape=shape).stage_activations(layout(pipeline=16), in_flight=1)
    even = model(shape=dataclasses.replace(GPT3, layers=128))
    assert uneven == even.stage_activations(layout(pipeline=16), in_flight=1)


def test_large_vocabularies_take_their_logits():
    small, large = (
        model(shape=dataclasses.replace(GPT3, vocabulary=v), length=8192, micro_batch=2)
        for v in (1, 128_001)
    )
    found = large.activations(layout()) - small.activations(layout())
    # 2 x 8,192 tokens x 128,000 x (2 + 4 + 4) bytes and the margin of 20%.
    assert found == pytest.approx(1.2 * 2 * 8192 * 128_000 * 10)


def test_gathered_layers_are_counted_under_zero_3():
    def states(zero):
        return model(1e10, sequences=64, length=1).use(layout(data=64, zero=zero)).total

    # 16/64 bytes a parameter, and two layers of 96 in bf16; 1.5 GiB runtime, little else.
    expected = (1e10 * 16 / 64 + 2 * 2 * 1e10 / 96) / 2**30 + 1.5
    assert states(3) == pytest.approx(expected, rel=0.02)
    assert states(3) < states(1)


def test_experts_are_spread_over_copies():
    # DeepSeek-V3's size: 671B parameters of which 37B are used, half of those outside experts.
    sparse = model(671e9, shape=guess_shape(37e9), active=37e9)
    assert sparse.dense_params == 18.5e9
    assert sparse.experts == round(2 * (671 - 18.5) / (37 - 18.5))
    whole = sparse.states(layout(pipeline=16, data=64, zero=1))
    spread = sparse.states(layout(pipeline=16, data=64, zero=1, expert=64))
    # Experts: (4 + 12/64) bytes against 16/64 bytes; the rest is as before.
    assert whole - spread == pytest.approx(652.5e9 / 16 * (4 + 12 / 64 - 16 / 64), rel=1e-9)


def test_given_experts_come_first():
    assert model(47e9, shape=guess_shape(13e9), active=13e9, experts=8).experts == 8
    assert model(47e9, experts=8).experts == 1


def test_the_layout_is_written_as_people_write_it():
    text = layout(tensor=8, pipeline=2, data=62, zero=1).write(1000)
    assert text == "TP8 x PP2 x DP62, ZeRO-1, no recompute, micro-batch 1, 8 idle"
    text = layout(recompute="full").write(1, micro_batch=4)
    assert text == "TP1 x PP1 x DP1, no ZeRO, full recompute, micro-batch 4"
    text = layout(tensor=8, pipeline=12, data=4, expert=2).write(64)
    assert text.startswith("TP8 x PP12 x DP4 (EP2), ")
    assert text.endswith("needs 384")


def test_its_assumptions_are_named():
    setup = TrainingSetup(flash_attention=False, sequence_parallel=False)
    sparse = memory_model(
        1e11, active_params=1e10, shape=GPT3, batch_tokens=1e6, sequence_length=2048, setup=setup
    )
    values = {item.name: item.value for item in memory_assumptions(sparse, setup)}
    assert values["share of the memory that may be planned with"] == 0.9
    assert values["margin on activations"] == 1.2
    assert values["FlashAttention"] == "scores are kept"
    assert values["experts of a layer"] == sparse.experts
