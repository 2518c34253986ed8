"""Rows of a sweep are runs, in `check` as in `runs`; tokens seen so far count points."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

SWEEP = "mlp,1e-4,3.86\nmlp,3e-4,3.2\nmlp,1e-3,2.83\nmlp,3e-3,2.65\nmlp,1e-1,3.56\n"


@pytest.mark.parametrize("header", ["name,lr,val_loss", "size_of,lr,val_loss"])
def test_the_rows_of_a_learning_rate_sweep_are_runs_of_their_own(load, header):
    assert len(load(f"{header}\n{SWEEP}")) == 5
    with pytest.raises(InputError, match="each of its 5 rows is a run of its own"):
        load_curves(["runs.csv"])


def test_a_sweep_that_names_nothing_is_one_of_runs(load):
    load("lr,val_loss\n" + SWEEP.replace("mlp,", ""))
    with pytest.raises(InputError, match="each of its 5 rows is a run of its own"):
        load_curves(["runs.csv"])


@pytest.mark.parametrize("name", ["", "a,"])
def test_a_schedule_without_steps_is_one_curve(load, name):
    rates = 1e-3 * np.cos(np.linspace(0.0, 1.5, 30))
    rows = "".join(f"{name}{rate:.6g},{4 - 0.05 * i}\n" for i, rate in enumerate(rates))
    load(("name," if name else "") + "lr,val_loss\n" + rows)
    [curve] = load_curves(["runs.csv"]).curves
    assert len(curve.main) == 30


def test_rows_of_one_name_and_several_sizes_are_runs(load):
    load("name,params,val_loss\nmlp,1e6,3\nmlp,2e6,2.8\nmlp,4e6,2.6\nmlp,8e6,2.5\n")
    with pytest.raises(InputError, match="each of its 4 rows is a run of its own"):
        load_curves(["runs.csv"])


def rows_of(name, count, more=""):
    return f"{name},loss{more and ',' + more}\n" + "".join(
        f"{40960 * i},{10 / i**0.3:.4f}{more and f',{i % 4 + 1}e6'}\n" for i in range(1, count + 1)
    )


def test_tokens_seen_so_far_count_the_points_of_one_run(load, note_ids):
    runs = load(rows_of("tokens_seen", 38))
    assert runs.column("tokens").tolist() == [38 * 40960.0]
    assert "CURVES_REDUCED" in note_ids(runs)
    assert len(load(rows_of("tokens_seen", 38), all_points=True)) == 38


@pytest.mark.parametrize(
    "text",
    [rows_of("tokens", 38), rows_of("tokens_seen", 8), rows_of("tokens_seen", 38, "params")],
)
def test_tokens_that_runs_were_trained_on_are_their_sizes(load, text):
    assert len(load(text)) == text.count("\n") - 1
