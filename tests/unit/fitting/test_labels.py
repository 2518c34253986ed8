"""Runs that differ by a label at the same sizes are told, whatever the label is called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.fitting.api import fit

N = np.geomspace(1e6, 1e9, 8)


def labelled(values, params, **labels):
    return replace(make_runs(values, params=params), labels=labels)


def told(runs):
    found = fit(runs, resamples=0, law="power_floor", alone=True)
    return [note for note in found.notes if note.id == "GROUPS_DIFFER"]


def two_kinds(shift, seed=0):
    rng = np.random.default_rng(seed)
    params = np.tile(N, 2)
    noise = np.exp(0.01 * rng.standard_normal(params.size))
    kinds = ("transformer",) * N.size + ("lstm",) * N.size
    better = np.array([kind == "transformer" for kind in kinds])
    return (1.5 + 60 * params**-0.3) * noise * np.where(better, 1.0, 1.0 + shift), params, kinds


@pytest.mark.parametrize("name", ["model_type", "arch", "router", "family", "run"])
def test_architectures_that_are_pooled_are_told(name):
    values, params, kinds = two_kinds(0.1)
    (note,) = told(labelled(values, params, **{name: kinds}))
    assert f"--by {name}" in note.action
    assert "of lstm lies" in note.text
    assert "that of transformer" in note.text
    assert dict(note.numbers)["difference"] == pytest.approx(np.log(1.1), abs=0.02)


def test_labels_that_say_nothing_are_left_alone():
    false_alarms = 0
    for seed in range(40):
        values, params, _ = two_kinds(0.0, seed)
        kinds = np.random.default_rng(seed + 99).permutation(["a", "b"] * N.size)
        false_alarms += bool(told(labelled(values, params, host=tuple(kinds))))
    assert false_alarms <= 2  # one in a hundred by design


def test_names_of_runs_and_of_sizes_are_no_kinds():
    values, params, _ = two_kinds(0.1)
    names = tuple(f"run-{k}" for k in range(params.size))
    sizes = tuple("small" if n < 3e7 else "large" for n in params)
    assert told(labelled(values, params, run=names, model_size=sizes)) == []


def test_conventions_have_a_warning_of_their_own():
    values, params, kinds = two_kinds(0.1)
    assert told(labelled(values, params, dataset=kinds)) == []


def test_a_label_beside_the_law_of_two_inputs():
    rng = np.random.default_rng(4)
    n, d = (c.ravel() for c in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    routed = rng.permutation([True, False] * 13)[: n.size]
    loss = (1.8 + 480 / n**0.35 + 2000 / d**0.36) * np.exp(0.004 * rng.standard_normal(n.size))
    kinds = tuple("hash" if each else "dense" for each in routed)
    runs = make_runs(loss * np.where(routed, 1.03, 1.0), params=n, tokens=d)
    found = fit(replace(runs, labels={"router": kinds}), resamples=0, law="chinchilla", alone=True)
    (note,) = (note for note in found.notes if note.id == "GROUPS_DIFFER")
    assert "of hash lies 3" in note.text


def of_two_slopes(seed, difference, noise=0.01):
    rng = np.random.default_rng(seed)
    params = np.tile(np.geomspace(1e6, 1e9, 12), 2)
    kinds = ("a",) * 12 + ("b",) * 12
    turn = np.where(np.array(kinds) == "a", 1.0, -1.0) * 0.5 * difference
    scatter = np.exp(noise * rng.standard_normal(params.size))
    values = (1.5 + 60 * params**-0.3) * (params / np.sqrt(1e6 * 1e9)) ** turn * scatter
    return labelled(values, params, arch=kinds)


@pytest.mark.parametrize("seed", range(5))
def test_groups_that_cross_are_told(seed):
    (note,) = told(of_two_slopes(seed, 0.06))
    assert "What params does differs by arch: over its range loss of a goes up by" in note.text
    assert "--by arch" in note.action
    numbers = dict(note.numbers)
    assert "difference" not in numbers  # in the middle they are alike
    assert numbers["slope_difference"] == pytest.approx(0.06 * np.log(1e3), rel=0.2)


def test_groups_of_one_slope_are_not_told_to_cross():
    assert sum(bool(told(of_two_slopes(seed, 0.0))) for seed in range(100, 140)) <= 2


def test_a_group_of_one_size_has_no_slope_that_could_differ():
    runs = of_two_slopes(0, 0.06)
    third = 5e7 * np.exp(1e-3 * np.random.default_rng(1).standard_normal(12))
    params = np.r_[runs.column("params"), third]
    scatter = np.exp(0.01 * np.random.default_rng(2).standard_normal(12))
    values = np.r_[runs.column("value"), (1.5 + 60 * third**-0.3) * scatter]
    kinds = ("a",) * 12 + ("b",) * 12 + ("c",) * 12
    (note,) = told(labelled(values, params, arch=kinds))
    assert "of a goes up by" in note.text
    assert "against that of b (" in note.text
    one = told(labelled(values[12:], params[12:], arch=kinds[12:]))
    assert not any("differs by arch" in note.text for note in one)
