"""Files of one command: histories without steps, pairs of files, files that lack the metric."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.reading import load_runs
from scaleplan.runs.request import Given
from scaleplan.runs.series import load_curves

HISTORY = {"loss": [1.2, 1.0, 0.9, 0.8], "val_loss": [1.3, 1.1, 1.0, 1.05]}


def test_the_history_of_a_training_is_one_run(load, note_ids):
    runs = load(json.dumps({**HISTORY, "lr": [0.1] * 4}), name="history.json")
    assert runs.value.tolist() == [1.0]
    assert runs.column("epoch").tolist() == [3.0]
    assert "HISTORY" in note_ids(runs)
    [curve] = load_curves(["history.json"]).curves
    assert (curve.axis, len(curve.main), len(curve.training)) == ("epoch", 4, 4)
    sized = load_runs(["history.json"], given=Given(values=(("", "params", "1e6"),)))
    assert sized.column("params").tolist() == [1e6]


def test_histories_of_several_trainings_are_named_after_their_files(load):
    runs = load({f"m{i}.json": json.dumps({"params": f"{i}e6", **HISTORY}) for i in (1, 2)})
    assert runs.labels["run"] == ("m1.json", "m2.json")
    assert runs.column("params").tolist() == [1e6, 2e6]


@pytest.mark.parametrize(
    "text",
    [
        "params,loss,val_loss\n1e6,3,3.1\n2e6,2,2.1\n3e6,1,1.1\n",
        "val_loss,accuracy\n3.1,0.3\n2.1,0.5\n1.1,0.7\n",
        "name,loss,val_loss\na,3,3.1\nb,2,2.1\nc,1,1.1\n",
    ],
)
def test_tables_of_runs_are_no_histories(load, note_ids, text):
    runs = load(text)
    assert len(runs) == 3
    assert "HISTORY" not in note_ids(runs)


def test_files_of_training_and_validation_of_a_run_belong_together(load, note_ids):
    scalars = "Wall time,Step,Value\n1.6e9,1,5\n1.6e9,2,4\n"
    pair = {f"run-a_{split}-tag-epoch_loss.csv": scalars for split in ("train", "validation")}
    assert "RUN_IN_SEVERAL_FILES" not in note_ids(load(pair))
    other = scalars.replace("2,4", "2,4.5")
    again = load({**pair, "other/run-a_validation-tag-epoch_loss.csv": other})
    assert "RUN_IN_SEVERAL_FILES" in note_ids(again)


def test_a_file_without_the_metric_of_the_others_is_named(load, reasons):
    runs = load({
        "a.csv": "run,params,val_loss\na,1e6,4\nb,2e6,3\n",
        "b.csv": "run,params,loss\nc,3e6,2\nd,4e6,1\n",
        "c.csv": "run,params,train_loss\na,1e6,3.5\n",
    })  # fmt: skip
    assert runs.value.tolist() == [4.0, 3.0]
    [note] = [n for n in runs.notes if n.id == "METRIC_NOT_IN_FILE"]
    assert "b.csv has no column val_loss" in note.text
    assert "What they have is loss" in note.text
    assert dict(note.numbers) == {"files": 1.0, "rows": 2.0}
    assert [r for r in reasons(runs) if "has no column" in r[1]] == [
        (2, "the file has no column val_loss"), (3, "the file has no column val_loss")
    ]  # fmt: skip


def test_names_in_several_files_are_joined_only_where_there_are_steps(load, note_ids):
    tables = {
        "a.csv": "run,params,tokens,loss\nnext-1,1e6,1e8,4\nnext-2,2e6,1e8,3\n",
        "b.csv": "run,params,tokens,loss\nnext-1,3e6,1e8,2.5\nnext-2,4e6,1e8,2\n",
    }
    runs = load(tables)
    assert len(runs) == 4
    assert "RUN_IN_SEVERAL_FILES" not in note_ids(runs)
    text = next(note.text for note in runs.notes if note.id == "RUN_NAME_SHARED")
    assert "2 run names stand in more than one file (next-1, next-2)" in text
    assert "every row is a run of its own" in text
    curves = {
        "a.csv": "run,step,params,val_loss\nx,1,1e6,4\nx,2,1e6,3\n",
        "b.csv": "run,step,params,val_loss\nx,3,1e6,2.5\nx,4,1e6,2\n",
    }
    joined = load(curves)
    assert len(joined) == 1
    assert "RUN_IN_SEVERAL_FILES" in note_ids(joined)
    curves["b.csv"] = curves["b.csv"].replace("1e6", "2e6")
    apart = load(curves)
    assert len(apart) == 2
    assert "RUN_IN_SEVERAL_FILES" not in note_ids(apart)
