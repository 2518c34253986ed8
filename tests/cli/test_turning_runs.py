"""Runs whose metric turns, and designs that lack a size: what fit says of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

PARAMS = np.geomspace(1e6, 1e10, 12)


def log_of(path, header, *columns):
    lines = [",".join(f"{v:.8g}" for v in row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def noise(count, size=0.003):
    return np.exp(size * np.random.default_rng(0).standard_normal(count))


@pytest.mark.parametrize("law", ["auto", "power_floor"])
def test_a_loss_that_falls_and_rises_again_is_told_so(invoke, tmp_path, law):
    loss = (2.5 + 0.25 * (np.log10(PARAMS) - 8.0) ** 2) * noise(12)
    result = invoke("fit", log_of(tmp_path / "r.csv", "params,loss", PARAMS, loss), "--law", law)
    said = " ".join(result.stderr.split())
    assert result.exit_code == 4
    assert "loss turns: it falls with params up to about" in said
    assert "does not depend" not in said
    assert "overfit" in said


def test_an_accuracy_that_rises_and_falls_is_told_in_its_own_direction(invoke, tmp_path):
    score = 0.9 - 0.1 * (np.log10(PARAMS) - 8.0) ** 2 + 0.01 * (noise(12) - 1.0)
    result = invoke("fit", log_of(tmp_path / "r.csv", "params,accuracy", PARAMS, score))
    assert result.exit_code == 4
    assert "accuracy turns: it rises with params" in " ".join(result.stderr.split())


def test_a_setting_with_a_best_value_is_no_scale(invoke, tmp_path):
    rate = np.geomspace(1e-5, 1e-2, 10)
    loss = (2.5 + 0.1 * (np.log10(rate) + 3.5) ** 2) * noise(10, 0.001)
    log = log_of(tmp_path / "r.csv", "lr,loss", rate, loss)
    result = invoke("fit", log, "--input", "lr")
    said = " ".join(result.stderr.split())
    assert result.exit_code == 4
    assert "A setting with a best value" in said


def test_no_worst_value_is_recommended(invoke, tmp_path):
    sizes = np.geomspace(16, 2048, 10)
    loss = (3.0 - 0.4 * (np.log10(sizes) - 2.2) ** 2) * noise(10, 0.001)
    log = log_of(tmp_path / "r.csv", "n_train,val_loss", sizes, loss)
    said = " ".join(invoke("fit", log, "--input", "n_train").stderr.split())
    assert "it rises with n_train up to about" in said
    assert "with a best value" not in said
    assert "Look at the runs below" in said


def test_a_fit_of_runs_that_turn_says_where(invoke, tmp_path):
    logs = np.log10(PARAMS)
    loss = (3.2 - 0.2 * (logs - 6.0) + 0.6 * np.maximum(logs - 9.0, 0.0)) * noise(12)
    log = log_of(tmp_path / "r.csv", "params,loss", PARAMS, loss)
    found = json.loads(invoke("fit", log, "--resamples", "0", "--format", "json").stdout)
    (note,) = [one for one in found["notes"] if one["id"] == "RESIDUALS_NOT_RANDOM"]
    assert "it falls with params up to about" in note["text"]
    assert "Look at the runs beyond" in note["action"]


def test_runs_that_do_not_change_still_say_that_nothing_depends(invoke, tmp_path):
    loss = 2.5 * noise(12, 0.01)
    result = invoke("fit", log_of(tmp_path / "r.csv", "params,loss", PARAMS, loss))
    assert result.exit_code == 4
    assert "does not depend" in " ".join(result.stderr.split())


@pytest.mark.parametrize(("sizes", "tokens", "action"), [
    ([1e8, 1e9], np.geomspace(1e9, 1e11, 6), "Train runs of a third model size."),
    (np.geomspace(1e7, 1e9, 6), [1e9, 1e10], "Train runs of a third number of tokens."),
])  # fmt: skip
def test_the_missing_size_is_named_not_ratios(invoke, tmp_path, sizes, tokens, action):
    params, data = (one.ravel() for one in np.meshgrid(sizes, tokens))
    loss = (1.7 + 400.0 / params**0.34 + 400.0 / data**0.28) * noise(params.size, 0.002)
    log = log_of(tmp_path / "r.csv", "params,tokens,loss", params, data, loss)
    found = json.loads(invoke("fit", log, "--resamples", "0", "--format", "json").stdout)
    (note,) = [one for one in found["notes"] if one["id"] == "LAW_OF_TWO_INPUTS_REFUSED"]
    assert note["action"] == action
    asked = invoke("fit", log, "--law", "chinchilla")
    assert action[:-1] in " ".join(asked.stderr.split())
