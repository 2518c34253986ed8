from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaleplan.advice.curves import check_curves, judge
from scaleplan.advice.curves.ahead import forecast_at
from scaleplan.advice.curves.schedule import course_of, cycle_begun
from scaleplan.advice.curves.trend import noise_of, trend_of
from scaleplan.records import Metric
from scaleplan.runs.series import Curve, CurveLog, Series, load_curves
from tests.unit.records_for_tests import fit_like

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmark"))

from curve_verdicts import forecasts, matters
from made_curves import COURSES, KINDS, make

LOSS = Metric(name="val_loss", kind="loss", unit="nats/token")
NOTHING = Series(np.empty(0), np.empty(0))


def curve(values, train=None, *, metric=LOSS, accuracy=None, rate=None, sizes=None):
    at = np.arange(1.0, len(values) + 1)

    def series(column):
        return NOTHING if column is None else Series(at, np.asarray(column, float))

    return Curve(
        run="r", file="f", axis="epoch", metric=metric, validation=series(values),
        training=series(train), accuracy=series(accuracy), learning_rate=series(rate),
        sizes=sizes or {}, sorted_rows=0, replaced=0, gap=1.0,
    )  # fmt: skip


def falling(n=40, floor=1.0):
    return floor + 2.0 * np.arange(1.0, n + 1) ** -0.5


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_curves_are_called_what_they_are(kind):
    found = [judge(make(kind, 2_000_000 + i).curve).verdict for i in range(60)]
    least = {"healthy": 0.65}.get(kind, 0.85)
    assert found.count(kind) >= least * len(found), found
    if kind == "healthy":
        assert found.count("overfitting") <= 2


@pytest.mark.parametrize("variant", ["wander", "shrinking", "averaged"])
def test_a_wander_of_validation_is_no_overfitting_and_overfitting_is_found_in_it(variant):
    made = [make("healthy", 2_000_000 + i, variant).curve for i in range(100)]
    assert sum(judge(one).verdict == "overfitting" for one in made) <= 5
    turned = [make("overfitting", 2_000_000 + i, variant) for i in range(100)]
    matter = [one.curve for one in turned if matters(one)]
    assert len(matter) > 50
    assert sum(judge(one).verdict == "overfitting" for one in matter) >= 0.9 * len(matter)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_noise_is_measured_with_its_correlation(rho):
    draw = np.random.default_rng(5)
    noise = draw.standard_normal(4000)
    for i in range(1, noise.size):
        noise[i] = rho * noise[i - 1] + math.sqrt(1.0 - rho * rho) * noise[i]
    bend = 30.0 * np.linspace(0.1, 1.0, noise.size) ** -0.5
    deviation, correlation = noise_of(bend + noise)
    assert deviation == pytest.approx(1.0, abs=0.25)
    assert correlation == pytest.approx(rho, abs=0.12)


def test_the_error_of_a_mean_counts_independent_readings():
    draw = np.random.default_rng(2)
    noise = draw.standard_normal((3000, 60))
    for i in range(1, 60):
        noise[:, i] = 0.8 * noise[:, i - 1] + 0.6 * noise[:, i]
    trend = replace(trend_of(np.arange(30.0), np.arange(30.0)), noise=1.0, correlation=0.8)
    assert trend.error_of_mean(7) == pytest.approx(noise[:, -7:].mean(axis=1).std(), rel=0.05)
    assert trend.readings_for_one == pytest.approx(9.0)


def test_the_best_checkpoint_is_at_the_turn():
    n = 50
    values = falling(n)
    values[25:] = values[25] + 0.02 * np.arange(n - 25)
    found = judge(curve(values, falling(n, 0.8)))
    assert found.verdict == "overfitting"
    assert abs(found.best_at - 26) <= 3
    assert abs(found.since - 26) <= 3


def test_a_rise_with_training_is_no_overfitting():
    values = falling(50)
    values[30:] += np.linspace(0.0, 3.0, 20)
    assert judge(curve(values, values - 0.1)).verdict == "diverged"


def test_a_jump_after_which_a_run_falls_on_is_a_level_shift():
    values = 1.0 + 2.0 * np.exp(-np.arange(60) / 15.0)
    values[30:] += 0.8
    found = judge(curve(values, values - 0.1))
    assert found.verdict == "shifted"
    assert found.since == pytest.approx(31, abs=3)
    assert found.doubling is None
    values[30:] = values[30]
    assert judge(curve(values, values - 0.1)).verdict == "diverged"


def test_training_above_validation_is_no_alarm():
    assert judge(curve(falling(), falling() + 0.5)).verdict != "overfitting"


def test_a_few_epochs_of_fine_tuning():
    assert judge(curve([0.6, 0.5, 0.55, 0.66, 0.8], [0.6, 0.3, 0.2, 0.1, 0.05])).verdict == (
        "overfitting"
    )
    assert judge(curve([1.0, 0.9, 0.85])).verdict == "too short"


def test_accuracy_falls_instead_of_rising():
    top = Metric(name="val_accuracy", kind="accuracy", unit="fraction")
    values = np.r_[np.linspace(0.2, 0.9, 20), np.linspace(0.9, 0.7, 20)]
    found = judge(curve(values, np.linspace(0.2, 0.99, 40), metric=top))
    assert found.verdict == "overfitting"
    assert found.best == pytest.approx(0.9, abs=0.02)


def test_lost_values_are_divergence_and_a_burst_is_not():
    values = falling(40)
    burst = values.copy()
    burst[10:13] = np.nan
    assert judge(curve(burst)).verdict != "diverged"
    values[35:] = np.nan
    found = judge(curve(values))
    assert (found.verdict, found.since) == ("diverged", 36.0)
    assert judge(curve([1.0, math.inf])).verdict == "diverged"


def test_overconfidence_is_told_apart():
    values = falling(50)
    values[25:] = values[25] + 0.03 * np.arange(25)
    rising = np.linspace(0.5, 0.9, 50)
    found = judge(curve(values, falling(50, 0.5), accuracy=rising))
    assert "OVERCONFIDENT" in found.notes
    assert (
        "OVERCONFIDENT" not in judge(curve(values, falling(50, 0.5), accuracy=rising[::-1])).notes
    )


def test_an_annealed_run_is_not_underfitted():
    slow = 1.0 + np.exp(-np.arange(40) / 40.0)
    assert judge(curve(slow)).verdict == "underfitting"
    ended = judge(curve(slow, rate=np.linspace(1e-3, 1e-5, 40)))
    assert ended.verdict == "healthy"


def test_a_run_in_the_middle_of_its_schedule_is_not_underfitted():
    slow = 1.0 + np.exp(-np.arange(40) / 40.0)
    rate = 1e-3 * 0.5 * (1.0 + np.cos(np.pi * np.arange(40) / 80.0))
    found = judge(curve(slow, rate=rate))
    assert found.verdict == "healthy"
    assert "52% of its peak" in found.reason
    assert judge(curve(slow, rate=np.full(40, 1e-3))).verdict == "underfitting"


@pytest.mark.parametrize("kind", COURSES)
def test_forecasts_from_the_first_half_hold(kind):
    covered, width, error, count = forecasts(kind, 120, 2_000_000)
    assert count > 80
    assert 0.83 <= covered <= 0.99
    assert error < 0.04
    assert width < 0.12


def test_a_schedule_goes_on_as_it_began():
    at = np.arange(1.0, 51)
    logged = 0.1 + 0.9 * 0.5 * (1.0 + np.cos(np.pi * at / 100.0))
    course = course_of(Series(at, 3e-4 * logged), 1.0, 150.0)
    assert course.ends
    assert course.decay_at(np.array([100.0]))[0] == pytest.approx(0.9, abs=0.01)
    assert course.decay_at(np.array([150.0]))[0] == pytest.approx(0.9, abs=0.01)
    stays = course_of(Series(at, np.full(50, 3e-4)), 1.0, 100.0)
    assert not stays.ends
    assert stays.area_at(np.array([100.0]))[0] == pytest.approx(100.0)
    jagged = np.where(at % 10 >= 5, 1.0, 0.3)
    assert course_of(Series(at, jagged), 1.0, 100.0) is None
    assert course_of(NOTHING, 1.0, 100.0) is None


def test_a_fall_that_ends_is_told_from_a_power_law():
    at = np.linspace(0.01, 1.0, 100)
    draw = np.random.default_rng(3)
    for truth, later in (
        (lambda x: 1.0 + np.exp(-x / 0.25), 2.0),
        (lambda x: 1.0 + 0.3 * x**-0.4, 2.0),
    ):
        trend = trend_of(at, truth(at) + 1e-3 * draw.standard_normal(100))
        found = forecast_at(trend, later, level=0.9, lowest=0.0)
        assert found.value == pytest.approx(float(truth(later)), abs=0.01)
        assert found.low <= truth(later) <= found.high


def test_forecasts_bracket_a_power_law():
    at = np.arange(1.0, 201)
    found = judge(curve(1.0 + 2.0 * at**-0.5), total=400.0)
    assert found.final is not None
    truth = 1.0 + 2.0 * 400.0**-0.5
    assert found.final.value == pytest.approx(truth, rel=2e-3)
    assert found.final.low <= truth <= found.final.high


def test_spikes_are_counted_and_do_no_harm():
    values = falling(60)
    values[30] += 5.0
    found = judge(curve(values))
    assert found.spikes == 1
    assert found.verdict not in {"overfitting", "diverged"}


def log_of(*curves):
    return CurveLog(curves=curves, files=("f",), rows=10, notes=())


def test_a_law_says_where_a_run_should_be():
    fit = fit_like()
    law = 1.817 + 482.0 / 1e9**0.3478 + 2085.0 / 2e10**0.3658
    good = curve(
        law + falling(30, 0.0) - falling(30, 0.0)[-1], sizes={"params": 1e9, "tokens": 2e10}
    )
    (run,) = check_curves(log_of(good), fit=fit).runs
    assert run.expectation is not None
    assert abs(run.expectation.z) < 1.0
    bad = curve(good.validation.value + 0.5, sizes={"params": 1e9, "tokens": 2e10})
    (run,) = check_curves(log_of(bad), fit=fit).runs
    assert run.expectation.z > 5.0


def test_notes_carry_ids_and_severities():
    values = falling(50)
    values[25:] = values[25] + 0.03 * np.arange(25)
    check = check_curves(log_of(curve(values, falling(50, 0.5)), curve([1.0, 0.9])))
    ids = {note.id: note.severity for note in check.notes}
    assert ids["VAL_RISING"] == "warning"
    assert ids["TOO_SHORT"] == "info"


def risen(by, *, after=(), gap=0.0, seed=0):
    """Return a curve that falls for 15 epochs and then rises by so much, with its training.

    Args:
        by: How much higher its last seven readings are, in scatters of one.
        after: What is added to the last readings, in scatters.
        gap: How far training has come below validation at the end, as a share.
        seed: Of the noise.
    """
    noise = 0.01
    draw = np.random.default_rng(seed)
    trend = 1.0 + np.r_[1.0 * 0.7 ** np.arange(15.0), np.zeros(10)]
    values = trend + noise * draw.standard_normal(25)
    values[15:] += by * noise * np.minimum(np.arange(1.0, 11.0) / 4.0, 1.0)
    values[25 - len(after) :] += noise * np.asarray(after)
    train = trend * (1.0 - gap * np.linspace(0.0, 1.0, 25)) if gap else None
    return curve(values, train)


def test_a_rise_that_comes_back_by_a_trifle_is_overfitting():
    trifle, most = tuple(-np.linspace(0.0, 3.0, 6)), tuple(-np.linspace(0.0, 15.0, 8))
    for after, fewest, largest in ((trifle, 18, 20), (most, 0, 1)):
        found = [judge(risen(20.0, after=after, seed=i)).verdict for i in range(20)]
        assert fewest <= found.count("overfitting") <= largest


def test_where_examples_are_remembered_a_smaller_rise_is_believed():
    found = {
        (by, gap): [judge(risen(by, gap=gap, seed=i)).verdict for i in range(40)].count(
            "overfitting"
        )
        for by in (0.0, 4.0) for gap in (0.2, 0.8)
    }  # fmt: skip
    assert found[4.0, 0.8] >= found[4.0, 0.2] + 8
    assert found[0.0, 0.8] <= 1


def test_an_exactly_straight_curve_has_no_noise_and_is_still_falling():
    found = judge(curve(4.0 - 0.01 * np.arange(60.0)))
    assert found.verdict == "underfitting"
    deviation, correlation = noise_of(4.0 - 0.01 * np.arange(60.0))
    assert deviation < 1e-12
    assert correlation == 0.0


def test_zeros_before_the_first_evaluation_are_no_loss():
    values = np.r_[0.0, 0.0, falling(30)]
    found = judge(curve(values))
    assert found.verdict == judge(curve(falling(30))).verdict
    assert found.best > 0.0
    # A loss that does reach zero has reached it.
    assert judge(curve(np.r_[falling(10), np.zeros(5)])).best == 0.0


def of_cycles(count, *, length=12):
    """Make losses that fall as the rate does, and rise where it begins again (SGDR)."""
    place = np.arange(count) % length / length
    rate = 1e-3 * 0.5 * (1.0 + np.cos(np.pi * place))
    return 1.0 - 0.1 * (np.arange(count) // length) ** 0.5 + 300.0 * rate, rate


def test_a_cycle_of_the_learning_rate_is_judged_at_its_end():
    losses, rates = of_cycles(42)  # the fourth cycle has come to its middle
    losses += 0.05 * np.random.default_rng(1).standard_normal(losses.size)
    assert judge(curve(losses)).verdict == "plateau"
    going = judge(curve(losses, rate=rates))
    assert going.verdict == "healthy"
    assert "has gone up again, at epoch 37" in going.reason
    at = np.arange(1.0, 37.0)  # three whole cycles
    assert cycle_begun(Series(at, rates[:36])) is None
    assert cycle_begun(Series(at[:20], rates[:20])) == 13.0


def test_a_warm_up_is_no_second_cycle():
    rates = np.r_[np.linspace(0.0, 1e-3, 10), np.full(30, 1e-3)]
    flat = 1.0 + 0.01 * np.random.default_rng(2).standard_normal(40)
    assert judge(curve(flat, rate=rates)).verdict == "plateau"


def test_a_run_has_no_forecast_where_twice_its_length_is_no_number():
    long = replace(curve(falling()), axis="step")
    far = Series(long.validation.at / 40.0 * 1.7e308, long.validation.value)
    found = judge(replace(long, validation=far))
    assert found.doubling is None
    assert found.points == 40


def test_no_run_is_lost_whose_validation_is_at_its_best():
    sizes = np.arange(20.0)
    validation, training = 3.0 - 0.1 * sizes, 0.05 + 0.04 * sizes  # each row has more data to fit
    assert judge(curve(validation, training)).verdict != "diverged"
    lost = np.r_[validation[:15], validation[14] + 0.5 * np.arange(5)]
    assert judge(curve(lost, np.r_[training[:15][::-1], np.full(5, 4.0)])).verdict == "diverged"


def test_few_readings_say_how_far_the_last_is_from_the_best():
    found = judge(curve([0.5, 0.26, 0.4, 0.7], [0.5, 0.2, 0.1, 0.05]))
    assert "the last is 0.44 above the best, of epoch 2" in found.reason
    assert "GAP_GROWS" not in found.notes
    assert "above the best" not in judge(curve([0.5, 0.4, 0.3, 0.2])).reason


def test_an_error_that_still_falls_beside_a_level_loss_is_told(tmp_path):
    draw = np.random.default_rng(3)
    rows = ["step,Training Loss,Validation Loss,Wer"] + [
        f"{200 * i},{4 / i:.4f},{0.6 + 3 / i**2 + 0.02 * draw.standard_normal():.4f},"
        f"{50 - 1.5 * i + 0.3 * draw.standard_normal():.3f}"
        for i in range(1, 21)
    ]
    path = tmp_path / "card.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    (one,) = load_curves([str(path)]).curves
    found = judge(one)
    assert found.verdict == "plateau"
    assert "SKILL_STILL_GROWS" in found.notes
    assert one.accuracy.value[0] == pytest.approx(-48.5, abs=1.0)
    level = replace(one, accuracy=Series(one.accuracy.at, draw.standard_normal(20)))
    assert "SKILL_STILL_GROWS" not in judge(level).notes
    # Beside a training loss such an error is one of training as well.
    path.write_text("\n".join(rows).replace("Validation ", "Other "), encoding="utf-8")
    assert not any(len(each.accuracy) for each in load_curves([str(path)]).curves)
