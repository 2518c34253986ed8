"""Runs of one size: the best of a sweep, or replicates."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.errors import UsageError

SWEEP = (
    "run,params,tokens,lr,loss\n"
    "a,1e8,2e9,1e-3,3.2\nb,1e8,2e9,3e-3,3.1\nc,1e8,2e9,1e-2,7.5\n"
    "d,2e8,2e9,1e-3,2.9\ne,2e8,2e9,3e-3,3.0\nf,4e8,2e9,1e-3,2.7\n"
)


def notes_of(runs, id_):
    return [note for note in runs.notes if note.id == id_]


def test_a_sweep_of_a_setting_is_seen_and_the_best_of_each_proposed(load):
    runs = load(SWEEP)
    assert len(runs) == 6
    [note] = notes_of(runs, "BEST_OF_PROPOSED")
    assert note.severity == "warning"
    assert dict(note.numbers)["runs"] == 5.0
    assert dict(note.numbers)["groups"] == 2.0
    assert "differ in lr" in note.text
    assert "--best-of" in note.action
    assert not notes_of(runs, "REPLICATES")


def test_best_of_keeps_the_lowest_loss_and_says_what_it_left_out(load, reasons):
    runs = load(SWEEP, best_of_each=())
    assert runs.labels["run"] == ("b", "d", "f")
    assert runs.cleaning.rows_used == 3
    assert reasons(runs)[1] == (
        4, "loss is 7.500; the best of 3 runs with the same params and tokens is 3.100 (line 3)"
    )  # fmt: skip
    assert not notes_of(runs, "BEST_OF_PROPOSED")
    assert dict(notes_of(runs, "BEST_OF")[0].numbers) == {"kept": 3.0, "left_out": 3.0}


def test_the_best_accuracy_is_the_highest(load):
    runs = load("params,lr,accuracy\n1e6,1,0.5\n1e6,2,0.7\n2e6,1,0.8\n", best_of_each=())
    assert runs.value.tolist() == [0.7, 0.8]


def test_the_best_of_each_value_of_a_column(load):
    text = "params,depth,lr,loss\n1e6,2,1,3\n1e6,2,2,2.9\n1e6,4,1,3.3\n1e6,4,2,3.4\n"
    assert load(text, best_of_each=("depth",)).value.tolist() == [2.9, 3.3]
    with pytest.raises(UsageError, match="no column 'width'"):
        load(text, best_of_each=("width",))


def test_runs_under_different_conventions_do_not_compete(load):
    text = "params,optimizer,lr,loss\n1e6,adam,1,3\n1e6,adam,2,2.9\n1e6,sgd,1,3.3\n"
    assert load(text, best_of_each=()).value.tolist() == [2.9, 3.3]


def test_only_the_seed_differs_so_they_are_replicates(load):
    text = "params,seed,lr,loss\n1e6,1,0.1,3\n1e6,2,0.1,3.01\n2e6,1,0.2,2.9\n"
    runs = load(text)
    assert len(runs) == 3
    assert notes_of(runs, "REPLICATES")
    assert not notes_of(runs, "BEST_OF_PROPOSED")


def test_a_setting_that_hardly_matters_is_a_note_only(load):
    text = "params,lr,loss\n1e6,1,3\n1e6,2,3.001\n2e6,1,2.9\n2e6,2,2.9005\n"
    assert notes_of(load(text), "BEST_OF_PROPOSED")[0].severity == "info"


def test_tokens_that_whole_steps_round_are_the_same_size(load):
    text = "params,tokens,lr,loss\n1e8,1e11,1,3\n1e8,99999154176,2,2.9\n1e8,5e10,1,3.1\n"
    assert load(text, best_of_each=()).value.tolist() == [2.9, 3.1]


def test_a_cloud_of_sizes_is_not_taken_for_one(load):
    sizes = 1e8 * (1 + 2e-4 * np.arange(400))
    text = "params,loss\n" + "".join(f"{n:.0f},{3 - 1e-4 * i}\n" for i, n in enumerate(sizes))
    runs = load(text, best_of_each=())
    assert len(runs) == 400
    assert notes_of(runs, "BEST_OF_NOTHING")
