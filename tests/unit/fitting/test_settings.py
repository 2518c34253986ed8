"""Numbers that a law does not take and by which runs of one size differ."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.errors import FitError
from scaleplan.fitting.api import fit

SPARSITY = np.array([0.0, 0.5, 0.75, 0.875])


def sweep(shift, seed=0, name="sparsity", values=SPARSITY):
    """Return runs of 4 sizes and 3 amounts of data, each at four values of a further number."""
    rng = np.random.default_rng(seed)
    n, d, s = (c.ravel() for c in np.meshgrid([1e7, 4e7, 2e8, 1e9], [1e9, 6e9, 4e10], np.arange(4)))
    loss = (1.6 + 400 / n**0.35 + 1500 / d**0.36) * np.exp(0.004 * rng.standard_normal(n.size))
    loss *= 1.0 + shift * s / 3.0
    runs = make_runs(loss, params=n, tokens=d)
    return replace(runs, extra={name: np.asarray(values)[s.astype(int)]})


def told(runs, law="chinchilla"):
    found = fit(runs, resamples=0, law=law, alone=True)
    return found, [note for note in found.notes if note.id == "SETTING_MATTERS"]


def test_a_number_that_moves_runs_of_one_size_is_told():
    found, (note,) = told(sweep(0.1))
    assert "differ by sparsity" in note.text
    assert "at 0.8750 lies 10% above that at 0," in note.text
    assert "--by sparsity" in note.action
    assert dict(note.numbers)["share"] > 0.9
    assert found.quality.pure_error is None  # they are no replicates


def test_one_that_says_nothing_is_not_and_replicates_stay():
    alarms = 0
    for seed in range(40):
        found, notes = told(sweep(0.0, seed))
        alarms += bool(notes)
        assert notes or found.quality.pure_error is not None
    assert alarms <= 2  # one in a hundred by design


@pytest.mark.parametrize("name", ["seconds", "train_loss", "fold", "gpu_memory", "weight_decay"])
def test_readings_costs_indices_and_tuned_settings_are_left_out(name):
    assert told(sweep(0.1, name=name))[1] == []


def test_what_follows_the_size_stands_for_nothing():
    runs = sweep(0.0)
    depth = np.log10(runs.columns["params"]) * 4
    assert told(replace(runs, extra={"layers": depth}))[1] == []


def test_a_reading_with_many_values_is_no_setting():
    runs = sweep(0.1)
    other = runs.columns["value"] * 1.01
    assert told(replace(runs, extra={"paloma": other}))[1] == []


def test_columns_of_thousands_of_values_take_no_design_of_their_own():
    rng = np.random.default_rng(3)
    params = np.tile(np.geomspace(1e7, 1e9, 50), 240)
    runs = make_runs(
        2.0 + 1e3 * params**-0.4 * np.exp(0.1 * rng.standard_normal(params.size)), params=params
    )
    many = np.arange(params.size) // 4
    labels = {"family": tuple(f"f{k}" for k in many)}
    runs = replace(runs, extra={"sparsity": many / 1e4}, labels=labels)
    tracemalloc.start()
    told(runs, "power")
    assert tracemalloc.get_traced_memory()[1] < 2e8  # 12,000 rows by 3,000 values would be 288 MB
    tracemalloc.stop()


def test_a_law_of_compute_leaves_out_how_it_was_split():
    n, d = (c.ravel() for c in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 6)))
    rng = np.random.default_rng(3)
    loss = (1.6 + 4e3 / n**0.45 + 900 / d**0.36) * np.exp(0.003 * rng.standard_normal(n.size))
    _, (note,) = told(make_runs(loss, params=n, tokens=d), law="power_floor")
    assert "differ by params" in note.text
    assert "a law that takes it" in note.action


def test_bits_have_a_warning_of_their_own_and_are_no_replicates():
    runs = sweep(0.1)
    bits = np.array([16.0, 8.0, 6.0, 4.0])[(runs.extra["sparsity"] / 0.29).astype(int)]
    uses = (*runs.cleaning.columns, replace(runs.cleaning.columns[0], role="bits", column="bits"))
    runs = replace(
        runs, extra={}, columns={**runs.columns, "bits": bits},
        cleaning=replace(runs.cleaning, columns=uses),
    )  # fmt: skip
    found, notes = told(runs)
    assert notes == []
    assert "ROLES_LEFT_OUT" in [note.id for note in found.notes]
    assert found.quality.pure_error is None


def test_two_columns_that_say_the_same_are_told_once():
    runs = sweep(0.1)
    both = {**runs.extra, "density": 1.0 - runs.extra["sparsity"]}
    assert len(told(replace(runs, extra=both))[1]) == 1


def test_repeats_have_a_warning_of_their_own():
    rng = np.random.default_rng(5)
    n, d, u = (c.ravel() for c in np.meshgrid([1e8, 1e9, 4e9], [4e9, 2e10, 6e10], [1e9, 2e9, 4e9]))
    loss = (1.8 + 480 / n**0.35 + 2000 / d**0.36) * (1.0 + 0.1 * np.log10(d / u))
    loss *= np.exp(0.003 * rng.standard_normal(n.size))
    found, notes = told(make_runs(loss, params=n, tokens=d, unique_tokens=u))
    assert notes == []
    assert "REPEATED_DATA" in [note.id for note in found.notes]


def test_a_refusal_names_what_may_tell_kinds_apart():
    rng = np.random.default_rng(6)
    x = np.tile(np.geomspace(1e7, 1e9, 4), 3)
    values = 3.0 * np.exp(0.3 * rng.standard_normal(12))
    runs = replace(make_runs(values, params=x), labels={"bucket": ("a",) * 4 + ("b",) * 8})
    with pytest.raises(FitError) as error:
        fit(runs, resamples=0)
    assert "--by bucket" in error.value.hint
