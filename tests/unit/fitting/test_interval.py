"""The interval of a forecast is that of a mixture of laws, wider the farther out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.interval import distribution, edge_of, predict
from scaleplan.laws import get_law
from scaleplan.records import LawFit, Range, Widening

# ln y = ln A + a ln x with a known: the variance of ln y is that of ln A alone.
ONE = LawFit(
    law="power", theta=(2.0, -0.5), covariance=((0.0004, 0.0), (0.0, 0.0)), noise=0.02, dof=30,
    residual="log",
)  # fmt: skip
OTHER = replace(ONE, theta=(2.2, -0.5), covariance=((0.0, 0.0), (0.0, 0.0)), noise=0.03, dof=12)
PLAIN = Widening(
    share=0.0, change=0.0, weights=(1.0,), decades_tested=0.0, cuts=0, errors=0, median_error=None
)
T30, T12 = t_quantile(0.95, 30.0), t_quantile(0.95, 12.0)


def half_width(point):
    return 0.5 * math.log(point.high / point.low)


def at(fits, widening, *, decades=0.0):
    return predict(
        fits, [(100.0,)] * len(fits), widening=widening, decades=decades, level=0.9
    )  # fmt: skip


def test_inside_the_data_it_is_parameters_and_noise():
    point = at([ONE], PLAIN)
    assert point.value == pytest.approx(0.2)
    assert half_width(point) == pytest.approx(T30 * math.hypot(0.01, 0.02))
    assert 0.5 * math.log(point.mean_high / point.mean_low) == pytest.approx(T30 * 0.01)


@pytest.mark.parametrize("decades", [0.0, 0.25, 1.0, 4.0])
def test_the_form_adds_a_variance_that_grows_with_distance(decades):
    point = at([ONE], replace(PLAIN, share=0.1, change=0.5), decades=decades)
    form = 0.05 * math.sqrt(decades)
    assert half_width(point) == pytest.approx(T30 * math.hypot(0.01, 0.02, form))


def test_the_spread_of_forms_counts_by_their_weights():
    point = at([ONE, OTHER], replace(PLAIN, weights=(0.75, 0.25)))
    ends = math.log(0.2), math.log(0.22)
    centre = 0.75 * ends[0] + 0.25 * ends[1]
    variance = 0.75 * (0.01**2 + 0.02**2) + 0.25 * 0.03**2
    variance += 0.75 * (ends[0] - centre) ** 2 + 0.25 * (ends[1] - centre) ** 2
    assert half_width(point) == pytest.approx(T12 * math.sqrt(variance))
    assert math.sqrt(point.low * point.high) == pytest.approx(math.exp(centre))
    assert point.value == pytest.approx(0.2)  # the formula that was printed


def test_the_interval_holds_the_value_of_the_main_law():
    far = replace(OTHER, theta=(20.0, -0.5), noise=0.001)
    point = at([replace(ONE, noise=0.001), far], replace(PLAIN, weights=(0.001, 0.999)))
    assert point.low == pytest.approx(0.2)


def test_parameters_that_are_not_known_leave_the_metric_its_own_pace():
    wild = replace(ONE, covariance=((1e6, 0.0), (0.0, 1e6)), noise=0.0)
    point = at([wild], replace(PLAIN, change=0.2), decades=3.0)
    assert half_width(point) == pytest.approx(T30 * 0.2 * 2.0)


def test_a_second_form_lies_no_farther_away_than_the_metric_changes():
    absurd = replace(OTHER, theta=(1e30, -0.5), noise=0.02)
    point = at([ONE, absurd], replace(PLAIN, change=0.2, weights=(0.9, 0.1)), decades=3.0)
    variance = 0.9 * 0.01**2 + 0.02**2 + 0.9 * 0.1 * 0.4**2
    assert half_width(point) == pytest.approx(T12 * math.sqrt(variance))


def test_a_form_that_gives_no_number_is_left_out():
    broken = replace(OTHER, theta=(-1.0, -0.5))
    both = replace(PLAIN, weights=(0.5, 0.5))
    assert half_width(at([ONE, broken], both)) == pytest.approx(half_width(at([ONE], PLAIN)))
    assert at([broken, ONE], both).low is None


def test_a_covariance_that_is_no_number_claims_nothing():
    unknown = replace(ONE, covariance=((math.nan, 0.0), (0.0, math.inf)), noise=0.0)
    point = at([unknown], replace(PLAIN, change=0.2))
    assert half_width(point) == pytest.approx(T30 * 0.2)


def test_a_law_without_covariance_has_no_interval():
    point = at([replace(ONE, covariance=None)], PLAIN)
    assert (point.low, point.high, point.mean_low) == (None, None, None)


def test_an_absolute_law_is_widened_in_the_units_of_its_metric():
    line = LawFit(
        law="linear", theta=(0.1, 0.5), covariance=((0.0, 0.0), (0.0, 0.01)), noise=0.2, dof=30,
        residual="raw",
    )  # fmt: skip
    point = at([line], replace(PLAIN, share=0.5, change=0.6), decades=1.0)
    assert point.value == pytest.approx(10.5)
    assert point.high - point.value == pytest.approx(T30 * math.hypot(0.1, 0.2, 0.3))


@pytest.mark.parametrize("decades", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(("below", "above"), [(2.0, 1.0), (1.0, 3.0)])
def test_the_form_may_count_more_on_one_side(decades, below, above):
    widening = replace(PLAIN, share=0.1, change=0.5, below=below, above=above)
    point = at([ONE], widening, decades=decades)
    form = 0.05 * math.sqrt(decades)
    own = math.hypot(0.01, 0.02)
    assert math.log(0.2 / point.low) == pytest.approx(T30 * math.hypot(own, below * form))
    assert math.log(point.high / 0.2) == pytest.approx(T30 * math.hypot(own, above * form))
    # The law's own value is not widened.
    assert 0.5 * math.log(point.mean_high / point.mean_low) == pytest.approx(T30 * 0.01)


def test_chances_and_quantiles_of_two_sides_belong_together():
    widening = replace(PLAIN, share=0.1, change=0.5, below=2.0)
    said = distribution([ONE], [(100.0,)], widening=widening, decades=1.0)
    for probability in (0.01, 0.2, 0.5, 0.6, 0.99):
        assert said.chance_below(said.quantile(probability)) == pytest.approx(probability)
    assert said.bounds(0.9) == pytest.approx((said.quantile(0.05), said.quantile(0.95)))


# An S-curve of an error whose limit may be 0.05 instead of 0.4, by the profile of its limit.
CURVE = LawFit(
    law="sigmoid", theta=(0.4, 0.75, 100.0, 0.5), noise=0.01, dof=20, residual="log",
    covariance=tuple(tuple(1e-6 if i == k else 0.0 for k in range(4)) for i in range(4)),
    further=(0.05, 0.75, 1000.0, 0.45),
)  # fmt: skip

WIDE = (*((0.0,) * 4,) * 3, (0.0, 0.0, 0.0, 0.2))  # how steep it is is not known


def curve_at(x, *, edge=None, fit=CURVE):
    widening = replace(PLAIN, share=0.2, change=0.1)
    return distribution([fit], [(x,)], widening=widening, decades=2.0, edge=edge)


def test_towards_a_limit_farther_on_the_parameters_are_known_by_its_profile():
    whole, plain = curve_at(1e4), curve_at(1e4, fit=replace(CURVE, further=()))
    assert whole.above == plain.above
    law = get_law("sigmoid")
    ends = [law.evaluate(list(theta), [1e4]) for theta in (CURVE.theta, CURVE.further)]
    reach = math.log(ends[0] / ends[1])
    t = t_quantile(0.95, 20.0)
    assert t * whole.mean_below == pytest.approx(reach)
    form = 0.01**2 + 0.02**2 * 2.0
    assert t * whole.below == pytest.approx(math.hypot(reach, t * math.sqrt(form)))


def test_beyond_the_runs_an_s_curve_is_no_worse_than_where_they_end():
    wild = replace(CURVE, covariance=WIDE)
    free, held = curve_at(1e3, fit=wild), curve_at(1e3, edge=(100.0,), fit=wild)
    for probability in (0.01, 0.05, 0.5, 0.9, 0.99):
        expected = min(free.quantile(probability), held.edge.quantile(probability))
        assert held.quantile(probability) == pytest.approx(expected)
        assert held.chance_below(expected) == pytest.approx(probability, abs=1e-6)
    assert held.bounds(0.9)[1] < free.bounds(0.9)[1]
    assert held.bounds(0.9)[0] == free.bounds(0.9)[0]
    assert held.mean_bounds(0.9)[1] <= held.edge.mean_bounds(0.9)[1]


@pytest.mark.parametrize("edge", [None, (1e3,)])
def test_inside_the_runs_nothing_is_held(edge):
    assert curve_at(1e3, edge=edge).edge is None


def test_below_the_smallest_run_an_s_curve_is_no_better():
    held = curve_at(1.0, edge=(10.0,))
    assert held.bounds(0.9)[0] >= held.edge.bounds(0.9)[0]


def test_the_edge_is_known_for_one_input():
    ranges = (Range(role="flops", low=1e18, high=1e21), Range(role="params", low=1e6, high=1e9))
    assert edge_of(ranges, ("flops",), {"flops": 1e23}) == (1e21,)
    assert edge_of(ranges, ("flops",), {"flops": 1e17}) == (1e18,)
    assert edge_of(ranges, ("flops",), {"flops": 1e20}) == (1e20,)
    assert edge_of(ranges, ("params", "tokens"), {"params": 1.0, "tokens": 1.0}) is None
    assert edge_of(ranges, ("input",), {"input": 1.0}) is None
