"""Errors and accuracies that show chance and ceiling get an S-curve; others keep their law."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.fitting.choice import choose
from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.recipe import DEFAULT, Limit, Recipe
from scaleplan.fitting.scores import is_score, score_laws
from scaleplan.fitting.solver import solve
from scaleplan.laws import get_law

X = np.geomspace(1e18, 1e24, 24)


def curve(x):
    return 0.2 + 0.55 / (1.0 + (x / 1e21) ** 0.9)


def noisy(values, sigma, seed=0):
    return values * np.exp(sigma * np.random.default_rng(seed).standard_normal(values.size))


def sizes(count=30, seed=3):
    random = np.random.default_rng(seed)
    flops = 10.0 ** random.uniform(19.0, 24.0, count)
    ratio = 10.0 * 2.0 ** random.uniform(0.0, 3.0, count)
    params = np.sqrt(flops / (6.0 * ratio))
    return params, params * ratio


def chosen(values, **columns):
    return choose(make_runs(values, **columns), "auto", DEFAULT)


def test_an_accuracy_between_chance_and_a_ceiling_gets_a_sigmoid():
    choice = chosen(1.0 - noisy(curve(X), 0.01), kind="accuracy", input=X)
    assert choice.tried.law.name == "sigmoid"
    floor, chance, middle, exponent = choice.tried.fitted.theta
    assert floor == pytest.approx(0.2, abs=0.02)
    assert chance == pytest.approx(0.75, abs=0.01)
    assert middle == pytest.approx(1e21, rel=0.2)
    assert exponent == pytest.approx(0.9, abs=0.1)


def test_the_same_numbers_as_a_loss_do_not():
    choice = chosen(noisy(curve(X), 0.01), kind="loss", input=X)
    assert "sigmoid" not in {c.law for c in choice.comparison.candidates}


def test_an_error_that_falls_as_a_power_law_keeps_it():
    choice = chosen(noisy(0.1 + 30.0 * X**-0.1, 0.01), kind="error", input=X)
    assert choice.tried.law.name == "power_floor"
    assert "sigmoid" in {c.law for c in choice.comparison.candidates}


def test_a_score_of_compute_stands_in_for_the_law_of_both_sizes_with_a_note():
    params, tokens = sizes()
    values = noisy(curve(6.0 * params * tokens), 0.02)
    choice = chosen(values, kind="error", params=params, tokens=tokens)
    assert choice.tried.law.name == "sigmoid"
    assert choice.axes.roles == ("flops",)
    assert [note.id for note in choice.notes] == ["SCORE_LAW_OF_COMPUTE"]
    rejected = {c.law for c in choice.comparison.candidates if c.verdict == "rejected"}
    assert {"chinchilla", "coupled"} <= rejected
    assert [c.law for c in choice.comparison.candidates if c.verdict == "chosen"] == ["sigmoid"]
    assert not any("used because" in c.reason for c in choice.comparison.candidates)
    assert min(c.aicc for c in choice.comparison.candidates if c.aicc is not None) == 0.0


def test_a_score_of_both_sizes_keeps_their_law():
    params, tokens = sizes()
    values = noisy(0.1 + 40.0 * params**-0.3 + 90.0 * tokens**-0.3, 0.01)
    choice = chosen(values, kind="error", params=params, tokens=tokens)
    assert choice.tried.law.name == "chinchilla"
    assert choice.notes == ()


def test_chance_is_never_above_one():
    values = noisy(1.0 / (1.0 + (X / 1e22) ** 0.7), 0.05)
    values = np.minimum(values, 1.0)
    choice = chosen(values, kind="error", input=X)
    curves = [t for t in choice.comparison.admissible if t.law.name == "sigmoid"]
    assert curves
    assert curves[0].fitted.theta[1] <= 1.0 + 1e-12


def test_few_runs_or_few_sizes_carry_no_s_curve():
    assert [law.name for law in score_laws(X)] == ["sigmoid", "saturating"]
    assert score_laws(X[:6]) == ()
    assert score_laws(np.repeat(X[:5], 8)) == ()


def test_a_metric_beyond_one_is_no_share():
    assert is_score(make_runs([0.2, 0.5, 0.9], kind="error", input=[1, 2, 3]))
    assert not is_score(make_runs([0.2, 0.5, 1.9], kind="error", input=[1, 2, 3]))
    assert not is_score(make_runs([0.2, 0.5, 0.9], kind="loss", input=[1, 2, 3]))


def test_a_bound_on_the_metric_is_kept_in_scaled_units():
    law, values = get_law("sigmoid"), 300.0 * noisy(curve(X), 0.01)
    limits = (Limit(symbol="e0", low=0.0, high=0.7 * 300.0),)
    problem = CurvedProblem.of(law, X[None], values, limits=limits)
    assert problem.metric_scale != 1.0
    theta = problem.to_theta(solve(problem, delta=1e-2).phi)
    assert theta[1] == pytest.approx(210.0, rel=1e-9)


def test_a_law_that_is_asked_for_is_compared_with_the_s_curves():
    runs = make_runs(noisy(curve(X), 0.01), kind="error", input=X)
    choice = choose(runs, "power_floor", Recipe())
    assert choice.tried.law.name == "power_floor"
    by_law = {c.law: c for c in choice.comparison.candidates}
    assert by_law["power_floor"].verdict == "rejected"
    assert "sigmoid" in by_law
    assert choose(runs, "sigmoid", Recipe()).tried.law.name == "sigmoid"
