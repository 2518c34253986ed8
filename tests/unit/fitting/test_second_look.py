"""The second look at a refit finds what starting everywhere and going on to the end finds."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.solver import refit_from_pool, solve
from scaleplan.laws import get_law

DELTA = 1e-3


def broken_problem(runs, sigma):
    random = np.random.default_rng(4)
    law, x = get_law("broken"), 10.0 ** random.uniform(6.0, 9.0, runs)
    values = law.evaluate([np.asarray(t) for t in (0.1, 3.0, 0.1, 0.4, 3e7, 0.5)], [x])
    return CurvedProblem.of(law, x[None], values * np.exp(sigma * random.standard_normal(runs)))


@pytest.mark.parametrize(("runs", "sigma"), [(120, 0.01), (20, 0.02)])
def test_no_end_is_lost_by_letting_only_the_best_starts_go_on(runs, sigma):
    problem = broken_problem(runs, sigma)
    solution = solve(problem, delta=DELTA)
    random = np.random.default_rng(1)
    weights = np.stack(
        [np.bincount(random.integers(0, runs, runs), minlength=runs) for _ in range(6)]
    ).astype(float)
    found = refit_from_pool(problem, solution, weights)
    pool = problem.nearby(solution.phi, solution.pool, delta=DELTA)
    reached = 0
    for row, value in zip(weights, found.objective, strict=True):
        every = problem.minimise(
            pool, delta=DELTA, weights=np.tile(row, (len(pool), 1)), max_steps=100
        )
        # Where a start came to no end, how far it got depends on the linear-algebra library.
        ends = every.objective[every.converged]
        assert value <= ends.min(initial=np.inf) * (1.0 + 1e-6)
        reached += ends.size > 0
    assert reached >= 3


def experts_runs():
    """Return runs that leave open how many effective experts endlessly many are worth."""
    law, random = get_law("moe"), np.random.default_rng(2)
    theta = (35.91, -0.1889, -0.2285, 0.0098, 35.98, -0.1775, 0.5529, -0.0259, 2.0732, 60.0, 1.3637)
    sizes = np.geomspace(1e8, 5e9, 6), np.geomspace(2e9, 1e11, 6), (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    x = np.stack(np.meshgrid(*sizes)).reshape(3, -1)
    values = law.evaluate([np.float64(t) for t in theta], list(x))
    values = values * np.exp(0.01 * random.standard_normal(values.size))
    return CurvedProblem.of(law, x, values), random


def test_refits_run_off_to_a_bound_in_a_few_steps_instead_of_creeping():
    # E_max of many resamples has no optimum: its slope fades like 1 / E_max, all the way to 1e6.
    problem, random = experts_runs()
    solution = solve(problem, delta=0.01)
    runs = problem.y.size
    draws = random.integers(0, runs, (40, runs))
    weights = np.stack([np.bincount(d, minlength=runs) for d in draws]).astype(float)
    warm = np.tile(solution.phi, (40, 1))
    ends = problem.minimise(warm, delta=0.01, weights=weights, max_steps=100)
    assert problem.left_the_valley(ends.phi).any()
    assert ends.converged.all()
    assert ends.steps.mean() < 25.0  # 38, and a fifth not at their end, with the curvature as is
    again = refit_from_pool(problem, solution, weights)
    assert (again.objective >= ends.objective * (1.0 - 1e-7)).mean() > 0.9
