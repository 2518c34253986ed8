"""The other form stands beside the one that forecasts."""

from __future__ import annotations

import numpy as np
from made_runs import make_runs

from scaleplan.fitting.api import fit
from scaleplan.fitting.choice import choose
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.planning.forecast import forecast

X = np.geomspace(1e3, 1e6, 16)


def noise(sigma, n=16, seed=0):
    return np.exp(sigma * np.random.default_rng(seed).standard_normal(n))


def choice_of(values, law="auto", x=X):
    return choose(make_runs(values, input=x), law, DEFAULT)


def names(choice):
    return [tried.law.name for tried in choice.together]


def test_a_bent_form_stands_beside_a_power_law():
    choice = choice_of((1.0 + 30 * X**-0.4) * noise(0.003))
    assert names(choice)[0] == "power_floor"
    assert names(choice)[-1] == "shifted"
    by_law = {c.law: c for c in choice.comparison.candidates}
    assert by_law["shifted"].verdict == "admissible"
    assert "mixture" in by_law["shifted"].reason


def test_it_stands_beside_one_that_was_asked_for():
    assert names(choice_of(30 * X**-0.2 * noise(0.003), "power"))[-1] == "shifted"


def test_it_needs_spare_runs():
    few = X[::3][:5]
    assert "shifted" not in names(choice_of(1.0 + 30 * few**-0.4, x=few))


def test_no_bent_form_stands_beside_a_straight_line():
    values = 5.0 - 1e-6 * X + 0.01 * np.random.default_rng(1).standard_normal(16)
    assert set(names(choice_of(values, "linear"))) <= {"linear", "log_linear"}


def test_laws_of_an_error_do_not_stand_beside_one_of_an_accuracy():
    accuracy = 0.2 + 1e-7 * X + 0.001 * np.random.default_rng(1).standard_normal(16)
    choice = choose(make_runs(accuracy, kind="accuracy", input=X), "linear", DEFAULT)
    assert names(choice) == ["linear"]


def test_a_falling_metric_is_extrapolated_along_a_curve_where_one_is_admissible():
    # A short pure power law that a straight line in ln x describes a little better.
    x = np.geomspace(1.0, 3.0, 12)
    for seed in range(10):
        values = 2.0 * x**-0.1 * noise(0.01, 12, seed)
        choice = choice_of(values, x=x)
        admissible = {t.law.name for t in choice.comparison.admissible}
        if "power" in admissible or "power_floor" in admissible:
            assert names(choice)[0] in {"power", "power_floor"}


def hidden_floor(seed):
    random = np.random.default_rng(seed)
    x = np.geomspace(1e5, 1e8, 12)
    return make_runs((0.02 + 60 * x**-0.35) * np.exp(0.05 * random.standard_normal(12)), input=x)


def test_a_floor_that_noise_hides_stays_possible():
    chosen = []
    for seed in range(20):
        choice = choose(hidden_floor(seed), "auto", DEFAULT)
        if names(choice)[0] != "power":
            continue
        chosen.append(seed)
        assert "power_floor" in names(choice)
        (floor,) = (c for c in choice.comparison.candidates if c.law == "power_floor")
        assert floor.verdict == "admissible"
        assert "a floor that the runs do not show" in floor.reason
    assert len(chosen) >= 10


def test_it_reaches_into_the_forecast():
    truth, held = 0.02 + 60 * 1e10**-0.35, 0
    for seed in (0, 2, 8, 13, 14, 16):  # of those with the power law chosen above
        fitted = fit(hidden_floor(seed), law="power", resamples=0)
        (point,) = forecast(fitted, inputs=[1e10]).points
        held += point.low <= truth <= point.high
    assert held >= 4  # of the power law and the bent form alone, 1


def test_a_floor_with_too_few_runs_to_spare_does_not():
    x = np.geomspace(1e5, 1e8, 4)
    choice = choose(make_runs(60 * x**-0.35 * noise(0.01, 4), input=x), "auto", DEFAULT)
    assert "power_floor" not in names(choice)


def grid_of_runs(scatter):
    """Return 20 runs of a coupled truth on a grid of sizes and tokens."""
    size, ratio = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 5), [3, 10, 40, 160]))
    tokens = size * ratio
    loss = 1.8 + ((480 * size**-0.35) ** 2 + (2000 * tokens**-0.366) ** 2) ** 0.5
    return make_runs(loss * noise(scatter, size.size), params=size, tokens=tokens)


def test_few_runs_show_a_coupling_where_the_evidence_is_strong():
    clear = choose(grid_of_runs(0.002), "auto", DEFAULT)
    assert names(clear) == ["coupled", "chinchilla"]
    drowned = choose(grid_of_runs(0.05), "auto", DEFAULT)
    assert names(drowned)[0] == "chinchilla"


def test_weak_evidence_of_a_coupling_in_few_runs_is_told_and_not_followed():
    told = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        size = np.geomspace(1e7, 1e9, 4).repeat(4)
        tokens = size * np.tile([3.0, 10.0, 40.0, 160.0], 4)
        loss = 1.8 + ((480 * size**-0.35) ** 1.7 + (2000 * tokens**-0.366) ** 1.7) ** (1 / 1.7)
        values = loss * np.exp(0.012 * random.standard_normal(16))
        choice = choose(make_runs(values, params=size, tokens=tokens), "auto", DEFAULT)
        reason = next(c.reason for c in choice.comparison.candidates if c.verdict == "chosen")
        if "takes more evidence" in reason:
            told.append(names(choice)[0])
            p = float(reason.rpartition("p = ")[2].rstrip(")"))
            assert 1e-3 <= p < 0.05
    assert told
    assert set(told) == {"chinchilla"}
