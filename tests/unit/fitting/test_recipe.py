"""Objectives, and parameters that are held or bounded."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import least_squares

from scaleplan.errors import UsageError
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import Limit, Recipe
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")

THETA = np.array([1.8, 480.0, 0.35, 2100.0, 0.37])


@pytest.fixture(scope="module")
def surface():
    rng = np.random.default_rng(3)
    inputs = np.stack([10 ** rng.uniform(6, 10, 40), 10 ** rng.uniform(8, 12, 40)])
    values = CHINCHILLA.evaluate(list(THETA), list(inputs))
    return SimpleNamespace(inputs=inputs, values=values * np.exp(0.01 * rng.standard_normal(40)))


def fixed(symbol, value):
    return Limit(symbol=symbol, low=value, high=value)


def scipy_fit(surface, theta, residual):
    """Fit with scipy in coordinates near 1, from the answer that is to be checked."""
    scale = np.maximum(np.abs(theta), 1e-12)
    found = least_squares(
        lambda z: residual(z * scale), theta / scale, xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    return found.x * scale, 2.0 * found.cost


@pytest.mark.parametrize("objective", ["log", "raw"])
def test_least_squares_agrees_with_scipy(surface, objective):
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(objective=objective))

    def residual(theta):
        predicted = CHINCHILLA.evaluate(list(theta), list(surface.inputs))
        if objective == "log":
            return np.log(predicted / surface.values)
        return predicted - surface.values

    theta, cost = scipy_fit(surface, fitted.theta, residual)
    mine = float(residual(fitted.theta) @ residual(fitted.theta))
    assert mine <= cost * (1 + 1e-9)
    assert fitted.theta == pytest.approx(theta, rel=1e-3)
    assert fitted.objective == pytest.approx(mine if objective == "raw" else 0.5 * mine, rel=1e-9)
    assert fitted.residual == ("raw" if objective == "raw" else "log")


def test_raw_noise_is_in_units_of_the_metric(surface):
    plain = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(objective="raw"))
    larger = fit_law(
        CHINCHILLA, surface.inputs, 1000.0 * surface.values, recipe=Recipe(objective="raw")
    )
    assert larger.noise == pytest.approx(1000.0 * plain.noise, rel=1e-6)
    assert larger.theta[2] == pytest.approx(plain.theta[2], rel=1e-5)


@pytest.mark.parametrize(
    ("symbol", "value"), [("alpha", 0.3), ("beta", 0.45), ("E", 1.5), ("A", 300.0), ("B", 5000.0)]
)
def test_a_fixed_parameter_stays_and_has_no_variance(surface, symbol, value):
    recipe = Recipe(limits=(fixed(symbol, value),))
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=recipe)
    free = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(delta=fitted.delta))
    place = [spec.symbol for spec in CHINCHILLA.parameters].index(symbol)
    assert fitted.theta[place] == pytest.approx(value, rel=1e-12)
    assert fitted.dof == free.dof + 1
    assert fitted.covariance[place, place] == pytest.approx(0.0, abs=1e-18)
    assert fitted.objective >= free.objective
    # The other four are the best there are: nothing near them is better.
    for k in range(5):
        for factor in (0.999, 1.001):
            theta = fitted.theta.copy()
            theta[k] *= 1.0 if k == place else factor
            assert objective_of(surface, theta, fitted.delta) >= fitted.objective * (1 - 1e-12)


def objective_of(surface, theta, delta):
    residual = np.log(CHINCHILLA.evaluate(list(theta), list(surface.inputs)) / surface.values)
    psi = np.clip(residual, -delta, delta)
    return float((psi * (residual - 0.5 * psi)).sum())


def test_fixing_a_parameter_at_its_estimate_changes_nothing(surface):
    free = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(delta=0.01))
    recipe = Recipe(delta=0.01, limits=(fixed("alpha", float(free.theta[2])),))
    held = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=recipe)
    assert held.objective == pytest.approx(free.objective, rel=1e-9)
    assert held.theta == pytest.approx(free.theta, rel=1e-4)


def test_bounds_hold(surface):
    recipe = Recipe(limits=(Limit(symbol="E", low=0.0, high=1.2),))
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=recipe)
    assert fitted.theta[0] == pytest.approx(1.2)
    assert not fitted.fixed.any()


def test_fixed_exponents_identify_what_one_ray_cannot():
    tokens = np.geomspace(1e9, 1e11, 12)
    inputs = np.stack([tokens / 20.0, tokens])
    values = CHINCHILLA.evaluate(list(THETA), list(inputs))
    recipe = Recipe(limits=(fixed("alpha", 0.35), fixed("beta", 0.37)))
    fitted = fit_law(CHINCHILLA, inputs, values, recipe=recipe)
    assert fitted.theta == pytest.approx(THETA, rel=1e-4)


def test_refits_keep_what_is_held(surface):
    recipe = Recipe(limits=(fixed("alpha", 0.3),))
    fitted = fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=recipe)
    weights = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), 5).astype(float)
    assert fitted.refit(weights)[:, 2] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ((fixed("gamma", 1.0),), "no parameter 'gamma'"),
        ((fixed("alpha", 7.0),), "outside of what"),
        ((Limit(symbol="E", low=-1.0, high=2.0),), "-1 to 2"),
        (tuple(fixed(s.symbol, 1.0) for s in CHINCHILLA.parameters), "nothing to fit"),
    ],
)
def test_impossible_limits_are_refused(surface, limits, message):
    with pytest.raises(UsageError, match=message):
        fit_law(CHINCHILLA, surface.inputs, surface.values, recipe=Recipe(limits=limits))


def test_a_line_cannot_be_limited():
    x = np.arange(1.0, 9.0)
    with pytest.raises(UsageError, match="fixed or bounded"):
        fit_law(get_law("linear"), x[None], x, recipe=Recipe(limits=(fixed("a", 1.0),)))
