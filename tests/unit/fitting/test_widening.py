"""Each rule of the recipe that widens intervals beyond the data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from scaleplan.fitting.backtest import BackTest, back_test
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.interval import PRIOR_SHARE
from scaleplan.fitting.selection import Tried
from scaleplan.fitting.widening import change_per_decade, weighted_quantile, widening_of
from scaleplan.laws import get_law

X = np.geomspace(1e6, 1e10, 40)[None]
TRUE = 1.5 + 300 * X[0] ** -0.35
MANY = 10_000  # degrees of freedom: the t quantile is the normal one


def noisy(sigma, seed=0):
    return TRUE * np.exp(sigma * np.random.default_rng(seed).standard_normal(TRUE.size))


def tried(name, values, test=None):
    fitted = fit_law(get_law(name), X, values)
    return Tried(fitted.law, fitted, back_test(fitted, X[0]) if test is None else test, "")


def made_test(error, *, decades, cut=None, noise=0.0, leverage=0.0):
    """Return a back-test with these log errors."""
    error = np.asarray(error, float)
    shape = np.ones(error.size)
    return BackTest(
        cut=np.zeros(error.size, int) if cut is None else np.asarray(cut),
        run=np.arange(error.size), decades=np.asarray(decades, float) * shape, error=error,
        noise=noise * shape, leverage=leverage * shape, dof=np.full(error.size, MANY),
        log_error=error,
    )  # fmt: skip


def shrunk(found, cuts):
    return np.sqrt((cuts * found**2 + 2.0 * PRIOR_SHARE**2) / (cuts + 2.0))


def test_the_change_per_decade_is_the_slope_of_a_straight_line():
    assert change_per_decade(np.log(5.0 * X[0] ** -0.2), X[0]) == pytest.approx(0.2 * np.log(10))
    assert change_per_decade(np.ones(3), np.ones(3)) == 0.0


def test_the_share_makes_nine_in_ten_errors_fall_inside():
    values = noisy(0.005)
    change = change_per_decade(np.log(values), X[0])
    errors = np.linspace(0.01, 0.1, 10)
    widening = widening_of([tried("power_floor", values, made_test(errors, decades=1.0))], X[0])
    needed = 0.09 / t_quantile(0.95, MANY) / change
    assert widening.change == change
    assert widening.share == pytest.approx(shrunk(needed, 1))
    assert (widening.cuts, widening.errors) == (1, 10)


def test_the_variance_grows_with_distance():
    # The same error at four times the distance asks for half the share.
    values = noisy(0.005)
    near, far = (
        widening_of([tried("power_floor", values, made_test([0.1] * 5, decades=d))], X[0]).share
        for d in (0.5, 2.0)
    )
    prior = 2.0 * PRIOR_SHARE**2
    assert 3.0 * near**2 - prior == pytest.approx(4.0 * (3.0 * far**2 - prior))


def test_what_noise_and_parameters_explain_needs_no_form_error():
    values = noisy(0.005)
    sigma = 0.1 / t_quantile(0.95, MANY)
    for noise, leverage in ((sigma, 0.0), (0.5 * sigma, 3.0)):
        test = made_test([0.0999] * 5, decades=1.0, noise=noise, leverage=leverage)
        assert widening_of([tried("power_floor", values, test)], X[0]).share == pytest.approx(
            shrunk(0.0, 1)
        )


def test_every_cut_counts_the_same_however_many_runs_lie_above_it():
    # 30 small errors above one cut, 3 large ones above another: half of the weight is large.
    values = noisy(0.005)
    test = made_test([0.001] * 30 + [0.1] * 3, decades=1.0, cut=[0] * 30 + [1] * 3)
    widening = widening_of([tried("power_floor", values, test)], X[0])
    needed = 0.1 / t_quantile(0.95, MANY) / widening.change
    assert widening.share == pytest.approx(shrunk(needed, 2))


def test_a_prediction_that_is_no_number_counts_as_lost():
    values = noisy(0.005)
    test = made_test([0.01, np.nan], decades=1.0)
    widening = widening_of([tried("power_floor", values, test)], X[0])
    assert widening.share * widening.change > 1.0
    assert widening.median_error == pytest.approx(0.01)


def test_without_a_back_test_the_prior_stands():
    test = made_test([], decades=[])
    widening = widening_of([tried("power_floor", noisy(0.005), test)], X[0])
    assert widening.share == PRIOR_SHARE
    assert (widening.errors, widening.cuts, widening.median_error) == (0, 0, None)
    assert (widening.decades_tested, widening.bins, widening.weights) == (0.0, (), (1.0,))


def test_a_true_form_is_widened_less_and_a_wrong_one_more_than_an_untested_one():
    values = noisy(0.005)
    assert widening_of([tried("power_floor", values)], X[0]).share < PRIOR_SHARE
    assert widening_of([tried("power", values)], X[0]).share > 2.0 * PRIOR_SHARE


def test_forms_weigh_by_their_back_test_errors():
    values = noisy(0.005)
    first = tried("power_floor", values, made_test([0.01, -0.01], decades=1.0))
    second = tried("shifted", values, made_test([0.03, 0.03], decades=1.0))
    assert widening_of([first, second], X[0]).weights == pytest.approx((0.9, 0.1))


def test_forms_are_compared_on_the_forecasts_that_both_made():
    values = noisy(0.005)
    first = tried("power_floor", values, made_test([0.9, 0.01], decades=1.0, cut=[0, 1]))
    late = made_test([0.03, 0.03], decades=1.0, cut=[1, 1])
    late = dataclasses.replace(late, run=np.array([1, 2]))
    widening = widening_of([first, tried("shifted", values, late)], X[0])
    assert widening.weights == pytest.approx((0.9, 0.1))
    assert widening.errors == 1


def test_a_form_without_a_back_test_weighs_as_much_as_the_other():
    values = noisy(0.005)
    first = tried("power_floor", values, made_test([0.01], decades=1.0))
    second = tried("shifted", values, made_test([], decades=[]))
    widening = widening_of([first, second], X[0])
    assert widening.weights == (0.5, 0.5)
    assert widening.errors == 1


def test_bins_tell_errors_by_distance():
    values = noisy(0.005)
    decades = [0.1] * 4 + [0.7] * 4 + [1.2]
    errors = [0.001] * 4 + [0.02] * 3 + [3.0, 0.02]
    widening = widening_of([tried("power_floor", values, made_test(errors, decades=decades))], X[0])
    near, far = widening.bins  # the single farthest one joins the bin before
    assert (near.decades_low, near.decades_high, near.forecasts) == (0.0, 0.25, 4)
    assert (near.median_error, near.inside) == (pytest.approx(0.001), 1.0)
    assert (far.decades_low, far.decades_high, far.forecasts) == (0.5, 1.2, 5)
    assert far.median_error == pytest.approx(0.02)
    assert far.inside == pytest.approx(0.8)
    assert widening.decades_tested == 1.2


def test_bins_do_not_divide_runs_of_one_distance():
    values = noisy(0.005)
    decades = [0.25 - 1e-15, 0.25, 0.25 + 1e-15, 0.25] * 2
    test = made_test([0.001] * 8, decades=decades)
    widening = widening_of([tried("power_floor", values, test)], X[0])
    (only,) = widening.bins
    assert (only.decades_low, only.forecasts) == (0.25, 8)


def test_the_weighted_quantile_reaches_its_level():
    values = np.array([3.0, 1.0, 2.0])
    assert weighted_quantile(values, np.ones(3), 2 / 3) == 2.0
    assert weighted_quantile(values, np.array([8.0, 1.0, 1.0]), 0.5) == 3.0


def test_runs_that_lie_on_a_law_exactly_get_a_small_prior():
    exact = 40.0 * X[0] ** -0.5
    fitted = fit_law(get_law("power"), X, exact)
    untested = Tried(fitted.law, fitted, made_test([], decades=[]), "")
    widening = widening_of([untested], X[0])
    assert widening.share * widening.change == pytest.approx(0.005, rel=1e-3)
    tested = Tried(fitted.law, fitted, back_test(fitted, X[0]), "")
    widening = widening_of([tested], X[0])
    assert widening.share * widening.change == pytest.approx(0.005 / 2.0, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "count", "rises", "sides"),
    [
        ("power", 19, False, (2.0, 1.0)), ("power", 19, True, (1.0, 2.0)),
        ("power", 20, False, (1.0, 1.0)), ("power_floor", 6, False, (2.0, 1.0)),
        ("log_linear", 8, True, (1.0, 2.0)),
    ],
)  # fmt: skip
def test_few_runs_of_one_input_leave_more_open_where_the_metric_is_on_its_way_to(
    name, count, rises, sides
):
    x = np.geomspace(1e6, 1e9, count)[None]
    values = 2.0 + 0.01 * np.log10(x[0]) if rises else 1.5 + 300 * x[0] ** -0.35
    fitted = fit_law(get_law(name), x, values)
    one = Tried(fitted.law, fitted, back_test(fitted, x[0]), "")
    found = widening_of([one], x[0])
    assert (found.below, found.above) == sides


def test_few_runs_of_two_inputs_leave_both_sides_alike():
    draw = np.random.default_rng(3)
    params, tokens = 10 ** draw.uniform(6, 8, 12), 10 ** draw.uniform(8, 10, 12)
    inputs = np.stack([params, tokens])
    values = (1.7 + 400 * params**-0.34 + 410 * tokens**-0.28) * np.exp(
        0.003 * draw.standard_normal(12)
    )
    fitted = fit_law(get_law("chinchilla"), inputs, values)
    one = Tried(fitted.law, fitted, back_test(fitted, params * tokens), "")
    found = widening_of([one], params * tokens)
    assert (found.below, found.above) == (1.0, 1.0)
