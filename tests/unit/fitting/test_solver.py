"""The solver finds the global optimum, says when starts agree, and refits honestly."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import oracle, random_surface

from scaleplan.fitting.curved_steps import next_damping
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.recipe import Recipe
from scaleplan.fitting.solver import SMALLEST_DELTA, refit, refit_from_pool, solve
from scaleplan.fitting.starts import along_valleys
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
    plain = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(delta=3e-3))
    scaled = fit_law(CHINCHILLA, surface.inputs, surface.values * scale, recipe=Recipe(delta=3e-3))
    assert scaled.theta[[2, 4]] == pytest.approx(plain.theta[[2, 4]], rel=1e-6)
    assert scaled.theta[[0, 1, 3]] / scale == pytest.approx(plain.theta[[0, 1, 3]], rel=1e-5)


def test_order_of_rows_does_not_matter():
    surface = random_surface(9)
    order = np.random.default_rng(0).permutation(surface.values.size)
    one = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(delta=3e-3))
    two = fit_law(
        CHINCHILLA, surface.inputs[:, order], surface.values[order], recipe=Recipe(delta=3e-3)
    )
    assert two.theta == pytest.approx(one.theta, rel=1e-6)


def test_weights_of_two_are_rows_written_twice():
    surface = random_surface(4)
    n = surface.values.size
    weights = np.ones((1, n))
    weights[0, : n // 2] = 2.0
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(delta=3e-3))
    rows = np.concatenate([np.arange(n), np.arange(n // 2)])
    twice = fit_law(
        CHINCHILLA, surface.inputs[:, rows], surface.values[rows], recipe=Recipe(delta=3e-3)
    )
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


def test_a_fall_where_none_was_predicted_lowers_the_damping():
    # Warnings are errors: the ratio of the two overflows.
    after = next_damping(
        np.array([1e-3]), np.array([True]), fallen=np.array([1e9]), predicted=np.array([0.0])
    )
    assert after == pytest.approx([1e-4])


@pytest.mark.parametrize("name", ["chinchilla", "coupled"])
def test_refits_to_other_values_are_fits_to_those_values(name):
    surface = random_surface(4)
    fitted = fit_law(get_law(name), surface.inputs, surface.values, recipe=Recipe(delta=3e-3))
    rng = np.random.default_rng(0)
    others = surface.values * np.exp(0.003 * rng.standard_normal((3, surface.values.size)))
    for values, theta in zip(others, fitted.refit_values(others), strict=True):
        alone = fit_law(get_law(name), surface.inputs, values, recipe=Recipe(delta=3e-3))
        assert theta[[0, 2, 4]] == pytest.approx(alone.theta[[0, 2, 4]], rel=1e-3, abs=1e-6)


def test_least_squares_of_the_metric_is_refitted_to_other_values():
    surface = random_surface(4)
    recipe = Recipe(objective="raw")
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=recipe)
    others = 1.001 * surface.values[None]
    alone = fit_law(CHINCHILLA, surface.inputs, others[0], recipe=recipe)
    assert fitted.refit_values(others)[0] == pytest.approx(alone.theta, rel=1e-3, abs=1e-6)


def test_lines_are_refitted_to_other_values():
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 9, 20)
    others = rng.standard_normal((4, 20))
    fitted = fit_law(get_law("linear"), x[None], others[0])
    wanted = [np.polyfit(x, values, 1) for values in others]
    assert fitted.refit_values(others) == pytest.approx(np.array(wanted), rel=1e-9)


@pytest.mark.parametrize("name", ["chinchilla", "coupled"])
def test_a_held_coordinate_stays_and_the_others_are_best_for_it(name):
    surface = random_surface(9)
    fitted = fit_law(get_law(name), surface.inputs, surface.values, recipe=Recipe(objective="log"))
    problem = fitted.problem
    for k in range(problem.size):
        start = fitted.solution.phi.copy()
        start[k] += 0.02
        end = problem.minimise(start[None], delta=np.inf, held=k)
        assert end.converged[0]
        assert end.phi[0, k] == start[k]
        slope = problem.residuals(end.phi[0]) @ problem.jacobian(end.phi[0])
        scale = np.linalg.norm(problem.jacobian(end.phi[0]), axis=0)
        free = np.delete(slope / scale, k)
        assert np.abs(free).max() < 1e-5 * np.sqrt(end.objective[0])
        assert end.objective[0] >= fitted.objective


def test_refits_of_a_law_without_a_floor_are_as_good_as_those_from_everywhere():
    rng = np.random.default_rng(1)
    params, tokens = 10 ** rng.uniform(6, 10, 80), 10 ** rng.uniform(8, 12, 80)
    values = (20 / params**0.1 + 30 / tokens**0.12) * np.exp(0.01 * rng.standard_normal(80))
    fitted = fit_law(CHINCHILLA, np.stack([params, tokens]), values)
    assert fitted.theta[0] == 0.0
    draws = rng.integers(0, 80, (20, 80))
    weights = np.stack([np.bincount(draw, minlength=80) for draw in draws]).astype(float)
    warm = refit(fitted.problem, fitted.solution, weights)
    everywhere = refit_from_pool(fitted.problem, fitted.solution, weights)
    assert (warm.objective <= everywhere.objective * (1 + 1e-6)).all()


def test_a_term_that_ran_off_to_nothing_has_no_valley():
    # Its coefficient underflows to zero: there is nothing that it could trade with the floor.
    vanished = np.array([-900.0, 0.3, -0.5, 0.4, 1.7])
    starts = along_valleys(vanished)
    assert np.isfinite(starts).all()
    assert len(starts) == len(along_valleys(np.array([-0.5, 0.4, 1.7])))
    assert len(along_valleys(np.array([-900.0, 0.3, 1.7]))) == 0
