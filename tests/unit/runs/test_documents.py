"""YAML, JSON and JSON Lines: where the runs are, what the formats would spoil, what is refused."""

from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError

ROWS = [
    {"run": "a", "params": 1e6, "tokens": 2e7, "loss": 4.5},
    {"run": "b", "params": 2e6, "tokens": 4e7, "loss": 4.0},
]


def test_yaml_list_of_runs_with_shared_metadata(load):
    runs = load(
        "tokenizer: bpe\nunit: nats/token\ndescription: three runs\nruns:\n"
        "  - {params: 1e6, tokens: 20M, loss: 4.5}\n"
        "  - params: 1_000_000\n    tokens: 4e7\n    loss: 4.0\n    tokenizer: bytes\n",
        name="runs.yaml",
    )
    assert runs.column("params").tolist() == [1e6, 1e6]
    assert runs.column("tokens").tolist() == [2e7, 4e7]
    assert runs.labels["tokenizer"] == ("bpe", "bytes")
    assert runs.metric.unit == "nats/token"
    assert runs.metadata["description"] == "three runs"
    assert [line for _, line in runs.origins] == [5, 6]
    assert "MIXED" in [note.id for note in runs.notes]


def test_shared_numbers_apply_to_runs_without_their_own(load):
    runs = load(
        "tokens: 2e9\nruns:\n- {params: 1e6, loss: 4.5}\n- {params: 2e6, tokens: 1e9, loss: 4}\n",
        name="runs.yml",
    )
    assert runs.column("tokens").tolist() == [2e9, 1e9]


def test_yaml_scalars_mean_what_they_say(load):
    runs = load(
        "- {run: 1:30, family: no, params: 1e18, tokens: 012, loss: 4}\n"
        "- {run: 12e4, family: on, params: 2e18, tokens: 0013, loss: 3}\n",
        name="runs.yaml",
    )
    assert runs.labels["run"] == ("1:30", "12e4")
    assert runs.labels["family"] == ("no", "on")
    assert runs.column("params").tolist() == [1e18, 2e18]
    assert runs.column("tokens").tolist() == [12.0, 13.0]


def test_yaml_anchors_and_merge_keys(load):
    runs = load(
        "defaults: &d {tokens: 2e7, optimizer: adam}\nruns:\n"
        "- {<<: *d, params: 1e6, loss: 4.5}\n- {<<: *d, params: 2e6, tokens: 4e7, loss: 4}\n",
        name="runs.yaml",
    )
    assert runs.column("tokens").tolist() == [2e7, 4e7]
    assert runs.labels["optimizer"] == ("adam", "adam")


def test_yaml_several_documents_and_runs_by_name(load):
    documents = load("params: 1e6\nloss: 4\n---\nparams: 2e6\nloss: 3\n", name="a.yaml")
    assert documents.column("params").tolist() == [1e6, 2e6]
    named = load("runs:\n  a: {params: 1e6, loss: 4}\n  b: {params: 2e6, loss: 3}\n", name="b.yaml")
    assert named.labels["run"] == ("a", "b")


def _laughs():
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    return "\n".join([*lines, "runs: *a9", ""])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_laughs(), "aliases expand"),
        ("&a [*a]\n", "refers to nothing before it, or to itself"),
        ("- *b\n", "refers to nothing|undefined alias"),
        ("- params: 1\n  loss: 2\n  loss: 3\n", "'loss' is there twice"),
        ("- !!python/object/apply:os.system [echo]\n", "tag .* is not allowed"),
        ("- {params: !!binary aGk=, loss: 3}\n", "tag .* is not allowed"),
        ("[" * 100_000, "nested more than|not valid YAML"),
        ("{a: " * 100_000, "nested more than|not valid YAML"),
        ("- " * 100_000, "nested more than|not valid YAML"),
        ("- {params: 1, loss: [\n", "not valid YAML"),
        ("? [a, b]\n: 1\n", "key is not a plain text"),
        ("hello\n", "not runs"),
        ("- 1\n- 2\n", "no runs"),
        ("runs: []\n", "no (usable )?run|no column|holds no"),
        ("schema: scaleplan.fit/1\nlaw: power\n", "scaleplan.fit/1 document, not a log"),
        ("a: \x07\n", "not valid YAML"),
    ],
)
def test_yaml_that_is_refused(load, text, message):
    with pytest.raises(InputError, match=message) as error:
        load(text, name="runs.yaml")
    assert error.value.file == "runs.yaml"
    assert error.value.hint


def test_json_list_object_and_columns_are_the_same_runs(load):
    columns = {key: [row[key] for row in ROWS] for key in ROWS[0]}
    numbered = {k: {str(i): v for i, v in enumerate(c)} for k, c in columns.items()}
    shapes = [ROWS, {"runs": ROWS}, columns, numbered, {r["run"]: r for r in ROWS}]
    found = [load(json.dumps(shape), name="runs.json") for shape in shapes]
    assert len({runs.fingerprint for runs in found}) == 1
    assert {runs.labels["run"] for runs in found} == {("a", "b")}


def test_json_and_json_lines_under_each_others_name(load):
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    text = json.dumps(ROWS)
    prints = {
        load(lines, name="a.jsonl").fingerprint, load(lines, name="b.json").fingerprint,
        load(text, name="c.jsonl").fingerprint, load(text, name="d.ndjson").fingerprint,
        load(json.dumps(ROWS, indent=1), name="e.jsonl").fingerprint,
    }  # fmt: skip
    assert len(prints) == 1


def test_nested_objects_of_a_tracker(load):
    rows = [
        {
            "name": f"r{i}", "state": "finished",
            "config": {"n_params": {"value": i * 1e6}, "optimizer": "adam"},
            "summary": {"val_loss": 5 - i, "throughput": {"total_tokens": i * 1e8}},
        }
        for i in (1, 2)
    ]  # fmt: skip
    runs = load(json.dumps(rows), name="runs.json")
    assert runs.column("params").tolist() == [1e6, 2e6]
    assert runs.column("tokens").tolist() == [1e8, 2e8]
    assert runs.metric.name == "summary/val_loss"
    assert runs.labels["optimizer"] == ("adam", "adam")


def test_json_literals_that_are_no_numbers(load, reasons):
    text = (
        '{"params": 1e6, "loss": NaN}\n{"params": 2e6, "loss": Infinity}\n'
        '{"params": 3e6, "loss": null}\n{"params": 4e6, "loss": 3.5}\n'
    )
    runs = load(text, name="runs.jsonl")
    assert runs.column("params").tolist() == [4e6]
    assert [line for line, _ in reasons(runs)] == [1, 2, 3]
    assert [reason for _, reason in reasons(runs)] == [
        "loss is 'NaN'", "loss is inf", "loss is empty",
    ]  # fmt: skip


def test_json_keys_that_are_there_twice_are_said(load, note_ids):
    runs = load('[{"params": 1, "loss": 2, "loss": 3}]', name="runs.json")
    assert runs.value.tolist() == [3.0]
    assert "DUPLICATE_KEY" in note_ids(runs)


def test_a_cut_line_of_json_lines_is_dropped(load, reasons):
    text = "".join(json.dumps(row) + "\n" for row in ROWS) + '{"run": "c", "par'
    runs = load(text, name="runs.jsonl")
    assert len(runs) == 2
    [(line, reason)] = reasons(runs)
    assert line == 3
    assert "not valid JSON" in reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"params": 1,\n "loss": }]', "not valid JSON"),
        ("[" * 200_000, "nested too deeply|not valid JSON"),
        ('{"a":' * 200_000, "nested too deeply|not valid JSON"),
        ("[]", "no runs"),
        ("[1, 2, 3]", "no runs"),
        ("3", "not runs"),
        ('"text"', "not runs"),
        ("null", "not runs"),
    ],
)
def test_json_that_is_refused(load, text, message):
    with pytest.raises(InputError, match=message) as error:
        load(text, name="runs.json")
    assert error.value.file == "runs.json"
    assert error.value.hint


def test_json_errors_name_the_line(load):
    with pytest.raises(InputError) as error:
        load('[\n{"params": 1},\n{"params": oops}]', name="runs.json")
    assert error.value.line == 3


def test_huge_integers_and_lone_surrogates(load):
    rows = '[{"run": "\\ud800x", "params": 1' + "0" * 5000 + ', "loss": 3},'
    runs = load(rows + '{"run": "y", "params": 10, "loss": 3}]', name="runs.json")
    assert runs.labels["run"] == ("y",)
    assert "x" in [note.run for note in runs.cleaning.dropped]


def test_trainer_state(load):
    history = [
        {"step": 100, "epoch": 0.5, "loss": 5.0, "learning_rate": 2e-4},
        {"step": 100, "epoch": 0.5, "eval_loss": 4.8, "eval_runtime": 3.0},
        {"step": 200, "epoch": 1.0, "loss": 4.0, "learning_rate": 1e-4},
        {"step": 200, "epoch": 1.0, "eval_loss": 4.2, "eval_runtime": 3.0},
        {"step": 300, "epoch": 1.5, "eval_loss": 4.4},
        {"step": 300, "train_runtime": 9.0, "train_loss": 4.6, "total_flos": 3e15},
    ]
    state = {"total_flos": 3e15, "global_step": 300, "log_history": history, "best_metric": None}
    runs = load(json.dumps(state), name="trainer_state.json")
    assert runs.metric.name == "eval_loss"
    assert runs.value.tolist() == [4.2]
    assert runs.column("train_value").tolist() == [4.0]
    assert runs.column("flops").tolist() == [2e15]
    assert runs.column("step").tolist() == [200.0]
    assert runs.metadata["train_runtime"] == "9.0"
    (note,) = (note for note in runs.notes if note.id == "TOTALS_LEFT_OUT")
    assert "train_loss, the mean over it" in note.text
    del state["total_flos"]
    again = load(json.dumps(state), name="trainer_state.json")
    assert again.column("flops").tolist() == [2e15]


def test_the_best_model_that_is_evaluated_once_more_is_no_other_run(load):
    history = [{"step": 100 * i, "eval_loss": 4.0 - 0.3 * i} for i in range(1, 6)]
    history += [{"step": 600, "eval_loss": 2.9}, {"step": 600, "eval_loss": 2.4}]
    runs = load(json.dumps({"log_history": history}), name="trainer_state.json")
    assert runs.value.tolist() == [2.4]
