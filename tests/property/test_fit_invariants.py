"""What must hold for any sweep, whatever its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import Recipe
from scaleplan.laws import get_law

CHINCHILLA, POWER_FLOOR = get_law("chinchilla"), get_law("power_floor")

thetas = st.tuples(
    st.floats(0.3, 3.0), st.floats(0.2, 5.0), st.floats(0.15, 0.8), st.floats(0.2, 5.0),
    st.floats(0.15, 0.8),
)  # fmt: skip


def surface(theta, seed, noise=0.0, runs=40):
    """Return inputs and values; A and B are given as the terms' size at 1e7 and 1e9."""
    floor, size, alpha, data, beta = theta
    rng = np.random.default_rng(seed)
    inputs = np.stack([10 ** rng.uniform(7, 10, runs), 10 ** rng.uniform(9, 12, runs)])
    full = (floor, size * 1e7**alpha, alpha, data * 1e9**beta, beta)
    values = CHINCHILLA.evaluate([np.asarray(v) for v in full], list(inputs))
    return full, inputs, values * np.exp(noise * rng.standard_normal(runs))


@given(theta=thetas, seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_noise_free_surfaces_are_recovered(theta, seed):
    full, inputs, values = surface(theta, seed)
    fitted = fit_law(CHINCHILLA, inputs, values)
    assert np.abs(fitted.log_residuals()).max() < 1e-7
    assert fitted.theta[[0, 2, 4]] == pytest.approx([full[0], full[2], full[4]], rel=1e-4)


@given(theta=thetas, seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_units_of_the_inputs_move_only_the_coefficients(theta, seed):
    _, inputs, values = surface(theta, seed, noise=0.005)
    plain = fit_law(CHINCHILLA, inputs, values, recipe=Recipe(delta=0.01))
    assume(plain.theta[0] > 0.0)
    millions = fit_law(CHINCHILLA, inputs / 1e6, values, recipe=Recipe(delta=0.01))
    assert millions.objective == pytest.approx(plain.objective, rel=1e-6)
    assert millions.theta[[0, 2, 4]] == pytest.approx(plain.theta[[0, 2, 4]], rel=1e-3)


@given(seed=st.integers(0, 10_000), runs=st.integers(6, 60), noise=st.sampled_from([0.0, 0.01]))
@settings(max_examples=40, deadline=None)
def test_never_worse_than_the_truth(seed, runs, noise):
    rng = np.random.default_rng(seed)
    x = 10 ** rng.uniform(5, 9, runs)[None]
    truth = np.array([1.5, 30.0, 0.2])
    clean = POWER_FLOOR.evaluate([np.asarray(v) for v in truth], [x[0]])
    values = clean * np.exp(noise * rng.standard_normal(runs))
    fitted = fit_law(POWER_FLOOR, x, values, recipe=Recipe(delta=np.inf))
    at_truth = 0.5 * float((np.log(clean / values) ** 2).sum())
    assert fitted.objective <= at_truth * (1 + 1e-9) + 1e-18


@given(theta=thetas, flops=st.floats(1e18, 1e25), factor=st.floats(1.01, 50.0))
@settings(max_examples=60)
def test_the_optimum_beats_every_other_split(theta, flops, factor):
    full, _, _ = surface(theta, 0, runs=2)
    params, tokens = CHINCHILLA.optimum(list(full), flops, 6.0)
    best = CHINCHILLA.evaluate(list(full), [params, tokens])
    for scale in (factor, 1 / factor):
        other = CHINCHILLA.evaluate(list(full), [params * scale, tokens / scale])
        assert other >= best * (1 - 1e-12)
