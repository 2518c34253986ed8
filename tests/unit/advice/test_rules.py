"""Each rule speaks when it should, with its numbers, and is silent otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records_for_tests import BESIROGLU, fit_like, score_fit

from scaleplan.advice import fit_notes, forecast_notes
from scaleplan.planning.forecast import forecast
from scaleplan.records import Candidate, Widening


def ids_at(fit, **points):
    result = forecast(fit, **{name: [value] for name, value in points.items()})
    return {note.id: note for note in forecast_notes(result, fit)}


def test_an_optimal_run_inside_the_data_is_left_alone():
    assert ids_at(fit_like(), flops=1e21).keys() == {"BALANCED"}


@pytest.mark.parametrize(
    ("flops", "severity"), [(1e23, "info"), (1e24, "warning"), (1e26, "error")]
)
def test_extrapolation_grows_graver(flops, severity):
    note = ids_at(fit_like(), flops=flops)["EXTRAPOLATION"]
    assert note.severity == severity
    assert dict(note.numbers)["decades_beyond_data"] > 0.5


def test_beyond_the_back_test():
    assert "BEYOND_BACKTEST" in ids_at(fit_like(), flops=1e25)
    assert "BEYOND_BACKTEST" not in ids_at(fit_like(), flops=1e23)


def test_gopher_is_too_large_and_wastes_half_its_compute():
    notes = ids_at(BESIROGLU, params=280e9, tokens=300e9)
    assert notes["DATA_LIMITED"].severity == "warning"
    assert dict(notes["COMPUTE_WASTE"].numbers)["compute_ratio"] == pytest.approx(2.012, rel=1e-3)


def test_a_small_over_trained_model_is_capacity_limited():
    notes = ids_at(BESIROGLU, params=1e9, tokens=1e12)
    assert notes["CAPACITY_LIMITED"].severity == "warning"
    assert "DATA_LIMITED" not in notes


def test_chinchilla_itself_is_near_its_optimum():
    notes = ids_at(BESIROGLU, params=70e9, tokens=1.4e12)
    assert not {"CAPACITY_LIMITED", "DATA_LIMITED", "COMPUTE_WASTE"} & notes.keys()


def test_a_performance_above_one_cannot_be_an_accuracy():
    fit = score_fit()
    assert "cannot be an accuracy" in ids_at(fit, inputs=100.0)["SCORE_ABOVE_ONE"].text
    assert "SCORE_ABOVE_ONE" not in ids_at(fit, inputs=2.0)


def test_a_line_that_leaves_the_range_of_an_accuracy():
    fit = score_fit()
    fit = replace(fit, metric=replace(fit.metric, kind="accuracy"))
    note = ids_at(fit, inputs=100.0)["OUTSIDE_RANGE"]
    assert note.severity == "error"


def test_no_interval_is_said():
    fit = replace(BESIROGLU, main=replace(BESIROGLU.main, covariance=None))
    assert "NO_INTERVAL" in ids_at(fit, params=1e9, tokens=2e10)


def rejected(law, used):
    return Candidate(
        law=law, rmse_log=0.1, aicc=50.0, backtest_rmse_log=0.2, verdict="rejected",
        reason="asked for; but the runs curve away" if used else "the runs curve away",
    )  # fmt: skip


def test_a_rejected_line_is_said_aloud():
    note = next(n for n in fit_notes(fit_like(candidates=(rejected("linear", used=False),))))
    assert (note.id, note.severity) == ("LINEAR_REJECTED", "info")
    used = replace(score_fit(), candidates=(rejected("linear", used=True),))
    note = next(n for n in fit_notes(used) if n.id == "LINEAR_REJECTED")
    assert note.severity == "warning"
    assert "asked for" in note.text


def ids(fit):
    return {note.id for note in fit_notes(fit)}


def test_a_sound_fit_is_left_alone():
    assert ids(fit_like()) == set()


def test_few_runs():
    fit = fit_like()
    assert "FEW_RUNS" in ids(replace(fit, quality=replace(fit.quality, runs=7)))


def test_unknown_floor():
    fit = fit_like()
    zero = (replace(fit.parameters[0], value=0.0, low=0.0, high=1.0), *fit.parameters[1:])
    wide = (replace(fit.parameters[0], low=0.1, high=3.0), *fit.parameters[1:])
    assert "FLOOR_UNIDENTIFIED" in ids(replace(fit, parameters=zero))
    assert "FLOOR_UNIDENTIFIED" in ids(replace(fit, parameters=wide))


def test_disagreeing_starts():
    fit = fit_like()
    assert "STARTS_DISAGREE" in ids(replace(fit, quality=replace(fit.quality, starts_agreeing=1)))


def test_parameter_at_a_bound():
    fit = fit_like()
    moved = (*fit.parameters[:4], replace(fit.parameters[4], at_bound=True))
    assert "AT_BOUND" in ids(replace(fit, parameters=moved))


def test_no_back_test():
    none = Widening(
        share=0.125, change=0.15, weights=(1.0,), decades_tested=0.0, cuts=0, errors=0,
        median_error=None,
    )  # fmt: skip
    assert "NO_BACKTEST" in ids(fit_like(widening=none))
