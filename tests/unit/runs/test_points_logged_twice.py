"""A curve of which a few points were logged twice is one run; many equal steps are many runs."""

from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs


def curve(path, steps, *, sizes=True, shift=0.0):
    """Write a falling loss at these steps, in the order given."""
    lines = ["step,loss" + (",params,tokens" if sizes else "")]
    for k, step in enumerate(steps):
        loss = 2.0 + 5.0 / (step + 10.0) ** 0.5 + shift * k
        lines.append(f"{step},{loss:.5f}" + (f",1000000,{step * 4096}" if sizes else ""))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def noted(runs):
    return {note.id for note in runs.notes}


@pytest.mark.parametrize(
    "steps",
    [
        [*range(10, 510, 10), 500],
        [10, *range(10, 510, 10)],
        [*range(10, 260, 10), 250, *range(260, 510, 10)],
        [1, 2, 3, 4, 5, 5],
    ],
)
def test_one_point_logged_twice_makes_no_run_of_every_row(tmp_path, steps):
    runs = load_runs([curve(tmp_path / "log.csv", steps)])
    assert len(runs) == 1
    assert "CURVES_REDUCED" in noted(runs)
    assert runs.column("tokens")[0] == max(steps) * 4096


def test_several_files_of_such_curves_are_one_run_each(tmp_path):
    files = [
        curve(tmp_path / f"{name}.csv", [*range(10, 510, 10), 500], shift=1e-4 * k)
        for k, name in enumerate("abc")
    ]
    assert len(load_runs(files)) == 3


def test_many_equal_steps_are_those_of_finished_runs(tmp_path):
    runs = load_runs(
        [curve(tmp_path / "table.csv", [100, 100, 100, 200, 200, 300, 400, 500], shift=1e-3)]
    )
    assert len(runs) == 8


def test_a_start_that_was_given_up_is_said_though_the_rate_changes_on_every_row(tmp_path):
    steps = [20, 20, 40, *range(20, 820, 20)]
    lines = [
        json.dumps({"step": s, "loss": 9.0 - s / 200.0 + k * 1e-4, "lr": 1e-5 * min(s, 300),
                    "tokens": s * 1000})
        for k, s in enumerate(steps)
    ]  # fmt: skip
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="the steps go back here") as refused:
        load_runs([str(path)])
    assert refused.value.line == 4


def history(path, *, total, closing=1):
    """Write what pandas makes of Hugging Face's log_history."""
    lines = ["loss,epoch,step,eval_loss,train_runtime,train_loss,total_flos"]
    for k in range(1, 9):
        lines += [f"{3.0 / k:.4f},{k},{100 * k},,,,", f",{k},{100 * k},{3.2 / k + 0.1:.4f},,,"]
    lines += [f",8,800,,812.5,0.98,{total}"] * closing
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_the_compute_of_the_closing_row_is_that_of_the_run(tmp_path):
    runs = load_runs([history(tmp_path / "log_history.csv", total="1.5e15")])
    assert runs.value.tolist() == [pytest.approx(0.5)]
    assert runs.column("flops").tolist() == [1.5e15]
    assert "TOTALS_LEFT_OUT" in noted(runs)


@pytest.mark.parametrize(("total", "closing"), [("0.0", 1), ("1.5e15", 2), ("", 0)])
def test_a_compute_of_nothing_of_several_or_without_a_number_is_none(tmp_path, total, closing):
    runs = load_runs([history(tmp_path / "log_history.csv", total=total, closing=closing)])
    assert runs.value.tolist() == [pytest.approx(0.5)]
    assert not runs.has("flops")


def test_the_mean_that_a_notebook_prints_after_a_training_is_no_second_metric(tmp_path):
    closing = (
        "{'train_runtime': 116.2, 'train_samples_per_second': 6.9, 'train_loss': 2.82, "
        "'epoch': 0.5}"
    )
    lines = [f"{{'loss': {3.2 - 0.1 * k:.4f}, 'epoch': {0.1 * k:.1f}}}" for k in range(1, 6)]
    lines += [closing, f"TrainOutput(global_step=200, training_loss=2.82, metrics={closing})"]
    path = tmp_path / "notebook.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    runs = load_runs([str(path)])
    assert runs.metric.name == "loss"
    assert runs.value.tolist() == [pytest.approx(2.7)]


def test_training_losses_of_steps_beside_the_time_spent_stay_the_metric(tmp_path):
    lines = [
        json.dumps({"step": 10 * k, "training_loss": 3.0 / k, "train_runtime": 2.0 * k})
        for k in range(1, 9)
    ]
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    runs = load_runs([str(path)])
    assert runs.metric.name == "training_loss"
    assert runs.value.tolist() == [pytest.approx(0.375)]
