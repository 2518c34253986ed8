"""`compare` of systems at its limits: crossings nobody can place, many systems, empty cells."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scaleplan.records.systems import FormTest

A = (1.8, 480.0, 0.34, 2100.0, 0.37)


def rows_of(theta, name, *, runs=24, seed=0, noise=0.01):
    rng = np.random.default_rng(seed)
    params = 10 ** rng.uniform(7, 9, runs)
    tokens = params * 10 ** rng.uniform(0.7, 2.0, runs)
    floor, size, alpha, data, beta = theta
    loss = floor + size / params**alpha + data / tokens**beta
    loss = loss * np.exp(noise * rng.standard_normal(runs))
    return [f"{n:.6g},{d:.6g},{v:.8g},{name}" for n, d, v in zip(params, tokens, loss, strict=True)]


def write(path, groups):
    rows = [row for group in groups for row in group]
    path.write_text("params,tokens,loss,optimizer\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def compared(invoke, log, *more):
    command = ("compare", log, "--by", "optimizer", "--resamples", "200", *more)
    result = invoke(*command, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout), invoke(*command).stdout


def test_a_crossing_that_may_lie_anywhere_is_not_supported(invoke, tmp_path):
    """Two systems of one law, beside a third with another floor that has the test reject."""
    floor = (2.6, *A[1:])
    log = write(tmp_path / "all.csv", [
        rows_of(A, "one", seed=5), rows_of(A, "same", seed=6),
        rows_of(floor, "other", seed=3, noise=0.002),
    ])  # fmt: skip
    found, table = compared(invoke, log)
    assert found["test"]["rejected"]
    anywhere = [row for row in found["crossings"] if row["flops_low"] is row["flops_high"] is None]
    assert anywhere
    assert not any(row["supported"] for row in anywhere)
    assert "no: the curves are told apart nowhere" in " ".join(table.split())
    assert not any("anywhere" in note["text"] for note in found["notes"])


def test_an_f_of_zero_is_not_shown_as_p_of_one():
    """Both fits minimise Huber's loss, so that the shared one may leave fewer squares."""
    test = FormTest(statistic=0.0, extra=3, spare=30, p=1.0, weight=0.9, rejected=False, formula="")
    assert test.words == "F(3, 30) = 0, the shared form fits no worse than the free ones"
    other = FormTest(
        statistic=2.5, extra=3, spare=30, p=0.08, weight=0.9, rejected=False, formula=""
    )
    assert other.words == "F(3, 30) = 2.50, p = 0.08"


def test_too_many_systems_are_refused_before_they_are_fitted(invoke, tmp_path):
    log = write(tmp_path / "many.csv", [rows_of(A, f"o{k}", runs=2, seed=k) for k in range(31)])
    result = invoke("compare", log, "--by", "optimizer")
    assert result.exit_code == 3
    assert "optimizer has 31 values: at most 30 are compared together" in result.stderr


@pytest.mark.parametrize("command", ["compare", "fit"])
def test_runs_without_a_value_are_said_to_be_a_group(invoke, tmp_path, command):
    log = write(tmp_path / "some.csv", [rows_of(A, "adamw", seed=5), rows_of(A, "", seed=6)])
    resamples = {"compare": "200", "fit": "0"}[command]
    result = invoke(command, log, "--by", "optimizer", "--resamples", resamples, "--format", "json")
    (note,) = [n for n in json.loads(result.stdout)["notes"] if n["id"] == "GROUP_WITHOUT_VALUE"]
    assert note["runs"] == 24
    assert "optimizer is empty for 24 runs" in note["text"]
