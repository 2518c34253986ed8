"""Cells such as 5/20 in columns that count steps or epochs."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("name", ["global_step/max_steps", "global_step", "train/global_step"])
def test_a_count_of_how_many_is_a_step(load, note_ids, name):
    rows = [{"loss": 4 - i / 10, "epoch": i / 8, name: f"{2 * i}/16"} for i in range(1, 9)]
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    runs = load(text, name="logging.jsonl", all_points=True)
    assert runs.columns["step"].tolist() == [2.0 * i for i in range(1, 9)]
    assert "COUNTS_OF_ALL" in note_ids(runs)


def test_a_last_row_with_a_plain_step_is_of_the_same_run(load):
    rows = [
        {"eval_loss": 4 - i / 10, "epoch": i / 4, "global_step/max_steps": f"{i}/4"}
        for i in range(1, 5)
    ]
    rows.append({"best_metric": 3.6, "global_step": 4, "last_model_checkpoint": "out/4"})
    runs = load("".join(f"{json.dumps(row)}\n" for row in rows), name="logging.jsonl")
    assert runs.value.tolist() == [3.6]
    assert runs.columns["step"].tolist() == [4.0]
    assert not runs.cleaning.dropped


def test_epochs_of_a_table(load):
    runs = load("epoch,loss\n" + "".join(f"{i}/5,{3 - i / 4}\n" for i in range(1, 6)))
    assert runs.columns["epoch"].tolist() == [5.0]
    assert runs.value.tolist() == [1.75]


@pytest.mark.parametrize("cell", ["3/2", "a/5"])
def test_other_texts_are_no_counts(load, note_ids, cell):
    text = f"run,params,step,loss\na,1e6,1/5,3\nb,1e7,{cell},2\nc,1e8,2/5,1\n"
    runs = load(text, metric="loss", columns={"params": "params"})
    assert "COUNTS_OF_ALL" not in note_ids(runs)
