from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scaleplan.advice.sizes import size_notes
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.allocation import marginal_ratio
from scaleplan.planning.sizes import Limit, size_plan
from scaleplan.records import GapFit, Interval
from tests.unit.records_for_tests import BESIROGLU, fit_like, score_fit

DATA = {"tokens": 2e11}


def gap_of(c=1e-5, d=0.3, curvature=None):
    return GapFit(
        formula="G", inputs=("params",), input_columns=("params",), parameters=(),
        theta=(math.log(c), d), covariance=((0.0, 0.0), (0.0, 0.0)), dof=8,
        scatter=0.1, relative=True, runs=10, not_positive=0, curvature_p=curvature,
        interval=Interval(level=0.9, method="least squares", n=10),
    )  # fmt: skip


def plan_with(gap, limit=0.01, relative=False, **more):
    fit = fit_like()
    return size_plan(fit, gap, data=DATA, limit=Limit(value=limit, relative=relative), **more)


def test_ends_are_where_the_rules_turn():
    plan = plan_with(gap_of())
    assert plan.params_low is not None
    assert marginal_ratio(BESIROGLU, plan.params_low, 2e11) == pytest.approx(2.0)
    assert plan.params_high == pytest.approx((0.01 / 1e-5) ** (1 / 0.3), rel=1e-6)
    assert plan.possible


def test_verdicts_follow_the_ends():
    plan = plan_with(gap_of(), params=(1e8, 5e9, 1e12))
    low, good, high = plan.rows
    assert (low.verdict, high.verdict) == ("underfit", "overfit")
    assert good.verdict == "good"
    assert low.gap == pytest.approx(1e-5 * 1e8**0.3)
    ids = [note.id for note in size_notes(plan)]
    assert ids == ["GAP_LARGE"]


def test_a_relative_limit_is_a_share_of_the_metric():
    plan = plan_with(gap_of(), limit=0.004, relative=True, params=(1e10,))
    at = plan.params_high
    fit = fit_like()
    from scaleplan.planning.forecast import forecast_at

    value = forecast_at(fit, {"params": at, "tokens": 2e11}).value
    assert 1e-5 * at**0.3 == pytest.approx(0.004 * value, rel=1e-6)


def test_no_good_size_is_said():
    plan = plan_with(gap_of(c=1e-3))
    assert not plan.possible
    assert "NO_GOOD_SIZE" in [note.id for note in size_notes(plan)]


def test_without_a_gap_large_models_are_data_limited():
    plan = plan_with(None, params=(1e12,))
    assert plan.rows[0].verdict == "data-limited"
    assert plan.params_high is None
    assert plan.possible


def test_a_rejected_form_is_said():
    notes = list(size_notes(plan_with(gap_of(curvature=0.001))))
    assert "GAP_FORM_REJECTED" in [note.id for note in notes]


def test_a_law_without_size_is_refused():
    limit = Limit(value=0.1, relative=True)
    with pytest.raises(PlanError, match="not of params"):
        size_plan(score_fit(), None, data={}, limit=limit)
    with pytest.raises(UsageError, match="data set is not known: tokens"):
        size_plan(fit_like(), None, data={}, limit=limit)


def test_a_law_of_size_alone_is_judged_by_doublings():
    main = replace(
        BESIROGLU.main, law="power_floor", theta=(1.5, 50.0, 0.3),
        covariance=tuple((0.0,) * 3 for _ in range(3)),
    )  # fmt: skip
    fit = fit_like(law="power_floor", inputs=("params",), input_columns=("params",), main=main)
    plan = size_plan(fit, None, data={}, limit=Limit(value=0.1, relative=True), params=(1e6, 1e12))
    assert [row.verdict for row in plan.rows] == ["underfit", "good"]
    assert [row.marginal_ratio for row in plan.rows] == [None, None]


def test_a_gap_above_the_loss_itself_is_said():
    plan = plan_with(gap_of(c=1e-3, d=0.4), params=(1e7, 1e9, 1e10))
    assert [row.gap > row.value for row in plan.rows] == [False, True, True]
    (note,) = [note for note in size_notes(plan) if note.id == "GAP_IMPOSSIBLE"]
    assert "At 1.00B parameters and more" in note.text
    assert "on the training data would be below 0" in note.text
    inside = plan_with(gap_of(c=1e-3, d=0.4), params=(1e7,))
    assert "GAP_IMPOSSIBLE" not in [note.id for note in size_notes(inside)]


def test_a_gap_that_takes_an_accuracy_above_one_is_said():
    plan = plan_with(gap_of(c=1e-3, d=0.4), params=(1e5, 1e10))
    rows = tuple(replace(row, value=0.8) for row in plan.rows)
    metric = replace(plan.metric, name="accuracy", kind="accuracy", unit="fraction")
    found = list(size_notes(replace(plan, rows=rows, metric=metric)))
    (note,) = [note for note in found if note.id == "GAP_IMPOSSIBLE"]
    assert "At 10.0B parameters the gap" in note.text
    assert "accuracy on the training data would be above 1" in note.text
