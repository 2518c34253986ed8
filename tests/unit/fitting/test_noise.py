"""The scatter of one run is known of small grids too, where a fit passes through most runs."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.fitting.choice import choose
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.identifiability import check_fit
from scaleplan.fitting.noise import noise_scale, robust_scale
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.laws import get_law

LAW = get_law("chinchilla")
N, D = (c.ravel() for c in np.meshgrid(np.geomspace(1e7, 1e9, 3), np.geomspace(2e8, 2e10, 3)))
TRUTH = 1.82 + 482 / N**0.348 + 2085 / D**0.366


def grids(sigma, count):
    rng = np.random.default_rng(5)
    return [TRUTH * np.exp(sigma * rng.standard_normal(N.size)) for _ in range(count)]


@pytest.mark.parametrize("sigma", [0.005, 0.02])
def test_a_strong_effect_on_nine_runs_is_no_noise(sigma):
    scatter = []
    for values in grids(sigma, 40):
        fitted = fit_law(LAW, np.stack([N, D]), values)
        assert check_fit(fitted, ("params", "tokens")) is None
        scatter.append(fitted.noise / sigma)
    # The mean square is what the intervals rest on; with 4 spare runs it is known to 11% here.
    assert 0.8 < float(np.sqrt(np.mean(np.square(scatter)))) < 1.2


def test_the_runs_that_a_fit_passes_through_tell_nothing_of_the_noise():
    residuals = np.array([0.0, 0.0, 0.0, 1e-9, 0.0, 0.01, -0.012, 0.02, -0.015])
    assert robust_scale(residuals, 5) == pytest.approx(1.4826 * 0.0135)
    rms = float(np.sqrt((residuals**2).sum() / 4))
    assert noise_scale(residuals, 5) == pytest.approx(rms)


def test_one_bad_run_does_not_make_the_noise():
    residuals = np.r_[np.tile([0.01, -0.01], 10), 3.0]
    assert noise_scale(residuals, 2) < 0.03


def test_a_grid_of_nine_runs_keeps_its_law_of_two_inputs():
    for values in grids(0.02, 12):
        runs = make_runs(values, params=N, tokens=D)
        assert choose(runs, "auto", DEFAULT).tried.law.name in {"chinchilla", "coupled"}
