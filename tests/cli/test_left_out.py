"""What a law of one input says of the sizes that it does not take, and of values it was given."""

from __future__ import annotations

import json

import numpy as np
import pytest


def log_of(rows, head="params,tokens,loss"):
    return head + "\n" + "".join(",".join(f"{v:.6g}" for v in row) + "\n" for row in rows)


def loss_of(params, tokens):
    return 1.7 + 400.0 / params**0.34 + 1500.0 / tokens**0.36


def notes_of(result):
    return {note["id"]: note for note in json.loads(result.stdout)["notes"]}


@pytest.fixture
def one_size(tmp_path):
    random = np.random.default_rng(1)
    tokens = np.geomspace(1e9, 5e10, 12)
    loss = loss_of(1e8, tokens) * np.exp(0.002 * random.standard_normal(12))
    path = tmp_path / "one.csv"
    path.write_text(log_of(zip(np.full(12, 1e8), tokens, loss, strict=True)), encoding="utf-8")
    return str(path)


@pytest.fixture
def ray(tmp_path):
    random = np.random.default_rng(2)
    params = np.geomspace(1e7, 1e9, 12)
    loss = loss_of(params, 20.0 * params) * np.exp(0.002 * random.standard_normal(12))
    path = tmp_path / "ray.csv"
    path.write_text(log_of(zip(params, 20.0 * params, loss, strict=True)), encoding="utf-8")
    return str(path)


def test_fit_says_that_one_size_never_varied(run_cli, one_size):
    found = notes_of(run_cli("fit", one_size, "--quiet", "--format", "json", "--resamples", "0"))
    assert "100M params" in found["INPUT_HELD"]["text"]


def test_predict_warns_of_a_size_that_plays_no_part(run_cli, one_size):
    other = ("predict", one_size, "--quiet", "--format", "json", "--tokens", "2B", "--params")
    assert notes_of(run_cli(*other, "500M"))["INPUT_LEFT_OUT"]["severity"] == "warning"
    assert "INPUT_LEFT_OUT" not in notes_of(run_cli(*other, "100M"))


def test_predict_warns_of_a_ratio_off_the_ray(run_cli, ray):
    there = ("predict", ray, "--quiet", "--format", "json", "--params", "100M", "--tokens")
    assert "OFF_THE_RAY" in notes_of(run_cli(*there, "20B"))
    assert "OFF_THE_RAY" not in notes_of(run_cli(*there, "2B"))


@pytest.mark.parametrize("name", ["one_size", "ray"])
def test_budget_and_predict_agree_on_laws_of_one_input(run_cli, request, tmp_path, name):
    source, fit = request.getfixturevalue(name), str(tmp_path / "fit.yaml")
    run_cli("fit", source, "--quiet", "-o", fit, "--resamples", "0")
    at = ("--params", "1B", "--tokens", "200B", "--quiet", "--format", "json")
    forecast = json.loads(run_cli("predict", fit, *at).stdout)["points"][0]
    planned = json.loads(run_cli("budget", "--fit", fit, "--gpus", "64", *at).stdout)
    point = planned["forecast"]
    for key in ("value", "low", "high", "decades_beyond_data"):
        assert point[key] == pytest.approx(forecast[key])


def test_fit_names_columns_that_another_law_would_take(run_cli, tmp_path):
    random = np.random.default_rng(3)
    rows = [
        (n, 20 * n, e, loss_of(n * e**0.3, 20 * n) * np.exp(0.01 * random.standard_normal()))
        for n in np.geomspace(1e7, 1e9, 6) for e in (1, 8, 64)
    ]  # fmt: skip
    path = tmp_path / "moe.csv"
    path.write_text(log_of(rows, "active_params,tokens,experts,loss"), encoding="utf-8")
    found = notes_of(run_cli("fit", str(path), "--quiet", "--format", "json", "--resamples", "0"))
    assert "experts" in found["ROLES_LEFT_OUT"]["text"]
    assert "--law" in found["ROLES_LEFT_OUT"]["action"]


def test_given_values_that_replace_logged_ones_are_told(run_cli, ray):
    found = notes_of(run_cli("runs", ray, "--set", "params=124M", "--format", "json", "--quiet"))
    assert found["VALUES_REPLACED"]["text"].startswith("12 values of params")
    same = notes_of(run_cli("runs", ray, "--set", "seed=3", "--format", "json", "--quiet"))
    assert "VALUES_REPLACED" not in same


@pytest.mark.parametrize(
    ("name", "meant"), [("parms", "params"), ("learning_rat", "learning_rate")]
)
def test_a_misspelt_column_that_is_given_is_told(name, meant, run_cli, ray):
    found = notes_of(run_cli("runs", ray, "--set", f"{name}=3", "--format", "json", "--quiet"))
    assert repr(name) in found["VALUES_UNUSED"]["text"]
    assert meant in found["VALUES_UNUSED"]["action"]


@pytest.mark.parametrize("name", ["loss_unit", "my_column", "tokens_trained", "lr"])
def test_a_column_of_ones_own_that_is_given_is_none_misspelt(name, run_cli, ray):
    found = notes_of(run_cli("runs", ray, "--set", f"{name}=3", "--format", "json", "--quiet"))
    assert "VALUES_UNUSED" not in found


def test_one_law_is_chosen(run_cli, tmp_path):
    # Neither form passes beside the laws of one input: the table must not name two winners.
    random = np.random.default_rng(4)
    params = np.repeat(np.geomspace(1e7, 1e9, 5), 4)
    tokens = 1e9 * 10 ** random.uniform(0.0, 1.5, 20)
    loss = 0.3 * (params / 1e7) ** -0.15 * np.exp(0.12 * random.standard_normal(20))
    path = tmp_path / "noisy.csv"
    path.write_text(log_of(zip(params, tokens, loss, strict=True)), encoding="utf-8")
    result = run_cli("fit", str(path), "--quiet", "--format", "json", "--resamples", "0")
    laws = json.loads(result.stdout)["candidates"]
    assert [law["verdict"] for law in laws].count("chosen") == 1


def test_a_metric_that_is_never_above_zero_is_refused_with_the_reason(run_cli, tmp_path):
    path = tmp_path / "reward.csv"
    path.write_text("flops,reward\n1e15,-7.1\n1e16,-6.1\n1e17,-5.1\n1e18,-4.2\n", encoding="utf-8")
    result = run_cli("fit", str(path), "--metric", "reward", "--quiet")
    assert result.returncode == 4
    assert "above 0" in result.stderr
