"""The solver finds the global optimum, says when starts agree, and refits honestly."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import oracle, random_surface

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.solver import SMALLEST_DELTA, refit, refit_from_pool, solve
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")


@pytest.mark.parametrize("seed", range(12))
def test_never_worse_than_scipy_from_many_starts(seed):
    surface = random_surface(seed)
    problem = Problem.of(CHINCHILLA, surface.inputs, surface.values)
    ours = solve(problem, delta=3e-3)
    theirs = oracle(surface, delta=3e-3, starts=12, seed=seed)
    assert ours.objective <= theirs * (1 + 1e-9) + 1e-18


@pytest.mark.parametrize("seed", [3, 5])
def test_gradient_vanishes_at_the_optimum(seed):
    surface = random_surface(seed)
    problem = Problem.of(CHINCHILLA, surface.inputs, surface.values)
    best = solve(problem, delta=np.inf)
    slope = problem.residuals(best.phi) @ problem.jacobian(best.phi)
    scale = np.linalg.norm(problem.jacobian(best.phi), axis=0)
    held = best.phi[-1] <= 0.0
    free = slice(0, 4) if held else slice(0, 5)
    assert np.abs(slope[free] / scale[free]).max() < 1e-6 * np.sqrt(best.objective) + 1e-10


def test_noise_free_data_are_fitted_exactly():
    theta = (1.7, 400.0, 0.34, 1500.0, 0.36)
    rng = np.random.default_rng(0)
    inputs = np.stack([10 ** rng.uniform(7, 10, 30), 10 ** rng.uniform(9, 12, 30)])
    values = CHINCHILLA.evaluate([np.asarray(v) for v in theta], list(inputs))
    fitted = fit_law(CHINCHILLA, inputs, values)
    assert fitted.theta == pytest.approx(theta, rel=1e-6)
    assert fitted.delta == SMALLEST_DELTA
    assert fitted.noise < 1e-9


def test_a_true_floor_of_zero_is_found_at_the_bound():
    rng = np.random.default_rng(1)
    inputs = np.stack([10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 12, 40)])
    values = CHINCHILLA.evaluate(
        [np.asarray(v) for v in (0.0, 40.0, 0.2, 150.0, 0.25)], list(inputs)
    ) * np.exp(0.01 * rng.standard_normal(40))
    fitted = fit_law(CHINCHILLA, inputs, values)
    assert fitted.theta[0] >= 0.0
    assert fitted.theta[0] < 0.5


@pytest.mark.parametrize("seed", [0, 4, 6])
def test_a_small_exponent_is_followed_to_where_it_has_replaced_the_floor(seed):
    """The optimum has no floor; the valley to it from any grid point is long and kinked."""
    rng = np.random.default_rng(seed)
    x = np.exp(rng.uniform(-3, 3, (2, 60)))
    values = 0.8 + 0.05 * x[0] ** -1.5 + 0.3 * x[1] ** -0.014
    values = values * np.exp(0.002 * rng.standard_normal(60))
    problem = Problem.of(CHINCHILLA, x, values)
    best = solve(problem, delta=1e-3)
    starts = [[np.log(0.05), 1.5, a, b, 0.0] for a in (0.0, -0.2) for b in (0.002, 0.005, 0.01)]
    known = problem.minimise(np.array(starts), delta=1e-3, max_steps=500).objective.min()
    assert best.converged
    assert best.objective <= known * (1 + 1e-9)


def test_delta_follows_the_noise_and_has_three_digits():
    rng = np.random.default_rng(2)
    x = np.geomspace(1e6, 1e10, 200)[None]
    clean = 1.5 + 300 * x[0] ** -0.35
    fitted = fit_law(get_law("power_floor"), x, clean * np.exp(0.02 * rng.standard_normal(200)))
    assert fitted.delta == pytest.approx(1.345 * 0.02, rel=0.25)
    assert float(f"{fitted.delta:.3g}") == fitted.delta


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_of_the_metric_moves_only_the_coefficients(scale):
    surface = random_surface(7)
    plain = fit_law(CHINCHILLA, surface.inputs, surface.values, delta=3e-3)
    scaled = fit_law(CHINCHILLA, surface.inputs, surface.values * scale, delta=3e-3)
    assert scaled.theta[[2, 4]] == pytest.approx(plain.theta[[2, 4]], rel=1e-6)
    assert scaled.theta[[0, 1, 3]] / scale == pytest.approx(plain.theta[[0, 1, 3]], rel=1e-5)


def test_order_of_rows_does_not_matter():
    surface = random_surface(9)
    order = np.random.default_rng(0).permutation(surface.values.size)
    one = fit_law(CHINCHILLA, surface.inputs, surface.values, delta=3e-3)
    two = fit_law(CHINCHILLA, surface.inputs[:, order], surface.values[order], delta=3e-3)
    assert two.theta == pytest.approx(one.theta, rel=1e-6)


def test_weights_of_two_are_rows_written_twice():
    surface = random_surface(4)
    n = surface.values.size
    weights = np.ones((1, n))
    weights[0, : n // 2] = 2.0
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, delta=3e-3)
    rows = np.concatenate([np.arange(n), np.arange(n // 2)])
    twice = fit_law(CHINCHILLA, surface.inputs[:, rows], surface.values[rows], delta=3e-3)
    assert fitted.refit(weights)[0] == pytest.approx(twice.theta, rel=1e-5)


def test_warm_refits_reach_what_refits_from_everywhere_reach():
    surface = random_surface(11)
    problem = Problem.of(CHINCHILLA, surface.inputs, surface.values)
    best = solve(problem, delta=3e-3)
    rng = np.random.default_rng(0)
    n = surface.values.size
    weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(100)])
    warm = refit(problem, best, weights.astype(float)).objective
    full = refit_from_pool(problem, best, weights.astype(float)).objective
    assert (warm <= full * (1 + 1e-6) + 1e-12).mean() >= 0.99


@pytest.mark.parametrize("law", ["linear", "log_linear"])
def test_straight_lines_match_numpy(law):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 50, 30)
    y = 3 - 0.2 * x + rng.standard_normal(30)
    fitted = fit_law(get_law(law), x[None], y)
    basis = x if law == "linear" else np.log(x)
    coefficients, covariance = np.polyfit(basis, y, 1, cov="unscaled")
    assert fitted.theta == pytest.approx(coefficients, rel=1e-9)
    assert fitted.covariance / fitted.noise**2 == pytest.approx(covariance, rel=1e-9)
