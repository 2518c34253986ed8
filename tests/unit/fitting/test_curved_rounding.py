"""Fits of a curved law end where rounding of the objective leaves nothing to gain."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import get_law


@pytest.mark.parametrize("seed", range(6))
def test_nearly_exact_runs_settle_in_any_order(seed):
    """Residuals of 1e-5 leave the sum of their squares eleven digits: no stop can ask for more."""
    n, d, u = (m.ravel() for m in np.meshgrid([3e7, 2e8, 1e9], [1e9, 5e9, 4e10], [5e8, 2e9, 4e9]))
    order = np.random.default_rng(seed).permutation(np.flatnonzero(d >= u))
    n, d, u = n[order], d[order], u[order]
    fresh = u + u * 15.0 * (1.0 - np.exp(-(d / u - 1.0) / 15.0))
    loss = 1.87 + 520.0 / n**0.353 + 1490.0 / fresh**0.353
    fitted = fit_law(get_law("data_constrained"), np.stack([n, d, u]), loss)
    assert fitted.solution.converged
    assert fitted.theta[0] == pytest.approx(1.87, abs=1e-3)
