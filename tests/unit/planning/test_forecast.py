"""Points of a forecast, and the plan that is assembled around one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_for_tests import BESIROGLU, fit_like, score_fit

from scaleplan.errors import PlanError, UsageError
from scaleplan.fitting.interval import quadratic_form
from scaleplan.planning.allocation import marginal_ratio, optimal_split
from scaleplan.planning.forecast import forecast
from scaleplan.records import Metric


def test_every_combination_of_params_and_tokens():
    points = forecast(BESIROGLU, params=[1e9, 2e9], tokens=[1e10, 2e10, 3e10]).points
    assert [(p.params, p.tokens) for p in points][:4] == [
        (1e9, 1e10), (1e9, 2e10), (1e9, 3e10), (2e9, 1e10)
    ]  # fmt: skip
    assert all(p.flops == pytest.approx(6 * p.params * p.tokens) for p in points)


@pytest.mark.parametrize("given", ["params", "tokens"])
def test_flops_and_one_other_give_the_third(given):
    point = forecast(BESIROGLU, flops=[6e20], **{given: [1e10]}).points[0]
    assert (point.params, point.tokens) == pytest.approx((1e10, 1e10))


def test_flops_alone_give_the_optimum():
    point = forecast(BESIROGLU, flops=[1e22]).points[0]
    assert (point.params, point.tokens) == pytest.approx(optimal_split(BESIROGLU, 1e22))
    assert marginal_ratio(BESIROGLU, point.params, point.tokens) == pytest.approx(1.0)


def test_a_single_input_law():
    point = forecast(score_fit(), inputs=[100.0]).points[0]
    assert point.value == pytest.approx(10.5)
    assert point.input_value == 100.0


@pytest.mark.parametrize(
    ("points", "match"),
    [
        ({}, "needs params and tokens"),
        ({"params": [1e9]}, "needs tokens"),
        ({"inputs": [1.0]}, "needs params and tokens"),
        ({"params": [1e9], "tokens": [1e10], "flops": [1e20]}, "same thing twice"),
    ],
)
def test_points_that_do_not_suit_the_law(points, match):
    with pytest.raises(UsageError, match=match) as caught:
        forecast(BESIROGLU, **points)
    assert caught.value.hint


def test_a_refused_allocation_has_no_optimum():
    from scaleplan.records import Note

    fit = replace(BESIROGLU, notes=(Note(id="ALLOCATION_REFUSED", severity="error", text="no"),))
    with pytest.raises(UsageError, match="no compute-optimal size"):
        forecast(fit, flops=[1e22])


def test_an_accuracy_is_the_complement_of_what_was_fitted():
    fit = fit_like(complement=True)
    fit = replace(fit, metric=replace(fit.metric, kind="accuracy", name="top1"))
    fit = replace(fit, main=replace(fit.main, theta=(0.1, 20.0, 0.3, 30.0, 0.3)))
    point = forecast(fit, params=[1e9], tokens=[1e10]).points[0]
    assert point.value == pytest.approx(1 - (0.1 + 20 * 1e9**-0.3 + 30 * 1e10**-0.3))
    assert 0.0 <= point.low <= point.value <= point.high <= 1.0


@given(params=st.floats(1e6, 1e12), tokens=st.floats(1e7, 1e13), more=st.floats(1.01, 100.0))
@settings(max_examples=60)
def test_more_is_never_worse_and_intervals_hold_the_value(params, tokens, more):
    fit = fit_like()
    point = forecast(fit, params=[params], tokens=[tokens]).points[0]
    assert point.low < point.value < point.high
    assert forecast(fit, params=[params * more], tokens=[tokens]).points[0].value < point.value
    assert forecast(fit, params=[params], tokens=[tokens * more]).points[0].value < point.value


@given(flops=st.floats(1e15, 1e28), more=st.floats(1.01, 1e3))
@settings(max_examples=40)
def test_a_larger_budget_is_never_worse(flops, more):
    one = forecast(BESIROGLU, flops=[flops]).points[0]
    two = forecast(BESIROGLU, flops=[flops * more]).points[0]
    assert two.value < one.value
    assert 6 * one.params * one.tokens == pytest.approx(flops)


def test_intervals_widen_with_distance():
    fit = fit_like()
    widths = []
    for flops in (1e22, 1e23, 1e24, 1e25):
        point = forecast(fit, flops=[flops]).points[0]
        widths.append(point.high / point.low)
    assert widths == sorted(widths)


def test_quadratic_form():
    assert quadratic_form(((2.0, 1.0), (1.0, 3.0)), (1.0, -1.0)) == 3.0


def plan_for(fit, **changes):
    from scaleplan.catalog import default_accelerator
    from scaleplan.planning.assemble import assemble_plan

    options = {
        "params": 1e10, "active_params": None, "tokens": None, "flops": None, "ratio": None,
        "accelerators": [default_accelerator()], "gpus": [64, 1000], "mfu": None,
        "usd_per_hour": None, "batch_tokens": None, "sequence_length": 4096, "country": None,
        "pue": None,
    }  # fmt: skip
    return assemble_plan(fit, **{**options, **changes})


def test_the_bare_plan_takes_the_tokens_that_suit_its_size():
    plan = plan_for(BESIROGLU)
    assert marginal_ratio(BESIROGLU, plan.params, plan.tokens) == pytest.approx(1.0)
    assert plan.flops == pytest.approx(6 * plan.params * plan.tokens)
    assert plan.optimum.params == pytest.approx(1e10)
    assert plan.optimum.params_low < 1e10 < plan.optimum.params_high
    assert plan.optimum.params_valley_low < plan.optimum.params_low
    assert plan.optimum.value == pytest.approx(plan.forecast.points[0].value)
    assert [row.gpus for row in plan.rows] == [64, 1000]


def test_ways_to_size_a_plan():
    assert plan_for(BESIROGLU, ratio=20.0).tokens == pytest.approx(2e11)
    assert plan_for(BESIROGLU, flops=6e21).tokens == pytest.approx(1e11)
    assert plan_for(BESIROGLU, tokens=5e11).tokens == 5e11
    assert plan_for(BESIROGLU, params=None, flops=1e22).params == pytest.approx(
        optimal_split(BESIROGLU, 1e22)[0]
    )
    moe = plan_for(BESIROGLU, active_params=2e9, tokens=1e11)
    assert moe.flops == pytest.approx(6 * 2e9 * 1e11)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"tokens": 1e11, "ratio": 20.0}, "contradict"),
        ({"params": None}, "no model to plan"),
        ({"active_params": 2e10}, "more than --params"),
    ],
)
def test_plans_that_contradict_themselves(options, match):
    with pytest.raises(UsageError, match=match):
        plan_for(BESIROGLU, **options)


def test_a_law_of_another_column_cannot_plan():
    with pytest.raises(PlanError, match="a law of S"):
        plan_for(score_fit())


def test_the_mean_is_surer_than_one_new_run():
    point = forecast(BESIROGLU, params=[1e11], tokens=[1e12]).points[0]
    assert point.low < point.mean_low < point.value < point.mean_high < point.high


def test_the_mean_of_an_accuracy_is_turned_back_and_stays_in_range():
    metric = Metric(name="accuracy", kind="accuracy", unit="fraction")
    fit = fit_like(complement=True, metric=metric)
    theta = (0.1, 20.0, 0.3, 30.0, 0.3)
    fit = replace(fit, main=replace(fit.main, theta=theta))
    point = forecast(fit, params=[1e9], tokens=[1e11]).points[0]
    assert 0.0 <= point.mean_low < point.value < point.mean_high <= 1.0
    unknown = replace(fit, main=replace(fit.main, covariance=None))
    assert forecast(unknown, params=[1e9], tokens=[1e11]).points[0].mean_low is None


@pytest.mark.parametrize(("errors", "said"), [(1, "of 1 forecast up"), (3, "of 3 forecasts up")])
def test_the_interval_says_how_many_forecasts_it_rests_on(errors, said):
    fit = score_fit()
    widening = replace(fit.widening, errors=errors, decades_tested=0.3)
    interval = forecast(replace(fit, widening=widening), inputs=[100.0]).interval
    assert interval is not None
    assert f"a back-test {said} to 0.3 decades" in interval.method
