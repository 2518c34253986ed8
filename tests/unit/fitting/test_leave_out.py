"""Runs and tails that move the optimum are found by refits without them."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting import leave_out
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.leave_out import candidates, influences
from scaleplan.fitting.recipe import Recipe
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")
BUDGET = 1e24
SQUARES = Recipe(objective="log")


def runs(change=None, *, count=60, seed=0, noise=0.003, recipe=SQUARES, law=CHINCHILLA):
    rng = np.random.default_rng(seed)
    inputs = np.stack([10 ** rng.uniform(7, 10, count), 10 ** rng.uniform(9, 12, count)])
    theta = [np.asarray(v) for v in (1.8, 480.0, 0.35, 2000.0, 0.36)]
    values = CHINCHILLA.evaluate(theta, list(inputs)) * np.exp(noise * rng.standard_normal(count))
    if change is not None:
        change(inputs, values)
    return fit_law(law, inputs, values, recipe=recipe)


def found_in(fitted, budget=BUDGET):
    names = [f"run-{i}" for i in range(fitted.values.size)]
    return influences(fitted, names, budget=budget, flops_per_param_token=6.0)


def optimum(fitted, budget=BUDGET):
    return CHINCHILLA.optimum([float(v) for v in fitted.theta], budget, 6.0)[0]


def spoil(inputs, values):
    values[int(np.argmin(inputs[1]))] *= 1.6  # the run with the fewest tokens


def test_a_clean_sweep_hangs_on_no_run():
    assert found_in(runs()) == ()


@pytest.mark.parametrize("seed", range(6))
def test_what_chance_moves_far_beyond_a_clean_sweep_is_no_warning(seed):
    fitted = runs(count=40, seed=seed, noise=0.04)
    weights = 1.0 - np.eye(40)
    sizes = [CHINCHILLA.optimum(list(map(float, each)), BUDGET, 6.0)[0]
             for each in fitted.refit(weights)]  # fmt: skip
    changes = np.abs(np.log(np.array(sizes) / optimum(fitted)))
    assert changes.max() > np.log(1.25)  # the share alone would name these runs
    assert found_in(fitted) == ()


def test_one_bad_run_is_named_with_both_sizes():
    fitted = runs(spoil)
    worst = int(np.argmin(fitted.inputs[1]))
    single = [one for one in found_in(fitted) if one.runs == 1]
    assert single[0].without == f"run-{worst}"
    kept = np.arange(fitted.values.size) != worst
    alone = fit_law(
        CHINCHILLA, fitted.inputs[:, kept], fitted.values[kept], recipe=SQUARES
    )  # fmt: skip
    assert single[0].params == pytest.approx(optimum(fitted))
    assert single[0].params_without == pytest.approx(optimum(alone), rel=1e-5)
    assert abs(single[0].params_without / single[0].params - 1) > 0.2


def test_a_tail_of_the_ratios_is_named_with_its_range():
    def undertrain(inputs, values):
        low = np.argsort(inputs[1] / inputs[0])[:6]
        values[low] *= 1.25

    tails = [one for one in found_in(runs(undertrain)) if one.runs > 1]
    assert any("fewest tokens per parameter" in one.without and one.runs == 6 for one in tails)


def test_the_run_that_alone_leaves_the_ray_is_named():
    params = np.geomspace(1e7, 1e10, 13)
    tokens = 20 * params
    tokens[6] *= 300
    tokens[4] /= 30
    inputs = np.stack([params, tokens])
    theta = [np.asarray(v) for v in (1.8, 480.0, 0.35, 2000.0, 0.36)]
    rng = np.random.default_rng(2)
    values = CHINCHILLA.evaluate(theta, list(inputs)) * np.exp(1e-4 * rng.standard_normal(13))
    # Without run 6 only a factor of 30 in one run is left; without both, nothing.
    tokens[4] = 20 * params[4] * 1.01
    found = found_in(fit_law(CHINCHILLA, np.stack([params, tokens]), values))
    assert found[0].without == "run-6"
    assert found[0].params_without is None


def test_nothing_is_compared_without_a_budget():
    assert found_in(runs(spoil), budget=None) == ()


def test_few_runs_are_not_taken_apart():
    assert found_in(runs(spoil, count=7)) == ()


def test_of_many_runs_the_first_order_estimate_finds_those_that_matter(monkeypatch):
    fitted = runs(spoil, count=120)
    every = {one.without for one in found_in(fitted) if one.runs == 1}
    monkeypatch.setattr(leave_out, "MOST_REFITTED", 50)
    few = candidates(fitted, BUDGET, 6.0)
    assert 0 < few.size < 60
    assert every
    assert {one.without for one in found_in(fitted) if one.runs == 1} == every


def test_the_coupled_law_is_taken_apart_too():
    found = found_in(runs(spoil, law=get_law("coupled")))
    assert any(one.runs == 1 for one in found)
