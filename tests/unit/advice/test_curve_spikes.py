"""Readings that jump or stand before training do not decide what the others say."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.advice.curves.verdict import judge
from scaleplan.records import Metric
from tests.unit.advice.test_curve_ends import curve

STEPS = np.arange(1.0, 51.0)
FALLING = 1.0 + 1.5 * np.exp(-STEPS / 25.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("place", [30, 40, 47])
@pytest.mark.parametrize("height", [0.3, 4.0, 4000.0])
def test_one_jump_does_not_make_a_falling_curve_a_plateau(seed, place, height):
    values = FALLING + 0.005 * np.random.default_rng(seed).standard_normal(50)
    before = judge(curve(values))
    values[place] += height
    found = judge(curve(values))
    assert found.verdict == before.verdict != "plateau"
    assert "SPIKES" in found.notes
    # What is forecast may move by noise, not by the height of the jump.
    assert found.doubling.value == pytest.approx(before.doubling.value, abs=0.02)
    assert found.doubling.high < before.doubling.high + 0.1


def test_a_plateau_with_a_jump_is_one():
    noise = 0.01 * np.random.default_rng(3).standard_normal(60)
    values = 1.0 + np.exp(-np.arange(60) / 4.0) + noise
    values[45] = 30.0
    assert judge(curve(values)).verdict == "plateau"


def test_a_reading_before_training_is_no_measure_of_a_rise():
    random = np.random.default_rng(0)
    rise = 3.76 + 0.006 * np.arange(23) + 0.004 * random.standard_normal(23)
    train = 3.76 - 0.04 * np.arange(23)
    late = judge(curve(np.r_[70.4, rise], np.r_[186.0, train]))
    assert late.verdict == judge(curve(rise, train)).verdict == "overfitting"


def test_a_training_loss_on_another_scale_has_no_gap():
    train = 500.0 * FALLING
    found = judge(curve(FALLING, train))
    assert found.gap is None
    assert "OTHER_SCALE" in found.notes
    dropout = judge(curve(FALLING, 1.5 * FALLING))
    assert dropout.gap == pytest.approx(-0.5, abs=0.01)
    assert "OTHER_SCALE" not in dropout.notes


def test_an_accuracy_that_is_lost_has_fallen():
    rising = np.r_[0.2 + 0.7 * (1.0 - np.exp(-np.arange(20) / 5.0)), np.full(10, 0.1)]
    accuracy = Metric(name="acc", kind="accuracy", unit="fraction")
    found = judge(curve(rising, metric=accuracy))
    assert found.verdict == "diverged"
    assert "acc has fallen by" in found.reason
    assert "from its highest value" in found.reason
    assert "of what it had risen" in found.reason


def test_a_loss_that_only_rises_has_no_share_of_its_fall():
    found = judge(curve(np.r_[np.full(8, 1.0), np.geomspace(5.0, 500.0, 12)]))
    assert found.verdict == "diverged"
    assert "had hardly fallen before" in found.reason


def test_a_plateau_begins_at_its_best_point_where_it_has_not_come_back_to_its_level():
    noise = 0.03 * np.random.default_rng(5).standard_normal(28)
    values = np.r_[1.6, 1.35, 1.25, 1.15, 1.1, np.full(22, 1.08), 1.2] + 0.5 * noise
    found = judge(curve(values))
    assert found.verdict == "plateau"
    assert found.since < 20
