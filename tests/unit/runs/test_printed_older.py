"""Programs of earlier years: Darknet, Caffe, TensorFlow's Estimator, Flair."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves

ROUNDS = range(1, 8)


def train(at):
    return round(3.0 * at**-0.4, 4)


def measured(at):
    return round(3.2 * at**-0.3, 4)


@pytest.fixture
def curve(log):
    def read(form, **options):
        text = "".join(form.format(n=n, s=100 * n, t=train(n), v=measured(n)) for n in ROUNDS)
        [found] = load_curves([log(text)], **options).curves
        return found

    return read


def numbers(series):
    return series.at.tolist(), series.value.tolist()


STEPS = [100 * n for n in ROUNDS]
TRAINED, TESTED = [train(n) for n in ROUNDS], [measured(n) for n in ROUNDS]


def test_darknet_says_the_number_before_its_name(curve):
    found = curve(
        "Region 82 Avg IOU: 0.872156, Class: 0.999678, Obj: 0.859775, count: 11\n"
        " {s}: 9.651831, {t} avg loss, 0.001 rate, 0.886196 seconds, {s}0 images, 2 hours left\n"
        "Loaded: 0.000030 seconds\n"
    )
    assert found.axis == "step"
    assert numbers(found.training) == (STEPS, TRAINED)


CAFFE = (
    "I1126 20:42:27.37 29444 solver.cpp:337] Iteration {s}, Testing net (#0)\n"
    "I1126 20:42:27.37 29444 solver.cpp:404]     Test net output #0: accuracy = 0.4592\n"
    "I1126 20:42:27.37 29444 solver.cpp:404]     Test net output #1: loss = {v} (* 1 = {v} loss)\n"
    "I1126 20:42:27.37 29444 solver.cpp:228] Iteration {s}, loss = {t}\n"
    "I1126 20:42:27.37 29444 solver.cpp:244]     Train net output #0: loss = {t} (* 1 = {t} loss)\n"
    "I1126 20:42:27.37 29444 sgd_solver.cpp:106] Iteration {s}, lr = 0.001\n"
    "I1126 20:42:27.37 29444 solver.cpp:228] Iteration {s}50, loss = 9.9\n"
)


def test_caffe_tells_its_nets_apart(curve):
    found = curve(CAFFE.replace("{s}50, loss = 9.9", "{s}, loss = {t}"))
    assert numbers(found.validation) == (STEPS, TESTED)
    assert numbers(found.training) == (STEPS, TRAINED)


def test_what_a_heading_counted_is_over_where_a_line_counts_itself(curve):
    found = curve(
        "I1126 sgd_solver.cpp:106] Iteration 1, lr = 0.001\n"
        "I1126 solver.cpp:228] Iteration {s}, loss = {t}\n"
        "I1126 solver.cpp:404]     Test net output #0: loss = {v} (* 1 = {v} loss)\n"
    )
    assert numbers(found.validation) == (STEPS, TESTED)


def test_an_estimators_evaluation_is_one(curve):
    found = curve(
        "INFO:tensorflow:loss = {t}, step = {s} (1.920 sec)\n"
        "INFO:tensorflow:Saving dict for global step {s}: accuracy = 0.7, global_step = {s}, "
        "loss = {v}\n"
    )
    assert numbers(found.validation) == (STEPS, TESTED)
    assert numbers(found.training) == (STEPS, TRAINED)


def test_flair_says_what_an_epoch_came_to_and_how_it_does_on_dev(curve):
    batches = "".join(
        f"2020-12-01 07:17:27,048 epoch {{n}} - iter {i}/50 - loss 9.5 - lr: 0.1\n"
        for i in (10, 20, 30, 40, 50)
    )
    found = curve(
        f"{batches}2020-12-01 07:17:37,030 EPOCH {{n}} done: loss {{t}} - lr 0.1000000\n"
        "2020-12-01 07:18:34,294 DEV : loss {v} - score 0.7958\n"
        "2020-12-01 07:18:34,713 BAD EPOCHS (no improvement): 0\n"
    )
    assert found.validation.value.tolist() == TESTED
    assert [value for value in found.training.value.tolist() if value != 9.5] == TRAINED
