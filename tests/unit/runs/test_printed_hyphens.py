"""Printed logs with hyphens in names, rounds of boosting, dictionaries and times on their lines."""

from __future__ import annotations

import time

import pytest

from scaleplan.runs.formats.printed_lines import known
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

XGBOOST = "[{at}]\ttrain-rmse:{train:.5f}\teval-rmse:{val:.5f}\n"
LIGHTGBM = "[{at}]\ttraining's l2: {train:.6g}\tvalid_1's l2: {val:.6g}\n"
LOSSES = [(0, 0.61, 0.62), (10, 0.41, 0.44), (20, 0.31, 0.37), (30, 0.26, 0.35), (40, 0.22, 0.36)]


def rounds(form: str) -> str:
    return "".join(form.format(at=at, train=train, val=val) for at, train, val in LOSSES)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("Epoch 1: BLEU-4 = 11.2", {"Epoch": "1", "BLEU-4": "11.2"}),
        ("| dev | BLEU-4 | 21.73 | -10.3734 |", {}),
        ("ROUGE-1: 0.31 ROUGE-2: 0.11 ROUGE-L: 0.29",
         {"ROUGE-1": "0.31", "ROUGE-2": "0.11", "ROUGE-L": "0.29"}),
        ("epoch 1 top-1 acc: 61 top-5 acc: 80",
         {"epoch": "1", "top-1 acc": "61", "top-5 acc": "80"}),
        ("step 1 top-1: 61.0", {"step": "1", "top-1": "61.0"}),
        ("Epoch 1/3 train-loss: 0.91 val-loss: 1.01 val-acc: 0.5",
         {"Epoch": "1", "train-loss": "0.91", "val-loss": "1.01", "val-acc": "0.5"}),
        ("val-loss at step 100: 3.21", {"step": "100", "val-loss": "3.21"}),
        ("learning-rate: 1e-3 loss: 2", {"learning-rate": "1e-3", "loss": "2"}),
        # A hyphen that is no part of a name.
        ("epoch 1-loss 3.2 lr 1e-4", {"epoch": "1", "loss": "3.2", "lr": "1e-4"}),
        ("Epoch 3/10-loss: 2.0-acc: 0.5", {"Epoch": "3", "loss": "2.0", "acc": "0.5"}),
        ("epoch1-loss 3.2", {"epoch": "1", "loss": "3.2"}),
        ("epoch: 3 - loss: 0.5 -acc: 0.6", {"epoch": "3", "loss": "0.5", "acc": "0.6"}),
        ("Step-100 loss 0.5", {"Step": "100", "loss": "0.5"}),
        ("epoch-3: loss 0.5", {"epoch": "3", "loss": "0.5"}),
        ("INFO-root-Epoch 3, loss 2.0", {"Epoch": "3", "loss": "2.0"}),
        ("max-epoch 10 loss 2", {"loss": "2"}),
        ("GPU-0 loss 3.0", {"loss": "3.0"}),
        ("checkpoint-50 loss 3.0", {"loss": "3.0"}),
        ("steps 10-20 loss 3", {"step": "10", "loss": "3"}),
        # A sign stands behind a blank or a mark.
        ("loss -0.3 step 4", {"loss": "-0.3", "step": "4"}),
        ("loss=-0.3 acc:-0.1 step 4", {"loss": "-0.3", "acc": "-0.1", "step": "4"}),
        ("loss->0.3 step 3", {"loss": "0.3", "step": "3"}),
        ("loss-0.3", {}),
    ],
)  # fmt: skip
def test_a_hyphen_is_part_of_a_name_or_a_sign_or_neither(line, row):
    assert known(line) == row


def test_long_lines_of_hyphens_are_searched_quickly():
    begun = time.process_time()
    for text in ("a-" * 2000, "a-a " * 1000, "top-1 " * 700, "[1]\t" + "a-b:1 " * 700 + "x"):
        known(text)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    ("form", "end"),
    [
        (XGBOOST, "Stopping. Best iteration:\n"),
        ("> " + XGBOOST, "> Stopping. Best iteration:\n"),
        (XGBOOST.replace("\t", "  "), ""),
        (LIGHTGBM, "Early stopping, best iteration is:\n"),
        (LIGHTGBM, "Did not meet early stopping. Best iteration is:\n\n"),
    ],
)
def test_rounds_of_boosting_are_steps_and_the_best_one_is_not_said_twice(log, form, end):
    best = form.format(at=30, train=0.26, val=0.35) if end else ""
    (curve,) = load_curves([log(rounds(form) + end + best)]).curves
    assert curve.axis == "step"
    assert curve.validation.at.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert curve.validation.value.tolist() == [0.62, 0.44, 0.37, 0.35, 0.36]
    assert curve.training.value.tolist() == [0.61, 0.41, 0.31, 0.26, 0.22]


def test_training_that_goes_on_behind_the_best_round_is_read(log):
    text = rounds(XGBOOST) + "Stopping. Best iteration:\n" + XGBOOST.format(at=30, train=1, val=1)
    text += "[50]\ttrain-rmse:0.20000\teval-rmse:0.37000\n"
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("[0] loss: 2.3", {"loss": "2.3"}),
        ("[3] step 7 val-loss: 2.3", {"step": "7", "val-loss": "2.3"}),
        ("[10]\ttrain-rmse:0.5+0.01\ttest-rmse:0.6+0.02",
         {"step": "10", "train-rmse": "0.5", "test-rmse": "0.6"}),
        ("[1]\tvalid_0's binary_logloss: 0.2\tvalid_1's binary_logloss: 0.3",
         {"step": "1", "valid_0-binary_logloss": "0.2", "valid_1-binary_logloss": "0.3"}),
        ("[4]\tvalidation_0-logloss:0.7", {"step": "4", "validation_0-logloss": "0.7"}),
    ],
)  # fmt: skip
def test_what_stands_in_brackets_is_a_round_before_metrics_of_sets_only(line, row):
    assert known(line) == row


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("epoch 1: 100%|##| 153/153 [00:01<00:00, 131.88it/s, loss=0.471, metrics={'acc': 0.79}]",
         {"epoch": "1", "loss": "0.471", "acc": "0.79"}),
        ("epoch 1 train_loss 2.5 val {'loss': 2.7, 'acc': 0.3}",
         {"epoch": "1", "train_loss": "2.5", "val loss": "2.7", "val acc": "0.3"}),
        ("eval_metrics={'loss': 2.0, 'step': 3}", {"eval loss": "2.0", "step": "3"}),
        # What the dictionary counts itself counts.
        ("{'loss': 2.0, 'epoch': 0.5} Epoch 1: 10%| 1/10 [loss=3.0]",
         {"loss": "2.0", "epoch": "0.5"}),
        ("step: {'loss': 2.0}", {"loss": "2.0"}),
        ("evaluator {'loss': 2.0}", {"loss": "2.0"}),
    ],
)  # fmt: skip
def test_a_dictionary_does_not_hide_the_rest_of_its_line(line, row):
    assert known(line) == row


def test_commas_in_the_times_of_log_lines_make_no_table(log):
    at = "2018-05-01 12:0{}:00,{}00 - INFO - "
    text = at.format(0, 0) + "Loading the datasets...\n"
    text += "".join(
        at.format(e, e) + f"Epoch {e}/5 train loss: {9 - e}.5 val loss: {9 - e}.75\n"
        for e in range(1, 6)
    )
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert curve.validation.value.tolist() == [8.75, 7.75, 6.75, 5.75, 4.75]


def test_a_table_with_a_column_of_such_times_stays_one(log):
    text = "time\tloss\tacc\n" + "".join(f"12:00:0{i},123\t{9 - i}.5\t0.{i}\n" for i in range(1, 6))
    assert load_runs([log(text)], all_points=True).value.tolist() == [8.5, 7.5, 6.5, 5.5, 4.5]


def test_metrics_of_training_and_evaluation_are_told_apart(log):
    text = "".join(
        f"2018-05-01 12:0{e}:01,200:INFO: Epoch {e}/4\n"
        f"2018-05-01 12:0{e}:02,200:INFO: - Train metrics: accuracy: 0.7 ; loss: {9 - e}.25\n"
        f"2018-05-01 12:0{e}:03,200:INFO: - Eval metrics : accuracy: 0.6 ; loss: {9 - e}.75\n"
        for e in range(1, 5)
    )
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert curve.validation.value.tolist() == [8.75, 7.75, 6.75, 5.75]
    assert curve.training.value.tolist() == [8.25, 7.25, 6.25, 5.25]


def test_a_name_that_stands_twice_belongs_to_the_part_whose_name_it_follows():
    line = "Epoch 1/10 - Train Loss: 2.9, Acc: 0.38 | Val Loss: 1.9, Acc: 0.53"
    assert known(line) == {
        "Epoch": "1", "Train Loss": "2.9", "train Acc": "0.38", "Val Loss": "1.9",
        "val Acc": "0.53",
    }  # fmt: skip
    # Once only, it may be of either.
    assert known("Train Loss: 2.9, Acc: 0.38") == {"Train Loss": "2.9", "Acc": "0.38"}
