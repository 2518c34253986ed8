"""Open quotation marks, sizes beyond any float, and laws whose residuals have a pattern."""

from __future__ import annotations

import json

import numpy as np


def written(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_rows_inside_an_open_quotation_mark_are_listed_as_dropped(run_cli, tmp_path):
    log = (
        'run,params,tokens,loss\nr0,1e7,1e9,3.9\n"r1,2e7,1e9,3.7\n"r2",3e7,1e9,3.6\n'
        "r3,4e7,1e9,3.5\n"
    )
    result = run_cli("runs", written(tmp_path, log), "--quiet", "--format", "json")
    (dropped,) = json.loads(result.stdout)["cleaning"]["dropped"]
    assert dropped["line"] == 3
    assert "never closed" in dropped["reason"]
    # A line break inside a cell of its own is no row.
    note = 'run,params,tokens,loss,note\nr0,1e7,1e9,3.9,"one, two\nthree"\nr1,2e7,1e9,3.7,none\n'
    result = run_cli("runs", written(tmp_path, note), "--quiet", "--format", "json")
    assert not json.loads(result.stdout)["cleaning"]["dropped"]


def test_sizes_beyond_a_float_print_no_warnings_of_numpy(run_cli, tmp_path):
    log = "run,params,tokens,loss\na,1e8,1e308,3\nb,1e7,1e9,4\nc,2e7,2e9,3.8\nd,4e7,4e9,3.6\n"
    for command in ("runs", "fit"):
        result = run_cli(command, written(tmp_path, log), "--quiet")
        assert "RuntimeWarning" not in result.stderr + result.stdout


def test_a_straight_log_is_checked_without_warnings_of_numpy(run_cli, tmp_path):
    rows = "".join(f"{step},{4.0 - 0.01 * step}\n" for step in range(1, 60))
    result = run_cli("check", written(tmp_path, f"step,val_loss\n{rows}"), "--quiet")
    assert "RuntimeWarning" not in result.stderr + result.stdout


def test_a_law_of_another_form_than_the_runs_is_told(run_cli, tmp_path):
    random = np.random.default_rng(1)
    x = np.geomspace(1e6, 1e10, 40)
    y = (1.0 + 300.0 * (x + 1e8) ** -0.3) * np.exp(0.002 * random.standard_normal(40))
    rows = "".join(f"{a:.6g},{b:.8g}\n" for a, b in zip(x, y, strict=True))
    result = run_cli(
        "fit", written(tmp_path, f"params,loss\n{rows}"), "--quiet", "--format", "json",
        "--resamples", "0", "--law", "power",
    )  # fmt: skip
    assert "RESIDUALS_NOT_RANDOM" in {n["id"] for n in json.loads(result.stdout)["notes"]}
    plain = (300.0 * x**-0.3) * np.exp(0.002 * random.standard_normal(40))
    rows = "".join(f"{a:.6g},{b:.8g}\n" for a, b in zip(x, plain, strict=True))
    result = run_cli(
        "fit", written(tmp_path, f"params,loss\n{rows}"), "--quiet", "--format", "json",
        "--resamples", "0", "--law", "power",
    )  # fmt: skip
    assert "RESIDUALS_NOT_RANDOM" not in {n["id"] for n in json.loads(result.stdout)["notes"]}


def test_sizes_that_nothing_can_have_are_dropped_with_the_reason(run_cli, tmp_path):
    log = "run,params,tokens,loss\na,1e8,1e308,3\nb,1e7,1e9,4\nc,2e7,2e9,3.8\nd,4e7,4e9,3.6\n"
    result = run_cli("runs", written(tmp_path, log), "--quiet", "--format", "json")
    (dropped,) = json.loads(result.stdout)["cleaning"]["dropped"]
    assert "above 1e+40" in dropped["reason"]
