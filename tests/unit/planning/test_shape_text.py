import contextlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.errors import InputError, ScaleplanError, UsageError
from scaleplan.planning.model_shape import agreed_size, find_shape
from scaleplan.planning.shape_config import read_config
from scaleplan.planning.shape_text import EXAMPLE, read_shape
from scaleplan.planning.transformer import count_params

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
    "max_position_embeddings": 131072, "tie_word_embeddings": False,
}  # fmt: skip


def test_the_example():
    model = read_shape(EXAMPLE, context=4096)
    assert count_params(model).total == 8_030_261_248
    assert model.context == 8192


def test_what_is_left_out():
    model = read_shape("L=32,d=4096", context=2048)
    # LLaMA 7B but for the vocabulary: heads of 128, none shared, 11008 inside, not tied.
    assert (model.heads, model.kv_heads, model.head_width, model.ffn_width) == (32, 32, 128, 11008)
    assert (model.gated, model.tied, model.biases, model.context) == (True, False, "none", 2048)
    assert read_shape("L=32,d=4096,act=gelu", context=1).ffn_width == 16384


def test_heads_of_a_width_of_their_own_need_not_divide_the_models():
    assert read_shape("L=32,d=4096,heads=33,dh=128", context=1).heads == 33


def test_names_and_numbers_as_people_write_them():
    one = read_shape("layers=32, d_model=4K,H=32, KV=8,d_ff=14336,V=128_256,ctx=8192", context=1)
    assert (one.width, one.vocabulary, one.context) == (4000, 128256, 8192)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L=32", "width is missing"),
        ("d=4096", "layers is missing"),
        ("L=32,d=4096,heads", "not key=value"),
        ("L=32,,d=4096", "not key=value"),
        ("L=32,d=4096,haeds=3", "no part of a shape"),
        ("L=32,d=4096,layers=3", "given twice"),
        ("L=0,d=4096", "from 1 to"),
        ("L=-1,d=4096", "from 1 to"),
        ("L=nan,d=4096", "from 1 to"),
        ("L=inf,d=4096", "from 1 to"),
        ("L=2.5,d=4096", "whole number"),
        ("L=1e12,d=4096", "from 1 to"),
        ("L=abc,d=4096", "not a number"),
        ("L=32,d=4096,heads=32,kv=5", "cannot share"),
        ("L=32,d=4096,heads=33", "33 heads do not divide a width of 4096"),
        ("L=32,d=4096,tied=maybe", "must be one of"),
        ("L=32,d=4096,topk=2", "topk without experts"),
        ("L=32,d=4096,experts=2,topk=3", "cannot pass through"),
        ("L=32,d=4096,experts=4,dense_layers=32", "leave none"),
        ("L=32,d=4096,kv_rank=512", "without rope"),
        ("L=32,d=4096,window=8,window_layers=40", "more than 32 layers"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(UsageError, match=words) as caught:
        read_shape(text, context=1)
    assert caught.value.hint


@given(st.text(max_size=60))
def test_any_text_is_a_shape_or_a_clear_error(text):
    with contextlib.suppress(ScaleplanError):
        assert count_params(find_shape(text, context=128).transformer).total > 0


def write(folder, content):
    path = folder / "config.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def test_a_config_and_its_folder(tmp_path):
    path = write(tmp_path, LLAMA)
    assert count_params(read_config(path, context=1)[0]).total == 8_030_261_248
    found = find_shape(str(tmp_path), context=4096)
    # A hub's config says how far the context was stretched, not what it was trained with.
    assert found.transformer.context == 4096
    assert find_shape(path, context=10**6).transformer.context == 131072


def test_configs_of_other_types(tmp_path):
    gpt2 = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257,
            "n_positions": 1024}  # fmt: skip
    assert count_params(read_config(write(tmp_path, gpt2), context=1)[0]).total == 124_439_808
    mixtral = LLAMA | {"model_type": "mixtral", "vocab_size": 32000, "num_local_experts": 8,
                       "num_experts_per_tok": 2, "sliding_window": None}  # fmt: skip
    counts = count_params(read_config(write(tmp_path, mixtral), context=1)[0])
    assert (counts.total, counts.active) == (46_702_792_704, 12_879_925_248)
    deepseek = {
        "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61,
        "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 18432,
        "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
        "num_experts_per_tok": 8, "first_k_dense_replace": 3, "q_lora_rank": 1536,
        "kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
        "vocab_size": 129280, "tie_word_embeddings": False,
    }  # fmt: skip
    counts = count_params(read_config(write(tmp_path, deepseek), context=1)[0])
    assert counts.total == 671_026_404_352
    gemma = {
        "model_type": "gemma2", "hidden_size": 3584, "num_hidden_layers": 42, "head_dim": 256,
        "num_attention_heads": 16, "num_key_value_heads": 8, "intermediate_size": 14336,
        "vocab_size": 256128, "sliding_window": 4096,
    }  # fmt: skip
    model, _ = read_config(write(tmp_path, gemma), context=8192)
    assert count_params(model).total == 9_242_164_736
    assert (model.window, model.window_layers) == (4096, 21)


def test_llama_4(tmp_path):
    scout = LLAMA | {
        "model_type": "llama4_text", "hidden_size": 5120, "num_hidden_layers": 48,
        "num_attention_heads": 40, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
        "num_local_experts": 16, "num_experts_per_tok": 1, "interleave_moe_layer_step": 1,
        "vocab_size": 202048,
    }  # fmt: skip
    counts = count_params(read_config(write(tmp_path, {"text_config": scout}), context=1)[0])
    # 109B and 17B as announced, with the vision part that is not counted here.
    assert counts.total == pytest.approx(107.8e9, rel=0.002)
    assert counts.active == pytest.approx(17.2e9, rel=0.01)
    maverick = scout | {"num_local_experts": 128, "interleave_moe_layer_step": 2}
    counts = count_params(read_config(write(tmp_path, {"text_config": maverick}), context=1)[0])
    assert counts.total == pytest.approx(400e9, rel=0.01)


def test_an_unknown_type_is_read_as_llamas_and_says_so(tmp_path):
    path = write(tmp_path, LLAMA | {"model_type": "zebra"})
    found = find_shape(path, context=1)
    assert count_params(found.transformer).total == 8_030_261_248
    assert found.source == "model_type 'zebra' is not known here: read as Llama's"
    assert find_shape(write(tmp_path, LLAMA), context=1).source == ""
    bare = {key: LLAMA[key] for key in LLAMA if key != "intermediate_size"}
    with pytest.raises(InputError, match="intermediate_size is missing"):
        read_config(write(tmp_path, bare), context=1)


def test_a_model_of_text_and_pictures(tmp_path):
    model, _ = read_config(write(tmp_path, {"text_config": LLAMA, "vision_config": {}}), context=1)
    assert model.layers == 32


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b'{"hidden_size": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"[1, 2]", "not an object"),
        (b"3", "not an object"),
        ({}, "hidden_size is missing|num_hidden_layers is missing"),
        (LLAMA | {"hidden_size": "4096"}, "whole number"),
        (LLAMA | {"hidden_size": True}, "whole number"),
        (LLAMA | {"hidden_size": -4096}, "whole number"),
        (LLAMA | {"hidden_size": 0}, "at least 1"),
        (LLAMA | {"hidden_size": 1e30}, "whole number"),
        (LLAMA | {"hidden_size": float("nan")}, "whole number"),
        (LLAMA | {"tie_word_embeddings": "no"}, "true or false"),
        (LLAMA | {"num_key_value_heads": 5}, "cannot share"),
        (LLAMA | {"num_local_experts": 4, "num_experts_per_tok": 5}, "cannot pass through"),
        (LLAMA | {"model_type": "bert"}, "no decoder-only"),
        (LLAMA | {"is_encoder_decoder": True}, "no decoder-only"),
    ],
)
def test_configs_that_are_refused(tmp_path, content, words):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=words) as caught:
        read_config(path, context=1)
    assert caught.value.file == path
    assert caught.value.hint


def test_a_missing_a_huge_and_a_special_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        find_shape(str(tmp_path / "none.json"), context=1)
    with pytest.raises(InputError, match="larger than 4 MB"):
        read_config(write(tmp_path, b" " * 5_000_000), context=1)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="no such file"):
        read_config(str(tmp_path / "pipe.json"), context=1)


def test_published_models_by_name():
    assert find_shape("GPT-2 XL", context=1).transformer.layers == 48
    assert find_shape("llama3.1_8b", context=1).origin == "llama3-8b"
    with pytest.raises(UsageError, match="neither a published model") as caught:
        find_shape("llama3-9b", context=1)
    assert "llama3-8b" in caught.value.hint
    with pytest.raises(UsageError, match="no language model"):
        find_shape("resnet50", context=1)


def test_sizes_that_are_typed_beside_a_shape_may_be_rounded():
    given = find_shape(EXAMPLE, context=1)
    assert agreed_size(given, params=8e9, active_params=None) == (8_030_261_248, 8_030_261_248)
    with pytest.raises(UsageError, match=r"--params 7.00B and --shape, which has 8.03B"):
        agreed_size(given, params=7e9, active_params=None)
    with pytest.raises(UsageError, match="--active-params"):
        agreed_size(given, params=None, active_params=1e9)
