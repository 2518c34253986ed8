"""A model's config.json beside a log gives the parameters of the run."""

from __future__ import annotations

import json

import pytest

from scaleplan.planning.shape_config import count_config
from scaleplan.runs.request import Given

GPT2 = {"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257,
        "n_positions": 1024}  # fmt: skip
GPT2_PARAMS = 124_439_808  # of the published weights, the tied table once
MIXTRAL = {
    "model_type": "mixtral", "num_hidden_layers": 32, "hidden_size": 4096,
    "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
    "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2,
    "tie_word_embeddings": False,
}  # fmt: skip
GIVEN = Given(count_config=count_config)


def state(tokens: float) -> str:
    history = [
        {"step": step, "loss": 5.0, "eval_loss": 6.0 - step / 500, "num_input_tokens_seen": seen}
        for step, seen in ((500, tokens / 2), (1000, tokens))
    ]
    return json.dumps({"global_step": 1000, "log_history": history})


def test_each_run_of_a_folder_has_the_parameters_of_its_config(load, note_ids):
    files = {
        "out/a/trainer_state.json": state(1e9), "out/a/config.json": json.dumps(GPT2),
        "out/b/trainer_state.json": state(2e9), "out/b/config.json": json.dumps(MIXTRAL),
    }  # fmt: skip
    runs = load(files, sources=["out"], given=GIVEN)
    assert list(runs.columns["params"]) == [GPT2_PARAMS, 46_702_792_704]
    assert list(runs.columns["tokens"]) == [1e9, 2e9]
    assert note_ids(runs).count("PARAMS_FROM_CONFIG") == 2
    assert "SKIPPED_FILE" not in note_ids(runs)


def test_a_checkpoint_is_given_the_config_of_its_run(load):
    files = {
        "out/checkpoint-500/trainer_state.json": state(1e9),
        "out/checkpoint-1000/trainer_state.json": state(1e9),
        "out/config.json": json.dumps(GPT2),
    }
    runs = load(files, sources=["out"], given=GIVEN)
    assert list(runs.columns["params"]) == [GPT2_PARAMS]


def test_only_a_folder_of_a_checkpoint_has_a_run_above_it(load):
    files = {"out/logs/trainer_state.json": state(1e9), "out/config.json": json.dumps(GPT2)}
    assert "params" not in load(files, sources=["out"], given=GIVEN).columns


def test_what_the_log_or_the_person_says_counts(load, note_ids):
    log = "params,tokens,loss\n7e6,1e9,3.1\n"
    runs = load({"a/runs.csv": log, "a/config.json": json.dumps(GPT2)}, sources=["a"], given=GIVEN)
    assert list(runs.columns["params"]) == [7e6]
    assert "PARAMS_FROM_CONFIG" not in note_ids(runs)
    said = Given(count_config=count_config, values=(("", "params", "9M"),))
    files = {"b/trainer_state.json": state(1e9), "b/config.json": json.dumps(GPT2)}
    assert list(load(files, sources=["b"], given=said).columns["params"]) == [9e6]


@pytest.mark.parametrize("config", ["{", "[]", '{"model_type": "bert"}', '{"n_layer": -1}'])
def test_a_config_that_describes_no_such_model_is_told(load, note_ids, config):
    files = {"out/trainer_state.json": state(1e9), "out/config.json": config}
    runs = load(files, sources=["out/trainer_state.json"], given=GIVEN)
    assert "params" not in runs.columns
    assert note_ids(runs).count("SETTINGS_UNREAD") == 1


def test_many_files_that_are_no_logs_for_one_reason_are_one_note(load):
    files = {"out/a.csv": "params,tokens,loss\n7e6,1e9,3.1\n"}
    files |= {f"out/{k}_config.json": '{"bos": 1}' for k in range(30)}
    notes = [n for n in load(files, sources=["out"]).notes if n.id == "SKIPPED_FILE"]
    assert len(notes) == 1
    assert "30 files are no logs" in notes[0].text
