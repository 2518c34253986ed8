"""A folder of DVCLive is one run, with its settings and what stood at its end."""

from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves


def metric(values):
    return "step\tloss\n" + "".join(f"{i}\t{v}\n" for i, v in enumerate(values))


def folder(root, losses=(3.0, 2.5, 2.25)):
    return {
        f"{root}/plots/metrics/train/loss.tsv": metric([v - 0.5 for v in losses]),
        f"{root}/plots/metrics/val/loss.tsv": metric(losses),
        f"{root}/plots/metrics/system/cpu/usage (%).tsv": metric([90, 91, 92]),
        f"{root}/metrics.json": json.dumps({
            "train": {"loss": losses[-1] - 0.5}, "val": {"loss": losses[-1]},
            "test": {"accuracy": 0.75}, "model": {"parameters": 25_000_000}, "step": 2,
        }),
        f"{root}/params.yaml": "epochs: 3\nlr: 0.001\n",
    }  # fmt: skip


def test_a_folder_of_dvclive_is_one_run(load):
    runs = load(folder("big/dvclive") | {"big/dvc.yaml": "metrics:\n- dvclive/metrics.json\n"},
                sources=["big"])  # fmt: skip
    assert runs.value.tolist() == [2.25]
    assert runs.metric.name == "val/loss"
    assert runs.labels["run"] == ("big",)
    assert runs.column("params").tolist() == [25e6]
    assert runs.column("epochs").tolist() == [3.0]
    (curve,) = load_curves(["big"]).curves
    assert curve.validation.value.tolist() == [3.0, 2.5, 2.25]
    assert curve.training.value.tolist() == [2.5, 2.0, 1.75]


def test_what_was_not_plotted_stands_at_the_last_step(load):
    load(folder("a/dvclive"), sources=["a/dvclive"])
    (curve,) = load_curves(["a/dvclive"], metric="test/accuracy").curves
    assert curve.main.at.tolist() == [2.0]
    assert curve.main.value.tolist() == [0.75]


def test_several_folders_are_several_runs(load):
    runs = load(folder("x/a") | folder("x/b", (3.0, 2.4, 2.0)), sources=["x"])
    assert dict(zip(runs.labels["run"], runs.value.tolist(), strict=True)) == {"a": 2.25, "b": 2.0}


def test_times_beside_the_steps_and_half_a_line(load):
    text = "timestamp\tstep\tval/loss\n1700000000\t0\t3.5\n1700000001\t1\t3.0\n17000"
    runs = load({"r/plots/metrics/val/loss.tsv": text}, sources=["r"])
    assert runs.value.tolist() == [3.0]


def test_damaged_files_beside_the_metrics_are_told(load, note_ids):
    files = folder("r") | {"r/metrics.json": "{", "r/params.yaml": "a: b: c"}
    runs = load(files, sources=["r"])
    assert runs.value.tolist() == [2.25]
    assert "SETTINGS_UNREAD" in note_ids(runs)


def test_a_folder_without_a_line_is_refused(load):
    with pytest.raises(InputError, match="holds no metrics"):
        load({"r/plots/metrics/loss.tsv": "step\tloss\n"}, sources=["r"])
