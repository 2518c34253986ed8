"""Which runs to train next: the design, its refusals, and what it expects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaleplan.catalog import accelerator, published_law
from scaleplan.errors import FitError, PlanError, UsageError
from scaleplan.laws import get_law
from scaleplan.planning.next_runs import plan_next
from scaleplan.planning.next_runs_beliefs import beliefs_at, form_of
from scaleplan.planning.next_runs_candidates import RunSet, candidates, naive_sets, runs_of
from scaleplan.planning.next_runs_design import Design
from scaleplan.planning.next_runs_expected import expected_fit, half_widths
from scaleplan.planning.next_runs_prior import prior_fit, sweep_centre
from scaleplan.planning.next_runs_rows import Cluster, learning_rate
from scaleplan.planning.next_runs_target import Request
from scaleplan.records import LawFit, Note, Range
from tests.unit.records_for_tests import fit_like

CLUSTER = Cluster(
    accelerator=accelerator("h100"), gpus=8, mfu=None, usd_per_hour=2.0, sequence_length=4096
)


def request(**changes) -> Request:
    base = Request(
        flops=1e20, usd=None, target_params=1e10, target_tokens=2e11, target_flops=None,
        cheapest=None, dearest=None, fewest=1, most=20, candidates=200, seed=0,
    )  # fmt: skip
    return replace(base, **changes)


def pilot_fit(**changes):
    """Return the published law as nine runs of 1e17 to 1e18 FLOP would know it."""
    theta = np.array([1.8172, 482.01, 0.3478, 2085.43, 0.3658])
    flops, ratio = np.repeat([1e17, 3e17, 1e18], 3), np.tile([5.0, 20.0, 80.0], 3)
    runs = runs_of(flops, ratio, 6.0)
    law = get_law("chinchilla")
    parts = [np.full(9, value) for value in theta]
    rows = np.stack(law.gradient(parts, [runs.params, runs.tokens]), axis=1)
    rows = rows / law.evaluate(parts, [runs.params, runs.tokens])[:, None]
    scaled = rows * theta
    inverse = np.linalg.inv(scaled.T @ scaled) * 0.005**2 * np.outer(theta, theta)
    main = LawFit(
        law="chinchilla", theta=tuple(map(float, theta)), noise=0.005, dof=4, residual="log",
        covariance=tuple(tuple(map(float, row)) for row in inverse),
    )  # fmt: skip
    ranges = tuple(
        Range(role=role, low=float(values.min()), high=float(values.max()))
        for role, values in (
            ("params", runs.params), ("tokens", runs.tokens), ("flops", runs.flops)
        )
    )  # fmt: skip
    return fit_like(main=main, ranges=ranges, **changes)


def test_the_plan_keeps_to_its_budget_and_its_limits():
    fit = pilot_fit()
    plan = plan_next(fit, request(flops=2e19), CLUSTER)
    assert 0.9 * 2e19 < sum(run.flops for run in plan.runs) <= 2e19
    assert sum(run.share for run in plan.runs) == pytest.approx(1.0)
    assert len(plan.runs) <= 20
    anchor = [run for run in plan.runs if run.role == "anchor"]
    assert len(anchor) == 1
    assert anchor[0].flops >= 0.79 * 2e19
    assert anchor[0].tokens / anchor[0].params == pytest.approx(20.0, rel=0.02)
    for run in plan.runs:
        assert 0.98e16 <= run.flops < plan.target_flops
        assert run.params >= 0.099 * 14.4e6
        assert run.tokens >= 0.099 * 289e6
        assert run.flops == pytest.approx(6.0 * run.params * run.tokens)
        assert run.usd == pytest.approx(2.0 * run.gpu_hours)
        assert run.hours == pytest.approx(run.gpu_hours / 8)
        assert run.steps * run.batch_tokens == pytest.approx(run.tokens, rel=0.02)


def test_runs_smaller_than_the_fitted_ones_are_proposed_named_and_can_be_ruled_out():
    fit = pilot_fit()
    plan = plan_next(fit, request(flops=2e19, most=30), CLUSTER)
    small = [run for run in plan.runs if run.flops < 0.99e17]
    assert len(small) > 10
    assert sum(run.share for run in small) < 0.1
    note = next(note for note in plan.notes if note.id == "BELOW_THE_RUNS")
    assert dict(note.numbers)["runs"] >= len(small)
    assert "fit --update" in note.action
    none = plan_next(fit, request(flops=2e19, most=30, cheapest=1e17), CLUSTER)
    assert all(run.flops > 0.98e17 for run in none.runs)
    assert plan.law_half_width_after < none.law_half_width_after


def test_the_law_gets_surer_than_by_any_naive_plan_and_each_run_helps():
    plan = plan_next(pilot_fit(), request(flops=2e19), CLUSTER)
    assert plan.law_half_width_after < 0.5 * plan.law_half_width_before
    assert plan.half_width_after < plan.half_width_before
    ladder = next(one for one in plan.alternatives if one.name == "ladder")
    assert plan.law_half_width_after < 0.6 * ladder.law_half_width
    for run in plan.runs:
        assert run.law_half_width_without > plan.law_half_width_after
    # Not worse than the best of them by the interval of a run, which the form's error dominates.
    assert plan.half_width_after < 1.05 * min(one.half_width for one in plan.alternatives)


def test_the_same_seed_gives_the_same_plan():
    plans = [plan_next(pilot_fit(), request(seed=3), CLUSTER) for _ in range(2)]
    assert plans[0] == plans[1]


def test_dollars_are_kept_to():
    plan = plan_next(pilot_fit(), request(flops=None, usd=300.0), CLUSTER)
    assert 0.9 * 300.0 < sum(run.usd for run in plan.runs) <= 300.0


def test_updates_in_the_space_of_candidates_are_those_of_least_squares():
    form = form_of(pilot_fit().main, value=2.0, weight=1.0)
    pool = candidates(cheapest=1e17, dearest=1e19, ratio=20.0, count=50, flops_per_param_token=6.0)
    beliefs = beliefs_at([form], pool.params, pool.tokens, target=(1e10, 2e11), seed=0, draws=0)
    design = Design(beliefs)
    chosen = [3, 17, 30]
    for at in chosen:
        design.add(at)
    rows = beliefs.rows[0][chosen]
    after = np.linalg.inv(np.eye(5) + rows.T @ rows / 0.005**2)
    target = beliefs.target[0]
    assert design.expected_variance() == pytest.approx(float(target @ after @ target), rel=1e-6)


def test_expected_covariance_is_that_of_all_runs_together():
    fit = pilot_fit()
    more = runs_of(np.array([1e18, 1e19]), np.array([10.0, 40.0]), 6.0)
    once = expected_fit(fit, more)
    twice = expected_fit(expected_fit(fit, more.take([0])), more.take([1]))
    assert np.allclose(once.main.covariance, twice.main.covariance, rtol=1e-5)
    assert once.main.dof == fit.main.dof + 2
    assert next(r for r in once.ranges if r.role == "flops").high == pytest.approx(1e19, rel=0.01)
    assert half_widths(once, 1e10, 2e11).law < half_widths(fit, 1e10, 2e11).law
    assert expected_fit(fit, more.take([])) is fit


def test_naive_plans_cost_what_the_budget_pays():
    for _, _, runs in naive_sets(1e20, ratio=20.0, flops_per_param_token=6.0, dearest=1e30):
        assert 0.97e20 < runs.flops.sum() <= 1e20 * (1.0 + 1e-9)


def test_runs_are_rounded_to_three_digits_and_never_dearer():
    flops = np.geomspace(1e15, 1e25, 200)
    runs = runs_of(flops, np.full(200, 20.0), 6.0)
    assert (runs.flops <= flops * (1.0 + 1e-9)).all()
    assert (runs.flops >= 0.98 * flops).all()
    assert all(float(f"{value:.2e}") == pytest.approx(value) for value in runs.params)


def test_learning_rate_follows_the_step_law_and_stops_at_the_ends_of_its_grid():
    assert learning_rate(1e9, 2e10) == pytest.approx(1.79 * 1e9**-0.713 * 2e10**0.307, rel=0.01)
    assert learning_rate(1e6, 2e10) == learning_rate(2e8, 2e10)
    assert learning_rate(1e9, 1e13) == learning_rate(1e9, 1e11)


def test_a_first_sweep_from_a_prior_has_enough_runs():
    published = published_law("besiroglu")
    fit = prior_fit(published, centre=sweep_centre(published, 1e18, 1e20))
    plan = plan_next(fit, request(cheapest=1e18, fewest=8, target_params=None, target_tokens=None),
                     CLUSTER)  # fmt: skip
    assert len(plan.runs) >= 8
    assert plan.target_flops == pytest.approx(1e22)
    ratios = [run.tokens / run.params for run in plan.runs]
    assert max(ratios) / min(ratios) > 10.0


def test_refusals():
    fit = pilot_fit()
    with pytest.raises(PlanError, match="below the cheapest run"):
        plan_next(fit, request(flops=1e15), CLUSTER)
    with pytest.raises(PlanError, match="inside the fitted runs"):
        plan_next(fit, request(target_params=8e7, target_tokens=1e9, flops=1e19), CLUSTER)
    with pytest.raises(UsageError, match="lacks --target-tokens"):
        plan_next(fit, request(target_tokens=None), CLUSTER)
    with pytest.raises(UsageError, match="more than anybody"):
        plan_next(fit, request(flops=1e300), CLUSTER)
    refused = Note(id="ALLOCATION_REFUSED", severity="error", text="one ray.")
    with pytest.raises(FitError, match="tell parameters from tokens"):
        plan_next(replace(fit, notes=(refused,)), request(), CLUSTER)
    with pytest.raises(FitError, match="how surely"):
        plan_next(replace(fit, main=replace(fit.main, covariance=None)), request(), CLUSTER)
    with pytest.raises(FitError, match="exactly"):
        plan_next(replace(fit, main=replace(fit.main, noise=0.0)), request(), CLUSTER)
    single = replace(fit, inputs=("flops",), input_columns=("flops",))
    with pytest.raises(FitError, match="cannot follow"):
        plan_next(single, request(), CLUSTER)


def test_a_budget_that_pays_for_the_target_is_said():
    plan = plan_next(pilot_fit(), request(flops=1e24), CLUSTER)
    assert "BUDGET_REACHES_TARGET" in {note.id for note in plan.notes}
    assert all(run.flops <= 0.5 * plan.target_flops for run in plan.runs)


def test_taking_none_of_the_runs_leaves_none():
    runs = RunSet(np.ones(2), np.ones(2), np.ones(2))
    assert len(runs.take([])) == 0
