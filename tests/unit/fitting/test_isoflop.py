"""Approaches 1 and 2 against surfaces whose optimum is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaleplan.fitting.isoflop import (
    Sweep,
    by_envelope,
    by_minima,
    envelope,
    equal_compute,
    isoflop_minima,
)
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")
BUDGETS = (1e18, 1e19, 1e20, 1e21)
SURFACES = {
    # Hoffmann et al. 2022 as printed; Besiroglu et al. 2024; exponents far apart.
    "hoffmann": (1.69, 406.4, 0.34, 410.7, 0.28),
    "besiroglu": (1.8172, 482.01, 0.3478, 2085.43, 0.3658),
    "asymmetric": (1.8, 2000.0, 0.45, 300.0, 0.25),
}


def values(theta, params, tokens):
    return CHINCHILLA.evaluate([np.asarray(v) for v in theta], [params, tokens])


def sweep(theta, *, decades=1.0, sizes=9, off=0.03, noise=0.0):
    params, flops = [], []
    for budget in BUDGETS:
        best, _ = CHINCHILLA.optimum(theta, budget, 6.0)
        params += list(best * 10 ** (np.linspace(-decades, decades, sizes) + off))
        flops += [budget] * sizes
    params, flops = np.array(params), np.array(flops)
    tokens = flops / (6.0 * params)
    scatter = np.exp(noise * np.random.default_rng(0).standard_normal(params.size))
    return Sweep(params, tokens, flops, values(theta, params, tokens) * scatter)


@pytest.mark.parametrize("theta", SURFACES.values(), ids=SURFACES)
@pytest.mark.parametrize(("decades", "sizes"), [(0.5, 5), (1.0, 9), (1.5, 13)])
def test_noise_free_minima_lie_near_the_truth_however_wide_the_sweep(theta, decades, sizes):
    # A parabola through a whole sweep of +-1.5 decades is off by 8 to 31% on these surfaces.
    minima = isoflop_minima(sweep(theta, decades=decades, sizes=sizes))
    assert [m.status for m in minima] == ["used"] * 4
    for found in minima:
        params, tokens = CHINCHILLA.optimum(theta, found.budget_flops, 6.0)
        assert found.params == pytest.approx(params, rel=0.04)
        assert found.tokens == pytest.approx(tokens, rel=0.04)
        assert found.value == pytest.approx(float(values(theta, params, tokens)), rel=1e-3)
    law = by_minima(minima, [1e21, 1e24], 0.9)
    exponent = theta[4] / (theta[2] + theta[4])
    assert law.params_exponent == pytest.approx(exponent, abs=1e-4)
    assert law.params_exponent + law.tokens_exponent == pytest.approx(1.0)


def test_the_interval_of_the_exponent_holds_the_truth_under_noise():
    theta = SURFACES["besiroglu"]
    law = by_minima(isoflop_minima(sweep(theta, noise=0.002)), [1e24], 0.9)
    assert law.params_exponent_low < theta[4] / (theta[2] + theta[4]) < law.params_exponent_high
    assert law.params_exponent_high - law.params_exponent_low < 0.2


def test_the_envelope_takes_the_best_run_of_each_budget():
    theta = SURFACES["besiroglu"]
    runs = sweep(theta)
    best = envelope(runs)
    assert sorted(best.flops) == list(BUDGETS)
    for budget, value in zip(best.flops, best.values, strict=True):
        assert value == runs.values[runs.flops == budget].min()
    law = by_envelope(runs, [1e24], 0.9)
    assert law.params_exponent == pytest.approx(theta[4] / (theta[2] + theta[4]), abs=1e-4)


def test_a_larger_budget_that_is_worse_is_not_on_the_envelope():
    runs = sweep(SURFACES["besiroglu"])
    spoiled = runs.values.copy()
    spoiled[runs.flops == 1e21] *= 2.0
    best = envelope(Sweep(runs.params, runs.tokens, runs.flops, spoiled))
    assert 1e21 not in best.flops


def test_of_equally_good_runs_the_envelope_takes_the_cheapest_in_any_order():
    runs = sweep(SURFACES["besiroglu"])
    rounded = Sweep(runs.params, runs.tokens, runs.flops, np.round(runs.values, 1))
    turned = rounded.take(np.arange(runs.params.size)[::-1])
    for column in ("params", "tokens", "flops", "values"):
        assert getattr(envelope(rounded), column).tolist() == (
            getattr(envelope(turned), column).tolist()
        )


def statuses(change):
    runs = sweep(SURFACES["besiroglu"])
    return [m.status for m in isoflop_minima(change(runs))]


def test_a_sweep_that_ends_before_its_minimum_is_at_the_edge():
    def cut(runs):
        last = runs.flops == 1e21
        best = CHINCHILLA.optimum(SURFACES["besiroglu"], 1e21, 6.0)[0]
        return runs.take(np.flatnonzero(~last | (runs.params < 0.9 * best)))

    assert statuses(cut) == ["used", "used", "used", "edge"]


def test_a_budget_that_bends_the_wrong_way_has_no_minimum():
    def bend(runs):
        upside_down = runs.values.copy()
        last = np.flatnonzero(runs.flops == 1e21)
        upside_down[last] = 5.0 - upside_down[last]
        return Sweep(runs.params, runs.tokens, runs.flops, upside_down)

    assert statuses(bend)[-1] == "maximum"


def test_two_sizes_are_too_few():
    def thin(runs):
        last = np.flatnonzero(runs.flops == 1e21)
        few = np.repeat(last[:2], 2)
        return runs.take(np.concatenate([np.flatnonzero(runs.flops < 1e21), few]))

    assert statuses(thin) == ["used", "used", "used", "few sizes"]


def test_a_cloud_of_runs_without_budgets_has_no_minima():
    rng = np.random.default_rng(1)
    params, tokens = 10 ** rng.uniform(7, 10, 15), 10 ** rng.uniform(9, 12, 15)
    assert isoflop_minima(Sweep(params, tokens, 6 * params * tokens, 1 + 1 / params**0.1)) == ()


def test_budgets_within_the_tolerance_are_one_and_others_are_not():
    flops = np.array([1e19, 1.05e19, 1e20, 0.98e20, 1.02e20, 1e21])
    groups = [sorted(group.tolist()) for group in equal_compute(flops)]
    assert sorted(groups) == [[0, 1], [2, 3, 4]]


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_unit_of_the_metric_does_not_matter(unit):
    runs = sweep(SURFACES["hoffmann"])
    scaled = Sweep(runs.params, runs.tokens, runs.flops, unit * runs.values)
    for one, other in zip(isoflop_minima(runs), isoflop_minima(scaled), strict=True):
        assert other.params == pytest.approx(one.params, rel=1e-6)
        assert other.value == pytest.approx(unit * one.value, rel=1e-6)


def test_too_few_minima_give_no_law():
    minima = isoflop_minima(sweep(SURFACES["hoffmann"]))[:2]
    assert by_minima(minima, [1e24], 0.9) is None
    assert math.isfinite(minima[0].params)
