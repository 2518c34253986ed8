"""Rows that sum up a whole training are no points of its curve."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.series import load_curves

LOSSES = [3.0, 2.5, 2.2, 2.0, 1.9, 1.8]
TOTALS = {"train_runtime": 81.5, "train_samples_per_second": 7.4, "train_loss": 2.233}


def entries(**beside):
    return [
        {"loss": loss, "learning_rate": 1e-4 / i, **beside, "epoch": i / 6}
        for i, loss in enumerate(LOSSES, 1)
    ]


def printed(rows):
    return "".join(f"{row}\n" for row in rows)


def json_lines(rows):
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture
def curve(tmp_path):
    def read(text, name="train.log"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        (found,) = (log := load_curves([str(path)])).curves
        return found, [note.id for note in log.notes]

    return read


@pytest.mark.parametrize(("write", "name"), [(printed, "a.log"), (json_lines, "a.jsonl")])
def test_the_mean_over_a_run_is_not_its_last_reading(curve, write, name):
    found, notes = curve(write([*entries(), {**TOTALS, "epoch": 1.0}]), name)
    assert found.metric.name == "loss"
    assert found.training.value.tolist() == LOSSES
    assert "TOTALS_LEFT_OUT" in notes


def test_it_does_not_turn_the_metric_into_another(curve):
    rows = entries(mean_token_accuracy=0.6)
    found, _ = curve(printed([*rows, {**TOTALS, "mean_token_accuracy": 0.61, "epoch": 1.0}]))
    assert found.metric.name == "loss"
    assert found.training.value.tolist() == LOSSES


def test_the_totals_of_an_example_script(curve):
    said = (
        "***** train metrics *****\n  epoch                    =        1.0\n"
        "  total_flos               =    11206GF\n  train_loss               =      2.233\n"
        "  train_runtime            = 0:01:21.50\n  train_samples_per_second =        7.4\n"
    )
    found, notes = curve(printed(entries()) + said)
    assert found.training.value.tolist() == LOSSES
    assert "TOTALS_LEFT_OUT" in notes


def test_every_line_of_version_5_has_a_runtime(curve):
    found, notes = curve(printed(entries(train_runtime="9.5")))
    assert found.training.value.tolist() == LOSSES
    assert "TOTALS_LEFT_OUT" not in notes


def test_a_table_of_finished_runs_keeps_their_means(load, note_ids):
    runs = load(
        "params,train_runtime,train_loss\n"
        + "".join(f"{10**i},{10 * i},{5 - i / 2}\n" for i in (6, 7, 8))
    )
    assert sorted(runs.value) == [1.0, 1.5, 2.0]
    assert "TOTALS_LEFT_OUT" not in note_ids(runs)


def test_what_was_spent_in_all_stays_said(load):
    rows = [{**row, "params": 1e6} for row in entries()]
    last = {**TOTALS, "total_flos": 1e12, "params": 1e6, "epoch": 1.0}
    runs = load(json_lines([*rows, last]), name="a.jsonl", all_points=True)
    assert sorted(runs.value, reverse=True)[-1] == LOSSES[-1]
