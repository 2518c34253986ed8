"""A forecast carries the warnings of its fit that concern it; the others are notes beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scaleplan.advice.concerns import concerning
from scaleplan.fitting.api import fit
from scaleplan.planning.forecast import forecast
from scaleplan.records import Note
from tests.unit.fitting.made_runs import make_runs

N, D = (c.ravel() for c in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4)))


@pytest.fixture(scope="module")
def fitted():
    noise = np.exp(0.003 * np.random.default_rng(2).standard_normal(N.size))
    runs = make_runs((1.8 + 480 / N**0.35 + 2000 / D**0.36) * noise, params=N, tokens=D)
    found = fit(runs, resamples=0, law="chinchilla", alone=True)
    ids = ("OBJECTIVE_MATTERS", "INFLUENTIAL_TAIL", "FLOOR_UNIDENTIFIED", "MIXED")
    return replace(
        found, notes=tuple(Note(id=i, severity="warning", text="x", action="") for i in ids)
    )


def warnings(fitted, *, best_size=False, **point):
    points = forecast(fitted, **{key: [value] for key, value in point.items()}).points
    notes = concerning(fitted, points, best_size=best_size)
    assert {note.id for note in notes} == {note.id for note in fitted.notes}  # none is lost
    return {note.id for note in notes if note.severity != "info"}


def test_well_inside_the_data_only_the_runs_themselves_matter(fitted):
    assert warnings(fitted, params=1e8, tokens=1e10) == {"MIXED"}


def test_beyond_the_data_the_floor_matters_too(fitted):
    assert warnings(fitted, params=1e10, tokens=1e12) == {"MIXED", "FLOOR_UNIDENTIFIED"}


def test_a_combination_that_was_never_tested_is_beyond_the_data(fitted):
    corner = replace(fitted, hull=((1e7, 1e9), (1e9, 1e9), (1e9, 1e11)))
    assert "FLOOR_UNIDENTIFIED" in warnings(corner, params=2e7, tokens=9e10)


def test_whoever_asks_for_the_best_size_gets_all(fitted):
    assert warnings(fitted, best_size=True, flops=6e18) == {note.id for note in fitted.notes}


def test_plain_notes_of_the_fit_stay_with_the_fit(fitted):
    plain = replace(fitted, notes=tuple(replace(n, severity="info") for n in fitted.notes))
    assert concerning(plain, (), best_size=True) == ()


def test_strict_counts_what_concerns_the_point_asked(tmp_path, invoke):
    # So much noise leaves the split of compute open, but not the loss between the runs.
    noise = np.exp(0.015 * np.random.default_rng(6).standard_normal(N.size))
    loss = (1.8 + 480 / N**0.35 + 2000 / D**0.36) * noise
    rows = "".join(f"{n:g},{d:g},{v:.5f}\n" for n, d, v in zip(N, D, loss, strict=True))
    (tmp_path / "runs.csv").write_text(f"params,tokens,loss\n{rows}", encoding="utf-8")
    kept = str(tmp_path / "fit.yaml")
    made = invoke("fit", str(tmp_path / "runs.csv"), "--law", "chinchilla", "--resamples", "0",
                  "-o", kept)  # fmt: skip
    assert made.exit_code == 0
    assert "warning" in made.stdout
    inside = ("predict", kept, "--params", "1e8", "--tokens", "1e10", "--strict")
    best = ("predict", kept, "--flops", "6e18", "--strict")
    assert invoke(*best).exit_code == 6
    assert invoke(*inside).exit_code == 0
