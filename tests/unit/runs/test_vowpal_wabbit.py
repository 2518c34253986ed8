"""The table that Vowpal Wabbit prints as it learns."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

HEAD = """\
Num weight bits = 18
learning rate = 0.5
num sources = 1
average  since         example        example  current  current  current
loss     last          counter         weight    label  predict features
"""
ROWS = """\
0.000000 0.000000            1            1.0   0.0000   0.0000       11
    n.a.     n.a.            2            1.0  unknown   0.0000        2
0.462168 0.424336            4            4.0   0.0000   0.3757        8
[info] label 3 found -- labels are now considered 1-indexed.
0.414165 0.366163            8            8.0   setosa   setosa        8
0.338320 0.262474           16           16.0   1.0000   0.1924        6
"""
END = "\nfinished run\nnumber of examples = 20\naverage loss = 0.33\nbest constant = 0.28\n"


def test_the_loss_since_the_last_line_is_read_along_the_examples(load):
    load(HEAD + ROWS + END, "vw.log")
    (curve,) = load_curves(["vw.log"]).curves
    assert curve.axis == "step"
    assert curve.main.at.tolist() == [1.0, 4.0, 8.0, 16.0]
    assert curve.main.value.tolist() == [0.0, 0.424336, 0.366163, 0.262474]


def test_lines_of_held_out_examples_are_validation(load):
    held = "0.31 0.31   32   32.0   1.0   0.3   9 h\n0.30 0.29   64   64.0   1.0   0.3   9 h\n"
    runs = load(HEAD + ROWS + held + END, "vw.txt")
    assert (runs.metric.name, runs.value.tolist()) == ("val_loss", [0.29])
    assert runs.column("learning_rate").tolist() == [0.5]


def test_each_heading_begins_a_training(load):
    runs = load((HEAD + ROWS + END) * 2, "vw.log")
    assert runs.labels["run"] == ("1", "2")
    assert runs.value.tolist() == [0.262474, 0.262474]


def test_a_table_without_losses_is_refused(load):
    with pytest.raises(InputError, match="no line of Vowpal Wabbit's table has a loss"):
        load(HEAD + END, "vw.log")
