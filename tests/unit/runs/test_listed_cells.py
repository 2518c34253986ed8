"""Histories in lists: columns of metrics beside a size, and cells that hold a list each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

LOSSES = [3.0, 2.5, 2.2, 2.0, 1.9, 1.85]
VALID = [3.1, 2.7, 2.4, 2.3, 2.35, 2.4]


def history(size, **more):
    return json.dumps(
        {
            "run_name": f"m{size}",
            "num_params": size,
            "train_loss": LOSSES,
            "val_loss": VALID,
            **more,
        }
    )


def record(size, **more):
    """Return one record a run: lists of several lengths beside results."""
    return {
        "run_name": f"m{size}", "num_params": size * 1e6, "epochs": 6, "train_losses": LOSSES,
        "input_shape": [3, 32, 32], "per_class_acc": [0.5] * 10, "test_ce_loss": 2.0 + 1.0 / size,
        **more,
    }  # fmt: skip


def test_lists_of_metrics_beside_a_size_are_one_curve(load, note_ids):
    runs = load({f"m{i}.json": history(i * 10**6, top1_acc=0.7) for i in (1, 2, 3)})
    assert runs.value.tolist() == [2.3] * 3
    assert runs.column("params").tolist() == [1e6, 2e6, 3e6]
    assert "HISTORY" in note_ids(runs)
    curves = load_curves(["m1.json", "m2.json"]).curves
    assert [(c.axis, c.main.at.tolist()) for c in curves] == [("epoch", [1, 2, 3, 4, 5, 6])] * 2


def test_columns_of_runs_stay_runs(load):
    sizes = {"params": [1e6, 2e6, 3e6], "val_loss": [3.0, 2.5, 2.2]}
    assert len(load(json.dumps(sizes), name="a.json")) == 3
    named = {"width": [1, 2, 3], "val_loss": [3.0, 2.5, 2.2], "train_loss": [3.0, 2.4, 2.0]}
    assert len(load(json.dumps(named), name="a.json")) == 3


def test_a_result_stays_one_row_a_run_and_its_list_is_a_curve_if_it_is_named(load, note_ids):
    files = {f"m{i}.json": json.dumps(record(i)) for i in (1, 2)}
    runs = load(files)
    assert runs.value.tolist() == [3.0, 2.5]
    assert runs.labels["train_losses"] == ("[3.0, 2.5, 2.2, 2.0, 1.9, 1.85]",) * 2
    assert runs.labels["per_class_acc"] == ("[10 values]",) * 2
    named = load(files, metric="train_losses")
    assert named.value.tolist() == [1.85, 1.85]
    assert "LISTS_AS_CURVES" in note_ids(named)


def test_check_reads_the_lists_whatever_results_stand_beside_them(load):
    load({"runs.jsonl": "\n".join(json.dumps(record(i)) for i in (1, 2))})
    curves = load_curves(["runs.jsonl"]).curves
    assert [c.metric.name for c in curves] == ["train_losses"] * 2
    assert [c.run for c in curves] == ["m1", "m2"]
    assert all(np.array_equal(c.main.value, LOSSES) for c in curves)


def test_cells_of_a_table_may_hold_lists_of_several_lengths(load):
    text = (
        'params,val_losses,lrs\n1e6,"[3.0, 2.5, nan]","[1, 2]"\n2e6,"[2.8, 2.2, 2.1, 2.0]","[1]"\n'
    )
    runs = load(text)
    assert runs.value.tolist() == [2.5, 2.0]
    assert runs.column("params").tolist() == [1e6, 2e6]
    curves = load_curves(["runs.csv"]).curves
    assert [len(c.main) for c in curves] == [3, 4]
    assert [c.run for c in curves] == ["#1", "#2"]


def test_words_in_the_place_of_the_metric_are_no_divergence(load):
    load("step,val_loss\n1,3\n2,2.5\n3,see log\n4,2.2\n5,2.1\n6,2.05\n7,waiting\n")
    log = load_curves(["runs.csv"])
    assert log.curves[0].main.at.tolist() == [1, 2, 4, 5, 6]
    assert "METRIC_NOT_NUMBERS" in [note.id for note in log.notes]
    load("step,val_loss\n1,3\n2,2.5\n3,nan\n", name="nan.csv")
    assert np.isnan(load_curves(["nan.csv"]).curves[0].main.value[-1])
    words = json.dumps([{"run": "a", "val_loss": ["x", "y"], "step": 1}])
    Path("a.json").write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=r"no number, such as '\[2 values\]'"):
        load_curves(["a.json"], metric="val_loss")
