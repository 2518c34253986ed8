"""Runs far from the fit are named, and what they do to the advice is said."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.advice.explanations import explanation
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.influence import outlier_note
from scaleplan.fitting.recipe import Recipe
from scaleplan.laws import get_law

CHINCHILLA = get_law("chinchilla")
NAMES = [f"run-{i}" for i in range(60)]


def sweep(change=None, delta=None):
    rng = np.random.default_rng(0)
    inputs = np.stack([10 ** rng.uniform(7, 10, 60), 10 ** rng.uniform(9, 12, 60)])
    theta = [np.asarray(v) for v in (1.8, 480.0, 0.35, 2000.0, 0.36)]
    values = CHINCHILLA.evaluate(theta, list(inputs)) * np.exp(0.003 * rng.standard_normal(60))
    if change is not None:
        change(inputs, values)
    return fit_law(CHINCHILLA, inputs, values, recipe=Recipe(delta=delta))


def note_of(fitted, budget=1e24):
    return outlier_note(fitted, NAMES, budget=budget, flops_per_param_token=6.0)


def test_a_clean_sweep_has_none():
    assert note_of(sweep()) is None


def test_a_bad_run_is_named_and_kept():
    def spoil(_, values):
        values[7] *= 1.5

    fitted = sweep(spoil)
    note = note_of(fitted)
    assert (note.id, note.severity) == ("OUTLIERS", "info")
    assert "run-7" in note.text
    assert fitted.values.size == 60


def test_runs_that_move_the_optimum_are_a_warning():
    def undertrain(inputs, values):
        few = np.argsort(inputs[1])[:5]  # the fewest tokens: far too high a loss
        values[few] *= np.linspace(1.2, 2.5, 5)

    note = note_of(sweep(undertrain, delta=np.inf))  # least squares follows them
    assert (note.id, note.severity) == ("INFLUENTIAL_RUNS", "warning")
    numbers = dict(note.numbers)
    assert abs(numbers["params_without"] / numbers["params"] - 1) > 0.25


def test_without_an_optimum_nothing_is_compared():
    def spoil(_, values):
        values[7] *= 1.5

    assert note_of(sweep(spoil), budget=None).id == "OUTLIERS"


def test_exact_data_have_no_outliers():
    x = np.array([[1.0, 2.0, 5.0, 10.0, 20.0, 50.0]])
    fitted = fit_law(get_law("linear"), x, 0.1 * x[0] + 0.5)
    assert note_of(fitted, budget=None) is None


def test_rounding_of_an_exact_law_is_no_outlier():
    rng = np.random.default_rng(5)
    inputs = np.stack([10 ** rng.uniform(8, 10, 60), 10 ** rng.uniform(9, 12, 60)])
    inputs[0, :3] = 3_000_000.4, 4_000_000.6, 5_000_000.3
    theta = [np.asarray(v) for v in (1.8, 480.0, 0.35, 2000.0, 0.36)]
    values = CHINCHILLA.evaluate(theta, list(inputs))
    fitted = fit_law(CHINCHILLA, inputs.round(), values)  # of the small sizes it is a larger part
    far = np.abs(fitted.log_residuals())
    assert far.max() > max(1e-9, 10.0 * np.median(far))
    assert note_of(fitted) is None


@pytest.mark.parametrize(("away", "named"), [(4.9, False), (5.1, True)])
def test_a_run_is_named_from_as_many_deviations_on_as_is_said(away, named, monkeypatch):
    law = get_law("power")
    x = np.geomspace(1e6, 1e9, 12)
    fitted = fit_law(law, x[None], 50.0 * x**-0.2)
    left = 0.01 * np.random.default_rng(0).standard_normal(12)
    left[5] = 0.0
    # Of 12 runs and 2 parameters: of the 10 largest, as `scaleplan explain OUTLIERS` says.
    left[5] = away * 1.4826 * np.median(np.sort(np.abs(np.r_[left[:5], 9.0, left[6:]]))[2:])
    monkeypatch.setattr(type(fitted), "residuals", lambda _: left)
    monkeypatch.setattr(type(fitted), "log_residuals", lambda _: left)
    assert (note_of(fitted, budget=None) is not None) == named
    rule = explanation("OUTLIERS").rule
    assert "above 5 s" in rule
    assert "median of the n - p largest" in rule
