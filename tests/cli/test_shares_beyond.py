"""Forecasts of accuracies that have just left chance, and of what a back-test has seen to fail."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import scaleplan
from scaleplan.advice import forecast_notes
from scaleplan.planning.forecast import forecast
from scaleplan.records import BackTestBin


def write(path, columns, rows):
    lines = [columns, *(",".join(f"{cell:.6g}" for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def document(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def notes(found):
    return {note["id"]: note for note in found["notes"]}


def rising(compute):
    return 0.25 + 0.7 / (1.0 + np.exp(-2.0 * (np.log10(compute) - 21.5)))


@pytest.mark.parametrize("seed", range(3))
def test_an_accuracy_is_never_forecast_along_a_line_out_of_its_range(invoke, tmp_path, seed):
    compute = np.geomspace(1e18, 1e21, 10)
    seen = np.random.default_rng(seed).binomial(1000, rising(compute)) / 1000
    log = write(tmp_path / "runs.csv", "flops,accuracy", zip(compute, seen, strict=True))
    asked = ("predict", log, "--flops", "1e22,1e23", "--format", "json", "-q")
    found = document(invoke(*asked))
    assert found["law"] != "linear"
    assert all(0.0 <= point["value"] <= 1.0 for point in found["points"])
    assert "OUTSIDE_RANGE" not in notes(found)


def test_an_s_curve_that_has_hardly_begun_does_not_know_its_end(invoke, tmp_path):
    compute = np.geomspace(1e18, 1e21, 12)
    seen = np.random.default_rng(1).binomial(1000, rising(compute)) / 1000
    log = write(tmp_path / "runs.csv", "flops,accuracy", zip(compute, seen, strict=True))
    asked = ("predict", log, "--law", "sigmoid", "--flops", "1e21,1e23", "--format", "json", "-q")
    inside, beyond = document(invoke(*asked))["points"]
    assert inside["high"] - inside["low"] < 0.1
    assert beyond["high"] - beyond["low"] > 0.3


def test_an_s_curve_that_has_bent_knows_its_end(invoke, tmp_path):
    compute = np.geomspace(1e18, 1e24, 24)
    seen = np.random.default_rng(2).binomial(4000, rising(compute)) / 4000
    log = write(tmp_path / "runs.csv", "flops,accuracy", zip(compute, seen, strict=True))
    asked = ("predict", log, "--law", "sigmoid", "--flops", "1e25", "--format", "json", "-q")
    (point,) = document(invoke(*asked))["points"]
    assert point["low"] <= 0.95 <= point["high"]
    assert point["high"] - point["low"] < 0.1


@pytest.mark.parametrize(("inside", "params", "warned"), [
    ((1.0, 0.9, 0.5, 0.0), "1e9", True),  # beyond the farthest, as far as that
    ((1.0, 0.9, 0.5, 0.0), "5e8", True),
    ((1.0, 0.9, 0.5, 0.0), "1e7", False),  # among the runs
    ((0.2, 0.9, 0.9, 1.0), "5e8", False),  # near ones failed, far ones held
])  # fmt: skip
def test_intervals_that_failed_as_far_out_are_not_trusted(tmp_path, inside, params, warned):
    size = np.geomspace(1e3, 1e7, 24)
    loss = 20.0 * size**-0.35 * np.exp(0.01 * np.random.default_rng(0).standard_normal(size.size))
    log = write(tmp_path / "runs.csv", "params,loss", zip(size, loss, strict=True))
    fit = scaleplan.fit(scaleplan.read_runs(str(log)), resamples=0).record
    edges = (0.0, 0.5, 1.0, 1.5, 2.0)
    bins = tuple(
        BackTestBin(decades_low=low, decades_high=high, forecasts=8, median_error=0.1, inside=share)
        for low, high, share in zip(edges[:-1], edges[1:], inside, strict=True)
    )
    known = replace(fit, widening=replace(fit.widening, bins=bins))
    told = forecast_notes(forecast(known, params=[float(params)]), known)
    found = [note for note in told if note.id == "INTERVAL_FAILED"]
    assert bool(found) == warned
    assert all(note.severity == "warning" for note in found)


def test_intervals_that_held_are(invoke, tmp_path):
    size = np.geomspace(1e3, 1e7, 24)
    loss = 1.0 + 20.0 * size**-0.35
    loss *= np.exp(0.01 * np.random.default_rng(3).standard_normal(size.size))
    log = write(tmp_path / "runs.csv", "params,loss", zip(size, loss, strict=True))
    found = document(invoke("predict", log, "--params", "3e8", "--format", "json", "-q"))
    assert "INTERVAL_FAILED" not in notes(found)


@pytest.mark.parametrize(("noise", "severity"), [(0.001, "info"), (0.05, "warning")])
def test_the_floor_is_lost_in_noise_only_where_noise_is_large(invoke, tmp_path, noise, severity):
    size = np.geomspace(1e3, 1e7, 24)
    loss = (2.0 + 60.0 * size**-0.5) * np.exp(
        noise * np.random.default_rng(4).standard_normal(size.size)
    )
    log = write(tmp_path / "runs.csv", "params,loss", zip(size, loss, strict=True))
    asked = ("predict", log, "--law", "power_floor", "--params", "1e7", "--format", "json", "-q")
    found = notes(document(invoke(*asked)))["FLOOR_REACHED"]
    assert found["severity"] == severity
    assert ("cannot be told from noise" in found["text"]) == (severity == "warning")


def test_the_floor_of_one_size_is_that_size_s(invoke, tmp_path):
    tokens = np.geomspace(1e8, 1e12, 16)
    loss = (2.4 + 2000.0 / tokens**0.37) * np.exp(
        0.002 * np.random.default_rng(5).standard_normal(tokens.size)
    )
    rows = ((1.24e8, d, value) for d, value in zip(tokens, loss, strict=True))
    log = write(tmp_path / "runs.csv", "params,tokens,loss", rows)
    asked = ("predict", log, "--tokens", "1e13", "--params", "7e9", "--format", "json", "-q")
    found = notes(document(invoke(*asked)))["FLOOR_REACHED"]
    assert "124M parameters" in found["text"]
    assert "other sizes" in found["action"]


def test_rows_that_became_one_curve_are_named_where_there_are_too_few_runs(invoke, tmp_path):
    steps = np.arange(1, 18)
    log = write(tmp_path / "t.csv", "step,accuracy", zip(steps, 0.9 - 0.5 / steps, strict=True))
    result = invoke("fit", log, "--input", "step")
    assert result.exit_code == 4
    assert "17 rows were taken for points of 1 training curve" in " ".join(result.stderr.split())


SEEN = np.geomspace(1e18, 1e21, 16)  # up to half a decade below the middle of the rise
BEYOND = (1e22, 1e23, 1e24)


def below_the_middle(tmp_path, seed):
    """Return the fit of an S-curve that has not reached its middle, and its forecasts."""
    seen = np.random.default_rng(seed).binomial(2000, rising(SEEN)) / 2000
    log = write(tmp_path / "runs.csv", "flops,accuracy", zip(SEEN, seen, strict=True))
    fit = scaleplan.fit(scaleplan.read_runs(str(log)), law="sigmoid", resamples=0).record
    return fit, forecast(fit, flops=[SEEN[-1], *BEYOND]).points


def test_forecasts_past_the_middle_hold_where_the_runs_end_before_it(tmp_path):
    found = [
        point.low <= rising(compute) <= point.high
        for seed in range(14)
        for point, compute in zip(below_the_middle(tmp_path, seed)[1][1:], BEYOND, strict=True)
    ]
    assert np.mean(found) >= 0.9


def test_an_s_curve_never_falls_below_what_the_largest_run_reached(tmp_path):
    fit, (edge, *beyond) = below_the_middle(tmp_path, 8)
    assert all(edge.low <= point.low < point.value < point.high for point in beyond)
    assert all(edge.mean_low <= point.mean_low for point in beyond)
    assert edge.high - edge.low < 0.05
    limit, gained = fit.parameters[0], fit.main.further
    assert gained[0] < 0.5 * limit.value


def test_a_saved_s_curve_forecasts_the_same(invoke, tmp_path):
    fit, points = below_the_middle(tmp_path, 3)
    saved = tmp_path / "fit.yaml"
    scaleplan.fitfile.save_fit(fit, str(saved))
    asked = ("predict", saved, "--flops", "1e22", "--format", "json", "-q")
    (point,) = document(invoke(*asked))["points"]
    assert (point["low"], point["high"]) == (points[1].low, points[1].high)


def test_an_accuracy_against_loss_is_not_held_near_its_first_rise(tmp_path):
    loss = np.linspace(3.9, 2.7, 16)  # the middle of the rise lies at 2.5
    truth = 0.25 + 0.65 / (1.0 + np.exp(4.0 * (loss - 2.5)))
    ahead = np.array([2.3, 2.1, 1.9])
    held = []
    for seed in range(10):
        seen = np.random.default_rng(seed).binomial(4000, truth) / 4000
        log = write(tmp_path / "runs.csv", "loss,accuracy", zip(loss, seen, strict=True))
        runs = scaleplan.read_runs(str(log), metric="accuracy", input_column="loss")
        try:
            fit = scaleplan.fit(runs, law="loss_to_accuracy", resamples=0).record
        except scaleplan.errors.FitError:
            continue
        edge, *points = forecast(fit, inputs=[loss[-1], *ahead]).points
        expected = 0.25 + 0.65 / (1.0 + np.exp(4.0 * (ahead - 2.5)))
        assert all(point.low >= edge.low for point in points)
        held += [p.low <= v <= p.high for p, v in zip(points, expected, strict=True)]
    assert len(held) >= 15
    assert np.mean(held) >= 0.85
