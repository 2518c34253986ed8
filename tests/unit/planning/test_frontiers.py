"""Frontiers: the best loss of each compute, its inverse, and where two of them meet."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaleplan.laws import ComputeFactors, OptimizerFactors, get_law
from scaleplan.planning.frontiers import Frontier, central, crossings, frontier_of, multiplier

THETA = np.array([1.8, 480.0, 0.34, 2100.0, 0.37])


def test_the_frontier_of_two_inputs_is_the_loss_at_the_closed_form_optimum():
    law, at = get_law("chinchilla"), 1e20
    frontier = frontier_of(law, THETA, 6.0, at)
    for flops in (1e16, 1e20, 1e25):
        params, tokens = law.optimum(list(THETA), flops, 6.0)
        best = law.evaluate(list(THETA), [params, tokens])
        assert float(frontier.loss(flops)) == pytest.approx(best, rel=1e-12)
        for other in (0.5, 2.0):
            assert law.evaluate(list(THETA), [params * other, tokens / other]) > best
        assert float(frontier.flops(best)) == pytest.approx(flops, rel=1e-9)


def test_levels_have_frontiers_of_their_own():
    joint = OptimizerFactors(2)
    theta = np.array([*THETA, 2.0, 3.0])
    own = THETA * np.array([1.0, 2.0**-0.34, 1.0, 3.0**-0.37, 1.0])
    second = frontier_of(joint, theta, 6.0, 1e20, level=2)
    alone = frontier_of(get_law("chinchilla"), own, 6.0, 1e20)
    assert float(second.part) == pytest.approx(float(alone.part), rel=1e-12)
    # Worth of sizes and data multiply: 2 N and 3 D are 6 times the compute.
    first = frontier_of(joint, theta, 6.0, 1e20, level=1)
    assert float(multiplier(second, first, 2.5)) == pytest.approx(6.0, rel=1e-9)


def test_along_compute_the_factor_is_the_multiplier():
    theta = np.array([[1.8, 1000.0, 0.155, 1.7], [1.7, 900.0, 0.15, 0.4]])
    first, second = (frontier_of(ComputeFactors(2), theta, 6.0, 1e18, level=k) for k in (1, 2))
    assert multiplier(second, first, 2.5) == pytest.approx([1.7, 0.4], rel=1e-9)


def test_losses_at_or_below_a_floor_are_never_reached():
    low = Frontier(np.array(1.5), np.array(1.0), np.array(0.2), 1e20)
    high = Frontier(np.array(2.0), np.array(0.5), np.array(0.2), 1e20)
    assert math.isinf(high.flops(2.0))
    assert math.isinf(float(multiplier(low, high, 1.9)))
    assert float(multiplier(high, low, 1.9)) == 0.0
    assert math.isnan(float(multiplier(high, low, 1.4)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(101.0), (5.0, 95.0)),
        (np.r_[np.arange(90.0), np.full(11, np.inf)], (5.0, math.inf)),
        (np.r_[np.full(30, -np.inf), np.arange(71.0)], (-math.inf, 65.0)),
        (np.r_[np.arange(99.0), np.nan, np.nan], None),
        (np.full(5, np.nan), None),
    ],
)
def test_intervals_of_values_of_which_some_are_infinite(values, expected):
    found = central(values, 0.9)
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_crossing_and_its_interval():
    # 1.5 + (C/C0)^-0.2 and 2 + 0.5 (C/C0)^-0.2 meet where the reducible part is 1: at C0.
    low = Frontier(np.array(1.5), np.array(1.0), np.array(0.2), 1e20)
    high = Frontier(np.array(2.0), np.array(0.5), np.array(0.2), 1e20)
    shifts = np.linspace(-0.05, 0.05, 101)
    drawn = (
        Frontier(1.5 + shifts, np.ones(101), np.full(101, 0.2), 1e20),
        Frontier(np.full(101, 2.0), np.full(101, 0.5), np.full(101, 0.2), 1e20),
    )
    (found,) = crossings(low, high, drawn, low=1e16, high=1e24, level=0.9)
    assert found.flops == pytest.approx(1e20, rel=1e-9)
    assert found.loss == pytest.approx(2.5, rel=1e-9)
    # With a shift s of one floor they meet where the part is 1 - 2 s; s is within 0.045 at 90%.
    for end, shift in ((found.low, -0.045), (found.high, 0.045)):
        exact = 1e20 * (1.0 - 2.0 * shift) ** -5.0
        assert end == pytest.approx(exact, rel=0.04)


def test_curves_that_never_part_have_an_interval_without_an_end():
    low = Frontier(np.array(1.5), np.array(1.0), np.array(0.2), 1e20)
    high = Frontier(np.array(1.51), np.array(0.99), np.array(0.2), 1e20)
    shifts = np.linspace(-0.5, 0.5, 101)
    drawn = (
        Frontier(1.5 + shifts, np.ones(101), np.full(101, 0.2), 1e20),
        Frontier(np.full(101, 1.51), np.full(101, 0.99), np.full(101, 0.2), 1e20),
    )
    (found,) = crossings(low, high, drawn, low=1e16, high=1e24, level=0.9)
    assert (found.low, found.high) == (None, None)


def test_parallel_curves_do_not_cross():
    one = Frontier(np.array(1.5), np.array(1.0), np.array(0.2), 1e20)
    two = Frontier(np.array(1.5), np.array(0.9), np.array(0.2), 1e20)
    many = tuple(
        Frontier(np.full(9, float(f.floor)), np.full(9, float(f.part)), np.full(9, 0.2), 1e20)
        for f in (one, two)
    )
    assert crossings(one, two, many, low=1e16, high=1e24, level=0.9) == ()
