"""Fits to the smaller runs are scored on the larger ones."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.backtest import back_test, leverage
from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import get_law

X = np.geomspace(1e6, 1e10, 40)[None]
TRUE = 1.5 + 300 * X[0] ** -0.35


def noisy(sigma, seed=0):
    return TRUE * np.exp(sigma * np.random.default_rng(seed).standard_normal(TRUE.size))


def test_forecasts_of_a_true_form_are_good_and_say_where_they_were_made():
    test = back_test(fit_law(get_law("power_floor"), X, noisy(0.005)), X[0])
    assert test.error.size > 50
    assert test.rmse_log < 0.02
    assert set(test.cut) == {0, 1, 2, 3, 4, 5}
    last = test.cut == 5
    assert list(test.run[last]) == list(range(40 - last.sum(), 40))
    step = np.log10(X[0, 1] / X[0, 0])
    assert test.decades[last] == pytest.approx(step * np.arange(1, last.sum() + 1))


def test_distance_is_that_of_the_farthest_input():
    params, tokens = np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 6))
    inputs = np.stack([params.ravel(), tokens.ravel()])
    loss = 1.8 + 480 / inputs[0] ** 0.35 + 2100 / inputs[1] ** 0.37
    test = back_test(fit_law(get_law("chinchilla"), inputs, loss), inputs.prod(axis=0))
    compute = np.log10(inputs.prod(axis=0))
    for cut in set(test.cut):
        mine = test.cut == cut
        below = np.setdiff1d(np.arange(36), test.run[mine])
        for run, decades in zip(test.run[mine], test.decades[mine], strict=True):
            beyond = compute[run] - compute[below].max()
            for column in np.log10(inputs):
                beyond = max(beyond, column[run] - column[below].max())
                beyond = max(beyond, column[below].min() - column[run])
            assert decades == pytest.approx(beyond)


def test_too_few_runs_give_no_forecast():
    test = back_test(fit_law(get_law("power_floor"), X[:, ::10], TRUE[::10]), X[0, ::10])
    assert test.error.size == test.cut.size == 0
    assert test.rmse_log is None


def test_a_refit_that_overflows_on_its_own_runs_is_left_out(monkeypatch):
    fitted = fit_law(get_law("power"), X, noisy(0.005))
    good = fitted.refit(np.ones((1, 40)))

    def refit(self, weights, *, careful=False):
        thetas = np.repeat(good, len(weights), axis=0)
        thetas[0] = 1e300, 300.0
        return thetas

    monkeypatch.setattr(type(fitted), "refit", refit)
    assert set(back_test(fitted, X[0]).cut) == {1, 2, 3, 4, 5}


def test_a_law_without_parameters_is_tested_run_by_run():
    x = np.geomspace(1.0, 500.0, 9)[None]
    test = back_test(fit_law(get_law("efficiency"), x, 1.0 / x[0]), x[0])
    assert test.error.size > 5
    assert np.abs(test.error).max() < 1e-12


def test_a_law_whose_derivatives_overflow_is_not_sure_of_anything():
    fitted = fit_law(get_law("power"), X, noisy(0.005))
    with np.errstate(all="ignore"):
        found = leverage(fitted, np.array([1e300, -300.0]), X, X)
    assert np.isinf(found).all()


def test_leverage_is_that_of_least_squares():
    x = np.array([[1.0, 2.0, 4.0, 7.0]])
    new = np.array([[10.0]])
    design = np.stack([x[0], np.ones(4)], axis=1)
    g = np.array([10.0, 1.0])
    expected = g @ np.linalg.inv(design.T @ design) @ g
    line = fit_law(get_law("linear"), x, np.array([2.0, 4.1, 7.9, 14.0]))
    assert leverage(line, np.array([2.0, 1.0]), x, new)[0] == pytest.approx(expected)
