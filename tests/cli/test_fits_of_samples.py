"""Fits of images and interactions are never planned by 6 x params x tokens."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

LANGUAGE_ONLY = {"layers", "width", "heads", "batch_tokens", "steps", "learning_rate"}


def write(path, *, flops):
    rng = np.random.default_rng(3)
    rows = ["run,params,samples,logloss" + (",flops" if flops else "")]
    for n in (1e5, 5e5, 2.5e6, 1e7):
        for d in (1e6, 1e7, 1e8, 1e9):
            loss = (0.42 + 1.2 / n**0.28 + 4.1 / d**0.32) * np.exp(0.002 * rng.normal())
            cost = f",{2.5 * n * d:.4g}" if flops else ""
            rows.append(f"m{n:g}-{d:g},{n:.0f},{d:.0f},{loss:.6f}{cost}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(params=[False, True], ids=["without FLOP", "with FLOP"])
def kept(request, invoke, tmp_path):
    log, fit_file = write(tmp_path / "rec.csv", flops=request.param), tmp_path / "rec.yaml"
    command = ("fit", log, "--law", "chinchilla", "--resamples", "0", "-q", "-o", fit_file)
    assert invoke(*command).exit_code == 0
    return fit_file, request.param


def test_next_plans_by_the_logged_compute_or_not_at_all(invoke, kept):
    fit_file, known = kept
    result = invoke("next", fit_file, "--budget", "1e17", "--format", "json")
    if not known:
        assert result.exit_code == 4
        assert "samples are no tokens" in result.stderr
        assert "Log the FLOP of each run" in result.stderr
        return
    document = json.loads(result.stdout)
    assert "NO_TOKENS" in {note["id"] for note in document["notes"]}
    assert not {"batch", "shape", "peak learning rate"} & {
        one["name"] for one in document["assumptions"]
    }  # fmt: skip
    for run in document["runs"]:
        assert run["flops"] == pytest.approx(2.5 * run["params"] * run["tokens"], rel=0.02)
        assert all(run[name] is None for name in (*LANGUAGE_ONLY, "hours", "usd"))
    table = invoke("next", fit_file, "--budget", "1e17").stdout
    assert "samples" in table.split("Runs to train")[1]
    assert "layers x width" not in table
    assert "ladder" not in table
    emitted = invoke("next", fit_file, "--budget", "1e17", "--emit", "csv", "-q").stdout
    header = next(csv.reader(io.StringIO(emitted)))
    assert header == ["run", "params", "samples", "flops", "logloss"]
    assert (
        "--batch-tokens" not in invoke("next", fit_file, "--budget", "1e17", "--emit", "sh").stdout
    )
    money = invoke("next", fit_file, "--budget-usd", "50")
    assert (money.exit_code, "--mfu" in money.stderr) == (2, True)
    timed = invoke("next", fit_file, "--budget", "1e17", "--mfu", "20%", "--format", "json")
    assert all(run["hours"] > 0.0 for run in json.loads(timed.stdout)["runs"])


def test_predict_says_what_compute_buys_only_where_it_was_logged(invoke, kept):
    fit_file, known = kept
    result = invoke("predict", fit_file, "--flops", "1e17", "--format", "json")
    assert result.exit_code == (0 if known else 4)
    if not known:
        assert "samples are no tokens" in result.stderr
    point = invoke("predict", fit_file, "--params", "1e8", "--tokens", "1e9", "--format", "json")
    flops = json.loads(point.stdout)["points"][0]["flops"]
    assert flops == (pytest.approx(2.5e17, rel=0.01) if known else None)


def test_budget_points_to_plans_by_examples(invoke, kept):
    result = invoke("budget", "--fit", kept[0], "--params", "1e8", "--gpus", "8")
    assert result.exit_code == 5
    assert "--family recommender" in result.stderr


def test_compare_takes_no_compute_that_nobody_logged(invoke, kept):
    log, known = kept[0].with_suffix(".csv"), kept[1]
    result = invoke("compare", log, "--flops", "1e17", "--law", "chinchilla", "-q")
    assert result.exit_code == (0 if known else 4)
    assert known or "samples are no tokens" in result.stderr
