"""Each rule speaks when it should, with its numbers, and is silent otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records_for_tests import BESIROGLU, fit_like, score_fit

from scaleplan.advice import fit_notes, forecast_notes
from scaleplan.advice.explanations import explanation
from scaleplan.planning.forecast import forecast
from scaleplan.records import (
    AllocationApproach,
    Candidate,
    Identifiability,
    Influence,
    IsoflopMinimum,
    LawFit,
    Metric,
    ObjectiveRow,
    OptimumRow,
    PureError,
    Range,
    SizeAt,
    Widening,
)


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


@pytest.mark.parametrize(
    "reason",
    [
        "it would reach 0 at 2.5 times the largest input, as no run can",
        "on larger runs its error is 2.1 times the power law's",
        "a straight line in params follows the metric no better than a constant does (p = 0.7)",
    ],
)
def test_what_no_test_says_is_no_rejection_by_the_runs(reason):
    line = replace(rejected("linear", used=False), reason=reason)
    (note,) = (n for n in fit_notes(fit_like(candidates=(line,))))
    assert note.id == "LINEAR_NO_FORECAST"
    assert "rejected by these runs" not in note.text
    assert reason in note.text
    assert explanation(note.id).id == note.id


def test_the_best_law_of_all_is_not_sent_back_to_the_others():
    best = replace(
        rejected("linear", used=True),
        aicc=0.0,
        reason="asked for; but on larger runs its error is 3.9 times the best law's",
    )
    used = replace(score_fit(), candidates=(best,))
    note = next(n for n in fit_notes(used) if n.id == "LINEAR_REJECTED")
    assert "better than all others" in note.text
    assert "auto" not in note.action
    bent = replace(best, reason="asked for; but the runs curve away")
    note = next(
        n for n in fit_notes(replace(used, candidates=(bent,))) if n.id == "LINEAR_REJECTED"
    )
    assert "curve away" in note.text
    assert "better than all others" not in note.text


def ids(fit):
    return {note.id for note in fit_notes(fit)}


def test_a_sound_fit_is_left_alone():
    assert ids(fit_like()) == set()


def test_few_runs():
    fit = fit_like()
    assert "FEW_RUNS" in ids(replace(fit, quality=replace(fit.quality, runs=7)))


def designed(**changes):
    found = Identifiability(
        decades=(("params", 2.5), ("tokens", 2.8), ("tokens_per_param", 3.0)), correlation=0.3,
        relative_error=0.05, relative_error_of="alpha", starts_objective=1e-12, starts_params=1e-9,
    )  # fmt: skip
    fit = fit_like()
    return replace(fit, quality=replace(fit.quality, identifiability=replace(found, **changes)))


def test_a_broad_design_is_left_alone():
    assert ids(designed()) == set()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"decades": (("params", 0.9), ("tokens", 2.0))}, "NARROW_RANGE"),
        ({"decades": (("params", 2.0), ("tokens", 0.5))}, "NARROW_RANGE"),
        ({"decades": (("params", 2.0), ("tokens", 2.0), ("tokens_per_param", 0.2))},
         "NARROW_RATIOS"),
        ({"correlation": 0.98}, "NEARLY_COLLINEAR"),
        ({"correlation": -0.98}, "NEARLY_COLLINEAR"),
        ({"starts_objective": 1e-3}, "STARTS_DISAGREE"),
        ({"starts_params": 0.2}, "STARTS_DISAGREE"),
    ],
)  # fmt: skip
def test_a_poor_design_is_warned_about(changes, rule):
    assert ids(designed(**changes)) == {rule}


@pytest.mark.parametrize(("width", "differs"), [(1.1, True), (1.5, False)])
def test_objectives_differ_by_more_than_the_interval_explains(width, differs):
    rows = tuple(
        ObjectiveRow(
            objective=name, used=name == "one", flops=1e24, params=params, tokens=1e12,
            input_value=None, value=2.0,
        )
        for name, params in (("one", 1e11), ("other", 1.4e11))
    )  # fmt: skip
    at = OptimumRow(
        flops=1e24, params=1e11, params_low=1e11 / width, params_high=1e11 * width, tokens=1e12,
        value=2.0, low=None, high=None,
    )  # fmt: skip
    found = ids(fit_like(objectives=rows, optimum=(at,)))
    assert ("OBJECTIVE_MATTERS" in found) is differs


def influenced(*found):
    return fit_like(
        influences=tuple(
            Influence(
                without=name,
                runs=runs,
                at_flops=1e24,
                params=1e11,
                params_without=without,
                refitted=50,
            )
            for name, runs, without in found
        )
    )


def test_runs_that_move_the_optimum_are_named_from_and_to():
    fit = influenced(("run-3", 1, 2e11), ("the 9 runs with the most tokens", 9, None))
    notes = {note.id: note for note in fit_notes(fit)}
    assert "without run-3 it goes from 100B to 200B (+100%)" in notes["INFLUENTIAL_RUN"].text
    assert "does not tell it" in notes["INFLUENTIAL_TAIL"].text
    assert dict(notes["INFLUENTIAL_RUN"].numbers)["params_without"] == 2e11
    assert "50 of 240 runs, chosen by a first-order estimate" in notes["INFLUENTIAL_RUN"].text


@pytest.mark.parametrize(
    ("p", "rule"), [(1e-4, "LACK_OF_FIT"), (0.5, "PURE_ERROR"), (None, "PURE_ERROR")]
)
def test_replicates(p, rule):
    fit = fit_like()
    found = PureError(runs=12, groups=4, scatter=0.004, relative=True, lack_of_fit_p=p)
    assert ids(replace(fit, quality=replace(fit.quality, pure_error=found))) == {rule}


def approach(number, exponent, width, sizes):
    return AllocationApproach(
        approach=number, points=10, params_exponent=exponent, params_exponent_low=exponent - width,
        params_exponent_high=exponent + width, tokens_exponent=1 - exponent,
        tokens_exponent_low=1 - exponent - width, tokens_exponent_high=1 - exponent + width,
        sizes=tuple(SizeAt(flops=c, params=n, tokens=c / 6 / n) for c, n in sizes),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("second", "third", "differ"),
    [
        (approach(2, 0.5, 0.01, [(1e21, 1e9), (1e24, 3e10)]),
         approach(3, 0.5, 0.01, [(1e21, 1.1e9), (1e24, 3.3e10)]), False),
        (approach(2, 0.5, 0.01, [(1e21, 1e9), (1e24, 3e10)]),
         approach(3, 0.5, 0.01, [(1e21, 1.2e9), (1e24, 3.6e10)]), True),
        # Far beyond the data a difference counts only where the exponents differ surely.
        (approach(2, 0.5, 0.03, [(1e21, 1e9), (1e24, 3e10)]),
         approach(3, 0.53, 0.03, [(1e21, 1.1e9), (1e24, 4e10)]), False),
        (approach(2, 0.5, 0.01, [(1e21, 1e9), (1e24, 3e10)]),
         approach(3, 0.53, 0.01, [(1e21, 1.1e9), (1e24, 4e10)]), True),
    ],
)  # fmt: skip
def test_approaches_that_differ(second, third, differ):
    assert ("APPROACHES_DIFFER" in ids(fit_like(approaches=(second, third)))) is differ


@pytest.mark.parametrize(
    ("status", "rule"),
    [("edge", "ISOFLOP_EDGE"), ("maximum", "ISOFLOP_MAXIMUM"), ("few sizes", "ISOFLOP_FEW_SIZES")],
)
def test_minima_that_could_not_be_placed(status, rule):
    one = IsoflopMinimum(
        budget_flops=1e20, runs=5, near=0, params=None, tokens=None, value=None, status=status
    )
    assert rule in ids(fit_like(isoflop=(one,)))


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


@pytest.mark.parametrize(("gain", "wrong"), [(-0.5, False), (0.5, True)])
def test_an_error_may_rise_with_the_loss_and_must_not_fall(gain, wrong):
    fit = fit_like(
        law="linear", inputs=("x",), input_columns=("loss",), parameters=(), alternatives=(),
        metric=Metric(name="error", kind="error", unit="fraction"),
        ranges=(Range(role="x", low=1.8, high=3.0),),
        main=LawFit(
            law="linear", theta=(-gain, 0.1 + 4.0 * max(gain, 0.0)),
            covariance=((0.0, 0.0), (0.0, 0.0)), noise=0.0, dof=5, residual="raw",
        ),
    )  # fmt: skip
    notes = [n for n in fit_notes(fit) if n.id == "WRONG_DIRECTION"]
    assert bool(notes) is wrong
    assert all("runs of lower loss are worse" in note.text for note in notes)


@pytest.mark.parametrize(("law", "advice"), [("chinchilla", "coupled"), ("power", "compare")])
def test_a_lack_of_fit_names_a_law_of_the_same_inputs(law, advice):
    fit = fit_like(law=law)
    found = PureError(runs=12, groups=4, scatter=0.004, relative=True, lack_of_fit_p=1e-4)
    notes = fit_notes(replace(fit, quality=replace(fit.quality, pure_error=found), ranges=()))
    note = next(n for n in notes if n.id == "LACK_OF_FIT")
    assert advice in note.action


def parameters_with(low, high, value=1.0, symbol="alpha"):
    fit = fit_like()
    parameters = tuple(p for p in fit.parameters if p.symbol != symbol)
    return replace(
        fit,
        parameters=(
            *parameters,
            replace(fit.parameters[1], symbol=symbol, value=value, low=low, high=high),
        ),
    )


@pytest.mark.parametrize(
    ("low", "high", "value", "warned"),
    [
        (1e-3, 1e4, 1.0, True),
        (1e-2, 1e3, 1.0, False),
        (-3.0, 3.0, 1.0, True),
        (-0.5, 2.0, 1.0, False),
        (-1.0, 1.0, 0.0, False),
        (None, None, 1.0, False),
    ],
)
def test_open_parameters_are_named(low, high, value, warned):
    notes = [n for n in fit_notes(parameters_with(low, high, value)) if "UNDETERMINED" in n.id]
    assert bool(notes) is warned
    if warned:
        assert "alpha (" in notes[0].text
