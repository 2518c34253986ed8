"""New runs smaller than those of the old fit stay if the law of all holds for them, else not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scaleplan.fitfile import load_fit

OLD = [(n, r) for n in (3e7, 6e7, 1.2e8, 2.5e8) for r in (5.0, 20.0, 80.0)]
LARGE = [(5e8, 10.0), (5e8, 40.0), (1e9, 20.0)]
SMALL = [(n, r) for n in (6e6, 9e6, 1.2e7) for r in (5.0, 15.0, 40.0)]


def write(path, runs, seed, bend=0.0, failed=()):
    """Write runs of an additive law; those below 20M parameters lie `bend` above it."""
    rng = np.random.default_rng(seed)
    rows = ["run,params,tokens,loss"]
    for k, (n, ratio) in enumerate(runs):
        loss = 1.8 + 480.0 / n**0.35 + 2100.0 / (ratio * n) ** 0.37
        loss *= np.exp(0.004 * rng.normal() + (bend if n < 2e7 else 0.0))
        loss *= 1.5 if k in failed else 1.0
        rows.append(f"{path.stem}-{k},{n:.0f},{ratio * n:.0f},{loss:.6f}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def old(tmp_path, invoke):
    log, fit = write(tmp_path / "old.csv", OLD, 1), tmp_path / "fit.yaml"
    command = ("fit", log, "-q", "--law", "chinchilla", "--resamples", "0", "-o", fit)
    assert invoke(*command).exit_code == 0
    return fit


def updated(invoke, old, log, *more):
    command = ("fit", "--update", old, log, "-q", "--resamples", "0", "--format", "json", *more)
    result = invoke(*command)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def noted(document):
    return next((n for n in document["notes"] if n["id"] == "SMALL_RUNS_LEFT_OUT"), None)


@pytest.mark.parametrize("seed", range(5))
def test_small_runs_on_the_law_are_fitted(invoke, old, tmp_path, seed):
    new = write(tmp_path / "new.csv", LARGE + SMALL, 10 + seed)
    document = updated(invoke, old, new)
    assert noted(document) is None
    assert document["fit"]["quality"]["runs"] == len(OLD + LARGE + SMALL)


def test_small_runs_where_the_law_bends_are_left_out_and_listed(invoke, old, tmp_path):
    new, kept = write(tmp_path / "new.csv", LARGE + SMALL, 10, bend=0.05), tmp_path / "fit2.yaml"
    document = updated(invoke, old, new, "-o", kept)
    note = noted(document)
    assert note["severity"] == "warning"
    assert note["text"].startswith(f"{len(SMALL)} runs with fewer ")
    # They are judged as all new runs are, but not fitted.
    assert len(document["runs"]) == len(LARGE + SMALL)
    fit = load_fit(str(kept))
    assert fit.quality.runs == len(OLD + LARGE)
    lost = [row for row in fit.cleaning.dropped if "smaller than any run" in row.reason]
    assert [row.run for row in lost] == [f"new-{k}" for k in range(3, 12)]
    assert [row.line for row in lost] == list(range(5, 14))
    assert fit.cleaning.rows_read == fit.cleaning.rows_used + len(fit.cleaning.dropped)
    # The forecast is that of the runs that follow the law.
    true = 1.8 + 480.0 / 1e10**0.35 + 2100.0 / 2e11**0.37
    command = ("predict", kept, "--params", "1e10", "--tokens", "2e11", "--format", "json")
    (row,) = json.loads(invoke(*command, "-q").stdout)["points"]
    assert row["value"] == pytest.approx(true, rel=0.03)


def test_the_new_fit_can_be_updated_again(invoke, old, tmp_path):
    new, kept = write(tmp_path / "new.csv", LARGE + SMALL, 10, bend=0.05), tmp_path / "fit2.yaml"
    updated(invoke, old, new, "-o", kept)
    more = write(tmp_path / "more.csv", [(2e9, 20.0)], 20)
    document = updated(invoke, kept, more)
    assert document["fit"]["quality"]["runs"] == len(OLD + LARGE) + 1
    assert noted(document) is not None


def test_one_small_run_that_failed_does_not_speak_for_all(invoke, old, tmp_path):
    new = write(tmp_path / "new.csv", LARGE + SMALL, 10, failed=(5,))
    assert noted(updated(invoke, old, new)) is None


def test_a_law_that_was_asked_for_is_tested_too(invoke, old, tmp_path):
    new = write(tmp_path / "new.csv", LARGE + SMALL, 10, bend=0.05)
    document = updated(invoke, old, new, "--law", "chinchilla")
    assert noted(document) is not None
    assert document["law_after"] == "chinchilla"
