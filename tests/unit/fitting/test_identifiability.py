"""What cannot be known from a design is refused with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.allocation import allocation_note
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.identifiability import check_design, check_fit
from scaleplan.fitting.recipe import Limit, Recipe
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")
NAMES = ("params", "tokens")


def law_values(inputs, noise=0.0, theta=(1.8, 480.0, 0.35, 2000.0, 0.36)):
    values = CHINCHILLA.evaluate([np.asarray(v) for v in theta], list(inputs))
    return values * np.exp(noise * np.random.default_rng(0).standard_normal(values.size))


def test_three_points_for_five_parameters():
    refusal = check_design(CHINCHILLA, NAMES, np.array([[1e8, 1e9, 1e10], [1e9, 5e9, 2e9]]))
    assert "3 usable runs cannot fix the 5 parameters" in refusal.reason
    assert refusal.error().exit_code == 4


def test_all_runs_on_one_ray():
    params = np.geomspace(1e7, 1e10, 12)
    refusal = check_design(CHINCHILLA, NAMES, np.stack([params, 20 * params]))
    assert "one ray" in refusal.reason
    assert "--law power_floor --input flops" in refusal.remedy


def test_two_model_sizes():
    params = np.tile([1e8, 1e9], 6)
    refusal = check_design(CHINCHILLA, NAMES, np.stack([params, np.geomspace(1e9, 1e11, 12)]))
    assert "params takes 2 distinct values" in refusal.reason


def test_one_value_for_a_line():
    refusal = check_design(get_law("linear"), ("S",), np.ones((1, 5)))
    assert "S takes 1 distinct value;" in refusal.reason


@pytest.mark.parametrize("law", ["linear", "power"])
def test_sizes_that_are_nearly_one(law):
    refusal = check_design(get_law(law), ("S",), 1e7 * np.linspace(1.0, 1.02, 8)[None])
    assert refusal.reason.startswith("S spans 2.0% only, from 10.0M to 10.2M;")
    assert "sizes further apart" in refusal.remedy
    assert check_design(get_law(law), ("S",), 1e7 * np.linspace(1.0, 1.2, 8)[None]) is None


def test_a_good_design_passes():
    n, d = np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4))
    assert check_design(CHINCHILLA, NAMES, np.stack([n.ravel(), d.ravel()])) is None


@pytest.mark.parametrize("runs", [12, 30])
def test_a_metric_that_does_not_depend_on_the_tokens(runs):
    rng = np.random.default_rng(1)
    inputs = np.stack([10 ** rng.uniform(7, 10, runs), 10 ** rng.uniform(9, 12, runs)])
    values = (1.5 + 300 * inputs[0] ** -0.35) * np.exp(1e-3 * rng.standard_normal(runs))
    refusal = check_fit(fit_law(CHINCHILLA, inputs, values), NAMES)
    if refusal is None:  # a spurious trend may survive; then the allocation is refused
        assert allocation_note(fit_law(CHINCHILLA, inputs, values)).severity == "error"
    else:
        assert "tokens" in refusal.reason or "B" in refusal.reason


def test_allocation_is_given_for_a_broad_design():
    n, d = np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e12, 6))
    inputs = np.stack([n.ravel(), d.ravel()])
    assert allocation_note(fit_law(CHINCHILLA, inputs, law_values(inputs, 0.003))) is None


def test_allocation_is_refused_near_a_ray():
    params = np.geomspace(1e7, 1e10, 20)
    wiggle = np.exp(0.15 * np.random.default_rng(3).standard_normal(20))
    inputs = np.stack([params, 20 * params * wiggle])
    note = allocation_note(fit_law(CHINCHILLA, inputs, law_values(inputs, 0.02)))
    assert note.id == "ALLOCATION_REFUSED"


@pytest.mark.parametrize(("name", "beyond"), [("chinchilla", "alpha"), ("coupled", "alpha")])
def test_an_exponent_beyond_every_published_one_gives_no_split(name, beyond):
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 3e8, 6), np.geomspace(5e8, 5e10, 6)))
    values = law_values(np.stack([n, d]), noise=1e-4, theta=(1.5, 1.5e41, 5.5, 1500.0, 0.35))
    note = allocation_note(fit_law(get_law(name), np.stack([n, d]), values))
    assert note.id == "ALLOCATION_REFUSED"
    assert f"{beyond} = " in note.text
    assert "no published law has such exponents" in note.text


def test_all_runs_of_one_compute():
    params = np.geomspace(1e7, 1e9, 12)
    refusal = check_design(CHINCHILLA, NAMES, np.stack([params, 1e19 / (6.0 * params)]))
    assert "as those of one compute do" in refusal.reason
    assert "other budgets" in refusal.remedy


def floor_at(low, high, law=CHINCHILLA):
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    values = law.evaluate([1.8, 480.0, 0.35, 2000.0, 0.36], [n, d])
    recipe = Recipe(limits=(Limit(symbol="E", low=low, high=high),))
    return fit_law(law, np.stack([n, d]), values, recipe=recipe)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (99.0, 99.0, "E is fixed at 99, above 25 of the 25 runs"),
        (50.0, 99.0, "E may not be below 50, above 25 of the 25 runs"),
        (3.5, 3.5, "E is fixed at 3.5, above"),
    ],
)
def test_a_floor_that_is_held_above_the_runs_is_the_reason(low, high, said):
    refusal = check_fit(floor_at(low, high), NAMES)
    assert said in refusal.reason
    assert "does not depend" not in refusal.reason
    assert "Give E a value below the runs" in refusal.remedy


def test_a_floor_that_is_held_below_the_runs_is_fitted():
    assert check_fit(floor_at(1.8, 1.8), NAMES) is None
