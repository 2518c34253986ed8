import dataclasses

import pytest

from scaleplan.planning.memory import Layout, memory_assumptions, memory_model
from scaleplan.planning.shape import Shape, guess_shape, memory_shape
from scaleplan.planning.shape_text import read_shape
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


def given(text):
    return memory_shape(read_shape(text, context=2048), origin="--shape")


def test_the_activations_of_a_known_shape_are_its_own():
    """GPT-3's come to its 34 bytes; the wide blocks of Gemma 7B keep almost twice as much."""
    gpt = given("L=96,d=12288,heads=96,ffn=49152,vocab=51200,act=gelu")
    known, assumed = (
        model(shape=shape).layer_activations(layout(tensor=4), scores=False)
        for shape in (gpt, GPT3)
    )
    assert known == assumed
    # 10 x 3072 of width, 2 bytes of 16 heads' queries, keys, values and result of 256 each, and
    # of three times the 24,576 of the block (config.json of google/gemma-7b).
    gemma = given("L=28,d=3072,heads=16,kv=16,head_dim=256,ffn=24576,vocab=256000")
    kept = model(8.5e9, shape=gemma, length=1).layer_activations(layout(), scores=False)
    assert kept == 10 * 3072 + 2 * (4 * 16 * 256 + 3 * 24576)
    assert kept / 3072 > 1.9 * 34


def test_the_activations_of_a_known_shape_are_stated():
    llama = given("L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=128256")
    stated = {one.name: one for one in memory_assumptions(model(8e9, shape=llama), TrainingSetup())}
    line = stated["activations of a layer per token and width, attention not kept"]
    assert line.value == 36.0  # 10 + 4 + 1 + 21
    assert "counted from the shape" in line.source


def test_the_experts_of_a_known_shape_are_its_own():
    """Mixtral 8x7B: 45.1B of its 46.7B parameters are in 8 experts of 32 layers."""
    mixtral = given("L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=32000,experts=8,topk=2")
    sparse = model(46.7e9, shape=mixtral, active=12.9e9)
    assert sparse.experts == 8
    assert sparse.dense_params == pytest.approx(46.7e9 - 32 * 8 * 3 * 4096 * 14336)
    assert "share of the active parameters" not in str(
        [one.name for one in memory_assumptions(sparse, TrainingSetup())]
    )
    # Routed tokens are copied to both experts and back: 8 bytes of width besides 3 x 14,336 twice.
    assert mixtral.layer_bytes == 2 * (2 * 4096 + 2 * 1024 + 2 * (3 * 14336 + 2 * 4096))


def test_a_stage_holds_a_whole_table_of_the_vocabulary():
    shape = Shape(layers=12, width=1024, heads=8, vocabulary=1_000_000)
    held = model(1.2e9, shape=shape, length=1).states(layout(pipeline=4, tensor=2))
    assert held == 16 * 1_000_000 * 1024 / 2
