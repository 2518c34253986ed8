"""`budget` with shapes, families and serving."""

from __future__ import annotations

import csv
import io
import json

import pytest

SHAPE = "L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=128256,context=8192"


def document(invoke, *arguments):
    result = invoke("budget", *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_assumed_shape_and_how_far_it_is(invoke):
    found = document(invoke, "--gpus", "8", "--params", "8B")
    shape = found["shape"]
    assert shape["origin"] == "assumed"
    assert shape["asked_params"] == 8e9
    assert shape["params"]["total"] == pytest.approx(8e9, rel=0.01)
    assert found["model"]["flops"] == pytest.approx(6 * 8e9 * found["model"]["tokens"])


def test_a_given_shape_gives_the_size_and_the_sequence(invoke):
    found = document(invoke, "--gpus", "1000", "--shape", SHAPE, "--tokens", "15T")
    assert found["model"]["params"] == 8_030_261_248
    assert found["model"]["flops"] == pytest.approx(6 * 8_030_261_248 * 15e12)
    assert found["shape"]["sequence_length"] == 8192
    named = {line["name"]: line["value"] for line in found["assumptions"]}
    assert named["sequence length"] == 8192
    assert named["transformer"] == "32 layers, width 4096, 32 heads, vocabulary 128256"


def test_flops_with_attention(invoke):
    plain = document(invoke, "--gpus", "8", "--shape", "llama3-8b", "--tokens", "1T")
    assert any(note["id"] == "FLOPS_BEYOND_6ND" for note in plain["notes"])
    causal = document(
        invoke, "--gpus", "8", "--shape", "llama3-8b", "--tokens", "1T", "--flop-count", "causal"
    )
    ratio = causal["model"]["flops"] / plain["model"]["flops"]
    assert ratio == pytest.approx(1.068, abs=0.001)
    # How FLOP are counted does not change how long they take.
    both = [found["rows"][0] for found in (causal, plain)]
    assert both[0]["gpu_hours"] == pytest.approx(both[1]["gpu_hours"])
    assert both[0]["mfu"] / both[1]["mfu"] == pytest.approx(ratio)
    measured = [
        document(
            invoke, "--gpus", "8", "--shape", "llama3-8b", "--tokens", "1T", "--mfu", "0.4",
            "--flop-count", count,
        )["rows"][0]["gpu_hours"]
        for count in ("causal", "6nd")
    ]  # fmt: skip
    assert measured[0] / measured[1] == pytest.approx(ratio)
    assert not any(note["id"] == "FLOPS_BEYOND_6ND" for note in causal["notes"])


def test_a_mixture_is_planned_by_its_active_parameters(invoke):
    found = document(invoke, "--gpus", "64", "--shape", "mixtral-8x7b", "--tokens", "1T")
    assert found["model"]["active_params"] == 12_879_925_248
    assert found["model"]["flops"] == pytest.approx(6 * 12_879_925_248 * 1e12)


def test_serving(invoke):
    found = document(
        invoke, "--gpus", "8", "--shape", "llama2-70b", "--tokens", "2T", "--serve-precision",
        "bf16,int4", "--serve-sequences", "1,16", "--serve-context", "2048",
    )  # fmt: skip
    served = found["deployment"]
    assert dict(served["kv_bytes_per_token"])["bf16"] == 320 * 1024
    rows = served["rows"]
    assert [(row["precision"], row["sequences"]) for row in rows] == [
        ("bf16", 1), ("bf16", 16), ("int4", 1), ("int4", 16),
    ]  # fmt: skip
    assert rows[1]["kv_gib"] == pytest.approx(16 * 2048 * 320 / 2**20)
    sizes = served["sizes"]
    assert [round(size["params"] / 68_976_648_192, 2) for size in sizes] == [0.25, 0.5, 1, 2, 4]
    for size in sizes:
        assert 6 * size["params"] * size["tokens"] == pytest.approx(found["model"]["flops"])
    latency = [size["single"]["step_ms"] * size["single"]["gpus"] for size in sizes]
    assert latency == sorted(latency)


def test_the_tables_of_serving(invoke):
    result = invoke("budget", "--gpus", "8", "--params", "8B", "--serve")
    assert result.exit_code == 0
    assert "Serving on h100_sxm_80gb, 4096 tokens of context" in result.stdout
    assert "Size against speed" in result.stdout
    assert "Serving" not in invoke("budget", "--gpus", "8", "--params", "8B").stdout


def test_a_convolutional_network(invoke):
    arguments = ["--family", "cnn", "--examples", "1.28M", "--epochs", "90", "--gpus", "8,16"]
    found = document(invoke, *arguments, "--forward-flops", "4.1G", "--macs")
    assert found["schema"] == "scaleplan.plan/1"
    assert found["forecast"] is None
    assert found["model"]["flops"] == pytest.approx(2.834e18, rel=1e-3)
    assert found["rows"][0]["memory_gib_per_gpu"] is None
    counted = document(invoke, *arguments, "--shape", "resnet-50")
    assert counted["model"]["flops"] == pytest.approx(2.827e18, rel=1e-3)
    assert counted["rows"][0]["fits"] is True
    table = invoke("budget", *arguments, "--shape", "resnet-50", "--format", "csv").stdout
    assert [row["gpus"] for row in csv.DictReader(io.StringIO(table))] == ["8", "16"]


@pytest.mark.parametrize("output_format", ["table", "markdown"])
def test_other_families_are_shown(invoke, output_format):
    vit = ["--family", "vit", "--params", "632M", "--patch-size", "14", "--examples", "303M"]
    result = invoke("budget", "--gpus", "256", *vit, "--format", output_format)
    assert result.exit_code == 0, result.output
    assert "256" in result.stdout
    tables = ["--dense-params", "10M", "--embedding-rows", "1B", "--embedding-width", "128"]
    result = invoke(
        "budget", "--family", "recommender", *tables, "--lookups", "40", "--examples", "4B",
        "--gpus", "16", "--gpu", "a100,h100", "--format", output_format,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "rough" in result.stdout


REFUSED = [
    (["--params", "7B", "--shape", SHAPE], "contradict each other"),
    (["--shape", "L=32"], "width is missing"),
    (["--shape", "llama9"], "neither a published model"),
    (["--shape", ""], "--shape is empty"),
    (["--shape", "resnet-50"], "no language model"),
    (["--flops", "1e22", "--flop-count", "causal"], "needs the model's size"),
    (["--params", "1B", "--flop-count", "most"], "most"),
    (["--shape", "gpt2-xl", "--sequence-length", "4096"], "1024 learned positions"),
    (["--params", "1B", "--serve-precision", "fp7"], "fp7"),
    (["--params", "1B", "--kv-precision", "fp7"], "fp7"),
    (["--params", "1B", "--serve-context", "0"], "0"),
    (["--params", "1B", "--serve-sequences", "1.5"], "1.5"),
    (["--params", "1B", "--macs"], "--macs needs --family"),
    (["--params", "1B", "--examples", "5"], "--examples needs --family"),
    (["--family", "cnn", "--forward-flops", "4G"], "needs --examples"),
    (["--family", "cnn", "--examples", "4M"], "needs the FLOP of one example"),
    (["--family", "cnn", "--examples", "4M", "--macs"], "--macs needs --forward-flops"),
    (["--family", "cnn", "--examples", "4M", "--activations", "9M"], "needs --forward-flops"),
    (["--family", "vit", "--examples", "4M", "--activations", "9M"], "says nothing about"),
    (["--family", "cnn", "--examples", "4M", "--shape", "vit-b-16"], "is no cnn"),
    (["--family", "cnn", "--examples", "4M", "--tokens", "3B"], "--tokens says nothing"),
    (["--family", "cnn", "--examples", "4M", "--lookups", "3"], "--lookups says nothing"),
    (["--family", "vit", "--examples", "4M", "--params", "1B", "--patch-size", "999"], "larger"),
    (["--family", "recommender", "--examples", "4M"], "needs --dense-params"),
    (["--family", "dog", "--examples", "4M"], "dog"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=lambda a: " ".join(a)[:40])
def test_what_is_refused(invoke, arguments, words):
    result = invoke("budget", "--gpus", "8", *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert result.stdout == ""


def test_files_that_are_no_shape(invoke, tmp_path):
    for name, content in (("a.json", "{"), ("b.json", "[]"), ("c.json", '{"hidden_size": -1}')):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        result = invoke("budget", "--gpus", "8", "--shape", str(path))
        assert result.exit_code == 3, result.output
        assert f"{name}: " in result.stderr
        assert "hint:" in result.stderr
    assert invoke("budget", "--gpus", "8", "--shape", str(tmp_path / "d.json")).exit_code == 3


def test_the_vocabulary_of_a_shape_decides_on_the_bytes_of_a_token(invoke):
    """A uint16 holds the 32,000 of Llama 2; the size alone assumes a vocabulary of Llama 3."""
    llama = "L=32,d=4096,heads=32,ffn=11008,vocab=32000"
    found = document(invoke, "--gpus", "8", "--shape", llama, "--tokens", "1T")
    assert found["storage"]["token_bytes"] == 2
    assert found["storage"]["dataset_bytes"] == 2e12
    named = {line["name"]: line["value"] for line in found["assumptions"]}
    assert named["bytes of a token on disk"] == found["storage"]["token_bytes"]


def test_experts_that_contradict_the_shape(invoke):
    mixtral = "L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=32000,experts=8,topk=2"
    result = invoke(
        "budget", "--gpus", "8", "--shape", mixtral, "--tokens", "1T", "--experts", "16"
    )
    assert result.exit_code == 2
    assert "16 experts contradict the 8 of the shape" in result.stderr


def test_networks_by_their_counts(invoke):
    arguments = ["--family", "cnn", "--examples", "1.28M", "--epochs", "90", "--gpus", "8"]
    named = document(invoke, *arguments, "--shape", "EfficientNet-B0")
    assert named["model"]["activations"] == 6.75e6
    counts = ["--forward-flops", "386M", "--macs", "--activations", "6.75M", "--params", "5.29M"]
    given = document(invoke, *arguments, *counts)
    assert given["rows"][0]["days"] == named["rows"][0]["days"]
    assert not any(note["id"] == "ACTIVATIONS_ASSUMED" for note in given["notes"])
    shown = invoke("budget", *arguments, "--shape", "efficientnet-b0", "--image-size", "448")
    assert "27.0M values an example" in shown.stdout
