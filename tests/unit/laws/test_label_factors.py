"""Factors of a label: as many parameters as levels, one law for all of them."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import get_law
from scaleplan.laws.compute_factors import ComputeFactors
from scaleplan.laws.optimizer_factors import OptimizerFactors

SHARED = (1.8, 480.0, 0.35, 2000.0, 0.36)
FACTORS = (1.4, 0.8, 0.6, 2.1, 1.9, 1.2)


def runs(levels, per_level=12):
    params, tokens = (
        row.ravel() for row in np.meshgrid(np.geomspace(2e7, 2e9, 4), np.geomspace(1e9, 5e10, 3))
    )
    level = np.repeat(np.arange(1.0, levels + 1.0), per_level)
    return np.stack([np.tile(params, levels), np.tile(tokens, levels), level])


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_every_number_of_levels_is_recovered(levels):
    law, inputs = OptimizerFactors(levels), runs(levels)
    theta = (*SHARED, *FACTORS[: 2 * (levels - 1)])
    values = law.evaluate([np.asarray(v) for v in theta], list(inputs))
    assert len(law.parameters) == len(theta)
    assert fit_law(law, inputs, values).theta == pytest.approx(theta, rel=1e-6)


def test_symbols_name_the_level():
    symbols = [spec.symbol for spec in OptimizerFactors(3).parameters]
    assert symbols == ["E", "A", "alpha", "B", "beta", "rho_N2", "rho_D2", "rho_N3", "rho_D3"]


@pytest.mark.parametrize(("count", "taken"), [(5, False), (6, False), (7, True), (9, True)])
def test_the_law_by_name_takes_any_number_of_levels(count, taken):
    assert get_law("optimizer_factors").takes(count) is taken


def test_the_law_by_name_evaluates_any_number_of_levels():
    theta, law = (*SHARED, *FACTORS[:4]), get_law("optimizer_factors")
    chinchilla = get_law("chinchilla")
    for level, (rho_n, rho_d) in enumerate([(1.0, 1.0), (1.4, 0.8), (0.6, 2.1)], start=1):
        expected = chinchilla.evaluate(SHARED, [rho_n * 1e9, rho_d * 2e10])
        assert law.evaluate(theta, [1e9, 2e10, float(level)]) == pytest.approx(expected, rel=1e-12)
        section = law.section(theta, [float(level)])
        assert chinchilla.evaluate(section, [1e9, 2e10]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("level", [1.0, 2.0, 3.0])
def test_slopes_of_each_level(level):
    theta, at = [*SHARED, *FACTORS[:4]], [1e9, 2e10, level]
    law = OptimizerFactors(3)
    for k, slope in enumerate(law.gradient(theta, at)):
        step = 1e-6 * theta[k]
        up, down = theta.copy(), theta.copy()
        up[k], down[k] = theta[k] + step, theta[k] - step
        numeric = (law.evaluate(up, at) - law.evaluate(down, at)) / (2.0 * step)
        assert slope == pytest.approx(numeric, rel=1e-5, abs=1e-9)


def test_the_formula_names_every_level():
    text = get_law("optimizer_factors").write(
        (*SHARED, *FACTORS[:4]), metric="L", names=["N", "D", "optimizer"]
    )
    assert "optimizer 2: 1.400, 0.8000" in text
    assert "optimizer 3: 0.6000, 2.100" in text


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_every_number_of_levels_along_compute_is_recovered(levels):
    law = ComputeFactors(levels)
    flops = np.tile(np.geomspace(1e16, 1e21, 12), levels)
    inputs = np.stack([flops, np.repeat(np.arange(1.0, levels + 1.0), 12)])
    theta = (1.8, 1000.0, 0.155, *(1.7, 0.4, 3.0, 0.1)[: levels - 1])
    values = law.evaluate([np.asarray(v) for v in theta], list(inputs))
    assert fit_law(law, inputs, values).theta == pytest.approx(theta, rel=1e-6)
    assert [spec.symbol for spec in law.parameters[3:]] == [f"rho{k}" for k in range(2, levels + 1)]


def test_levels_along_compute_have_laws_of_their_own():
    law, theta = get_law("compute_factors"), [1.8, 1000.0, 0.155, 1.7, 0.4]
    assert law.takes(5)
    assert not law.takes(3)
    for level in (1, 2, 3):
        own = get_law("power_floor").evaluate(list(law.along(theta, level)), [1e18])
        assert law.evaluate(theta, [1e18, float(level)]) == pytest.approx(own, rel=1e-12)
    text = law.write(theta, metric="L", names=["C", "recipe"])
    assert text == "L = 1.800 + 1000/(rho C)^0.1550 (rho of recipe 2: 1.700; recipe 3: 0.4000)"
