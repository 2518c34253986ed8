"""The back-test sees when a form fails beyond the data, and widens intervals for it."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.backtest import BackTest, back_test, leverage, widening_of
from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import get_law

X = np.geomspace(1e6, 1e10, 40)[None]
TRUE = 1.5 + 300 * X[0] ** -0.35


def noisy(sigma, seed=0):
    return TRUE * np.exp(sigma * np.random.default_rng(seed).standard_normal(TRUE.size))


def test_a_true_form_is_hardly_widened():
    test = back_test(fit_law(get_law("power_floor"), X, noisy(0.005)), X[0])
    widening = widening_of(test)
    assert widening.kappa0 + widening.kappa1 < 3.0
    assert widening.errors > 50
    assert test.rmse_log < 0.02


def test_a_wrong_form_is_widened_much():
    test = back_test(fit_law(get_law("power"), X, noisy(0.005)), X[0])
    widening = widening_of(test)
    assert widening.kappa0 + widening.kappa1 * 1.5 > 3.0


def test_too_few_runs_give_no_back_test():
    test = back_test(fit_law(get_law("power_floor"), X[:, ::10], TRUE[::10]), X[0, ::10])
    widening = widening_of(test)
    assert (widening.errors, widening.median_error) == (0, None)
    assert widening.kappa0 == 1.0


def test_few_errors_give_one_factor_without_a_trend():
    test = BackTest(np.array([0.5, 1.0, 1.5]), np.array([0.5, 2.0, 4.0]), np.zeros(3))
    widening = widening_of(test)
    assert widening.kappa1 == 0.0
    assert widening.kappa0 == pytest.approx(np.quantile([0.5, 2.0, 4.0], 0.9))


def test_leverage_is_that_of_least_squares():
    x = np.array([[1.0, 2.0, 4.0, 7.0]])
    new = np.array([[10.0]])
    design = np.stack([x[0], np.ones(4)], axis=1)
    g = np.array([10.0, 1.0])
    expected = g @ np.linalg.inv(design.T @ design) @ g
    line = fit_law(get_law("linear"), x, np.array([2.0, 4.1, 7.9, 14.0]))
    assert leverage(line, np.array([2.0, 1.0]), x, new)[0] == pytest.approx(expected)
