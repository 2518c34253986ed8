"""Intervals of parameters and of the optimum: which method, said where, tied to each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_runs import make_runs

from scaleplan.errors import FitError, InputError, UsageError
from scaleplan.fitting.api import fit
from scaleplan.fitting.clusters import clusters_of
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.optimum import optimum_rows
from scaleplan.fitting.resampling import KINDS, Resamples, resample
from scaleplan.fitting.uncertainty import bias_notes, parameters_of
from scaleplan.fitting.valley import valley, valley_label
from scaleplan.laws import get_law
from scaleplan.records import LawFit, Widening

CHINCHILLA = get_law("chinchilla")


def grid(seed=0, floor=1.8, noise=0.004):
    rng = np.random.default_rng(seed)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e12, 6)))
    loss = (floor + 480 / n**0.35 + 2000 / d**0.36) * np.exp(noise * rng.standard_normal(n.size))
    return n, d, loss


def runs_of(seed=0, **changes):
    n, d, loss = grid(seed, **changes)
    return make_runs(loss, params=n, tokens=d)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"clustered"}))
def test_each_kind_says_what_it_is_and_holds_the_estimate(kind):
    found = fit(runs_of(), interval=kind, resamples=200)
    start = {
        "auto": "case bootstrap", "case": "case bootstrap", "delta": "delta method",
        "residual": "residual bootstrap", "wild": "wild bootstrap",
        "profile": "profile likelihood",
    }[kind]  # fmt: skip
    assert found.interval.method.startswith(start)
    assert found.interval.n == 36
    for parameter in found.parameters:
        assert parameter.low < parameter.value < parameter.high
    size = "delta method in ln N*" if kind in {"delta", "profile"} else start
    assert found.optimum_interval.method.startswith(size)
    assert found.optimum_interval.n == 36


def test_clusters_by_any_column():
    runs = runs_of()
    few = r"at least 20 clusters, and there are 6"
    with pytest.raises(FitError, match=few):
        fit(runs, cluster="params")
    with pytest.raises(InputError, match="no column colour"):
        fit(runs, cluster="colour")
    with pytest.raises(UsageError, match="--cluster params"):
        fit(runs, cluster="params", interval="delta")
    n, d, loss = (np.tile(column, 2) for column in grid())
    twice = fit(make_runs(loss, params=n, tokens=d, input=np.arange(72) // 3), law="chinchilla",
                cluster="input", resamples=100)  # fmt: skip
    assert twice.interval.method == "bootstrap of 24 clusters, 100 resamples"


def test_runs_without_a_cluster_stand_for_themselves():
    runs = make_runs([3.0, 2.0, 1.0], params=[1, 2, 3], seed=[7, np.nan, 7])
    rows = np.arange(3)
    assert clusters_of(runs, rows, "seed", "auto") == ("7", "row 1", "7")
    assert clusters_of(runs, rows, None, "clustered") is None


def test_a_floor_at_zero_gets_its_profile_whatever_the_others_get():
    n, d, _ = grid()
    rng = np.random.default_rng(2)
    loss = (40 / n**0.2 + 150 / d**0.25) * np.exp(0.01 * rng.standard_normal(36))
    fitted = fit_law(CHINCHILLA, np.stack([n, d]), loss)
    assert fitted.theta[0] == 0.0
    draws = resample(fitted, resamples=100, seed=0, clusters=None)
    for given in (draws, None):
        parameters, interval = parameters_of(fitted, given, level=0.9, unit="nats/token")
        assert parameters[0].at_bound
        assert parameters[0].low == 0.0 < parameters[0].high
        assert parameters[0].method.startswith("profile likelihood")
        assert not parameters[2].method
        assert not interval.method.startswith("profile")


def test_an_estimate_outside_of_its_interval_is_said():
    n, d, loss = grid()
    fitted = fit_law(CHINCHILLA, np.stack([n, d]), loss)
    shifted = Resamples(fitted.theta * (1.01 + 0.001 * np.arange(50)[:, None]), "made")
    parameters, _ = parameters_of(fitted, shifted, level=0.9, unit="")
    (note,) = bias_notes(parameters, shifted)
    assert note.id == "BIASED_RESAMPLES"
    assert "alpha (100% of the resamples lie above it)" in note.text
    assert bias_notes(parameters, None) == ()
    fair = resample(fitted, resamples=100, seed=0, clusters=None)
    assert bias_notes(parameters_of(fitted, fair, level=0.9, unit="")[0], fair) == ()


@pytest.mark.parametrize("kind", ["delta", "wild"])
def test_tokens_and_their_ratio_follow_from_the_size(kind):
    for row in fit(runs_of(), interval=kind, resamples=200).optimum:
        assert row.params_low < row.params < row.params_high
        assert row.tokens_low < row.tokens < row.tokens_high
        assert row.tokens_per_param == row.tokens / row.params
        assert row.tokens_per_param_low < row.tokens_per_param < row.tokens_per_param_high
        assert 6 * row.params_low * row.tokens_high == pytest.approx(row.flops)
        assert row.tokens_per_param_low == pytest.approx(row.tokens_low / row.params_high)


def test_the_interval_of_the_size_covers_the_true_one():
    truth, covered = (1.8, 480.0, 0.35, 2000.0, 0.36), 0
    params, _ = CHINCHILLA.optimum(list(truth), 1e23, 6.0)
    none = Widening(
        share=0.0,
        change=0.0,
        weights=(1.0,),
        decades_tested=0.0,
        cuts=0,
        errors=0,
        median_error=None,
    )
    for seed in range(60):
        n, d, loss = grid(seed)
        fitted = fit_law(CHINCHILLA, np.stack([n, d]), loss)
        (row,) = optimum_rows(
            [fitted.record()], budgets=[1e23], flops_per_param_token=6.0, widening=none, ranges=(),
            level=0.9,
        )  # fmt: skip
        covered += row.params_low <= params <= row.params_high
    assert 47 <= covered <= 60  # 90% less 2.5 standard deviations of 60 trials


@pytest.mark.parametrize(("unit", "label"), [("nats/token", "+0.01"), ("bits/byte", "+1%")])
def test_the_valley_ends_where_the_metric_has_risen_by_its_margin(unit, label):
    n, d, loss = grid()
    record = fit_law(CHINCHILLA, np.stack([n, d]), loss).record()
    params, tokens = CHINCHILLA.optimum(list(record.theta), 1e22, 6.0)
    best = CHINCHILLA.evaluate(list(record.theta), [params, tokens])
    low, high = valley(record, 1e22, 6.0, unit=unit)
    assert low < params < high
    margin = 0.01 if unit == "nats/token" else 0.01 * best
    for size in (low, high):
        rise = CHINCHILLA.evaluate(list(record.theta), [size, 1e22 / 6 / size]) - best
        assert rise == pytest.approx(margin, rel=1e-6)
    assert valley_label(unit) == label


def test_a_valley_with_walls_beyond_the_largest_float_has_its_ends():
    law = LawFit(
        law="chinchilla", theta=(1.0, 1.0, 60.0, 1.0, 60.0), covariance=None, noise=None, dof=0,
        residual="log",
    )  # fmt: skip
    low, high = valley(law, 6.0, 6.0, unit="")
    assert low * high == pytest.approx(1.0)
    assert 1.0 < high < 1.1


def test_a_valley_without_an_end_is_not_invented():
    record = fit_law(CHINCHILLA, np.stack(grid()[:2]), grid()[2]).record()
    flat = replace(record, theta=(1e9, *record.theta[1:]))
    assert valley(flat, 1e22, 6.0, unit="") == (None, None)
    no_optimum = replace(record, law="power", theta=(1.0, 1.0))
    assert valley(no_optimum, 1e22, 6.0, unit="") == (None, None)


def test_accuracies_are_shown_as_accuracies_at_the_optimum():
    n, d, _ = grid()
    accuracy = 0.9 - 20 / n**0.3 - 60 / d**0.25
    accuracy = accuracy + 0.002 * np.random.default_rng(0).standard_normal(36)
    found = fit(make_runs(accuracy, kind="accuracy", params=n, tokens=d), resamples=0)
    assert found.complement
    for row in found.optimum:
        assert row.low < row.value < row.high
        assert 0.6 < row.value < 1.0
