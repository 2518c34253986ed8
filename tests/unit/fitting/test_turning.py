"""Runs that go down and then up again are told so, and runs that level off are not."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.turning import turn_of

PARAMS = np.geomspace(1e6, 1e10, 12)


def noise(seed, count=12):
    return 0.003 * np.random.default_rng(seed).standard_normal(count)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_parabola_turns_where_it_does(seed, sign):
    values = sign * 0.1 * (np.log10(PARAMS) - 8.0) ** 2 + noise(seed)
    found = turn_of(PARAMS, values)
    assert found is not None
    assert found.falls == (sign > 0.0)
    assert 10**7.5 < found.at < 10**8.5
    assert found.p < 0.005


@pytest.mark.parametrize(
    "values",
    [
        0.0 * PARAMS,
        -0.1 * np.log(PARAMS),
        3.0 * (PARAMS / 1e6) ** -1.0,  # levels off: a parabola would turn
        np.exp(-PARAMS / 1e7),
        np.where(PARAMS < 1e8, -0.1 * np.log(PARAMS / 1e8), 0.0),
    ],
)
def test_what_falls_or_levels_off_does_not_turn(values):
    found = [turn_of(PARAMS, values + noise(seed)) for seed in range(60)]
    assert sum(one is not None for one in found) <= 2


def test_an_end_that_one_run_makes_is_no_turn():
    values = -0.05 * np.log(PARAMS) + noise(0)
    values[-1] += 0.2
    assert turn_of(PARAMS, values) is None


@pytest.mark.parametrize("count", [3, 4, 5])
def test_few_runs_cannot_turn(count):
    x = np.geomspace(1.0, 100.0, count)
    assert turn_of(x, (np.log10(x) - 1.0) ** 2) is None


def test_an_exact_turn_is_one():
    found = turn_of(PARAMS, np.abs(np.log(PARAMS / PARAMS[5])))
    assert found is not None
    assert found.at == pytest.approx(PARAMS[5])
    assert turn_of(PARAMS, np.full(12, 2.5)) is None
