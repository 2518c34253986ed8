"""Which law is taken where few or none of them pass, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace

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
from scaleplan.planning.forecast import forecast


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
    assert choice.tried.law.name == "log_linear"
    # The law with a limit has three parameters, and forecast from a single cut only.
    assert errors["log_linear"] < 0.2 < errors["power"] < errors["linear"]
    found = fit(runs, resamples=0)
    note = next(n for n in form_rejected(found) if n.severity == "warning")
    assert note.text.startswith("No law passes")
    assert "least wrong on larger runs" in note.text


@pytest.mark.parametrize(
    ("law", "noise"),
    [(lambda n: 0.81 - 0.9 * n**-0.22, 0.002), (lambda n: 38 - 200 * n**-0.2, 0.3)],
)
def test_a_score_that_levels_off_is_not_sent_to_infinity(law, noise):
    x, new = np.geomspace(1e6, 1e9, 10), 1e10
    held = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        runs = make_runs(law(x) + noise * rng.standard_normal(x.size), kind="score", params=x)
        found = fit(runs, resamples=0)
        point = forecast(found, params=[new]).points[0]
        held += point.low <= law(new) + noise * rng.standard_normal() <= point.high
    assert held >= 9  # 11 of 12 are promised; the laws without a limit held 3 to 5


def test_a_score_that_does_not_level_off_keeps_its_line():
    x = np.geomspace(2e6, 1e9, 9)
    kept = 0
    for seed in range(10):
        noise = 0.02 * np.random.default_rng(seed).standard_normal(x.size)
        runs = make_runs(0.4 * np.log10(x / 1e6) + 0.05 + noise, kind="score", params=x)
        kept += choose(runs, "auto", DEFAULT).tried.law.name == "log_linear"
    assert kept >= 8


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


def grid_of_two_inputs():
    params, tokens = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 4), [1e9, 1e10, 1e11]))
    noise = np.exp(0.005 * np.random.default_rng(2).standard_normal(params.size))
    loss = (1.8 + 480.0 / params**0.35 + 2100.0 / tokens**0.37) * noise
    return make_runs(loss, params=params, tokens=tokens, flops=6.0 * params * tokens)


def test_laws_of_one_input_are_compared_on_what_they_take_alone():
    """Auto, a law that is asked for, and a comparison of laws fit the same column."""
    from scaleplan.planning.comparison import compare_laws

    runs = grid_of_two_inputs()
    chosen = fit(runs, resamples=0)
    by_law = {c.law: c for c in chosen.candidates}
    assert by_law["chinchilla"].inputs == ("params", "tokens")
    compared = {row.law: row for row in compare_laws(runs, objectives=("huber",)).rows}
    for name in ("power_floor", "power", "log_linear"):
        alone = fit(runs, law=name, resamples=0)
        assert by_law[name].inputs == alone.input_columns == compared[name].inputs
        own = next(c for c in alone.candidates if c.law == name)
        assert by_law[name].rmse_log == pytest.approx(own.rmse_log, rel=1e-6)
        assert compared[name].rmse_log == pytest.approx(own.rmse_log, rel=1e-6)
        assert compared[name].reason == by_law[name].reason


def test_a_verdict_of_another_objective_says_which_one_it_is_of():
    from scaleplan.planning.comparison import compare_laws

    rows = compare_laws(grid_of_two_inputs(), laws=("power",), objectives=("huber", "log")).rows
    said = {row.objective: row.reason for row in rows}
    of_auto = said["Huber of log residuals"]
    assert said["least squares of log residuals"] == f"under Huber of log residuals: {of_auto}"


def accuracies_of_a_loss(seed=0):
    """Runs past the middle of the sigmoid of their task, some of them at chance."""
    loss = np.linspace(3.2, 2.2, 21)
    noise = 0.005 * np.random.default_rng(seed).standard_normal(loss.size)
    accuracy = 0.25 + 0.7 / (1.0 + np.exp(3.5 * (loss - 2.45))) + noise
    runs = make_runs(accuracy, kind="accuracy", input=loss)
    uses = tuple(replace(use, column="val_loss") for use in runs.cleaning.columns)
    return replace(runs, cleaning=replace(runs.cleaning, columns=uses))


def test_an_accuracy_of_a_loss_is_fitted_by_the_law_made_for_it():
    choice = choose(accuracies_of_a_loss(), "auto", DEFAULT)
    assert choice.tried.law.name == "loss_to_accuracy"
    assert not choice.axes.complement  # the law is of the accuracy itself
    assert float(np.sqrt(np.mean(choice.tried.fitted.residuals() ** 2))) < 0.006
    # The runs of least loss are the largest, which the others forecast.
    order = np.argsort(choice.axes.scale)
    assert choice.axes.inputs[0][order[0]] == 3.2
    assert {"sigmoid", "saturating"}.isdisjoint(reasons(choice))


def test_a_law_that_falls_is_refused_for_that_where_its_metric_rises():
    runs = accuracies_of_a_loss()
    for name in ("sigmoid", "saturating"):
        with pytest.raises(FitError) as refused:
            choose(runs, name, DEFAULT)
        assert f"the {name} law falls with val_loss" in str(refused.value)
        assert "what it is fitted to rises with it" in str(refused.value)
    assert "what it is fitted to does not" in reasons(choose(runs, "auto", DEFAULT))["power_floor"]
