"""JSON documents of boosting, of trackers, and of runs below two names."""

from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

ROUNDS = range(12)
TRAIN = [round(2.0 / (i + 1), 4) for i in ROUNDS]
TEST = [round(2.5 / (i + 1) + 0.1, 4) for i in ROUNDS]


def curves(tmp_path, document, name="log.json"):
    path = tmp_path / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_curves([str(path)])


def catboost(*, test=True):
    meta = {
        "learn_sets": ["learn"], "test_sets": ["test"], "name": "experiment",
        "learn_metrics": [{"best_value": "Min", "name": "MultiClass"}],
        "test_metrics": [{"best_value": "Min", "name": "MultiClass"}, {"name": "AUC"}],
    }  # fmt: skip
    rounds = [
        {"iteration": i, "learn": [TRAIN[i]], "passed_time": 0.1, "remaining_time": 9.0}
        | ({"test": [TEST[i], 0.5 + i / 100]} if test else {})
        for i in ROUNDS
    ]
    return {"meta": meta, "iterations": rounds}


def test_catboost_names_its_metrics_once(tmp_path):
    [curve] = curves(tmp_path, catboost()).curves
    assert curve.metric.name == "test/MultiClass"
    assert curve.validation.value.tolist() == TEST
    assert curve.training.value.tolist() == TRAIN
    assert curve.validation.at.tolist() == list(ROUNDS)
    [alone] = curves(tmp_path, catboost(test=False)).curves
    assert alone.training.value.tolist() == TRAIN


def test_the_folder_of_catboost_is_one_run(tmp_path):
    folder = tmp_path / "catboost_info"
    folder.mkdir()
    for name, values in (("learn", TRAIN), ("test", TEST)):
        rows = "".join(f"{i}\t{values[i]}\n" for i in ROUNDS)
        (folder / f"{name}_error.tsv").write_text(f"iter\tMultiClass\n{rows}", encoding="utf-8")
    (folder / "catboost_training.json").write_text(json.dumps(catboost()), encoding="utf-8")
    [curve] = load_curves([str(folder)]).curves
    assert curve.validation.value.tolist() == TEST


@pytest.mark.parametrize(
    ("train", "other", "metric"),
    [("training", "valid_1", "l2"), ("train", "eval", "mlogloss"), ("training", "valid_0", "rmse"),
     ("dtrain", "validation", "logloss")],
)  # fmt: skip
def test_results_by_set_and_metric_are_one_run(tmp_path, train, other, metric):
    log = curves(tmp_path, {train: {metric: TRAIN, "auc": TRAIN}, other: {metric: TEST}})
    [curve] = log.curves
    assert curve.validation.value.tolist() == TEST
    if train != "dtrain":
        assert curve.training.value.tolist() == TRAIN


def test_numbered_sets_have_to_be_chosen_from(tmp_path):
    with pytest.raises(InputError, match="validation_0/logloss, validation_1/logloss"):
        curves(tmp_path, {f"validation_{i}": {"logloss": TRAIN} for i in range(2)})


def test_series_with_steps_of_their_own_meet(tmp_path):
    series = {
        "training.loss": {"steps": list(ROUNDS), "values": TRAIN, "timestamps": ["t"] * 12},
        "validation.loss": {"steps": [3, 7, 11], "values": [3.0, 2.0, 1.0], "timestamps": []},
    }
    [curve] = curves(tmp_path, series).curves
    assert curve.validation.at.tolist() == [3, 7, 11]
    assert curve.training.value.tolist() == TRAIN
    listed = [{"name": n, "x": s["steps"], "y": s["values"]} for n, s in series.items()]
    [again] = curves(tmp_path, listed).curves
    assert again.validation.value.tolist() == [3.0, 2.0, 1.0]


def test_values_by_step_below_run_and_metric(tmp_path):
    runs = {
        run: {m: {str(10 * s): more + TRAIN[s] for s in ROUNDS} for m in ("loss", "val_loss")}
        for run, more in (("small", 1.0), ("large", 0.0))
    }
    log = curves(tmp_path, runs)
    assert [curve.run for curve in log.curves] == ["small", "large"]
    assert log.curves[0].validation.at.tolist() == [10 * s for s in ROUNDS]
    assert log.curves[1].training.value.tolist() == TRAIN


def test_what_mlflow_answers(tmp_path, load):
    points = [{"key": "loss", "value": TRAIN[s], "timestamp": s, "step": s} for s in ROUNDS]
    [curve] = curves(tmp_path, {"metrics": points}).curves
    assert curve.training.value.tolist() == TRAIN
    runs = [
        {"info": {"run_id": f"id{n}", "run_name": f"run {n}"},
         "data": {"metrics": [{"key": "val_loss", "value": 3.0 - n, "step": 9}],
                  "params": [{"key": "params", "value": f"{n}e6"}], "tags": []}}
        for n in (1, 2)
    ]  # fmt: skip
    found = load(json.dumps({"runs": runs}), "runs.json")
    assert found.labels["run"] == ("run 1", "run 2")
    assert found.columns["params"].tolist() == [1e6, 2e6]
    assert found.columns["value"].tolist() == [2.0, 1.0]
    assert len(load(json.dumps({"run": runs[0]}), "run.json")) == 1


def test_runs_below_a_model_and_a_size(load, note_ids):
    models = {
        model: {size: {"tokens": 1e9, "results": {"loss": 3.0 - i}} for i, size in enumerate(sizes)}
        for model, sizes in (("gpt", ("125M", "350M")), ("mamba", ("125M", "1.3B")))
    }
    runs = load(json.dumps(models), "runs.json")
    assert runs.labels["run"] == ("gpt/125M", "gpt/350M", "mamba/125M", "mamba/1.3B")
    assert runs.columns["params"].tolist() == [125e6, 350e6, 125e6, 1.3e9]
    assert runs.labels["family"] == ("gpt", "gpt", "mamba", "mamba")
    assert "NESTED_RUNS" in note_ids(runs)


@pytest.mark.parametrize(
    "document",
    [{"a": {"config": {"params": 1e6}, "summary": {"loss": 3}},
      "b": {"config": {"params": 2e6}, "summary": {"loss": 2}}},
     {"a": {"params": 1e6, "eval": {"loss": 3}}, "b": {"params": 2e6, "eval": {"loss": 2}}}],
)  # fmt: skip
def test_parts_of_a_run_are_no_runs(load, note_ids, document):
    runs = load(json.dumps(document), "runs.json")
    assert runs.labels["run"] == ("a", "b")
    assert "NESTED_RUNS" not in note_ids(runs)


def test_what_is_empty_everywhere_is_no_metric(load):
    lines = [{"step": s, "loss": TRAIN[s], "eval_loss": None, "reward": None} for s in ROUNDS]
    runs = load("\n".join(map(json.dumps, lines)), "trainer_log.jsonl")
    assert runs.metric.name == "loss"
    assert runs.columns["value"].tolist() == [TRAIN[-1]]
