"""The numbers that say what a design can tell, and the thresholds that act on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaleplan.fitting.allocation import allocation_note
from scaleplan.fitting.diagnostics import diagnose, worst_exponent
from scaleplan.fitting.effect import no_effect
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.floorless import floor_note, value_without_floor
from scaleplan.fitting.identifiability import check_design, with_known_interval
from scaleplan.fitting.recipe import Limit, Recipe
from scaleplan.fitting.uncertainty import parameters_of
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")
ROLES = ("params", "tokens")


def fitted(noise=0.003, shape=(6, 6), low=(1e7, 1e9), high=(1e10, 1e12), law=CHINCHILLA, floor=1.8):
    n, d = (
        a.ravel() for a in np.meshgrid(
            np.geomspace(low[0], high[0], shape[0]), np.geomspace(low[1], high[1], shape[1])
        )
    )  # fmt: skip
    inputs = np.stack([n, d])
    values = CHINCHILLA.evaluate(
        [np.asarray(v) for v in (floor, 480.0, 0.35, 2000.0, 0.36)], list(inputs)
    )
    rng = np.random.default_rng(0)
    return fit_law(law, inputs, values * np.exp(noise * rng.standard_normal(n.size)))


def test_decades_correlation_and_errors_are_those_of_the_runs():
    one = fitted()
    found = diagnose(one, ROLES)
    decades = dict(found.decades)
    assert decades["params"] == pytest.approx(3.0)
    assert decades["tokens"] == pytest.approx(3.0)
    assert decades["tokens_per_param"] == pytest.approx(6.0)
    assert found.correlation == pytest.approx(0.0, abs=1e-9)
    places = {"alpha": 2, "beta": 4}
    errors = {s: np.sqrt(one.covariance[k, k]) / one.theta[k] for s, k in places.items()}
    assert found.relative_error == pytest.approx(max(errors.values()))
    assert found.relative_error_of == max(errors, key=errors.get)
    assert found.starts_objective < 1e-6
    assert found.starts_params < 1e-4


def test_starts_in_several_valleys_are_told_apart():
    one = fitted()
    moved = one.solution.phi.copy()
    moved[1] *= 1.3
    pool = np.stack([one.solution.phi, moved, moved * 1.01])
    found = diagnose(replace(one, solution=replace(one.solution, pool=pool)), ROLES)
    assert found.starts_objective > 1e-4
    assert found.starts_params > 0.1


def test_starts_on_exact_data_agree_whatever_their_rounding():
    assert diagnose(fitted(noise=0.0), ROLES).starts_objective == 0.0


def test_one_input_has_no_correlation():
    x = np.geomspace(1e6, 1e9, 8)
    found = diagnose(fit_law(get_law("power"), x[None], x**-0.1), ("params",))
    assert found.correlation is None
    assert dict(found.decades) == {"params": pytest.approx(3.0)}


def test_an_exponent_of_zero_is_not_known_at_all():
    one = fitted()
    theta = one.theta.copy()
    theta[2] = 0.0
    assert worst_exponent(replace(one, theta=theta)) == (np.inf, "alpha")


@pytest.mark.parametrize(
    ("condition", "error", "severity"),
    [
        (30, 0.05, None), (70, 0.05, "info"), (30, 0.15, "info"), (150, 0.05, "warning"),
        (30, 0.3, "warning"), (600, 0.05, "error"), (30, 0.6, "error"),
    ],
)  # fmt: skip
def test_the_worse_of_condition_and_error_decides_on_the_allocation(condition, error, severity):
    one = fitted()
    covariance = np.zeros((5, 5))
    covariance[4, 4] = (error * one.theta[4]) ** 2
    note = allocation_note(replace(one, condition=float(condition), covariance=covariance))
    assert (note.severity if note is not None else None) == severity


@pytest.mark.parametrize(("wiggle", "refused"), [(0.05, True), (1.5, False)])
def test_inputs_that_move_together_are_refused(wiggle, refused):
    params = np.geomspace(1e7, 1e10, 20)
    tokens = 20 * params * np.exp(wiggle * np.random.default_rng(3).standard_normal(20))
    refusal = check_design(CHINCHILLA, ROLES, np.stack([params, tokens]))
    assert (refusal is not None) is refused
    if refusal is not None:
        assert "--input flops" in refusal.remedy


def test_with_two_runs_to_spare_no_interval_is_given():
    x = np.geomspace(1e6, 1e9, 4)
    noise = np.array([1.0, 1.01, 0.99, 1.0])
    four = fit_law(get_law("power"), x[None], x**-0.1 * noise)
    assert with_known_interval(four).covariance is None
    x = np.geomspace(1e6, 1e9, 5)
    five = fit_law(get_law("power"), x[None], x**-0.1 * np.append(noise, 1.005))
    assert with_known_interval(five).covariance is not None


def note_of(one, at=(1e11, 1e13)):
    parameters, _ = parameters_of(one, None, level=0.9, unit="nats/token")
    return floor_note(one, parameters, level=0.9, at=at)


def test_a_floor_that_is_seen_is_not_warned_about():
    assert note_of(fitted()) is None


def test_a_floor_that_is_not_seen_is_shown_beside_a_law_without_one():
    note = note_of(fitted(noise=0.02, shape=(5, 5), low=(1e6, 1e7), high=(1e7, 1e9), floor=0.5))
    assert note.id == "FLOOR_UNIDENTIFIED"
    assert "its 90% interval includes 0" in note.text
    numbers = dict(note.numbers)
    assert numbers["predicted_without_floor"] < 0.5 * numbers["predicted"]


def test_a_floor_at_zero_has_no_standard_error():
    note = note_of(fitted(noise=0.02, shape=(4, 4), low=(1e6, 1e7), high=(1e7, 1e8), floor=0.3))
    assert "E = 0, at its bound, where a standard error means nothing" in note.text


@pytest.mark.parametrize("name", ["chinchilla", "coupled"])
def test_the_law_without_a_floor_is_the_best_such_law(name):
    one = fitted(noise=0.0, floor=0.0, law=get_law(name))
    truth = CHINCHILLA.evaluate([0.0, 480.0, 0.35, 2000.0, 0.36], [1e11, 1e13])
    assert value_without_floor(one, (1e11, 1e13)) == pytest.approx(truth, rel=1e-6)


def test_the_power_law_is_what_is_left_without_a_floor():
    x = np.geomspace(1e6, 1e9, 12)
    values = (0.5 + 30 / x**0.2) * np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
    one = fit_law(get_law("power_floor"), x[None], values)
    plain = fit_law(get_law("power"), x[None], values, recipe=replace(one.recipe, delta=one.delta))
    at = np.array([[1e12]])
    assert value_without_floor(one, (1e12,)) == pytest.approx(plain.predict(at)[0], rel=1e-6)


def test_an_exponent_that_may_be_zero_is_no_law():
    x = np.geomspace(1e6, 1e9, 20)
    noise = np.exp(0.2 * np.random.default_rng(0).standard_normal(20))
    for values, refused in ((2.0 * noise, True), (x**-0.3 * noise, False)):
        one = fit_law(get_law("power"), x[None], values)
        parameters, _ = parameters_of(one, None, level=0.9, unit="")
        refusal = no_effect(one, parameters, ("params",), instead=False)
        assert (refusal is not None) is refused


@pytest.mark.parametrize(("instead", "remedy"), [(True, "other budgets"), (False, "Vary flops")])
def test_runs_of_one_compute_say_nothing_of_a_law_of_compute(instead, remedy):
    params = np.geomspace(1e7, 1e9, 12)
    flops = 6.0 * params * (1e19 / 6.0 / params)  # equal up to the last digits
    one = fit_law(get_law("log_linear"), flops[None], 3.0 + np.linspace(-1.0, 1.0, 12) ** 2)
    parameters, _ = parameters_of(one, None, level=0.9, unit="")
    refusal = no_effect(one, parameters, ("flops",), instead=instead)
    assert "all 12 runs share one flops, 1e+19" in refusal.reason
    assert "nan" not in refusal.reason
    assert remedy in refusal.remedy


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.0, 1.0, "(E = 1.000, --bound E=0:1): these runs alone would have a larger one"),
        (2.0, 3.0, "(E = 2.000, --bound E=2:3): these runs alone would have a smaller one"),
        (0.5, 3.0, ""),
    ],
)
def test_a_bound_that_was_given_is_said_to_hold_the_floor(low, high, said):
    free = fitted()
    recipe = Recipe(limits=(Limit(symbol="E", low=low, high=high),))
    note = note_of(fit_law(CHINCHILLA, free.inputs, free.values, recipe=recipe))
    assert (note is not None) is bool(said)
    if note is not None:
        assert said in note.text
        assert "do not reach far enough" not in note.text
