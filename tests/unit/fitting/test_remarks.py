"""What residuals along the input say against a law."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.fitting.api import fit
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.remarks import bend_p
from scaleplan.laws import get_law


def sweep(law, theta, count, seed, noise=0.01):
    x = np.geomspace(1e6, 1e10, count)
    rng = np.random.default_rng(seed)
    exact = get_law(law).evaluate([np.asarray(value) for value in theta], [x])
    return x, exact * np.exp(noise * rng.standard_normal(count))


@pytest.mark.parametrize(
    ("law", "theta"), [("power_floor", (1.6, 60.0, 0.25)), ("power", (30.0, -0.08))]
)
@pytest.mark.parametrize("count", [9, 14, 40])
def test_runs_of_the_law_itself_bend_no_further(law, theta, count):
    found = []
    for seed in range(40):
        x, values = sweep(law, theta, count, seed)
        found.append(bend_p(fit_law(get_law(law), x[None], values)))
    assert None not in found
    assert sum(p < 0.002 for p in found) <= 1
    assert 0.2 < np.mean(found) < 0.8  # as p-values are


@pytest.mark.parametrize("count", [14, 40])
def test_runs_that_had_not_yet_learned_are_told(count):
    x, values = sweep("shifted", (1.6, 4000.0, 0.45, 3e7), count, 3, noise=0.004)
    found = fit(make_runs(values, params=x), resamples=0, law="power_floor", alone=True)
    assert "RESIDUALS_NOT_RANDOM" in [note.id for note in found.notes]


def test_too_few_runs_say_nothing():
    x, values = sweep("shifted", (1.6, 4000.0, 0.45, 3e7), 7, 3)
    assert bend_p(fit_law(get_law("power_floor"), x[None], values)) is None
    found = fit(make_runs(values, params=x), resamples=0, law="power_floor", alone=True)
    assert "RESIDUALS_NOT_RANDOM" not in [note.id for note in found.notes]


def test_a_law_that_is_wrong_names_the_one_beside_it_that_is_not():
    x = np.geomspace(1e4, 1e10, 40)
    scatter = np.exp(0.02 * np.random.default_rng(0).standard_normal(x.size))
    values = 3.0 * x**-0.05 * (1.0 + x / 1e7) ** -0.3 * scatter
    found = fit(make_runs(values, input=x), resamples=0)
    assert found.law == "power"
    (note,) = (note for note in found.notes if note.id == "RESIDUALS_NOT_RANDOM")
    assert "The power law is wrong here: the shifted law misses the runs by" in note.text
    assert "--law shifted" in note.action
    alone = fit(make_runs(values, input=x), resamples=0, law="power", alone=True)
    (note,) = (note for note in alone.notes if note.id == "RESIDUALS_NOT_RANDOM")
    assert "wrong here" not in note.text
