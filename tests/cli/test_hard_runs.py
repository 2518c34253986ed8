"""Runs that no simple code expects: each gets a right answer or a clear refusal."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

PARAMS, TOKENS = (
    a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 5))
)
LOSS = 1.8 + 480 / PARAMS**0.35 + 2000 / TOKENS**0.36
NOISE = np.exp(0.003 * np.random.default_rng(0).standard_normal(PARAMS.size))


def write(folder: Path, header: str, *columns) -> str:
    rows = (
        ",".join(c if isinstance(c, str) else f"{c:.10g}" for c in row)
        for row in zip(*columns, strict=True)
    )
    (folder / "runs.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return "runs.csv"


def fitted(run_cli, folder, *arguments):
    done = run_cli(
        "fit", "runs.csv", "--format", "json", "--resamples", "100", *arguments, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    document = json.loads(done.stdout)
    values = [v for p in document["parameters"].values() for v in (p["value"], p["low"], p["high"])]
    assert all(v is None or math.isfinite(v) for v in values)
    table = run_cli("fit", "runs.csv", "--resamples", "100", *arguments, cwd=folder).stdout
    words = table.lower().split()
    assert not {"nan", "inf", "-inf"} & set(words)
    return document


def refused(run_cli, folder, code, *words, arguments=()):
    done = run_cli("fit", "runs.csv", *arguments, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "hint:" in done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


def notes(document):
    return {note["id"]: note for note in document["notes"]}


def test_noise_free_runs_give_their_law_back(tmp_path, run_cli):
    write(tmp_path, "params,tokens,loss", PARAMS, TOKENS, LOSS)
    found = fitted(run_cli, tmp_path)
    assert found["law"] == "chinchilla"
    truths = {"E": 1.8, "A": 480.0, "alpha": 0.35, "B": 2000.0, "beta": 0.36}
    for symbol, truth in truths.items():
        assert found["parameters"][symbol]["value"] == pytest.approx(truth, rel=1e-6)
    assert "NOISE_FREE" in notes(found)


def test_two_runs_are_refused(tmp_path, run_cli):
    write(tmp_path, "params,tokens,loss", PARAMS[:2], TOKENS[:2], LOSS[:2])
    refused(run_cli, tmp_path, 4, "2 usable runs")


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_loss_may_be_anything(unit, tmp_path, run_cli):
    write(tmp_path, "params,tokens,loss", PARAMS, TOKENS, unit * LOSS * NOISE)
    found = fitted(run_cli, tmp_path)
    assert found["law"] == "chinchilla"
    assert found["parameters"]["E"]["value"] == pytest.approx(1.8 * unit, rel=0.03)
    assert found["parameters"]["alpha"]["value"] == pytest.approx(0.35, abs=0.02)


def test_many_runs_need_no_more_than_seconds(tmp_path, run_cli):
    rng = np.random.default_rng(3)
    params, tokens = 10 ** rng.uniform(7, 10, 30_000), 10 ** rng.uniform(9, 12, 30_000)
    loss = (1.8 + 480 / params**0.35 + 2000 / tokens**0.36) * np.exp(0.01 * rng.normal(size=30_000))
    write(tmp_path, "params,tokens,loss", params, tokens, loss)
    done = run_cli("fit", "runs.csv", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["parameters"]["alpha"]["value"] == pytest.approx(0.35, abs=0.01)
    assert found["parameters"]["E"]["value"] == pytest.approx(1.8, abs=0.01)
    assert found["influences"] == []


def test_sizes_from_one_to_1e15(tmp_path, run_cli):
    rng = np.random.default_rng(1)
    params, tokens = np.geomspace(1, 1e15, 30), 10 ** rng.uniform(3, 14, 30)
    write(
        tmp_path, "params,tokens,loss", params, tokens, (1.8 + 5 / params**0.2 + 20 / tokens**0.3)
    )
    found = fitted(run_cli, tmp_path)
    assert found["parameters"]["alpha"]["value"] == pytest.approx(0.2, rel=1e-6)
    assert found["parameters"]["beta"]["value"] == pytest.approx(0.3, rel=1e-6)


def test_constant_tokens_give_a_law_of_the_size(tmp_path, run_cli):
    params = np.geomspace(1e7, 1e10, 7)
    write(tmp_path, "params,tokens,loss", params, [1e10] * 7, 2.3 + 480 / params**0.35)
    found = fitted(run_cli, tmp_path)
    assert (found["law"], found["inputs"]) == ("power_floor", ["params"])
    assert found["parameters"]["alpha"]["value"] == pytest.approx(0.35, rel=1e-6)
    refused(
        run_cli, tmp_path, 4, "tokens takes 1 distinct value", arguments=("--law", "chinchilla")
    )


@pytest.mark.parametrize("column", ["tokens", "loss"])
def test_a_column_of_zeros_is_refused_by_name(column, tmp_path, run_cli):
    zeros = np.zeros(PARAMS.size)
    write(
        tmp_path, "params,tokens,loss", PARAMS, zeros if column == "tokens" else TOKENS,
        zeros if column == "loss" else LOSS,
    )  # fmt: skip
    refused(run_cli, tmp_path, 3, f"25 × {column} is not", "runs.csv:2")


def test_equal_sizes_with_different_losses_give_the_pure_error(tmp_path, run_cli):
    twice = [np.repeat(column, 2) for column in (PARAMS, TOKENS, LOSS)]
    scatter = np.exp(0.004 * np.random.default_rng(2).standard_normal(twice[0].size))
    write(tmp_path, "params,tokens,loss", twice[0], twice[1], twice[2] * scatter)
    found = fitted(run_cli, tmp_path)
    pure = found["quality"]["pure_error"]
    assert (pure["runs"], pure["groups"]) == (50, 25)
    assert pure["scatter"] == pytest.approx(0.004, rel=0.4)
    assert pure["lack_of_fit_p"] > 0.01
    assert "PURE_ERROR" in notes(found)


def test_one_size_with_different_losses_is_refused(tmp_path, run_cli):
    write(tmp_path, "params,tokens,loss", [1e9] * 8, [1e10] * 8, np.linspace(2, 3, 8))
    refused(run_cli, tmp_path, 4, "params takes 1 distinct value")


def test_a_law_whose_inputs_are_missing_names_them(tmp_path, run_cli):
    write(tmp_path, "params,loss", PARAMS, LOSS)
    refused(run_cli, tmp_path, 3, "needs tokens", "--columns", arguments=("--law", "chinchilla"))


def test_families_of_one_run_are_no_clusters(tmp_path, run_cli):
    names = [f"family {i}" for i in range(PARAMS.size)]
    write(tmp_path, "params,tokens,loss,family", PARAMS, TOKENS, LOSS * NOISE, names)
    assert fitted(run_cli, tmp_path)["interval"]["method"].startswith("case bootstrap")


def test_losses_that_depend_on_nothing_are_refused(tmp_path, run_cli):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        write(
            tmp_path, "params,tokens,loss", 10 ** rng.uniform(7, 10, 36),
            10 ** rng.uniform(9, 12, 36), rng.uniform(1, 5, 36),
        )  # fmt: skip
        refused(run_cli, tmp_path, 4, "beyond its noise")


def test_the_same_loss_everywhere_is_refused(tmp_path, run_cli):
    write(tmp_path, "params,tokens,loss", PARAMS, TOKENS, np.full(PARAMS.size, 2.5))
    refused(run_cli, tmp_path, 4, "the metric is the same in all 25 runs")


def test_two_units_in_one_file_are_asked_about(tmp_path, run_cli):
    mixed = np.where(np.arange(PARAMS.size) % 2, LOSS, np.exp(LOSS))
    write(tmp_path, "params,tokens,loss", PARAMS, TOKENS, mixed)
    done = run_cli("fit", "runs.csv", "--resamples", "100", cwd=tmp_path)
    assert "RuntimeWarning" not in done.stderr
    assert "LOSS_UNITS_MIXED" in done.stdout or done.returncode == 4


def test_a_sweep_of_learning_rates_is_seen_and_reduced(tmp_path, run_cli):
    rates = np.tile([1e-3, 3e-3, 1e-2], PARAMS.size)
    worse = np.tile([1.05, 1.0, 1.6], PARAMS.size)
    columns = [np.repeat(column, 3) for column in (PARAMS, TOKENS, LOSS)]
    write(tmp_path, "params,tokens,lr,loss", columns[0], columns[1], rates, columns[2] * worse)
    assert "BEST_OF_PROPOSED" in notes(fitted(run_cli, tmp_path))
    found = fitted(run_cli, tmp_path, "--best-of")
    assert found["cleaning"]["rows_used"] == 25
    assert len(found["cleaning"]["dropped"]) == 50
    assert found["parameters"]["alpha"]["value"] == pytest.approx(0.35, rel=1e-6)
    each = fitted(run_cli, tmp_path, "--best-of-each", "lr")
    assert each["cleaning"]["rows_used"] == 75


def test_an_isoflop_sweep_is_cross_checked(tmp_path, run_cli):
    params = np.concatenate([10 ** np.linspace(x - 1, x + 1, 7) for x in (7.5, 8.0, 8.5, 9.0)])
    flops = np.repeat([1e18, 1e19, 1e20, 1e21], 7)
    tokens = flops / 6 / params
    write(
        tmp_path,
        "params,tokens,flops,loss",
        params,
        tokens,
        flops,
        1.8 + 480 / params**0.35 + 2000 / tokens**0.36,
    )
    found = fitted(run_cli, tmp_path)
    assert [m["runs"] for m in found["isoflop"]] == [7, 7, 7, 7]
    assert {a["approach"] for a in found["approaches"]} >= {2, 3}
    table = run_cli("fit", "runs.csv", "--resamples", "0", cwd=tmp_path).stdout
    assert "IsoFLOP cross-check" in table
    saved = run_cli("fit", "runs.csv", "--resamples", "0", "-o", "fit.yaml", cwd=tmp_path)
    assert saved.returncode == 0
    assert "isoflop:" in (tmp_path / "fit.yaml").read_text(encoding="utf-8")
    done = run_cli("predict", "fit.yaml", "--params", "1B", "--tokens", "20B", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
