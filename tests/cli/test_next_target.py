"""`next` says how far its target lies beyond its runs, and what its cluster is too large for."""

from __future__ import annotations

import json
import re

import pytest

LANGUAGE = "sample_runs/language/runs.csv"
SMALL = ("--budget", "3e16", "--target-flops", "1e17", "--runs", "4", "--cheapest", "3e13")


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    from typer.testing import CliRunner

    from scaleplan.cli.app import app

    path = tmp_path_factory.mktemp("fit") / "fit.yaml"
    command = ["fit", LANGUAGE, "-o", str(path), "-q", "--resamples", "0"]
    assert CliRunner().invoke(app, command).exit_code == 0
    return str(path)


def read(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def noted(document, name):
    return next((note for note in document["notes"] if note["id"] == name), None)


def test_a_target_far_beyond_the_runs_is_called_so(invoke, fit):
    asked = ("next", fit, "--budget", "1e17", "--format", "json", "-q")
    far = noted(read(invoke(*asked, "--target-flops", "1e24")), "EXTRAPOLATION")
    assert far["severity"] == "error"
    assert 6.0 < far["decades_beyond_data"] < 8.0
    assert "beyond these runs" in far["text"]
    assert noted(read(invoke(*asked, "--target-flops", "1e24")), "FLOOR_REACHED") is not None
    assert invoke(*asked, "--target-flops", "1e24", "--strict").exit_code == 6


def test_a_target_that_the_runs_come_near_is_not(invoke, fit):
    near = read(invoke("next", fit, *SMALL, "--format", "json", "-q"))
    assert (noted(near, "EXTRAPOLATION") or {"severity": "info"})["severity"] == "info"


def test_more_accelerators_than_sequences_do_not_hasten_a_run(invoke, fit):
    hours = {}
    for gpus in ("8", "1000", "100000"):
        found = read(invoke("next", fit, *SMALL, "--gpus", gpus, "--format", "json", "-q"))
        hours[gpus] = [run["hours"] for run in found["runs"]]
        assert (noted(found, "RUNS_TOO_SMALL") is not None) == (gpus != "8")
    assert hours["1000"] == pytest.approx(hours["100000"])


def test_time_is_about_that_of_a_plan_for_the_same_run(invoke, fit):
    for gpus in ("8", "1000"):
        run = read(invoke("next", fit, *SMALL, "--gpus", gpus, "--format", "json", "-q"))["runs"][0]
        plan = read(
            invoke("budget", "--fit", fit, "--params", run["params"], "--tokens", run["tokens"],
                   "--gpus", gpus, "--format", "json", "-q")
        )  # fmt: skip
        row = next(r for r in plan["rows"] if r["gpus"] == int(gpus))
        assert run["hours"] / 24 == pytest.approx(row["days"]["expected"], rel=0.15)


def test_an_mfu_that_no_run_kept_is_said(invoke, fit):
    asked = ("next", fit, *SMALL, "--format", "json", "-q")
    assert noted(read(invoke(*asked, "--mfu", "90%")), "UNLIKELY_MFU") is not None
    assert noted(read(invoke(*asked, "--mfu", "40%")), "UNLIKELY_MFU") is None


@pytest.mark.parametrize("arguments", [
    ("--prior", "besiroglu_2024", "--budget", "1e20"),
    ("--prior", "besiroglu_2024", "--budget", "1e17", "--cheapest", "1e13"),
])  # fmt: skip
def test_widths_are_whole_heads_of_even_width(invoke, arguments):
    result = invoke("next", *arguments, "--emit", "sh", "-q")
    shapes = re.findall(r"--width (\d+) --heads (\d+)", result.stdout)
    assert len(shapes) > 3
    assert all(int(width) % (2 * int(heads)) == 0 for width, heads in shapes)
