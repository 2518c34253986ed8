"""A learning rate that falls along a run is a schedule, one that differs between runs a setting."""

from __future__ import annotations

import pytest

from scaleplan.runs.roles import rank
from scaleplan.runs.series import load_curves


def rows(*columns):
    return "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))


STEPS = list(range(0, 600, 10))
FALLING = [0.1] * 20 + [0.01] * 20 + [0.001] * 20
LOSSES = [2.0 + 1.0 / (i + 1) for i in range(60)]


def test_a_rate_in_three_stages_is_one_run(load):
    runs = load("step,lr,val_loss\n" + rows(STEPS, FALLING, LOSSES))
    assert runs.value.tolist() == [LOSSES[-1]]
    assert runs.columns["learning_rate"].tolist() == [0.001]


def test_a_rate_on_the_training_rows_only_is_one_run(load):
    """As Hugging Face's Trainer logs it: rows of an evaluation have none."""
    text = "step,lr,loss,val_loss\n"
    for step, rate, loss in zip(STEPS, FALLING, LOSSES, strict=True):
        text += f"{step},{rate},{loss},\n{step},,,{loss + 0.1}\n"
    runs = load(text)
    assert runs.value.tolist() == [LOSSES[-1] + 0.1]
    assert runs.columns["train_value"].tolist() == [LOSSES[-1]]
    assert not runs.cleaning.dropped


def test_runs_of_the_same_steps_are_told_apart_by_their_rates(load):
    text = "step,lr,val_loss\n"
    for rate in (0.1, 0.01, 0.001):
        text += rows(STEPS, [rate] * 60, [loss + rate for loss in LOSSES])
    runs = load(text)
    assert runs.columns["learning_rate"].tolist() == [0.1, 0.01, 0.001]
    assert runs.value.tolist() == [LOSSES[-1] + rate for rate in (0.1, 0.01, 0.001)]


def test_a_sweep_of_finished_runs_is_no_curve(load):
    runs = load(
        "params,step,lr,val_loss\n"
        "1e6,100,0.1,3.0\n1e6,200,0.01,2.9\n2e6,100,0.1,2.8\n2e6,200,0.01,2.7\n"
        "4e6,100,0.1,2.6\n4e6,200,0.01,2.5\n"
    )
    assert len(runs) == 6


@pytest.mark.parametrize("name", ["lr-AdamW", "lr-SGD-1", "lr-Adam/pg1"])
def test_lightnings_monitor_names_a_rate(name):
    assert rank("learning_rate", name) is not None


@pytest.mark.parametrize("name", ["lr-SGD-momentum", "lrx", "lr-AdamW-weight_decay"])
def test_what_it_logs_besides_is_none(name):
    assert rank("learning_rate", name) is None


def test_a_curve_bends_with_the_rate_that_was_logged_not_with_its_setting(tmp_path):
    log = tmp_path / "metrics.csv"
    text = "step,lr,lr-AdamW,val_loss\n" + rows(STEPS, [0.1] * 60, FALLING, LOSSES)
    log.write_text(text, encoding="utf-8")
    (curve,) = load_curves([str(log)]).curves
    assert curve.learning_rate.value.tolist() == FALLING
    (curve,) = load_curves([str(log)], columns={"learning_rate": "lr"}).curves
    assert curve.learning_rate.value.tolist() == [0.1] * 60
