"""Curves that rise from their start, jump at their end, or fall late; forecasts within bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaleplan.advice.curves import check_curves, judge
from scaleplan.records import Metric
from scaleplan.runs.series import Curve, CurveLog, Series

LOSS = Metric(name="val_loss", kind="loss", unit="nats/token")
ERROR = Metric(name="val_cer", kind="error", unit="fraction")
NOTHING = Series(np.empty(0), np.empty(0))


def curve(values, train=None, metric=LOSS):
    at = np.arange(1.0, len(train if values is None else values) + 1)

    def series(column):
        return NOTHING if column is None else Series(at, np.asarray(column, float))

    return Curve(
        run="r", file="f", axis="epoch", metric=metric, validation=series(values),
        training=series(train), accuracy=NOTHING, learning_rate=NOTHING, sizes={},
        sorted_rows=0, replaced=0, gap=1.0,
    )  # fmt: skip


def rising_from_the_start(seed, rise=0.08, n=10):
    noise = 0.12 * np.random.default_rng(seed).standard_normal(n)
    return 7.0 + rise * np.arange(n) + noise


def test_validation_that_rises_from_the_start_is_overfitting():
    train = 7.0 - 0.09 * np.arange(10)
    found = [judge(curve(rising_from_the_start(i), train)) for i in range(40)]
    assert sum(one.verdict == "overfitting" for one in found) >= 30
    assert not any("GAP_GROWS" in one.notes for one in found if one.verdict == "overfitting")
    flat = [judge(curve(rising_from_the_start(i, rise=0.0), train)).verdict for i in range(40)]
    assert flat.count("overfitting") <= 1


def test_a_rise_of_the_last_half_is_called_a_rise():
    values = 1.0 + 2.0 * np.exp(-np.arange(60) / 6.0) + 0.002 * np.maximum(np.arange(60) - 25, 0)
    values[-8:] -= np.linspace(0.0, 0.03, 8)  # on its way back: no overfitting
    values += 0.002 * np.random.default_rng(1).standard_normal(60)
    found = judge(curve(values))
    assert found.verdict == "plateau"
    assert "has risen by" in found.reason
    assert "larger model" not in found.action


def falling(n=100):
    noise = 0.02 * np.random.default_rng(3).standard_normal(n)
    return 3.0 + 4.0 * np.arange(1.0, n + 1) ** -0.5 + noise


def test_one_reading_that_jumps_at_the_end_is_told_and_not_judged():
    values = falling()
    found = judge(curve(np.r_[values, 9.0]))
    assert found.verdict == judge(curve(values)).verdict
    assert found.last == pytest.approx(3.4, abs=0.1)
    assert "the last reading, 9.000, has jumped" in found.reason
    assert "JUMPED_AT_END" in found.notes
    log = CurveLog(curves=(curve(np.r_[values, 9.0]),), files=("f",), rows=101, notes=())
    assert "JUMPED_AT_END" in [note.id for note in check_curves(log).notes]
    assert judge(curve(np.r_[values, 9.0, 9.1, 9.0])).verdict == "diverged"
    assert "JUMPED_AT_END" not in judge(curve(values)).notes


def test_after_few_readings_a_jump_at_the_end_has_to_be_far_beyond_them():
    few = [1.90, 1.41, 1.18, 1.07]
    found = judge(curve([*few, 7.03]))
    assert "JUMPED_AT_END" in found.notes
    assert found.best == 1.07
    assert "JUMPED_AT_END" not in judge(curve([*few, 2.3])).notes
    assert "JUMPED_AT_END" not in judge(curve([1.0, 1.001, 1.0, 1.002, 1.1])).notes
    assert judge(curve([1.9, 1.4, 1.2, 7.0])).points == 4  # three would not be enough


def skill_that_turns(seed, n=15):
    """Return a score that falls over most of the run, and the training loss beside it."""
    at = np.arange(float(n))
    score = 0.70 + 0.05 * np.minimum(at, 5.0) - 0.008 * np.maximum(at - 5.0, 0.0) ** 1.4
    noise = 0.003 * np.random.default_rng(seed).standard_normal(n)
    return score + noise, Series(at + 1.0, 1.6 * 0.88**at)


def test_a_score_that_falls_while_the_training_loss_falls_on_is_overfitting():
    score = Metric(name="val_auc", kind="score", unit="")
    for seed in range(20):
        values, loss = skill_that_turns(seed)
        alone = curve(values, metric=score)
        assert judge(replace(alone, loss=loss)).verdict == "overfitting"
        lost = Series(loss.at, np.r_[loss.value[:8], np.full(7, 1.7)])
        assert judge(replace(alone, loss=lost)).verdict == judge(alone).verdict
    assert any(
        judge(curve(skill_that_turns(seed)[0], metric=score)).verdict == "diverged"
        for seed in range(20)
    )


def late_fall(n=60, high=1.0, low=0.28, where=30.0):
    at = np.arange(1.0, n + 1)
    noise = 0.004 * np.random.default_rng(2).standard_normal(n)
    return low + (high - low) / (1.0 + np.exp((at - where) / 3.0)) + noise


def test_a_forecast_after_a_late_fall_stays_at_the_level_that_was_reached():
    found = judge(curve(late_fall(), metric=ERROR))
    assert found.doubling is not None
    assert found.doubling.value == pytest.approx(0.28, abs=0.02)
    assert 0.2 < found.doubling.low <= found.doubling.high < 0.35


def test_what_is_still_to_come_is_no_more_than_the_bound_leaves():
    values = np.r_[np.linspace(4.3, 4.9, 42), 4.9 * np.exp(-np.arange(1.0, 19.0) / 2.5)]
    found = judge(curve(np.maximum(values, 0.01)))
    assert found.verdict != "underfitting", found.reason
    assert found.doubling.high < 1.0


@pytest.mark.parametrize("metric", [LOSS, ERROR])
def test_no_forecast_lies_above_where_a_falling_curve_stands(metric):
    for seed in range(20):
        draw = np.random.default_rng(seed)
        steep = np.array([0.9, 0.87, 0.5, 0.15, 0.095, 0.086, 0.081, 0.069, 0.065])
        values = steep * draw.uniform(0.9, 1.0, steep.size)
        found = judge(curve(values, metric=metric))
        assert found.doubling is not None
        assert found.doubling.value <= values[-1] * 1.0001
        assert found.doubling.high <= (1.0 if metric is ERROR else np.inf)


def test_healthy_says_what_holds():
    found = judge(curve(late_fall(), metric=ERROR))
    assert found.verdict == "healthy"
    assert "the last half has gained" in found.reason
    assert "hardly any of it since epoch 46" in found.reason
    assert "hardly any" not in judge(curve(falling())).reason
    short = judge(curve([1.0, 0.8, 0.7, 0.65, 0.62]))
    assert short.verdict in {"healthy", "underfitting"}
    assert "rises nor" not in short.reason


@pytest.mark.parametrize("values", [[4.12, 3.94, 3.78, 3.64], [4.46, 4.18, 4.02, 3.86, 3.75]])
def test_a_short_curve_that_only_falls_has_not_diverged(values):
    assert judge(curve(None, values)).verdict != "diverged"
    assert judge(curve(values)).verdict != "diverged"
