"""Logs that the libraries themselves wrote (samples/make_samples.py) are read for what they say.

What is expected is what the training returned or printed, not what stands in the files.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scaleplan.planning.shape_config import count_config
from scaleplan.runs.reading import load_runs
from scaleplan.runs.request import Given
from scaleplan.runs.series import load_curves

SAMPLES = Path(__file__).parent / "samples"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))


def near(value, digits=1e-6):
    return pytest.approx(value, rel=digits)


def by_folder(runs, role="value"):
    """Return a role of each run by the folder its log lies in."""
    folders = [Path(file).parent.name for file, _ in runs.origins]
    return dict(zip(folders, runs.columns[role].tolist(), strict=True))


def by_run(runs, role="value"):
    return dict(zip(runs.labels["run"], runs.columns[role].tolist(), strict=True))


def said(name, key):
    return {run: each[key] for run, each in EXPECTED[name].items()}


@pytest.fixture(scope="module")
def trainer():
    return load_runs([str(SAMPLES / "trainer")], given=Given(count_config=count_config))


@pytest.mark.parametrize(
    ("role", "key"),
    [
        ("value", "val_loss"),
        ("tokens", "tokens"),
        ("params", "params"),
        ("flops", "flops"),
        ("train_value", "train_loss"),
        ("learning_rate", "learning_rate"),
    ],
)
def test_a_trainers_folder_holds_one_run_a_model(trainer, role, key):
    assert trainer.metric.name == "eval_loss"
    assert by_folder(trainer, role) == near(said("trainer", key), 1e-4)
    assert not trainer.cleaning.dropped


def test_a_trainers_curve_has_training_and_validation():
    for curve in load_curves([str(SAMPLES / "trainer")]).curves:
        expected = EXPECTED["trainer"][Path(curve.file).parent.name]
        assert curve.axis == "step"
        assert curve.validation.at.tolist() == [10, 20, 30, 40]
        assert curve.training.at.tolist() == [5, 10, 15, 20, 25, 30, 35, 40]
        assert curve.validation.value[-1] == near(expected["val_loss"])
        # Printed with four digits.
        assert curve.training.value[-1] == near(expected["train_loss"], 1e-4)
        assert len(curve.learning_rate) == 8


def test_a_checkpoint_alone_says_the_same(trainer):
    for name, loss in said("trainer", "val_loss").items():
        folder = SAMPLES / "trainer" / name / "checkpoint-40"
        runs = load_runs([str(folder / "trainer_state.json")])
        assert runs.value.tolist() == near([loss])


def test_the_evaluation_after_a_training_without_any_is_its_last_point(tmp_path):
    folder = tmp_path / "wide"
    shutil.copytree(SAMPLES / "trainer" / "wide", folder)
    for path in folder.rglob("trainer_state.json"):
        state = json.loads(path.read_text(encoding="utf-8"))
        state["log_history"] = [e for e in state["log_history"] if "eval_loss" not in e]
        path.write_text(json.dumps(state), encoding="utf-8")
    runs = load_runs([str(folder)])
    assert runs.value.tolist() == near([EXPECTED["trainer"]["wide"]["val_loss"]])
    assert runs.columns["step"].tolist() == [40.0]
    assert runs.columns["tokens"].tolist() == [20480.0]
    (curve,) = load_curves([str(folder)]).curves
    assert len(curve.training) == 8
    (folder / "eval_results.json").write_text("{", encoding="utf-8")
    broken = load_runs([str(folder)])
    assert broken.metric.name == "loss"
    assert "SETTINGS_UNREAD" in [note.id for note in broken.notes]


def test_lightnings_rows_with_gaps_are_one_curve_each():
    runs = load_runs([str(SAMPLES / "lightning_logs")])
    assert by_folder(runs) == near(said("lightning", "val_loss"))
    assert by_folder(runs, "train_value") == near(said("lightning", "train_loss"))
    # The setting in hparams.yaml; what became of it belongs to the curve.
    assert by_folder(runs, "learning_rate") == said("lightning", "learning_rate")
    assert not runs.cleaning.dropped
    for curve in load_curves([str(SAMPLES / "lightning_logs")]).curves:
        assert len(curve.validation) == 6
        assert len(curve.training) == 5
        assert curve.learning_rate.value[[0, -1]].tolist() == [0.02, 0.02 / 16]


def test_the_rate_that_lightning_monitored_counts_where_no_setting_is_known(tmp_path):
    shutil.copy(SAMPLES / "lightning_logs" / "version_0" / "metrics.csv", tmp_path)
    runs = load_runs([str(tmp_path / "metrics.csv")])
    assert runs.columns["learning_rate"].tolist() == [0.02 / 16]
    assert len(runs) == 1


def test_keras_epochs_are_curves_of_loss_with_accuracy():
    runs = load_runs([str(SAMPLES / "keras")])
    best = {name: min(each["val_loss"]) for name, each in EXPECTED["keras"].items()}
    assert {Path(run).stem: v for run, v in by_run(runs).items()} == near(best)
    for curve in load_curves([str(SAMPLES / "keras")]).curves:
        history = EXPECTED["keras"][Path(curve.file).stem]
        assert curve.axis == "epoch"
        assert curve.validation.value.tolist() == near(history["val_loss"])
        assert curve.training.value.tolist() == near(history["loss"])
        assert curve.accuracy.value.tolist() == near(history["val_accuracy"])
        assert curve.learning_rate.value.tolist() == near(history["learning_rate"])


@pytest.mark.parametrize(
    ("metric", "task", "printed"),
    [
        ("accuracy", "tiny_choice", "acc_norm"),
        ("accuracy_unnormalized", "tiny_choice", "acc"),
        ("bits_per_byte", "tiny_text", "bits_per_byte"),
    ],
)
def test_an_evaluation_gives_each_metric_that_it_printed(metric, task, printed):
    runs = load_runs([str(SAMPLES / "lm_eval")], metric=metric)
    expected = {f"lm_eval_work/{n}": e[task][printed] for n, e in EXPECTED["lm_eval"].items()}
    assert by_run(runs) == pytest.approx(expected, abs=5e-5)  # printed with four decimals
    assert set(runs.labels["task"]) == {task}
    params = {f"lm_eval_work/{n}": p for n, p in said("trainer", "params").items()}
    assert by_run(runs, "params") == params


def test_an_evaluations_perplexity_is_its_logarithm_and_the_losses_agree():
    bits = load_runs([str(SAMPLES / "lm_eval")])
    assert bits.metric.name == "bits_per_byte"
    nats = load_runs([str(SAMPLES / "lm_eval")], metric="byte_perplexity")
    assert (nats.value / bits.value).tolist() == near([0.6931471805599453] * 2)
    assert [note.id for note in bits.notes].count("TASKS_DIFFER") == 1


def test_a_parquet_of_steps_is_read_with_its_gaps():
    pytest.importorskip("pyarrow")
    runs = load_runs([str(SAMPLES / "parquet")])
    assert by_run(runs) == near(EXPECTED["parquet"]["val_loss"])
    assert by_run(runs, "params") == {"a": 1e6, "b": 4e6}
    assert by_run(runs, "tokens") == {"a": 175 * 4096, "b": 175 * 4096}
    log = load_curves([str(SAMPLES / "parquet")])
    assert log.rows == EXPECTED["parquet"]["rows"]
    assert [(c.run, len(c.validation), len(c.training)) for c in log.curves] == [
        ("a", 8, 40),
        ("b", 8, 40),
    ]


def test_pytorchs_summary_writer_is_read():
    pytest.importorskip("tensorboard")
    folder = str(SAMPLES / "tensorboard_torch")
    assert by_run(load_runs([folder])) == near(said("tensorboard_torch", "val_loss"))
    for curve in load_curves([folder]).curves:
        assert curve.validation.at.tolist() == [0, 50, 100]
        assert len(curve.training) == len(curve.learning_rate) == 11
        expected = EXPECTED["tensorboard_torch"][curve.run]["train_loss"]
        assert curve.training.value[-1] == near(expected)
