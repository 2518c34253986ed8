"""Naive forms are offered, tested, and rejected when the data reject them."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.recipe import DEFAULT
from scaleplan.fitting.selection import compare, one_input_laws, runs_test, try_law

X = np.geomspace(1e6, 1e9, 24)


def verdicts(values, *, x=X, falling=True, prefer="power_floor"):
    tried = [
        try_law(law, ("N",), x[None], values, scale=x, recipe=DEFAULT, falling=falling)
        for law in one_input_laws()
    ]
    comparison = compare(tried, prefer=prefer)
    return comparison, {c.law: c for c in comparison.candidates}


def noise(sigma, n=24, seed=0):
    return np.exp(sigma * np.random.default_rng(seed).standard_normal(n))


def test_a_line_through_a_power_law_with_a_floor_is_rejected():
    comparison, by_law = verdicts((1.5 + 300 * X**-0.35) * noise(0.003))
    assert comparison.chosen.law.name == "power_floor"
    assert by_law["linear"].verdict == "rejected"
    assert "curve away" in by_law["linear"].reason
    assert by_law["power"].verdict == "rejected"
    assert "floor" in by_law["power"].reason


def test_a_pure_power_law_keeps_the_power_law():
    kept = 0
    for seed in range(20):
        _, by_law = verdicts(50 * X**-0.2 * noise(0.003, seed=seed))
        kept += by_law["power"].verdict != "rejected"
        assert by_law["linear"].verdict == "rejected"
    assert kept >= 15  # the test for a floor errs in one case of twenty by design


def test_an_exact_line_is_chosen():
    x = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
    comparison, by_law = verdicts(0.1 * x + 0.5, x=x, falling=False)
    assert comparison.chosen.law.name == "linear"
    assert by_law["power"].verdict == "rejected"


def test_a_noisy_line_over_a_short_range_is_admissible():
    x = np.linspace(1.0, 2.0, 16)
    values = 3.0 - 0.5 * x + 0.01 * np.random.default_rng(5).standard_normal(16)
    _, by_law = verdicts(values, x=x)
    assert by_law["linear"].verdict != "rejected"


def test_a_rising_metric_has_no_floor_law():
    x = np.array([1.0, 2.0, 5.0, 10.0, 20.0])
    _, by_law = verdicts(0.01 * x**2, x=x, falling=False)
    assert by_law["power_floor"].verdict == "rejected"
    assert by_law["power"].verdict == "chosen"


@pytest.mark.parametrize(
    ("signs", "random"),
    [([1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1], False), ([1, -1] * 6, False),
     ([1, -1, -1, 1, 1, -1, 1, 1, -1, -1, 1, -1], True)],
)  # fmt: skip
def test_runs_test(signs, random):
    assert (runs_test(np.array(signs, float)) > 0.05) is random


def test_runs_test_needs_ten_signs():
    assert runs_test(np.array([1.0, -1.0, 1.0])) is None
