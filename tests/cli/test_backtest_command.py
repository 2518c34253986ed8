"""`scaleplan backtest`: forecasts of the larger runs from the smaller ones."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    rng = np.random.default_rng(3)
    rows = ["params,tokens,loss"]
    for n in np.geomspace(1e7, 3e9, 6):
        for ratio in (5.0, 20.0, 80.0):
            loss = 1.8 + 480.0 / n**0.35 + 2100.0 / (ratio * n) ** 0.37
            rows.append(f"{n:.0f},{ratio * n:.0f},{loss * np.exp(0.003 * rng.normal()):.6f}")
    path = tmp_path_factory.mktemp("backtest") / "runs.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def document(log):
    from typer.testing import CliRunner

    from scaleplan.cli.app import app

    command = ["backtest", str(log), "--law", "auto,chinchilla,power_floor", "--format", "json"]
    return json.loads(CliRunner().invoke(app, command).stdout)


def test_the_law_that_made_the_runs_forecasts_best(document):
    assert document["schema"] == "scaleplan.backtest/1"
    rows = {row["law"]: row for row in document["laws"]}
    assert set(rows) == {"auto", "chinchilla", "power_floor"}
    assert rows["chinchilla"]["rms_error"] < 0.5 * rows["power_floor"]["rms_error"]
    assert [row["rms_error"] for row in document["laws"]] == sorted(
        row["rms_error"] for row in document["laws"]
    )


def test_rows_are_those_of_the_points(document):
    for row in (*document["laws"], *document["distances"]):
        own = [
            p for p in document["points"]
            if p["law"] == row["law"] and row["decades_low"] <= p["decades"] <= row["decades_high"]
        ]  # fmt: skip
        if row in document["laws"]:
            assert len(own) == row["forecasts"]
            errors = [math.log(p["predicted"] / p["observed"]) for p in own]
            assert row["median_error"] == pytest.approx(float(np.median(np.abs(errors))))
            assert row["bias"] == pytest.approx(float(np.mean(errors)))
            inside = [p["low"] <= p["observed"] <= p["high"] for p in own if p["low"] is not None]
            assert row["inside"] == pytest.approx(sum(inside) / len(inside))
    assert sum(row["forecasts"] for row in document["distances"]) == len(document["points"])


def test_a_forecast_knows_only_the_runs_below_its_cut(invoke, log, tmp_path, document):
    """The largest runs, changed beyond recognition, change no forecast of the runs between."""
    lines = log.read_text(encoding="utf-8").splitlines()
    changed = [line.rsplit(",", 1)[0] + ",9.9" if k >= 16 else line for k, line in enumerate(lines)]
    other = tmp_path / "other.csv"
    other.write_text("\n".join(changed) + "\n", encoding="utf-8")
    result = invoke("backtest", other, "--law", "auto", "--format", "json")
    first = [p for p in document["points"] if p["law"] == "auto" and p["cut"] == 1]
    again = [p for p in json.loads(result.stdout)["points"] if p["cut"] == 1]
    assert [p["predicted"] for p in again] == pytest.approx([p["predicted"] for p in first])
    assert [p["observed"] for p in again] != [p["observed"] for p in first]


def test_table_csv_and_refusals(invoke, log, tmp_path):
    table = invoke("backtest", log, "--law", "chinchilla").stdout
    assert "By how far the runs lay beyond" in table
    text = invoke("backtest", log, "--law", "chinchilla", "--format", "csv", "-q").stdout
    assert text.startswith("law,cut,runs_below,scale,decades,observed,predicted,low,high")
    few = tmp_path / "few.csv"
    few.write_text("params,tokens,loss\n1e8,2e9,3.1\n1e9,2e10,2.6\n", encoding="utf-8")
    refused = invoke("backtest", few)
    assert (refused.exit_code, "no forecast" in refused.stderr) == (4, True)
    unknown = invoke("backtest", log, "--law", "nonsense")
    assert unknown.exit_code == 2


def test_the_picture_is_written_and_refused_like_others(log, run_cli, tmp_path):
    done = run_cli("backtest", str(log), "--law", "power_floor", "--plot", "b.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    drawn = (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    assert "Forecasts by power_floor" in drawn
    refused = run_cli("backtest", str(log), "--plot", "b.doc", cwd=tmp_path)
    assert refused.returncode == 2
    assert "pictures are written as" in refused.stderr


def test_runs_of_one_distance_stand_in_one_bin(invoke, tmp_path):
    """Quarters of a decade apart: the logarithms of equal distances differ in the last digit."""
    rng = np.random.default_rng(1)
    rows = ["params,tokens,loss"]
    for step in range(9):
        for ratio in (5.0, 20.0, 80.0):
            # A quarter of a decade of compute a step, by float roots of ten.
            n = math.sqrt(1e17 * 10.0 ** (step / 4) / (6.0 * ratio))
            loss = 1.8 + 480.0 / n**0.35 + 2100.0 / (ratio * n) ** 0.37
            rows.append(f"{n!r},{ratio * n!r},{loss * np.exp(0.003 * rng.normal()):.6f}")
    path = tmp_path / "steps.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    result = invoke("backtest", path, "--law", "chinchilla", "--format", "json")
    document = json.loads(result.stdout)
    at_edge = [p for p in document["points"] if abs(p["decades"] - 0.25) < 1e-6]
    assert {p["decades"] < 0.25 for p in at_edge} == {True, False}  # float noise on both sides
    first = document["distances"][0]
    assert (first["decades_low"], first["decades_high"]) == (0.25, 0.5)
    assert first["forecasts"] == len(at_edge)


def test_larger_runs_have_the_smaller_loss(invoke, tmp_path):
    loss = np.linspace(3.2, 2.2, 24)
    noise = 0.003 * np.random.default_rng(2).standard_normal(loss.size)
    accuracy = 0.25 + 0.7 / (1.0 + np.exp(3.5 * (loss - 2.6))) + noise
    path = tmp_path / "task.csv"
    rows = [f"{x:.4f},{y:.5f}" for x, y in zip(loss, accuracy, strict=True)]
    path.write_text("\n".join(["val_loss,accuracy", *rows]) + "\n", encoding="utf-8")
    command = ("backtest", path, "--metric", "accuracy", "--input", "val_loss")
    document = json.loads(invoke(*command, "--format", "json").stdout)
    points = [p for p in document["points"] if p["law"] == "auto"]
    seen = {p["cut"]: min(q["observed"] for q in points if q["cut"] == p["cut"]) for p in points}
    assert list(seen.values()) == sorted(seen.values())  # later cuts forecast better runs only
    assert all(p["observed"] > accuracy[: p["runs_below"]].max() - 0.02 for p in points)
    table = invoke(*command).stdout
    assert "errors are relative, of accuracy" in " ".join(table.split())


def test_the_back_test_of_a_fit_says_what_its_errors_are_of(invoke, tmp_path):
    rng = np.random.default_rng(4)
    rows = ["params,tokens,accuracy"]
    for n in np.geomspace(1e7, 3e9, 6):
        for ratio in (5.0, 20.0, 80.0):
            error = 0.1 + 30.0 / n**0.3 + 60.0 / (ratio * n) ** 0.28
            rows.append(f"{n:.0f},{ratio * n:.0f},{1 - error * np.exp(0.01 * rng.normal()):.6f}")
    path = tmp_path / "accuracy.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    table = " ".join(invoke("fit", path, "--resamples", "0").stdout.split())
    assert "% of 1 - accuracy error of the form" in table
    assert "errors are relative, of 1 - accuracy" in table
