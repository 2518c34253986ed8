"""Profile likelihood: exact where theory is, one-sided at bounds, refused without a scale."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from scaleplan.errors import FitError
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.profile import profile_interval
from scaleplan.fitting.recipe import Limit, Recipe
from scaleplan.fitting.uncertainty import parameters_of
from scaleplan.laws import get_law

CHINCHILLA, POWER_FLOOR = get_law("chinchilla"), get_law("power_floor")


def sweep(theta=(1.8, 480.0, 0.35, 2000.0, 0.36), noise=0.005, seed=0, runs=36):
    rng = np.random.default_rng(seed)
    inputs = np.stack([10 ** rng.uniform(7, 10, runs), 10 ** rng.uniform(9, 12, runs)])
    values = CHINCHILLA.evaluate(list(theta), list(inputs))
    return inputs, values * np.exp(noise * rng.standard_normal(runs))


def t_interval(x, y, k):
    """Return the exact 90% interval of slope (k = 0) or intercept of a least-squares line."""
    coefficients, covariance = np.polyfit(x, y, 1, cov=True)
    half = t_quantile(0.95, float(x.size - 2)) * np.sqrt(covariance[k, k])
    return coefficients[k] - half, coefficients[k] + half


@pytest.mark.parametrize("k", [0, 1])
def test_a_straight_line_has_its_exact_t_interval(k):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 9, 20)
    y = 3 - 0.2 * x + 0.1 * rng.standard_normal(20)
    fitted = fit_law(get_law("linear"), x[None], y)
    exact = pytest.approx(t_interval(x, y, k), rel=1e-9)
    profile = profile_interval(fitted, k, level=0.9)
    assert (profile.low, profile.high) == exact
    delta = parameters_of(fitted, None, level=0.9, unit="")[0][k]
    assert (delta.low, delta.high) == exact


def test_a_power_law_by_least_squares_has_the_exact_t_interval_of_its_line_in_logs():
    """The law is linear in logs, so that the numerical profile must meet the theory."""
    rng = np.random.default_rng(1)
    x = np.geomspace(1e6, 1e9, 15)
    y = 30 * x**-0.2 * np.exp(0.02 * rng.standard_normal(15))
    fitted = fit_law(get_law("power"), x[None], y, recipe=Recipe(objective="log"))
    slope, intercept = t_interval(np.log(x), np.log(y), 0), t_interval(np.log(x), np.log(y), 1)
    size, exponent = (profile_interval(fitted, k, level=0.9) for k in (0, 1))
    sign = np.sign(fitted.theta[1] * np.polyfit(np.log(x), np.log(y), 1)[0])
    assert sorted((sign * exponent.low, sign * exponent.high)) == pytest.approx(slope, rel=1e-6)
    assert (size.low, size.high) == pytest.approx(tuple(np.exp(intercept)), rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_least_squares_of_the_metric_with_a_held_exponent_has_its_exact_t_interval(scale):
    """With alpha held the law is a line in x^-alpha, so that the profile must meet the theory."""
    rng = np.random.default_rng(2)
    x = np.geomspace(1e6, 1e9, 18)
    y = scale * (1.8 + 480 * x**-0.35 + 0.02 * rng.standard_normal(18))
    recipe = Recipe(objective="raw", limits=(Limit(symbol="alpha", low=0.35, high=0.35),))
    fitted = fit_law(POWER_FLOOR, x[None], y, recipe=recipe)
    for k, line in ((0, 1), (1, 0)):
        profile = profile_interval(fitted, k, level=0.9)
        exact = t_interval(x**-0.35, y, line)
        assert (profile.low, profile.high) == pytest.approx(exact, rel=1e-5)
    parameters, _ = parameters_of(fitted, None, level=0.9, unit="", kind="profile")
    assert parameters[2].fixed
    assert parameters[2].low is None


def test_a_bound_that_the_user_gave_ends_the_interval():
    inputs, values = sweep()
    recipe = Recipe(limits=(Limit(symbol="E", low=0.0, high=1.7),))
    fitted = fit_law(CHINCHILLA, inputs, values, recipe=recipe)
    profile = profile_interval(fitted, 0, level=0.9)
    assert fitted.theta[0] == pytest.approx(1.7)
    assert profile.high == pytest.approx(1.7)
    assert profile.open_high
    assert profile.low < 1.7


@pytest.mark.parametrize("name", ["chinchilla", "coupled"])
def test_the_bounds_are_where_an_independent_fit_becomes_too_bad(name):
    law = get_law(name)
    inputs, values = sweep()
    fitted = fit_law(law, inputs, values, recipe=Recipe(objective="log"))
    wanted = fitted.objective * (1 + t_quantile(0.95, float(fitted.dof)) ** 2 / fitted.dof)
    for k, spec in enumerate(law.parameters):
        bounds = profile_interval(fitted, k, level=0.9)
        assert bounds.low < fitted.theta[k] < bounds.high
        for bound in (bounds.low, bounds.high):
            scale = np.where([s.scale == "log" for s in law.parameters], fitted.theta, 1.0)

            def residuals(free, *, k=k, bound=bound, scale=scale):
                shape = np.insert(free, k, 0.0)
                logs = np.array([s.scale == "log" for s in law.parameters])
                theta = np.where(logs, scale * np.exp(np.where(logs, shape, 0)), shape)
                theta[k] = bound
                return np.log(law.evaluate(list(theta), list(inputs)) / values)

            logs = np.array([s.scale == "log" for s in law.parameters])
            start = np.delete(np.where(logs, 0.0, fitted.theta), k)
            end = optimize.least_squares(
                residuals, start, x_scale="jac", ftol=1e-14, xtol=1e-14, gtol=1e-14, max_nfev=2000
            )
            assert end.cost == pytest.approx(wanted, rel=1e-4), spec.symbol


def test_at_a_floor_of_zero_the_interval_is_one_sided():
    inputs, values = sweep(theta=(0.0, 40.0, 0.2, 150.0, 0.25), noise=0.01, seed=3)
    fitted = fit_law(CHINCHILLA, inputs, values)
    assert fitted.theta[0] == 0.0
    profile = profile_interval(fitted, 0, level=0.9)
    assert profile.low == 0.0
    assert profile.open_low
    assert profile.high > 0.0
    assert not profile.open_high
    wider = profile_interval(fitted, 0, level=0.99)
    assert wider.low == 0.0
    assert wider.high > profile.high


def test_a_floor_near_zero_is_cut_by_its_bound():
    inputs, values = sweep(theta=(0.02, 40.0, 0.2, 150.0, 0.25), noise=0.02, seed=1)
    fitted = fit_law(CHINCHILLA, inputs, values)
    assert fitted.theta[0] > 0.0
    profile = profile_interval(fitted, 0, level=0.9)
    assert profile.low == pytest.approx(0.0, abs=1e-12)
    assert profile.open_low


def test_intervals_cover_the_truth_as_often_as_they_say():
    truth = (1.8, 480.0, 0.35)
    x = np.geomspace(1e6, 1e10, 36)[None]
    clean = POWER_FLOOR.evaluate(list(truth), [x[0]])
    covered = np.zeros(3)
    for seed in range(80):
        noise = 0.005 * np.random.default_rng(seed).standard_t(4, 36)
        fitted = fit_law(POWER_FLOOR, x, clean * np.exp(noise))
        bounds = [profile_interval(fitted, k, level=0.9) for k in range(3)]
        covered += [b.low <= v <= b.high for b, v in zip(bounds, truth, strict=True)]
    assert (covered >= 0.8 * 80).all(), covered
    assert (covered <= 0.97 * 80).all(), covered


def test_without_a_scale_there_is_no_profile():
    inputs, values = sweep(noise=0.0)
    assert profile_interval(fit_law(CHINCHILLA, inputs, values), 0, level=0.9) is None
    inputs, values = sweep(noise=0.02)
    # Nearly all runs lie outside of this threshold.
    narrow = fit_law(CHINCHILLA, inputs, values, recipe=Recipe(delta=1e-3))
    assert profile_interval(narrow, 0, level=0.9) is None
    with pytest.raises(FitError, match="half of the runs"):
        parameters_of(narrow, None, level=0.9, unit="", kind="profile")
    exact = fit_law(get_law("linear"), np.arange(3.0)[None], np.arange(3.0))
    assert profile_interval(exact, 0, level=0.9) is None


def test_no_runs_to_spare_give_no_profile():
    fitted = fit_law(get_law("linear"), np.array([[1.0, 2.0]]), np.array([1.0, 3.0]))
    assert profile_interval(fitted, 0, level=0.9) is None


def test_units_of_the_metric_move_the_floor_and_nothing_else():
    inputs, values = sweep(seed=2)
    plain, huge = (fit_law(CHINCHILLA, inputs, values * scale) for scale in (1.0, 1e9))
    for k, factor in ((0, 1e9), (2, 1.0), (3, 1e9)):
        one, two = (profile_interval(fitted, k, level=0.9) for fitted in (plain, huge))
        assert (two.low, two.high) == pytest.approx((one.low * factor, one.high * factor), rel=1e-5)


def test_a_valley_so_flat_that_refits_end_elsewhere_still_has_an_interval():
    # Errors near chance: one of the refits beside the bracket ended in another place than before.
    params = np.repeat([1e4, 2e4, 4e4, 8e4, 1.6e5], [5, 3, 4, 3, 4])
    data = np.array([5, 10, 20, 40, 80, 5, 40, 80, 5, 10, 40, 80, 20, 40, 80, 5, 10, 40, 80]) * 1e3
    errors = np.array(
        [0.886243, 0.892369, 0.860605, 0.84578, 0.857521, 0.863328, 0.806194, 0.78819, 0.852283,
         0.856605, 0.791295, 0.823098, 0.835806, 0.775172, 0.756268, 0.894315, 0.870448, 0.77745,
         0.735489]
    )  # fmt: skip
    fitted = fit_law(CHINCHILLA, np.stack([params, data]), errors)
    profile = profile_interval(fitted, 0, level=0.9)
    assert fitted.theta[0] == 0.0
    assert profile.low == 0.0
    assert 0.3 < profile.high < errors.min()
