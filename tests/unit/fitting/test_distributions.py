"""Quantiles and tails against scipy, which the program does not import for them."""

from __future__ import annotations

import pytest
from scipy import special

from scaleplan.fitting.distributions import (
    f_tail,
    incomplete_beta,
    normal_tail,
    t_quantile,
    t_tail,
)


@pytest.mark.parametrize("dof", [1.0, 2.0, 5.0, 30.0, 235.0, 1e6])
@pytest.mark.parametrize("probability", [0.5, 0.75, 0.95, 0.975, 0.999, 0.1])
def test_t_quantile(dof, probability):
    assert t_quantile(probability, dof) == pytest.approx(
        special.stdtrit(dof, probability), rel=1e-8, abs=1e-9
    )


@pytest.mark.parametrize("t", [0.0, 0.5, 2.0, 8.0, -3.0])
def test_t_tail(t):
    assert t_tail(t, 7.0) == pytest.approx(2 * special.stdtr(7.0, -abs(t)), rel=1e-10)


@pytest.mark.parametrize(
    ("statistic", "numerator", "denominator"),
    [(0.0, 1, 5), (1.0, 1, 5), (4.2, 2, 30), (60.0, 1, 8)],
)
def test_f_tail(statistic, numerator, denominator):
    assert f_tail(statistic, numerator, denominator) == pytest.approx(
        special.fdtrc(numerator, denominator, statistic), rel=1e-10
    )


@pytest.mark.parametrize("x", [0.0, 1e-6, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shapes", [(0.5, 0.5), (3.0, 0.5), (2.0, 8.0), (120.0, 0.5)])
def test_incomplete_beta(x, shapes):
    assert incomplete_beta(*shapes, x) == pytest.approx(
        special.betainc(*shapes, x), rel=1e-11, abs=1e-300
    )


def test_normal_tail():
    assert normal_tail(1.959963984540054) == pytest.approx(0.05, rel=1e-12)
