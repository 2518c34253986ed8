"""Verdicts on curves with few readings, and on those whose best checkpoint came long ago."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaleplan.advice.curves import judge
from scaleplan.records import Metric
from scaleplan.runs.series import Series
from tests.unit.advice.test_training_curves import curve

ACCURACY = Metric(name="val_acc", kind="accuracy", unit="fraction")
LOSS = Metric(name="eval_loss", kind="loss", unit="")
ERROR = Metric(name="val_error", kind="error", unit="fraction")


@pytest.mark.parametrize(("n", "scatter"), [(10, 0.003), (10, 0.006), (14, 0.006), (14, 0.012)])
def test_a_straight_fall_is_no_plateau(n, scatter):
    rng = np.random.default_rng(7)
    x = np.arange(n)
    found = [
        judge(curve(1 - 0.006 * x + scatter * rng.standard_normal(n), 0.9935 - 0.0065 * x)).verdict
        for _ in range(60)
    ]
    assert found.count("plateau") <= 3


def test_level_readings_are_no_straight_fall():
    rng = np.random.default_rng(3)
    found = [judge(curve(1 + 0.01 * rng.standard_normal(14))).verdict for _ in range(60)]
    assert found.count("plateau") >= 57


def test_a_gain_beyond_what_noise_is_said_to_explain_is_no_plateau():
    rng = np.random.default_rng(5)
    for _ in range(200):
        values = 1 - 0.02 * np.arange(13) ** 0.5 + 0.01 * rng.standard_normal(13)
        found = judge(curve(values))
        if found.verdict == "plateau" and " gained " in found.reason and "way" not in found.reason:
            gained, chance = (float(part.split()[-1]) for part in (
                found.reason.split(" in the last half")[0],
                found.reason.split("up to ")[1].split(";")[0],
            ))  # fmt: skip
            assert gained <= chance


def test_validation_that_jumped_and_stays_while_training_remembers_is_overfitting():
    rng = np.random.default_rng(1)
    before = np.linspace(4.8, 3.1, 10)
    late = 4.6 + 0.35 * rng.standard_normal(40)
    training = np.r_[np.linspace(5.2, 2.9, 10), 2.9 * np.exp(-np.arange(40) / 8) + 0.3]
    found = judge(curve(np.r_[before, late], training))
    assert found.verdict == "overfitting"
    assert found.best_at == 10.0


def test_a_plateau_far_from_its_best_names_the_checkpoint():
    values = [0.729, 0.499, 0.387, 0.521, 0.333, 0.441, 5.034, 7.176, 1.681, 1.205]
    found = judge(curve(values, np.linspace(1.1, 0.13, 10)))
    assert found.verdict == "plateau"
    assert "epoch 5" in found.action
    assert found.since == 5.0


@pytest.mark.parametrize("metric", [LOSS, ERROR])
def test_the_first_evaluation_far_below_all_others_was_the_best(metric):
    values = [0.219, 0.416, 0.423, 0.410, 0.438, 0.402]
    one = curve(values, metric=metric)
    falls = Series(one.validation.at, np.array([0.8, 0.5, 0.3, 0.25, 0.2, 0.18]))
    one = replace(one, training=falls) if metric is LOSS else replace(one, loss=falls)
    found = judge(one)
    assert (found.verdict, found.since) == ("overfitting", 1.0)
    assert "worse at once" in found.reason


def test_a_run_whose_training_is_lost_too_is_not_worse_at_once_but_diverged():
    values = [0.5, 2.3, 2.31, 2.3, 2.3, 2.31, 2.3, 2.3]
    found = judge(curve(values, [0.6, 2.3, 2.3, 2.31, 2.3, 2.3, 2.3, 2.3]))
    assert found.verdict == "diverged"


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("values", [[0.7452, 0.7494, 0.7538, 0.7510, 0.7480]])
def test_a_wobble_of_a_percent_is_no_divergence(values, flip):
    shown = [1 - value for value in values] if flip else values
    found = judge(curve(shown, metric=ERROR if flip else ACCURACY))
    assert found.verdict != "diverged"


def test_a_loss_that_has_come_back_has_not_diverged():
    values = [748, 910, 590, 687, 716, 750, 757, 739, 713, 615]
    one = curve(np.array(values) * 1e-5)
    found = judge(
        replace(one, training=one.validation, validation=Series(np.empty(0), np.empty(0)))
    )
    assert found.verdict != "diverged"
