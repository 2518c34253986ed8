"""The unit of a metric, however small, is a factor of its law and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaleplan.fitting.api import fit
from scaleplan.laws import get_law
from scaleplan.runs.reading import load_runs

SIZES = [(n, d) for n in (1e7, 4e7, 1.6e8, 6.4e8) for d in (1e9, 5e9, 2.5e10)]


def loss(params, tokens, row):
    return (1.8 + 480 / params**0.35 + 2100 / tokens**0.37) * (1 + 0.003 * ((7 * row) % 5 - 2))


def fitted(tmp_path, factor):
    path = tmp_path / "runs.csv"
    lines = ["params,tokens,loss"]
    lines += [f"{n:g},{d:g},{factor * loss(n, d, i)!r}" for i, (n, d) in enumerate(SIZES)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return fit(load_runs([str(path)]), law="chinchilla", resamples=0)


@pytest.mark.parametrize("factor", [1e-60, 1e-20, 1e60])
def test_a_unit_changes_no_optimal_size_and_no_interval(factor, tmp_path):
    plain, scaled = fitted(tmp_path, 1.0), fitted(tmp_path, factor)
    names = ["params", "params_low", "params_high"]
    for row, other in zip(plain.optimum, scaled.optimum, strict=True):
        np.testing.assert_allclose(
            [getattr(other, name) for name in names], [getattr(row, name) for name in names],
            rtol=1e-3,
        )  # fmt: skip


def test_a_steep_law_far_beyond_its_runs_is_infinite():
    law = get_law("power")
    assert law.evaluate([1e-300, 90.0], [1e9]) == math.inf
    assert law.evaluate([2.0, 0.5], [4.0]) == 4.0
