"""Exact runs show their trend, whatever rounding leaves of them."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.effect import no_trend
from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import get_law


@pytest.mark.parametrize("digits", [8, 17])
def test_an_exact_grid_depends_on_its_inputs_in_any_order(digits):
    params, tokens = (m.ravel() for m in np.meshgrid([1e7, 1e8, 1e9], [1e9, 1e10, 1e11]))
    loss = 1.7 + 400 / params**0.34 + 400 / tokens**0.28
    loss = np.array([float(f"{v:.{digits}g}") for v in loss])
    generator = np.random.default_rng(0)
    for _ in range(40):
        order = generator.permutation(9)
        inputs = np.stack([params, tokens])[:, order]
        fitted = fit_law(get_law("chinchilla"), inputs, loss[order])
        assert no_trend(fitted, ("params", "tokens")) is None
