"""The same law under other objectives."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import Recipe
from scaleplan.fitting.sensitivity import objective_rows
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")
BUDGET = 1e22


def noisy(seed, outlier=1.0):
    rng = np.random.default_rng(seed)
    inputs = np.stack([10 ** rng.uniform(6, 10, 60), 10 ** rng.uniform(8, 12, 60)])
    values = CHINCHILLA.evaluate([1.8, 480.0, 0.35, 2100.0, 0.37], list(inputs))
    values = values * np.exp(0.01 * rng.standard_normal(60))
    values[np.argmin(inputs[1] / inputs[0])] *= outlier
    return inputs, values


def test_each_row_is_the_fit_under_that_objective():
    inputs, values = noisy(1)
    rows = objective_rows(
        fit_law(CHINCHILLA, inputs, values), budget=BUDGET, flops_per_param_token=6.0
    )
    assert [row.used for row in rows] == [True, False, False, False]
    recipes = [Recipe(), Recipe(delta=1e-3), Recipe(objective="log"), Recipe(objective="raw")]
    for row, recipe in zip(rows, recipes, strict=True):
        theta = [float(v) for v in fit_law(CHINCHILLA, inputs, values, recipe=recipe).theta]
        params, tokens = CHINCHILLA.optimum(theta, BUDGET, 6.0)
        assert row.params == pytest.approx(params, rel=1e-4)
        assert row.tokens == pytest.approx(tokens, rel=1e-4)
        assert row.value == pytest.approx(CHINCHILLA.evaluate(theta, [params, tokens]), rel=1e-6)


@pytest.mark.parametrize(
    ("objective", "first"), [("log", "least squares of log"), ("raw", "least squares of the")]
)
def test_the_objective_in_use_comes_first_and_once(objective, first):
    inputs, values = noisy(2)
    fitted = fit_law(CHINCHILLA, inputs, values, recipe=Recipe(objective=objective))
    rows = objective_rows(fitted, budget=BUDGET, flops_per_param_token=6.0)
    assert rows[0].used
    assert rows[0].objective.startswith(first)
    assert len({row.objective for row in rows}) == len(rows) == 3


def test_without_an_optimum_the_forecast_is_compared():
    x = np.geomspace(1e6, 1e9, 20)
    values = 1.5 + 300 * x**-0.35 * np.exp(0.01 * np.random.default_rng(0).standard_normal(20))
    fitted = fit_law(get_law("power_floor"), x[None], values)
    rows = objective_rows(fitted, budget=None, flops_per_param_token=6.0)
    assert all(row.params is None and row.input_value == 10.0 for row in rows)
    expected = fitted.predict(np.array([[1e10]]))[0]
    assert rows[0].value == pytest.approx(expected)


def test_held_parameters_stay_held_under_every_objective():
    from scaleplan.fitting.recipe import Limit

    inputs, values = noisy(3)
    recipe = Recipe(
        limits=(Limit(symbol="alpha", low=0.3, high=0.3), Limit(symbol="beta", low=0.3, high=0.3))
    )
    fitted = fit_law(CHINCHILLA, inputs, values, recipe=recipe)
    rows = objective_rows(fitted, budget=BUDGET, flops_per_param_token=6.0)
    more = objective_rows(fitted, budget=100 * BUDGET, flops_per_param_token=6.0)
    for one, other in zip(rows, more, strict=True):
        # With equal exponents the optimal size grows as the square root of compute.
        assert other.params / one.params == pytest.approx(10.0, rel=1e-9)


def test_a_line_has_one_objective():
    x = np.arange(1.0, 9.0)
    assert (
        objective_rows(
            fit_law(get_law("linear"), x[None], x), budget=None, flops_per_param_token=6.0
        )
        == ()
    )
