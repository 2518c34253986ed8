"""Printed logs whose lines say on what data they were measured, when, and what was the best."""

from __future__ import annotations

import time

import pytest

from scaleplan.runs.formats.printed_lines import known
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

# As Megatron-LM's training_log and evaluate_and_print_results write it.
ITERATION = (
    " iteration {at:8}/   23841 | consumed samples: {samples:>12} | elapsed time per iteration"
    " (ms): 430383.7 | learning rate: {rate:.3E} | global batch size:   512 | lm loss: {loss:.6E} |"
    " loss scale: 65536.0 | grad norm: 10.308 | number of skipped iterations:   0 |"
    " number of nan iterations:   0 |\n"
)
VALIDATION = (
    "-----------------------------------\n"
    " validation loss at {when} | lm loss value: {loss:.6E} | lm loss PPL: {ppl:.6E} | \n"
    "-----------------------------------\n"
)
RECBOLE = "".join(
    f"INFO epoch {e} training [time: 0.27s, train loss: {9 - e}.5]\n"
    f"INFO epoch {e} evaluating [time: 0.12s, valid_score: 0.{e}1]\n"
    f"INFO valid result:\nrecall@10 : 0.{e}2    mrr@10 : 0.{e}3\n"
    for e in range(6)
) + (
    "\nINFO Finished training, best eval result in epoch 3\n"
    "INFO best valid result:\nrecall@10: 0.92  mrr@10: 0.93\n"
    "INFO test result:\nrecall@10: 0.82  mrr@10: 0.83\n"
)
PADDLE = "".join(
    f"[2022/08/08 16:28:28] ppocr INFO: epoch: [{e}/9], global_step: {19 * e}, lr: 0.1, "
    f"loss: {9 - e}.5, acc: 0.{e}5\n"
    f"[2022/08/08 16:28:39] ppocr INFO: cur metric, acc: 0.{e}1, fps: 34.0\n"
    f"[2022/08/08 16:28:45] ppocr INFO: best metric, acc: 0.91, fps: 34.0, best_epoch: 1\n"
    for e in range(1, 6)
)


def iterations(steps, tag: str = "") -> str:
    return "".join(
        tag + ITERATION.format(at=s, samples=512 * s, rate=1e-8 * s, loss=11 - s / 1000)
        for s in steps
    )


@pytest.mark.parametrize("tag", ["", "[default3]:", " [2025-08-01 07:21:09]"])
def test_megatron_pads_its_numbers_with_blanks(log, tag):
    path = log(iterations((8, 9, 10, 11, 12, 2000), tag))
    (curve,) = load_curves([path]).curves
    assert curve.axis == "step"
    assert curve.main.at.tolist() == [8.0, 9.0, 10.0, 11.0, 12.0, 2000.0]
    runs = load_runs([path], all_points=True)
    assert runs.column("tokens").tolist() == [512.0 * s for s in curve.main.at]


def test_any_number_of_blanks_may_stand_before_a_number():
    assert known(f"step{' ' * 300}7 | loss:{' ' * 300}2.5") == {"step": "7", "loss": "2.5"}


def test_long_lines_of_blanks_and_words_are_searched_quickly():
    begun = time.process_time()
    for text in ("loss" + " " * 4000, "loss at step " * 300, "best " * 800, "a " * 2000):
        known(text)
    assert time.process_time() - begun < 2.0


def test_megatron_tells_validation_from_training_and_perplexity(log):
    text = "".join(
        iterations(range(s - 900, s + 100, 100))
        + VALIDATION.format(when=f"iteration {s}", loss=9 - s / 1000, ppl=100.0)
        for s in (1000, 2000, 3000, 4000)
    )
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [1000.0, 2000.0, 3000.0, 4000.0]
    assert curve.validation.value.tolist() == [8.0, 7.0, 6.0, 5.0]
    assert curve.training.at.size == 40
    assert curve.training.value[-1] == 7.0
    runs = load_runs([log(text)], all_points=True)
    assert runs.value.tolist() == [8.0, 7.0, 6.0, 5.0]
    assert runs.column("tokens").tolist() == [512e3, 1024e3, 1536e3, 2048e3]


@pytest.mark.parametrize(
    ("when", "split"),
    [
        ("iteration 7 on validation set", "validation"),
        ("iteration 7 on test set", "test"),
        ("the end of training for test data", "test"),
        ("the end of training for val data", "val"),
    ],
)
def test_megatron_says_on_what_set_it_validated(when, split):
    row = known(VALIDATION.format(when=when, loss=5.25, ppl=190.5).splitlines()[1])
    step = {"iteration": "7"} if "7" in when else {}
    assert row == {
        **step, f"{split} lm loss value": "5.250000E+00", f"{split} lm loss PPL": "1.905000E+02",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("val loss at step 100: 3.21", {"step": "100", "val loss": "3.21"}),
        ("Loss after epoch 3 = 0.52", {"epoch": "3", "Loss": "0.52"}),
        ("Accuracy for epoch 3/10 is 91.2%", {"epoch": "3", "Accuracy": "91.2%"}),
        ("saving checkpoint at iteration 20, val loss 3.5", {"iteration": "20", "val loss": "3.5"}),
        ("loss at step 100 was large", {"step": "100"}),
        ("Average loss after 3 epochs: 0.52", {"epoch": "3", "Average loss": "0.52"}),
        ("val loss after 1,000 training steps = 3.5",
         {"training step": "1,000", "val loss": "3.5"}),
        ("loss is nan at step 5", {"loss is": "nan", "step": "5"}),
        ("best val loss at epoch 3: 0.5", {"best val loss": "0.5"}),
        ("Best epoch: 3, val loss 0.5", {"val loss": "0.5"}),
        ("best eval result in epoch 52", {}),
        ("best score 0.5 at step 7", {"best score": "0.5", "step": "7"}),
        ("new best at step 7: val loss 0.5", {"step": "7", "val loss": "0.5"}),
        ("step 7 val loss `3.5` | train loss **2.5**",
         {"step": "7", "val loss": "3.5", "train loss": "2.5"}),
    ],
)  # fmt: skip
def test_a_number_after_a_step_is_not_that_of_the_metric_before_it(line, row):
    assert known(line) == row


@pytest.mark.parametrize("said", ["n/a", "-", "None", "", "1,2,3"])
def test_a_count_that_cannot_be_read_is_not_that_of_the_line_before(log, said):
    text = (
        "step 1 | consumed samples: 100 | loss: 3.5\n"
        f"step 2 | consumed samples: {said} | loss: 2.5\n"
        "step 3 | consumed samples: 300 | loss: 2.0\n"
    )
    runs = load_runs([log(text)], all_points=True)
    assert runs.column("tokens").tolist() == [100.0, 300.0]
    (dropped,) = runs.cleaning.dropped
    assert (dropped.line, "consumed samples is 'no number'" in dropped.reason) == (2, True)
    (curve,) = load_curves([log(text)]).curves
    assert curve.main.at.tolist() == [1.0, 2.0, 3.0]


def test_rates_that_rise_in_a_printed_log_without_steps_are_a_warm_up(log):
    text = "".join(f"lr: {2**i}e-6 loss: {9 - i}.5\n" for i in range(6))
    (curve,) = load_curves([log(text)]).curves
    assert curve.main.value.tolist() == [9.5, 8.5, 7.5, 6.5, 5.5, 4.5]


@pytest.mark.parametrize("metric", ["recall@10", "valid recall@10"])
def test_results_at_the_end_are_no_points_of_the_curve(log, metric):
    log_read = load_curves([log(RECBOLE)], metric=metric)
    (curve,) = log_read.curves
    assert curve.main.at.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert curve.main.value.tolist() == [0.02, 0.12, 0.22, 0.32, 0.42, 0.52]
    assert not {note.id for note in log_read.notes} & {"RESTARTED", "STEPS_REPEATED"}
    (curve,) = load_curves([log(RECBOLE)], metric="test recall@10").curves
    assert curve.main.value.tolist() == [0.82]
    (curve,) = load_curves([log(RECBOLE)], metric="best valid recall@10").curves
    assert curve.main.value.tolist() == [0.92]


def test_a_heading_counts_for_the_lines_right_below_it(log):
    text = "".join(
        f"epoch {e} loss {9 - e}.5\n=== Validation results ===\n------\nloss: {8 - e}.5\n"
        f"accuracy: 0.{e}\nsaved\nloss: 1.5\n"
        for e in (1, 2, 3)
    )
    (curve,) = load_curves([log(text)], metric="Validation loss").curves
    assert curve.validation.value.tolist() == [7.5, 6.5, 5.5]
    (curve,) = load_curves([log(text)], metric="accuracy").curves
    assert curve.validation.value.tolist() == [0.1, 0.2, 0.3]


def test_the_current_metric_is_that_of_the_validation_and_the_best_is_none(log):
    (curve,) = load_curves([log(PADDLE)]).curves
    assert curve.validation.at.tolist() == [19.0, 38.0, 57.0, 76.0, 95.0]
    assert curve.validation.value.tolist() == [0.11, 0.21, 0.31, 0.41, 0.51]
    assert curve.training.value.tolist() == [0.15, 0.25, 0.35, 0.45, 0.55]
    (curve,) = load_curves([log(PADDLE)], metric="acc").curves
    assert curve.main.value.tolist() == [0.15, 0.25, 0.35, 0.45, 0.55]
