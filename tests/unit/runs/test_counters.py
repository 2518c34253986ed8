"""Columns that count steps or epochs by their numbers, and those that are lengths of runs."""

from __future__ import annotations

import pytest

from scaleplan.runs.roles import rank
from scaleplan.runs.series import load_curves


def rows(name, numbers, losses="train_loss,val_loss", before=""):
    text = f"{before and before.partition('=')[0] + ','}{name},{losses}\n"
    first = before and before.partition("=")[2] + ","
    count = losses.count(",") + 1
    return text + "".join(
        f"{first}{number}{f',{3 / (i + 1) ** 0.3:.4f}' * count}\n"
        for i, number in enumerate(numbers)
    )


@pytest.mark.parametrize("name", [
    "current_steps", "time/total_timesteps", "timesteps", "num_updates", "update", "episode",
    "round", "global_steps", "train/global_step",
])  # fmt: skip
def test_names_that_count_steps(load, name):
    assert rank("step", name) is not None
    runs = load(rows(name, (4, 10, 11, 30)))
    assert runs.column("step").tolist() == [30.0]


@pytest.mark.parametrize(
    ("name", "role", "numbers"),
    [
        ("steps", "step", (1000, 2000, 3000, 4000)),
        ("train_steps", "step", (0, 50, 100, 150, 180)),
        ("iterations", "step", (1, 101, 201, 301)),
        ("iters", "step", (10, 20, 30)),
        ("updates", "step", (1, 2, 3, 4, 5)),
        ("episodes", "step", (100, 200, 300)),
        ("steps", "step", [2**i for i in range(18)]),
        ("batch", "step", range(0, 800, 100)),
        ("Epochs", "epoch", (1, 2, 3, 4)),
        ("n_epoch", "epoch", (0, 1, 2)),
        ("Epochs", "epoch", range(10, 110, 10)),
    ],
)
def test_a_number_that_rises_evenly_counts_the_points_of_one_run(load, name, role, numbers):
    numbers = list(numbers)
    runs = load(rows(name, numbers))
    assert runs.column(role).tolist() == [float(numbers[-1])]
    [curve] = load_curves(["runs.csv"]).curves
    assert curve.main.at.tolist() == numbers
    assert not runs.has("input")


@pytest.mark.parametrize(
    "text",
    [
        rows("steps", (1000, 2000, 4000, 8000), "val_loss"),
        rows("batch", (32, 64, 128, 256)), rows("batch", (100, 200, 300, 400)),
        rows("Epochs", (10, 20, 30, 40)), rows("steps", (500, 500, 500, 500)),
        # lengths of runs beside their sizes; of runs with names
        "params,steps,val_loss\n1e6,1000,4\n2e6,2000,3.5\n4e6,3000,3.2\n8e6,4000,3\n",
        "params,steps,val_loss\n"
        + "".join(f"{n}e6,{s},{4 / n + 100 / s}\n" for n in (1, 2) for s in range(100, 900, 100)),
        "tokens,steps,val_loss\n1e6,1000,4\n2e6,2000,3.5\n3e6,3000,3.2\n",
        "hidden,steps,val_loss\n32,1000,4\n64,2000,3.5\n128,3000,3.2\n",
        "users,steps,val_loss\n32,1000,4\n64,2000,3.5\n128,3000,3.2\n",
        "lr,steps,val_loss\n1e-3,1000,4\n3e-3,2000,3.5\n1e-2,3000,3.2\n",
        "arch,steps,val_loss\nmlp,1000,4\ncnn,2000,3.5\nvit,3000,3.2\n",
        "name,steps,val_loss\na,1000,4\nb,2000,3.5\nc,3000,3.2\n",
        "params,tokens,Epochs,val_loss\n1e6,1e9,1,4\n1e6,2e9,2,3.5\n1e6,3e9,3,3.2\n",
    ],
)  # fmt: skip
def test_lengths_of_finished_runs_are_no_axis(load, text):
    assert len(load(text)) == text.count("\n") - 1


def test_a_schedule_and_readings_beside_steps_say_nothing_of_runs(load):
    runs = load("steps,lr,tokens/second,grad_norm,time,train_loss,val_loss\n" + "".join(
        f"{100 * i},{1e-3 - 1e-4 * i:.5f},{900 + i},0.{i},01:0{i},{4 - i / 10},{4.1 - i / 10}\n"
        for i in range(1, 6)
    ))  # fmt: skip
    assert runs.column("step").tolist() == [500.0]


def test_steps_of_named_runs_count_their_points(load):
    text = "run,params,steps,val_loss\n" + "".join(
        f"r{n},{n}e6,{s},{4 / n + 10 / s}\n" for n in (1, 2, 3) for s in range(10, 110, 10)
    )
    runs = load(text)
    assert runs.column("step").tolist() == [100.0] * 3
    assert len(load_curves(["runs.csv"]).curves) == 3


def test_steps_that_rise_unevenly_count_the_points_of_runs_that_have_a_name_each(load):
    steps = (1000, 2000, 3000, 4000, 5000, 10000, 20000, 50000)
    text = "run_id,params,tokens,steps,lr,val_loss\n" + "".join(
        f"r{n},{n}e6,{s * 512},{s},3e-4,{4 / n + 100 / s}\n" for n in (1, 2) for s in steps
    )
    assert load(text).column("step").tolist() == [50000.0] * 2
    # A model may have been trained several times, each to another length.
    assert len(load(text.replace("run_id", "model"))) == 16
    # And so may what has the name of a run, where its size differs from row to row.
    assert len(load(text.replace("r1,1e6", "r1,1e7", 1))) == 16


def test_a_batch_that_begins_again_in_each_epoch_counts_steps(load):
    runs = load("epoch,batch,loss,val_loss\n" + "".join(
        f"{e},{b},{3 / (e + b / 400):.4f},{3.1 / (e + b / 400):.4f}\n"
        for e in (1, 2, 3) for b in (0, 100, 200, 300)
    ))  # fmt: skip
    assert runs.column("step").tolist() == [1100.0]
    assert not runs.has("input")


def test_a_column_that_was_named_stays(load):
    runs = load(rows("steps", (1000, 2000, 3000)), input_column="steps")
    assert runs.has("input")


def test_the_step_of_the_training_counts_before_that_of_the_tracker(load):
    text = "_step,train/global_step,train/loss,eval/loss\n" + "".join(
        f"{2 * i},{50 * i},{3 - i / 10},\n{2 * i + 1},{50 * i},,{3.1 - i / 10}\n"
        for i in range(1, 6)
    )
    runs = load(text)
    assert runs.column("step").tolist() == [250.0]
    assert not runs.has("input")
    assert load("_step,loss\n1,3\n2,2.9\n3,2.8\n").column("step").tolist() == [3.0]


@pytest.mark.parametrize("mean", ["train_loss", "train/train_loss"])
def test_the_mean_over_a_whole_training_is_no_reading(load, mean):
    start = f"step,train/loss,{mean},{mean.replace('loss', 'runtime')}"
    assert load(f"{start}\n1,3,,\n2,2,,\n2,,2.5,9\n").metric.name == "train/loss"
    runs = load(f"{start},eval/loss\n1,3,,,\n2,2,2.5,9,2.1\n")
    assert runs.column("train_value").tolist() == [2.0]
    assert load(f"step,{mean},{mean.replace('loss', 'runtime')}\n1,3,4\n").metric.name == mean
