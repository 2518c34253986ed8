"""Printed logs whose lines have more than one form, and what they say before the training."""

from __future__ import annotations

import pytest

from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

# What nanoGPT's train.py prints: estimates over many batches at validation, batches in between.
NANOGPT = """tokens per iteration will be: 16,384
found vocab_size = 65 (inside data/shakespeare_char/meta.pkl)
number of parameters: 10.65M
num decayed parameter tensors: 26, with 10,740,096 parameters
step 0: train loss 4.2874, val loss 4.2823
iter 0: loss 4.2664, time 18539.96ms, mfu -100.00%
iter 10: loss 3.2393, time 12.00ms, mfu 10.00%
step 250: train loss 1.9650, val loss 2.0650
saving checkpoint to out-shakespeare-char
iter 250: loss 2.0293, time 12.00ms, mfu 10.00%
iter 260: loss 1.9793, time 12.00ms, mfu 10.00%
step 500: train loss 1.5300, val loss 1.7300
"""


def test_steps_and_iterations_are_one_axis_with_training_and_validation(log):
    (curve,) = load_curves([log(NANOGPT)]).curves
    assert curve.axis == "step"
    assert curve.validation.at.tolist() == [0.0, 250.0, 500.0]
    assert curve.validation.value.tolist() == [4.2823, 2.065, 1.73]
    # The mean over many batches at step 250, not the batch that followed it.
    assert curve.training.at.tolist() == [0.0, 10.0, 250.0, 260.0, 500.0]
    assert curve.training.value.tolist() == [4.2874, 3.2393, 1.965, 1.9793, 1.53]


def test_the_run_has_the_size_and_tokens_that_were_printed_before_it(log):
    runs = load_runs([log(NANOGPT)])
    assert runs.value.tolist() == [1.73]
    assert runs.columns["params"].tolist() == [10.65e6]
    assert runs.columns["tokens"].tolist() == [500.0 * 16384]
    assert not runs.cleaning.dropped
    assert not runs.cleaning.changed


def test_lines_that_said_something_are_not_counted_as_passed_over(log):
    (note,) = (n for n in load_runs([log(NANOGPT)]).notes if n.id == "LINES_PASSED_OVER")
    assert dict(note.numbers)["lines"] == 3.0


@pytest.mark.parametrize(
    ("line", "params"),
    [
        ("Number of trainable parameters = 124,439,808", 124_439_808),
        ("Total params: 1_234_567 (4.8 MB)", 1_234_567),
        ("| num_parameters        | 124475904 |", 124_475_904),
        ("model parameters: 1.3 B", 1.3e9),
    ],
)
def test_parameters_are_read_however_they_are_printed(log, line, params):
    runs = load_runs([log(f"{line}\nstep 1 loss 3.0\nstep 2 loss 2.0\n")])
    assert runs.columns["params"].tolist() == [params]


@pytest.mark.parametrize("line", ["26 tensors, 99 parameters", "params: 5.5%", "no parameters"])
def test_other_talk_of_parameters_gives_no_size(log, line):
    runs = load_runs([log(f"{line}\nstep 1 loss 3.0\nstep 2 loss 2.0\n")])
    assert "params" not in runs.columns


def test_what_is_said_first_counts(log):
    text = (
        "Total params: 30\nTrainable params: 20\nTotal params: 40\nstep 1 loss 3\nstep 2 loss 2\n"
    )
    assert load_runs([log(text)]).columns["params"].tolist() == [30.0]


def test_counters_on_one_line_stay_apart(log):
    text = "step 1 iter 10 loss 3.0\nstep 2 iter 20 loss 2.0\n"
    (curve,) = load_curves([log(text)]).curves
    assert curve.main.at.tolist() == [1.0, 2.0]


def test_a_loss_beside_a_training_loss_on_its_line_is_another_one(log):
    text = (
        "step 1 loss 3.0 train loss 2.5 val loss 2.75\nstep 2 loss 2.0 train loss 1.5 val loss 2\n"
    )
    (curve,) = load_curves([log(text)]).curves
    assert curve.training.value.tolist() == [2.5, 1.5]


def test_a_line_without_a_step_takes_the_one_before_it_across_blocks(log, monkeypatch):
    monkeypatch.setattr("scaleplan.runs.formats.printed._BLOCK", 3)
    text = "".join(f"step {i}\nval loss {9 - i}.5\n" for i in range(1, 6))
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    text = "".join(f"step {i} loss {9 - i}\nval loss {9 - i}.5\n" for i in range(1, 6))
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    "sizes",
    [
        "Total dataset size: 298\nTrain size: 208\nValidation size: 44\nTest size: 46\n",
        "Training set size: 208\nTest set size: 90\nDataset size: 298\n",
        "Train dataset size: 208\nEpoch 0/3\n",
    ],
)
def test_what_is_trained_on_is_told_from_all_the_data(log, sizes):
    text = sizes + "".join(f"Epoch [{e}/3] val loss {9 - e}.5\n" for e in (1, 2, 3))
    runs = load_runs([log(text)], all_points=True)
    assert runs.column("tokens").tolist() == [208.0] * 3


def test_sizes_of_data_said_before_each_run_are_those_of_the_runs(log):
    text = "".join(f"Dataset size: {d}000\nval loss {9 - d}.5\n" for d in (1, 2, 3))
    assert load_runs([log(text)]).column("tokens").tolist() == [1e3, 2e3, 3e3]
