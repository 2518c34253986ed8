"""The optimum table says what its ranges count, and what they do not."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.fitting.api import fit
from scaleplan.laws import get_law
from scaleplan.render.optimum_view import optimum_table


@pytest.fixture(scope="module")
def runs():
    random = np.random.default_rng(2)
    params, tokens = 10.0 ** random.uniform(7.5, 9.5, 40), 10.0 ** random.uniform(9.0, 11.0, 40)
    losses = 1.8 + 480.0 * params**-0.35 + 2000.0 * tokens**-0.37
    return make_runs(
        losses * np.exp(0.005 * random.standard_normal(40)), params=params, tokens=tokens
    )


def test_the_optimum_of_each_form_is_told_beside_the_range(runs):
    found = fit(runs, resamples=0, flops=(1e22,))
    (row,) = found.optimum
    sizes = [
        get_law(form.law).optimum(list(form.theta), 1e22, 6.0)[0]
        for form in (found.main, *found.alternatives)
    ]
    assert len(sizes) == 2
    assert row.params_forms_low == pytest.approx(min(sizes))
    assert row.params_forms_high == pytest.approx(max(sizes))
    footer = optimum_table(found).footer
    assert "without the spread over forms (chinchilla and coupled: " in footer


def test_one_form_alone_has_no_spread(runs):
    found = fit(runs, law="chinchilla", resamples=0, flops=(1e22,), alone=True)
    assert found.optimum[0].params_forms_low is None
    assert "spread over forms" not in optimum_table(found).footer


def test_under_profiles_the_sizes_say_that_they_are_not(runs):
    found = fit(runs, law="chinchilla", resamples=0, flops=(1e22,), interval="profile", alone=True)
    assert found.optimum_interval is not None
    assert found.optimum_interval.method.startswith("delta method in ln N*")
    assert found.optimum_interval.method.endswith("profiles are of the law's own parameters only")
