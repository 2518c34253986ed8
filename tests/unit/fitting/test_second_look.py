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
    for row, value in zip(weights, found.objective, strict=True):
        every = problem.minimise(
            pool, delta=DELTA, weights=np.tile(row, (len(pool), 1)), max_steps=100
        )
        assert value <= every.objective.min() * (1.0 + 1e-6)
