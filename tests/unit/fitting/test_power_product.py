"""Scores without a known limit that depend on parameters and data."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.fitting.api import fit


def transfer(noise, seed=0):
    """Return the data that pre-training is worth; Hernandez et al. 2021, equation 1.2."""
    n, d = (c.ravel() for c in np.meshgrid(np.geomspace(1e5, 1e8, 7), np.geomspace(3e5, 1e8, 6)))
    worth = 1.9e4 * d**0.18 * n**0.38
    rng = np.random.default_rng(seed)
    return make_runs(
        worth * np.exp(noise * rng.standard_normal(n.size)), kind="score", params=n, tokens=d
    )


def test_the_published_exponents_are_found_unasked():
    found = fit(transfer(0.08), resamples=0)
    assert found.law == "power_product"
    for symbol, published in (("a", 0.38), ("b", 0.18)):
        known = next(p for p in found.parameters if p.symbol == symbol)
        assert known.low < published < known.high
        assert known.value == pytest.approx(published, abs=0.02)


def test_without_noise_they_are_exact():
    found = fit(transfer(0.0), resamples=0, law="power_product", alone=True)
    values = [p.value for p in found.parameters]
    assert values == pytest.approx([1.9e4, 0.38, 0.18], rel=1e-6)


def test_a_score_of_compute_alone_keeps_its_law_of_one_input():
    n = np.geomspace(1e6, 1e9, 12)
    rng = np.random.default_rng(1)
    values = 30.0 * n**0.1 * np.exp(0.01 * rng.standard_normal(n.size))
    found = fit(make_runs(values, kind="score", params=n, tokens=20.0 * n), resamples=0)
    assert found.law == "power"  # all runs lie on one ray


def test_losses_are_left_to_laws_with_a_floor():
    runs = transfer(0.05)
    runs = make_runs(
        1.0 + 1e6 / runs.columns["value"], params=runs.columns["params"],
        tokens=runs.columns["tokens"],
    )  # fmt: skip
    assert fit(runs, resamples=0).law in {"chinchilla", "coupled"}
