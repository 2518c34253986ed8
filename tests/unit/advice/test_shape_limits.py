import dataclasses

import pytest

from scaleplan.advice.shape_limits import far_from_6nd
from scaleplan.catalog import published_law
from scaleplan.planning.assemble import assemble_plan
from scaleplan.planning.model_shape import find_shape, shape_of
from scaleplan.planning.published import fit_from_published


def notes(text, length, accounting="6nd", params=1):
    given = None if text is None else find_shape(text, context=length)
    shape = shape_of(
        given, params=params, active_params=params, sequence_length=length, accounting=accounting
    )
    size = float(shape.params.total)
    plan = assemble_plan(
        fit_from_published(published_law("besiroglu_2024")), params=size, active_params=None,
        tokens=20 * size, flops=None, ratio=None, accelerators=(), gpus=(8,), mfu=None,
        usd_per_hour=None, batch_tokens=None, sequence_length=length, country=None, pue=None,
        shape=shape,
    )  # fmt: skip
    return list(far_from_6nd(dataclasses.replace(plan, shape=shape)))


@pytest.mark.parametrize(("text", "length"), [("gpt3-175b", 2048), ("llama2-70b", 4096)])
def test_large_models_at_usual_lengths_are_6nd(text, length):
    assert notes(text, length) == []


@pytest.mark.parametrize(
    ("text", "length", "ratio"),
    [("gpt3-175b", 32768, 1.44), ("llama3.2-1b", 8192, 1.434), ("pythia-70m", 2048, 0.813)],
)
def test_long_sequences_small_models_and_large_tables_are_not(text, length, ratio):
    if text == "gpt3-175b":  # whose positions are learned
        text = "L=96,d=12288,act=gelu,vocab=50257,tied=yes"
    (note,) = notes(text, length)
    assert note.id == "FLOPS_BEYOND_6ND"
    assert note.severity == "info"
    assert dict(note.numbers)["over_6nd"] == pytest.approx(ratio, rel=0.01)


def test_times_that_rest_on_attention_are_a_warning():
    """At a million tokens a sequence a 7B model takes forty times the FLOP of 6ND."""
    (note,) = notes("L=32,d=4096,heads=32,kv=8,ffn=11712,vocab=128000", 1_000_000)
    assert dict(note.numbers)["over_6nd"] > 38
    assert note.severity == "warning"
    assert "times and costs count attention, which makes a token 35.7 times as long" in note.text
    assert "--flop-count full" in note.action
    # Of two million parameters, neither their shape nor the length need be what is assumed.
    (note,) = notes(None, 4096, params=2e6)
    assert dict(note.numbers)["over_6nd"] > 1.6
    assert note.severity == "info"
    assert notes(None, 65_536, params=7e9)[0].severity == "warning"


def test_who_counts_attention_is_not_told():
    assert notes("llama3.2-1b", 8192, "causal") == []
