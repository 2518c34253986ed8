"""Refits of resamples look at the runs that were drawn, and end where fits to those alone end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.curved_runs import FittedRuns, drawn
from scaleplan.laws import get_law

DELTA, RUNS, REFITS = 5e-3, 60, 12
LAWS = {
    "broken": (0.1, 3.0, 0.1, 0.4, 1.0, 0.5),
    "coupled": (0.8, 0.9, 0.5, 0.7, 0.6, 0.8),
    "power_floor": (0.5, 0.8, 0.4),
}


def problem_of(name, *, sigma=0.01):
    law, random = get_law(name), np.random.default_rng(8)
    x = 10.0 ** random.uniform(-1.5, 1.5, (len(law.inputs), RUNS))
    values = law.evaluate([np.asarray(t) for t in LAWS[name]], list(x))
    return CurvedProblem.of(law, x, values * np.exp(sigma * random.standard_normal(RUNS)))


def resamples(seed=1):
    draws = np.random.default_rng(seed).integers(0, RUNS, (REFITS, RUNS))
    return np.stack([np.bincount(d, minlength=RUNS) for d in draws]).astype(float)


def best_of(problem):
    starts = problem.grid_starts(delta=DELTA)
    ends = problem.minimise(starts, delta=DELTA)
    return ends.phi[int(np.argmin(ends.objective))]


@pytest.mark.parametrize("name", LAWS)
def test_a_resample_ends_where_a_fit_to_its_runs_ends(name):
    problem, weights = problem_of(name), resamples()
    assert drawn(weights, RUNS) < RUNS
    ends = problem.minimise(np.tile(best_of(problem), (REFITS, 1)), delta=DELTA, weights=weights)
    assert ends.converged.all()
    for row, phi, value in zip(weights, ends.phi, ends.objective, strict=True):
        alone = problem.subset(np.repeat(np.arange(RUNS), row.astype(int)))
        found = alone.minimise(phi[None], delta=DELTA)
        assert value == pytest.approx(found.objective[0], rel=1e-6)


def test_a_resample_with_values_of_its_own_ends_where_a_fit_to_them_ends():
    problem, weights = problem_of("coupled"), resamples()
    noise = np.random.default_rng(3).standard_normal((REFITS, RUNS))
    values = problem.y + 0.01 * noise
    start = np.tile(best_of(problem), (REFITS, 1))
    ends = problem.minimise(start, delta=DELTA, weights=weights, values=values)
    for row, own, phi, value in zip(weights, values, ends.phi, ends.objective, strict=True):
        rows = np.repeat(np.arange(RUNS), row.astype(int))
        alone = replace(problem, y=own).subset(rows)
        found = alone.minimise(phi[None], delta=DELTA)
        assert value == pytest.approx(found.objective[0], rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.0, 30.0])
def test_no_refit_ends_above_the_start_that_all_share(share):
    # Also from starts that are no optimum, where a model of second order may lead astray.
    problem, weights = problem_of("broken"), resamples(seed=2)
    start = np.clip(
        best_of(problem) + share * np.array([0.1, 0.2, -0.05, 0.1, -0.3, 0.1]),
        problem.low, problem.high,
    )  # fmt: skip
    residual = problem.predictions(start[None])[0] - problem.y
    psi = np.clip(residual, -DELTA, DELTA)
    before = weights @ (psi * (residual - 0.5 * psi))
    ends = problem.minimise(np.tile(start, (REFITS, 1)), delta=DELTA, weights=weights)
    assert (ends.objective <= before).all()
    assert np.isfinite(ends.phi).all()


def test_runs_stay_with_their_fits_when_some_leave_and_others_come():
    problem, weights = problem_of("coupled"), resamples()
    count = drawn(weights, RUNS)
    every = FittedRuns.of(problem, weights, None, count)
    some = FittedRuns.of(problem, weights[:5], None, count).kept(np.array([1, 4]))
    joined = some.joined(FittedRuns.of(problem, weights[7:9], None, count))
    rows = [1, 4, 7, 8]
    for one, other in zip(joined.x, every.x, strict=True):
        assert np.array_equal(one, other[rows])
    assert np.array_equal(joined.y, every.y[rows])
    assert joined.weights.sum(axis=1) == pytest.approx(RUNS)
    # What was drawn is all there is, in its place.
    assert np.array_equal(joined.spread_out(joined.weights, RUNS), weights[rows])


def test_runs_are_not_moved_where_nearly_all_count():
    leave_one_out = 1.0 - np.eye(RUNS)
    assert drawn(leave_one_out, RUNS) == RUNS
    assert drawn(None, RUNS) == RUNS
    runs = FittedRuns.of(problem_of("coupled"), leave_one_out, None, RUNS)
    assert runs.columns is None
    assert runs.y.shape == (RUNS,)
    assert np.array_equal(runs.spread_out(leave_one_out, RUNS), leave_one_out)
