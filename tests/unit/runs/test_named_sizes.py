"""Columns are sizes by the last word of their names where no column has the name of a role."""

from __future__ import annotations

import pytest

from scaleplan.runs.reading import load_runs

SIZES = [1e7, 3.1e7, 1.2e8, 5e8]
DATA = [2e6, 5.1e6, 1.3e7, 4e7]


def sweep(load, params, data, **more):
    columns = {params: SIZES, data: DATA, **more}
    rows = zip(*columns.values(), [3.1, 2.8, 2.5, 2.3], strict=True)
    text = "".join(",".join(str(cell) for cell in row) + "\n" for row in rows)
    return load(",".join([*columns, "val_loss"]) + "\n" + text)


@pytest.mark.parametrize("params", ["llm_params", "nonzero_params", "student_parameters", "N"])
@pytest.mark.parametrize("data", ["finetune_examples", "env_interactions", "SFT sentences"])
def test_parameters_and_samples_of_something(load, note_ids, params, data):
    runs = sweep(load, params, data)
    assert runs.column("params") == pytest.approx(SIZES)
    assert runs.column("tokens") == pytest.approx(DATA)
    assert "INPUT_GUESSED" in note_ids(runs)
    assert "FLOPS_NOT_DERIVED" in note_ids(runs)  # samples are no tokens
    assert not runs.has("flops")


def test_tokens_of_something_are_tokens(load):
    runs = sweep(load, "student_params", "distillation_tokens")
    assert runs.column("tokens") == pytest.approx(DATA)
    assert runs.has("flops")


@pytest.mark.parametrize(
    "data",
    ["batch_tokens_per_gpu", "eval_examples", "test_images", "context_tokens", "fewshot_examples",
     "negative_samples", "tokens_per_second", "max_new_tokens"],
)  # fmt: skip
def test_what_is_counted_of_other_things_is_no_data(load, data):
    assert not sweep(load, "params", data).has("tokens")


@pytest.mark.parametrize(
    "params", ["expert_params", "embed_params", "teacher_params", "lora_params", "hyper_params"]
)
def test_parameters_of_parts_and_of_other_models_are_no_size(load, params):
    assert not sweep(load, params, "width").has("params")


def test_two_that_may_be_it_are_left_to_the_person(load):
    runs = sweep(load, "params", "web_tokens", code_tokens=DATA)
    assert not runs.has("tokens")
    assert set(runs.extra) == {"web_tokens", "code_tokens"}


def test_small_numbers_are_no_counts(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("llm_params,val_loss\n1,3\n2,2.8\n4,2.6\n", encoding="utf-8")
    assert not load_runs([str(path)]).has("params")


def test_a_known_name_comes_first(load):
    runs = sweep(load, "params", "tokens", finetune_examples=[1000, 2000, 3000, 4000])
    assert runs.column("tokens") == pytest.approx(DATA)
    assert "finetune_examples" in runs.extra


def test_data_sets_stand_for_tokens_where_nothing_says_what_was_seen(load, note_ids):
    runs = sweep(load, "params", "dataset_tokens")
    assert runs.column("tokens") == pytest.approx(DATA)
    assert runs.has("flops")
    assert "DATA_SEEN_UNKNOWN" in note_ids(runs)


def test_data_sets_times_epochs_are_tokens(load, note_ids):
    runs = sweep(load, "params", "dataset_tokens", epochs=[1, 2, 2, 4])
    assert runs.column("tokens") == pytest.approx([2e6, 1.02e7, 2.6e7, 1.6e8])
    assert "DATA_SEEN_UNKNOWN" not in note_ids(runs)


def test_compute_says_what_was_seen(load, note_ids):
    flops = [6e14, 6e15, 6e16, 6e17]
    runs = sweep(load, "params", "unique_tokens", flops=flops)
    assert runs.column("tokens") == pytest.approx(
        [c / (6 * n) for c, n in zip(flops, SIZES, strict=True)]
    )
    assert "DATA_SEEN_UNKNOWN" not in note_ids(runs)


def test_a_student_is_judged_by_its_own_loss(load):
    runs = load(
        "params,tokens,teacher_loss,student_loss\n1e7,1e9,2.1,3\n2e7,2e9,2.1,2.8\n4e7,4e9,2.1,2.6\n"
    )
    assert runs.metric.name == "student_loss"


@pytest.mark.parametrize("name", ["pass_rate", "solve_rate", "pass@1", "coverage"])
def test_shares_of_problems_that_are_solved(load, name):
    runs = load(f"params,tokens,{name}\n1e7,1e9,0.2\n2e7,2e9,0.35\n4e7,4e9,0.5\n")
    assert runs.metric.name == name
    assert runs.metric.bounded


@pytest.mark.parametrize("name", ["token_multiplier", "tokens_per_param", "param_data_ratio"])
def test_a_ratio_of_tokens_to_params_gives_tokens(load, name):
    runs = load(f"model_params,{name},val_loss\n1e7,20,3.1\n4e7,20,2.9\n1e7,160,2.8\n4e7,5,3\n")
    assert runs.column("tokens") == pytest.approx([2e8, 8e8, 1.6e9, 2e8])
    assert runs.column("flops") == pytest.approx([1.2e16, 1.92e17, 9.6e16, 4.8e16])
    assert runs.extra == {}


def test_a_ratio_that_was_planned_says_nothing_of_steps(load):
    runs = load(
        "run,step,params,tokens_per_param,loss\na,100,1e7,20,3.1\na,200,1e7,20,2.9\n"
        "b,100,4e7,20,3\nb,300,4e7,20,2.7\n"
    )
    assert not runs.has("tokens")


def test_tokens_beside_compute_give_params(load):
    flops = [6e16, 3e17, 1.5e18, 8e18]
    rows = "".join(f"{c},{d},0.9\n" for c, d in zip(flops, DATA, strict=True))
    runs = load(f"C,data_tokens,bits_per_byte\n{rows}")
    assert runs.column("tokens") == pytest.approx(DATA)
    assert runs.column("params") == pytest.approx(
        [c / (6 * d) for c, d in zip(flops, DATA, strict=True)]
    )


@pytest.mark.parametrize("name", ["hours_of_audio", "speech hours", "transcribed_minutes"])
def test_sets_of_speech_are_measured_in_hours(load, name):
    runs = sweep(load, "params", name)
    assert runs.column("tokens") == pytest.approx(DATA)
    assert not runs.has("flops")


@pytest.mark.parametrize("name", ["gpu_hours", "train_hours", "data_loading_minutes"])
def test_hours_that_training_took_are_no_data(load, name):
    assert not sweep(load, "params", name).has("tokens")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("bits_per_word", "bits/word"), ("test_bits_per_dim", "bits/dimension"),
     ("bpd", "bits/dimension"), ("nats_per_token", "nats/token")],
)  # fmt: skip
def test_entropies_in_their_units(load, name, unit):
    runs = load(f"params,tokens,{name}\n1e7,1e9,3.2\n2e7,2e9,3.1\n4e7,4e9,2.9\n")
    assert (runs.metric.name, runs.metric.kind, runs.metric.unit) == (name, "loss", unit)
