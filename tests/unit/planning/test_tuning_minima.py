"""The minimum of a grid over one setting: which levels count, and what is shown of it."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.planning.tuning_minima import minimum_of
from scaleplan.render.tuning_view import _with_error


@pytest.mark.parametrize("step", [2.0, 4.0])
def test_a_level_four_times_off_counts_wherever_the_grid_begins(step):
    """Steps of 2 give five levels within a factor of 4, steps of 4 three, for every first rate."""
    powers = np.arange(-4, 5)
    for first in np.geomspace(1e-4, 2e-3, 97):
        rates = first * step**powers
        found = minimum_of(np.log(rates), 2.0 + 0.01 * powers**2, "learning rate")
        assert found.used == (5 if step == 2.0 else 3)
        assert found.at == pytest.approx(np.log(first), abs=1e-9)


def test_one_level_written_in_two_ways_is_one_whatever_its_size():
    for first in np.geomspace(1e-4, 2e-4, 50):
        rates = first * np.array([0.5, 0.501, 1.0, 1.002, 2.0, 2.003])
        values = np.array([2.1, 2.11, 2.0, 2.01, 2.1, 2.12])
        assert minimum_of(np.log(rates), values, "batch").used == 3


def test_a_minimum_without_a_known_error_is_shown():
    assert _with_error(0.002, None, digits=3) == "0.00200"
    assert _with_error(0.002, 0.1, digits=3) == "0.00200 +- 10%"
    assert _with_error(None, None, digits=3) == "–"
