"""`scaleplan tune`: laws of the best learning rate and batch size from a grid."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

SIZES = [(n, d) for n in (1e8, 3e8, 1e9) for d in (2e9, 1e10, 5e10)]


def best(n, d):
    return 1.8 * n**-0.7 * d**0.3, 0.6 * d**0.57


def write(path, sizes=SIZES, low=0.125, high=8.0, noise=0.0005):
    """Write a grid of factors of two around the best settings of each size."""
    rng = np.random.default_rng(7)
    rows = ["params,tokens,lr,batch_tokens,loss"]
    factors = 2.0 ** np.arange(round(np.log2(low)), round(np.log2(high)) + 1)
    for n, d in sizes:
        rate, batch = best(n, d)
        floor = 1.8 + 480.0 / n**0.35 + 2100.0 / d**0.37
        for f in factors * 1.13:
            for g in factors * 0.91:
                x, y = np.log(f), np.log(g)
                loss = floor * (1.0 + 0.01 * (x * x + 0.6 * y * y - 0.5 * x * y))
                loss += noise * rng.normal()
                rows.append(f"{n:.0f},{d:.0f},{rate * f:.6e},{batch * g:.0f},{loss:.6f}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_known_laws_come_back(invoke, tmp_path):
    grid = write(tmp_path / "grid.csv")
    result = invoke("tune", grid, "--params", "7B", "--tokens", "140B", "--format", "json")
    document = json.loads(result.stdout)
    assert document["schema"] == "scaleplan.tuning/1"
    rate, batch = document["laws"]
    assert rate["params"]["value"] == pytest.approx(-0.7, abs=0.05)
    assert rate["tokens"]["value"] == pytest.approx(0.3, abs=0.05)
    assert rate["params"]["low"] < -0.7 < rate["params"]["high"]
    assert batch["tokens"]["value"] == pytest.approx(0.57, abs=0.06)
    assert abs(batch["params"]["value"]) < 0.08
    wanted = best(7e9, 1.4e11)
    assert rate["prediction"]["value"] == pytest.approx(wanted[0], rel=0.15)
    assert batch["prediction"]["value"] == pytest.approx(wanted[1], rel=0.25)
    assert "EXPONENT_NOT_FOUND" in {note["id"] for note in document["notes"]}
    assert [group["flag"] for group in document["groups"]] == [""] * 9


def test_minima_at_an_edge_are_left_out_and_said(invoke, tmp_path):
    cut = write(tmp_path / "cut.csv", [(1e9, 1e11)], low=2.0, high=16.0)
    whole = write(tmp_path / "grid.csv")
    result = invoke("tune", whole, cut, "--format", "json")
    document = json.loads(result.stdout)
    flagged = [group for group in document["groups"] if group["flag"]]
    assert [(group["params"], group["tokens"]) for group in flagged] == [(1e9, 1e11)]
    assert "lowest learning rate" in flagged[0]["flag"]
    assert document["laws"][0]["groups"] == 9
    assert "MINIMA_EXCLUDED" in {note["id"] for note in document["notes"]}


def test_sizes_with_too_few_runs_and_runs_without_a_rate_are_said(invoke, tmp_path):
    rows = ["params,tokens,lr,loss"]
    for n, rates in ((1e6, 5), (4e6, 5), (16e6, 3)):
        rows += [
            f"{n:.0f},{20 * n:.0f},{1e-3 * 2**k},{3 + 0.1 * (k - 1) ** 2}" for k in range(rates)
        ]
    rows.append("1000000,20000000,,2.9")
    grid = tmp_path / "grid.csv"
    grid.write_text("\n".join(rows) + "\n", encoding="utf-8")
    document = json.loads(invoke("tune", grid, "--format", "json").stdout)
    assert [group["runs"] for group in document["groups"]] == [5, 5, 3]
    assert document["groups"][2]["flag"] == "3 runs; 4 are needed"
    notes = {note["id"]: note for note in document["notes"]}
    assert notes["MINIMA_EXCLUDED"]["text"].startswith("1 of 3 groups is left out")
    assert notes["SETTING_MISSING"]["text"].startswith("1 of 14 runs lacks params or tokens or ")


def test_sizes_that_rise_together_give_one_exponent(invoke, tmp_path):
    grid = write(tmp_path / "ray.csv", [(n, 20 * n) for n in (1e8, 2e8, 4e8, 8e8, 1.6e9)])
    document = json.loads(invoke("tune", grid, "--format", "json").stdout)
    assert document["laws"][0]["params"] is None
    assert document["laws"][0]["tokens"]["value"] == pytest.approx(-0.4, abs=0.05)
    assert "rise together" in document["laws"][0]["reason"]


def test_one_size_gives_its_own_minimum(invoke, tmp_path):
    grid = write(tmp_path / "one.csv", [(1e9, 1e10)])
    document = json.loads(invoke("tune", grid, "--format", "json").stdout)
    assert document["laws"][0]["coefficient"] == pytest.approx(best(1e9, 1e10)[0], rel=0.1)
    assert document["laws"][0]["params"] is document["laws"][0]["tokens"] is None


def test_table_csv_and_refusals(invoke, tmp_path):
    grid = write(tmp_path / "grid.csv")
    assert "Laws of the best settings" in invoke("tune", grid).stdout
    text = invoke("tune", grid, "--format", "csv", "-q").stdout
    assert len(list(csv.DictReader(io.StringIO(text)))) == 9
    half = invoke("tune", grid, "--params", "1e9")
    assert (half.exit_code, "--tokens" in half.stderr) == (2, True)
    edge = write(tmp_path / "edge.csv", [(1e9, 1e10)], low=2.0, high=16.0)
    refused = invoke("tune", edge)
    assert (refused.exit_code, "lowest learning rate" in refused.stderr) == (4, True)
    none = tmp_path / "none.csv"
    none.write_text("params,tokens,loss\n1e8,2e9,3.1\n1e9,2e10,2.6\n", encoding="utf-8")
    lacking = invoke("tune", none)
    assert (lacking.exit_code, "learning rate" in lacking.stderr) == (3, True)


def test_a_grid_names_the_numbers_it_leaves(invoke, tmp_path):
    grid = write(tmp_path / "grid.csv", SIZES[:4])
    lines = grid.read_text(encoding="utf-8").splitlines()
    rows = [f"{row},{0.9 + 0.01 * (k % 3)}" for k, row in enumerate(lines[1:])]
    grid.write_text("\n".join([f"{lines[0]},beta2", *rows]) + "\n", encoding="utf-8")
    notes = json.loads(invoke("tune", grid, "--format", "json", "-q").stdout)["notes"]
    assert "beta2" in {note["id"]: note["text"] for note in notes}["UNUSED_COLUMNS"]


def test_public_grid(invoke):
    folder = os.environ.get("SCALEPLAN_PUBLIC_DATA")
    if not folder:
        pytest.skip("SCALEPLAN_PUBLIC_DATA is not set")
    grid = Path(folder) / "lr_batch_grid.csv"
    document = json.loads(invoke("tune", grid, "--format", "json", "-q").stdout)
    rate = document["laws"][0]
    # Published: lr = 1.79 N^-0.713 D^0.307 (arXiv 2503.04715).
    assert rate["params"]["low"] < -0.713 < rate["params"]["high"]
    assert rate["tokens"]["low"] < 0.307 < rate["tokens"]["high"]


def budgets(path, columns=("compute_budget", "lr", "batch_tokens", "loss")):
    """Write a grid that gives no more than compute; DeepSeek 2024, arXiv 2401.02954, 3.1."""
    rng = np.random.default_rng(2)
    rows = [",".join(columns)]
    for flops in np.geomspace(1e17, 1e20, 6):
        rate, batch = 0.3118 * flops**-0.125, 0.2920 * flops**0.3271
        for x in np.log(2.0) * np.arange(-2, 3):
            for y in np.log(2.0) * np.arange(-2, 3):
                loss = (1.8 + 40 / flops**0.1) * (1.0 + 0.004 * x * x + 0.003 * y * y)
                loss *= np.exp(0.0005 * rng.standard_normal())
                cells = (f"{flops:.4g}", f"{rate * np.exp(x):.6e}", f"{batch * np.exp(y):.0f}")
                rows.append(",".join((*cells, f"{loss:.6f}")))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_grid_of_budgets_has_laws_of_compute(invoke, tmp_path):
    result = invoke("tune", budgets(tmp_path / "grid.csv"), "--flops", "1e22", "--format", "json")
    found = json.loads(result.stdout)
    rate, batch = found["laws"]
    assert rate["flops"]["low"] < -0.125 < rate["flops"]["high"]
    assert rate["flops"]["value"] == pytest.approx(-0.125, abs=0.01)
    assert batch["flops"]["value"] == pytest.approx(0.3271, abs=0.02)
    assert rate["params"] is rate["tokens"] is None
    assert found["target"] == {"flops": 1e22}
    assert rate["prediction"]["value"] == pytest.approx(0.3118 * 1e22**-0.125, rel=0.1)
    assert [group["params"] for group in found["groups"]] == [None] * 6
    shown = invoke("tune", tmp_path / "grid.csv", "--flops", "1e22", "--quiet").stdout
    assert "exponent of C" in shown
    assert "exponent of N" not in shown
    assert {"1.00e22", "FLOP"} <= set(shown.split())


def test_a_target_of_another_kind_is_refused(invoke, tmp_path):
    grid = budgets(tmp_path / "grid.csv")
    result = invoke("tune", grid, "--params", "7B", "--tokens", "140B")
    assert result.exit_code == 2
    assert "are laws of flops; params, tokens was given" in result.stderr
    assert "--flops" in result.stderr


def test_a_grid_without_sizes_says_what_to_name(invoke, tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text("lr,loss\n0.1,3\n0.2,2.9\n0.4,2.95\n0.8,3.2\n", encoding="utf-8")
    result = invoke("tune", path)
    assert result.exit_code == 3
    assert "no params, tokens or flops" in result.stderr
