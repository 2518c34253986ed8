"""Which law is taken where few or none of them pass, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.advice.fit_quality import form_rejected
from scaleplan.errors import FitError
from scaleplan.fitting.api import fit
from scaleplan.fitting.choice import choose
from scaleplan.fitting.effect import no_trend
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.laws import get_law


def reasons(choice):
    return {candidate.law: candidate.reason for candidate in choice.comparison.candidates}


@pytest.mark.parametrize("seed", range(6))
def test_errors_that_level_off_at_both_ends_are_fitted(seed):
    x = np.geomspace(1e5, 1e8, 12)
    noise = np.exp(0.01 * np.random.default_rng(seed).standard_normal(x.size))
    error = (0.12 + 0.63 * (x / 1e6 + 0.5) ** -0.32) * noise
    choice = choose(make_runs(error, kind="error", tokens=x), "auto", DEFAULT)
    fitted = choice.tried.fitted
    assert float(np.sqrt(np.mean(fitted.residuals() ** 2))) < 0.02


def test_a_law_that_is_only_the_other_form_leaves_one_to_choose():
    # Of this sweep the law with the most parameters alone passed, and none was left to choose.
    x = np.geomspace(1e5, 1e8, 12)
    error = np.array(
        [0.861819, 0.839024, 0.789182, 0.72636, 0.65895, 0.565773, 0.49751, 0.43059, 0.380602,
         0.337878, 0.295856, 0.265407]
    )  # fmt: skip
    choice = choose(make_runs(error, kind="error", tokens=x), "auto", DEFAULT)
    assert choice.tried.law.name == "shifted"
    assert choice.comparison.passed


def test_where_no_law_passes_the_best_forecaster_is_taken():
    params = np.geomspace(1e7, 3e9, 6)
    reward = np.array([0.10, 0.35, 0.62, 0.81, 0.97, 1.08])
    runs = make_runs(reward, kind="score", params=params)
    choice = choose(runs, "auto", DEFAULT)
    assert not choice.comparison.passed
    errors = {c.law: c.backtest_rmse_log for c in choice.comparison.candidates}
    known = [error for error in errors.values() if error is not None]
    assert errors[choice.tried.law.name] == min(known)
    found = fit(runs, resamples=0)
    note = next(n for n in form_rejected(found) if n.severity == "warning")
    assert note.text.startswith("No law passes")
    assert "forecast the larger runs" in note.text


def test_a_straight_line_is_not_said_to_make_the_metric_depend_on_nothing():
    t = np.geomspace(1, 128, 7)[:, None].T
    drop = 0.5 / t[0]
    flat = no_trend(fit_law(get_law("linear"), t, drop), ("T",))
    assert flat.reason.startswith("a straight line in T follows the metric no better")
    assert no_trend(fit_law(get_law("power"), t, drop), ("T",)) is None
    noise = 3.0 + 0.1 * np.random.default_rng(1).standard_normal(12)
    x = np.geomspace(1e6, 1e9, 12)[None]
    refused = no_trend(fit_law(get_law("power_floor"), x, noise), ("params",))
    assert "does not depend on params alone beyond its noise" in refused.reason


def test_a_metric_that_depends_on_nothing_is_refused_by_a_law_that_can_bend():
    rng = np.random.default_rng(3)
    runs = make_runs(3.0 + 0.05 * rng.standard_normal(16), params=np.geomspace(1e6, 1e9, 16))
    with pytest.raises(FitError) as refused:
        choose(runs, "auto", DEFAULT)
    assert "straight line" not in str(refused.value)
