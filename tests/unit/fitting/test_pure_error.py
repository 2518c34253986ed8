"""Replicates: their scatter, and the F test of lack of fit."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.pure_error import pure_error
from scaleplan.laws import get_law

POWER = get_law("power_floor")


def fitted(noise=0.01, bend=0.0, repeats=6, law=POWER):
    rng = np.random.default_rng(0)
    x = np.repeat(np.geomspace(1e6, 1e9, 8), repeats)
    values = (1.5 + 300 / x**0.35) * np.exp(noise * rng.standard_normal(x.size))
    values *= 1.0 + bend * np.sin(2.0 * np.log(x))
    return fit_law(law, x[None], values)


def test_the_scatter_of_replicates_is_the_noise_that_was_put_in():
    found = pure_error(fitted())
    assert (found.runs, found.groups) == (48, 8)
    assert found.scatter == pytest.approx(0.01, rel=0.25)
    assert found.relative
    assert found.lack_of_fit_p > 0.01


def test_a_wrong_form_misses_more_than_replicates_scatter():
    assert pure_error(fitted(bend=0.05)).lack_of_fit_p < 1e-6


def test_the_statistic_against_the_textbook_formula():
    one = fitted(bend=0.01)
    x, y = one.inputs[0], np.log(one.values)
    means = {v: y[x == v].mean() for v in np.unique(x)}
    pure = sum((y[i] - means[x[i]]) ** 2 for i in range(y.size))
    left = float((one.residuals() ** 2).sum())
    statistic = (left - pure) / (8 - 3) / (pure / (48 - 8))
    from scipy import stats  # an independent tail probability

    assert pure_error(one).lack_of_fit_p == pytest.approx(stats.f.sf(statistic, 5, 40), rel=1e-6)


def test_runs_that_differ_in_a_setting_are_no_replicates():
    one = fitted()
    rate = np.tile([1e-3, 2e-3, 3e-3], 16)
    assert pure_error(one, [rate]) is None
    assert pure_error(one, [np.full(48, 1e-3)]) is not None


def test_without_replicates_there_is_nothing_to_say():
    assert pure_error(fitted(repeats=1)) is None


def test_exact_copies_give_no_p_value():
    found = pure_error(fitted(noise=0.0))
    assert found.scatter < 1e-9
    assert found.lack_of_fit_p is None
