"""Bootstraps: reproducible, of the right width, and refused where they would say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.errors import FitError, UsageError
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.resampling import (
    KINDS,
    check_resamples,
    percentile,
    resample,
    resampled_kind,
)
from scaleplan.fitting.uncertainty import parameters_of
from scaleplan.laws import get_law

POWER_FLOOR, CHINCHILLA = get_law("power_floor"), get_law("chinchilla")
TRUTH = np.array([1.8, 480.0, 0.35])
BOOTSTRAPS = ("case", "residual", "wild")


def made(seed, runs=36, noise=0.005):
    x = np.geomspace(1e6, 1e10, runs)[None]
    clean = POWER_FLOOR.evaluate(list(TRUTH), [x[0]])
    errors = noise * np.random.default_rng(seed).standard_normal(runs)
    return fit_law(POWER_FLOOR, x, clean * np.exp(errors))


@pytest.fixture(scope="module")
def many():
    """Return fits to 200 simulated logs of 36 runs."""
    return [made(seed) for seed in range(200)]


@pytest.mark.parametrize("kind", ["delta", *BOOTSTRAPS])
def test_intervals_cover_the_truth_as_often_as_they_say(many, kind):
    covered = np.zeros(3)
    for seed, fitted in enumerate(many):
        draws = resample(fitted, resamples=150, seed=seed, clusters=None, kind=kind)
        parameters, _ = parameters_of(fitted, draws, level=0.9, unit="", kind=kind)
        covered += [p.low <= v <= p.high for p, v in zip(parameters, TRUTH, strict=True)]
    shares = covered / len(many)
    assert (shares >= 0.80).all(), shares
    assert (shares <= 0.97).all(), shares


@pytest.mark.parametrize("kind", BOOTSTRAPS)
def test_the_same_seed_draws_the_same(kind):
    fitted = made(0)
    one, two, other = (
        resample(fitted, resamples=60, seed=seed, clusters=None, kind=kind).theta
        for seed in (5, 5, 6)
    )
    assert one.shape == (60, 3)
    assert (one == two).all()
    assert (one != other).any()


@pytest.mark.parametrize("kind", BOOTSTRAPS)
@pytest.mark.parametrize("name", ["chinchilla", "coupled", "linear"])
def test_each_kind_serves_each_family_of_laws(kind, name):
    law = get_law(name)
    rng = np.random.default_rng(3)
    inputs = np.stack([10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 12, 40)])
    if name == "linear":
        inputs = np.arange(1.0, 41.0)[None]
        values = 9.0 - 0.1 * inputs[0] + 0.1 * rng.standard_normal(40)
    else:
        values = CHINCHILLA.evaluate([1.8, 480.0, 0.35, 2000.0, 0.36], list(inputs))
        values = values * np.exp(0.004 * rng.standard_normal(40))
    fitted = fit_law(law, inputs, values)
    draws = resample(fitted, resamples=200, seed=0, clusters=None, kind=kind)
    spread = draws.theta.std(axis=0)
    error = np.sqrt(np.diag(fitted.covariance))
    assert np.isfinite(draws.theta).all()
    at = [k for k, spec in enumerate(law.parameters) if spec.scale == "linear"]
    assert spread[at] == pytest.approx(error[at], rel=0.7)


def test_wild_clusters_share_a_sign():
    """With the noise the same within a cluster, lone signs would take it for many runs' worth."""
    x = np.tile(np.geomspace(1e6, 1e10, 20), 4)[None]
    codes = np.tile(np.arange(20), 4)
    noise = 0.01 * np.random.default_rng(0).standard_normal(20)[codes]
    fitted = fit_law(POWER_FLOOR, x, POWER_FLOOR.evaluate(list(TRUTH), [x[0]]) * np.exp(noise))
    names = [f"family {c}" for c in codes]
    lone, shared = (
        resample(fitted, resamples=300, seed=1, clusters=clusters, kind="wild")
        for clusters in (None, names)
    )
    ratio = shared.theta[:, 2].std() / lone.theta[:, 2].std()
    assert ratio == pytest.approx(2.0, rel=0.25)
    assert "20 clusters" in shared.method
    assert "clusters" not in lone.method


def test_auto_draws_runs_or_clusters_only_where_there_are_enough():
    few, enough = made(0, runs=11), made(0, runs=12)
    assert resample(few, resamples=50, seed=0, clusters=None) is None
    assert resample(enough, resamples=50, seed=0, clusters=None).method.startswith("case")
    assert resample(enough, resamples=0, seed=0, clusters=None) is None
    halves = ["a"] * 6 + ["b"] * 6
    assert resample(enough, resamples=50, seed=0, clusters=halves) is None
    twins = [str(i // 2) for i in range(36)]
    assert "18 clusters" in resample(made(0), resamples=50, seed=0, clusters=twins).method


@pytest.mark.parametrize(
    ("kind", "runs", "clusters", "match"),
    [
        ("case", 11, None, "at least 12 runs, and there are 11"),
        ("residual", 5, None, "at least 6 runs, and there are 5"),
        ("wild", 5, None, "at least 6 runs"),
        ("clustered", 36, None, "--cluster COLUMN"),
        ("clustered", 36, ["a", "b"] * 18, "at least 12 clusters, and there are 2"),
        ("wild", 36, ["a", "b"] * 18, "at least 6 clusters, and there are 2"),
    ],
)
def test_what_cannot_be_trusted_is_refused_when_it_is_asked_for(kind, runs, clusters, match):
    with pytest.raises(FitError, match=match) as caught:
        resample(made(0, runs=runs), resamples=50, seed=0, clusters=clusters, kind=kind)
    assert caught.value.hint


def test_a_bootstrap_without_resamples_is_refused():
    with pytest.raises(FitError, match="--resamples is 0"):
        resample(made(0), resamples=0, seed=0, clusters=None, kind="wild")


@pytest.mark.parametrize("kind", ["residual", "wild"])
def test_a_run_that_decides_a_parameter_alone_has_no_residual(kind):
    x = np.array([1.0] * 9 + [2.0])[None]
    fitted = fit_law(get_law("linear"), x, np.r_[np.linspace(1, 1.1, 9), 3.0])
    with pytest.raises(FitError, match=r"1 run\(s\) decide a parameter alone"):
        resample(fitted, resamples=50, seed=0, clusters=None, kind=kind)


def test_a_law_without_parameters_has_nothing_to_resample():
    fitted = fit_law(get_law("efficiency"), np.arange(1.0, 9.0)[None], 1 / np.arange(1.0, 9.0))
    assert resample(fitted, resamples=50, seed=0, clusters=None) is None
    with pytest.raises(FitError, match="no parameters"):
        resample(fitted, resamples=50, seed=0, clusters=None, kind="case")


def test_exact_runs_have_intervals_without_width():
    fitted = made(0, noise=0.0)
    for kind in BOOTSTRAPS:
        draws = resample(fitted, resamples=40, seed=0, clusters=None, kind=kind)
        assert draws.theta == pytest.approx(np.tile(TRUTH, (40, 1)), rel=1e-5)


def test_progress_reaches_the_end():
    seen = []
    resample(
        made(0), resamples=1200, seed=0, clusters=None, kind="case",
        on_progress=lambda done, every: seen.append((done, every)),
    )  # fmt: skip
    assert seen == [(500, 1200), (1000, 1200), (1200, 1200)]


def test_clusters_belong_to_two_kinds_only():
    assert resampled_kind("auto", "size") == "clustered"
    assert resampled_kind("wild", "size") == "wild"
    for kind in KINDS:
        assert resampled_kind(kind, None) == kind
    for kind in set(KINDS) - {"auto", "wild", "clustered"}:
        with pytest.raises(UsageError, match="--cluster size"):
            resampled_kind(kind, "size")


def test_a_percentile_of_mostly_undefined_values_is_none():
    values = np.arange(100.0)
    assert percentile(values, 0.9) == pytest.approx((4.95, 94.05))
    values[:2] = np.nan
    assert percentile(values, 0.9) is None


def starts_of_resamples(monkeypatch, floor):
    """Return a fit of 1,100 runs and how many starts 40 resamples of it took."""
    x = np.geomspace(1e6, 1e10, 1100)[None]
    noise = 0.02 * np.random.default_rng(0).standard_normal(1100)
    fitted = fit_law(POWER_FLOOR, x, (floor + 30.0 * x[0] ** -0.07) * np.exp(noise))
    started = []
    minimise = Problem.minimise

    def counted(self, starts, **options):
        started.append(len(starts))
        return minimise(self, starts, **options)

    monkeypatch.setattr(Problem, "minimise", counted)
    resample(fitted, resamples=40, seed=0, clusters=None, kind="case")
    return fitted, sum(started)


def test_many_runs_that_may_have_no_floor_are_refitted_from_few_starts(monkeypatch):
    fitted, starts = starts_of_resamples(monkeypatch, 0.8)
    assert fitted.theta[0] > 0.0
    # Some resamples end with no floor: those, and no others, are started from two more places.
    assert 40 < starts <= 40 * (1 + 2)


def test_runs_without_a_floor_are_refitted_from_their_optimum_alone(monkeypatch):
    fitted, starts = starts_of_resamples(monkeypatch, 0.0)
    assert fitted.theta[0] == 0.0
    assert starts == 40


@pytest.mark.parametrize(
    ("level", "fewest"), [(0.5, 8), (0.8, 20), (0.9, 40), (0.95, 80), (0.99, 400)]
)
def test_two_resamples_lie_beyond_each_end_of_an_interval(level, fewest):
    for kind in BOOTSTRAPS:
        check_resamples(fewest, level, kind)
        with pytest.raises(UsageError, match=f"at least {fewest} are needed"):
            check_resamples(fewest - 1, level, kind)
    check_resamples(0, level, "auto")
    check_resamples(1, level, "delta")  # draws none
    check_resamples(1, level, "profile")
