"""Runs of one name, or of none, whose rows stand at equal steps and differ in a setting."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves


def _rows(setting: str, losses: str, name: str = "base") -> str:
    """Return one line a step: its run, a setting, the step and the loss."""
    return "".join(
        f"{name},{setting},{100 * step},{loss}.5\n" for step, loss in enumerate(losses, 1)
    )


@pytest.mark.parametrize(
    ("column", "settings"),
    [
        ("seed", ("0", "1")), ("optimizer", ("adamw", "sgd")), ("lr", ("1e-3", "1e-2")),
        ("fold", ("1", "2")), ("dataset", ("c4", "pile")), ("data_fraction", ("0.1", "1.0")),
    ],
)  # fmt: skip
def test_a_setting_tells_runs_of_one_name_apart(load, column, settings):
    first, second = settings
    runs = load(
        f"run,{column},step,val_loss\n{_rows(first, '432')}{_rows(second, '543')}"
        f"{_rows(first, '321', 'large')}"
    )
    assert runs.labels["run"] == ("base (1)", "base (2)", "large")
    assert runs.value.tolist() == [2.5, 3.5, 1.5]
    [note] = [n for n in runs.notes if n.id == "RUN_NAME_SHARED"]
    assert f"differ in {column}" in note.text
    curves = load_curves(["runs.csv"]).curves
    assert [(c.run, len(c.main)) for c in curves] == [
        ("base (1)", 3),
        ("base (2)", 3),
        ("large", 3),
    ]


def test_settings_written_in_turns_and_two_at_once(load):
    rows = "".join(
        f"base,{seed},{width},{step},{5 - step + seed + width / 100}\n"
        for step in (1, 2, 3) for seed in (0, 1) for width in (10, 20)
    )  # fmt: skip
    runs = load("run,seed,units,epoch,val_loss\n" + rows)
    assert runs.value.tolist() == pytest.approx([2.1, 2.2, 3.1, 3.2])


def test_finished_runs_of_one_name_that_differ_in_the_seed(load):
    runs = load("run,seed,step,val_loss\na,0,500,3.1\na,1,500,3.3\nb,0,500,2.9\n")
    assert runs.value.tolist() == [3.1, 3.3, 2.9]


@pytest.mark.parametrize("column", ["job_id", "grad_norm", "rank", "time"])
def test_a_resumed_run_stays_one(load, column):
    first = "".join(f"a,{s if column != 'job_id' else 1},{s},{9 - s}\n" for s in range(1, 7))
    second = "".join(f"a,{s + 50 if column != 'job_id' else 2},{s},{8.9 - s}\n" for s in (5, 6, 7))
    runs = load(f"run,{column},step,val_loss\n" + first + second)
    assert runs.labels["run"] == ("a",)
    assert runs.value.tolist() == pytest.approx([1.9])


def test_processes_of_one_run_are_no_runs(load):
    rows = "".join(f"a,{rank},{s},{9 - s - rank / 10}\n" for rank in (0, 1) for s in range(1, 5))
    assert len(load("run,rank,step,val_loss\n" + rows)) == 1


def test_a_shape_tells_runs_without_names_apart(load):
    rows = "".join(
        f"{arch},{width},{epoch},{6 - epoch + width / 100}\n"
        for arch, width in (("mlp", 64), ("mlp", 128), ("cnn", 64)) for epoch in (1, 2, 3)
    )  # fmt: skip
    runs = load("arch,units,epoch,val_loss\n" + rows)
    assert runs.value.tolist() == pytest.approx([3.64, 4.28, 3.64])


def test_sizes_said_in_words_are_no_numbers(load):
    runs = load(
        "run_id,model_size,train_steps,ppl\nx1,small,900,78.9\nx2,small,1800,48.3\n"
        "x3,medium,900,60.1\n"
    )
    assert runs.labels["model_size"] == ("small", "small", "medium")
    assert len(runs) == 3
    assert "params" not in runs.columns
