"""Logs and files that are easily taken for something else."""

from __future__ import annotations

import json
import math

import pytest
import yaml

LANGUAGE = "sample_runs/language/runs.csv"


def document(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def ids(found):
    return {note["id"]: note["severity"] for note in found["notes"]}


def test_logs_that_count_steps_and_logs_that_count_epochs_are_one_run_each(invoke, tmp_path):
    for place, size in enumerate((1e5, 3e5, 1e6, 3e6)):
        counts = "epoch,step" if place % 2 else "epoch"
        rows = [f"{counts},val_loss,params"]
        for epoch in range(12):
            at = f"{epoch},{100 * epoch + 99}" if place % 2 else str(epoch)
            rows.append(f"{at},{2.0 + 5.0 * math.exp(-epoch / 2) + 20 * size**-0.3:.5f},{size:g}")
        (tmp_path / f"log{place}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = document(invoke("runs", tmp_path, "--format", "json", "-q"))
    assert len(found["runs"]) == 4
    assert all(run["epoch"] == 11 for run in found["runs"])


@pytest.mark.parametrize(("name", "verdict", "severity"), [
    ("fid_score", "healthy", None),
    ("winkler_score", "healthy", None),
    ("score", "diverged", "warning"),
    ("toxicity_score", "diverged", "warning"),
])  # fmt: skip
def test_a_score_that_falls(invoke, tmp_path, name, verdict, severity):
    rows = [f"epoch,{name}", *(f"{e},{0.3 + 2.0 * math.exp(-e / 8):.5f}" for e in range(40))]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = document(invoke("check", path, "--format", "json", "-q"))
    assert found["runs"][0]["verdict"] == verdict
    assert ids(found).get("DIVERGED") == severity
    assert ("METRIC_DIRECTION" in ids(found)) == (severity is not None)


def test_who_says_which_way_is_better_is_believed(invoke, tmp_path):
    rows = ["epoch,score", *(f"{e},{0.3 + 2.0 * math.exp(-e / 8):.5f}" for e in range(40))]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    told = ("check", path, "--format", "json", "-q", "--columns")
    as_score, as_loss = (document(invoke(*told, f"{kind}=score")) for kind in ("score", "loss"))
    assert "METRIC_DIRECTION" not in ids(as_score)
    assert ids(as_score)["DIVERGED"] == "error"
    assert as_loss["runs"][0]["verdict"] == "healthy"


def sweep(tmp_path, odd):
    rows = ["run,params,tokens,val_loss"]
    for i in range(15):
        n, d = 10 ** (6 + 0.1 * i), 10 ** (8 + 0.1 * (i * 7 % 15))
        shown = odd if i == 12 else f"{n:.0f}"
        rows.append(f"r{i},{shown},{d:.0f},{1.8 + 480 / n**0.35 + 2000 / d**0.37:.5f}")
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("odd", ["0.0158", "15.8"])
def test_one_size_in_another_unit_is_left_out_and_named(invoke, tmp_path, odd):
    found = document(invoke("runs", sweep(tmp_path, odd), "--format", "json", "-q"))
    (dropped,) = found["cleaning"]["dropped"]
    assert dropped["run"] == "r12"
    assert "another unit" in dropped["reason"]


def test_small_models_among_larger_ones_stay(invoke, tmp_path):
    found = document(invoke("runs", sweep(tmp_path, "20000"), "--format", "json", "-q"))
    assert not found["cleaning"]["dropped"]


@pytest.mark.parametrize(("columns", "asked"), [
    ("params,tokens,val_loss", True), ("params,tokens,val_rmse", False), ("epoch,step,loss", False),
])  # fmt: skip
def test_only_a_loss_of_tokens_is_asked_for_its_unit(invoke, tmp_path, columns, asked):
    rows = [columns, *(f"{10 ** (i + 5)},{2 * 10 ** (i + 6)},{40 - 3 * i}" for i in range(6))]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    command = ("runs", path, "--all-points") if "epoch" in columns else ("fit", path)
    found = document(invoke(*command, "--format", "json", "-q"))
    assert ("LOSS_UNIT" in ids(found)) == asked


@pytest.fixture
def fit(invoke, tmp_path):
    path = tmp_path / "fit.yaml"
    invoke("fit", LANGUAGE, "-o", path, "-q", "--resamples", "0")
    return path


def test_a_fit_with_its_keys_in_another_order_is_one(invoke, fit):
    asked = ("--params", "1M", "--tokens", "1B", "--format", "json", "-q")
    wanted = document(invoke("predict", fit, *asked))["points"]
    kept = yaml.safe_load(fit.read_text(encoding="utf-8"))
    fit.write_text(yaml.safe_dump(kept, sort_keys=True), encoding="utf-8")
    assert document(invoke("predict", fit, *asked))["points"] == wanted


@pytest.mark.parametrize(("old", "new"), [("noise", 1e308), ("noise", 1e200)])
def test_a_scatter_that_no_run_has_is_refused(invoke, fit, old, new):
    kept = yaml.safe_load(fit.read_text(encoding="utf-8"))
    kept["main"][old] = new
    fit.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    result = invoke("predict", fit, "--params", "1M", "--tokens", "1B")
    assert result.exit_code == 3
    assert "main.noise" in result.stderr


@pytest.mark.parametrize(("arguments", "said"), [
    (("--columns", "params=params,tokens=params"), "both params and tokens"),
    (("--input", "params", "--law", "chinchilla"), "chinchilla takes params and tokens"),
])  # fmt: skip
def test_contradictions_are_refused(invoke, arguments, said):
    result = invoke("fit", LANGUAGE, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("tokens and params", "params and tokens").split())


def test_nothing_is_written_where_a_picture_has_no_folder(invoke, tmp_path):
    kept = tmp_path / "fit.yaml"
    result = invoke("fit", LANGUAGE, "-o", kept, "--plot", tmp_path / "nowhere" / "fit.png")
    assert result.exit_code == 3
    assert "no folder" in result.stderr
    assert not kept.exists()


@pytest.mark.parametrize(("text", "command", "said"), [
    ("cluster: {price: free}", ("budget", "--gpus", "8", "--params", "1e9"), "--price"),
    ("cluster: {gpu: nosuch}", ("budget", "--gpus", "8", "--params", "1e9"), "nosuch"),
    ("columns: {params: nosuch}", ("fit", "{log}"), "nosuch"),
])  # fmt: skip
def test_the_file_of_defaults_is_named_for_what_it_says(
    invoke, tmp_path, monkeypatch, text, command, said
):
    from pathlib import Path

    log = str(Path(LANGUAGE).resolve())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scaleplan.yaml").write_text(text + "\n", encoding="utf-8")
    result = invoke(*(part.format(log=log) for part in command))
    assert result.exit_code in {2, 3}
    assert said in result.stderr
    assert "scaleplan.yaml" in result.stderr
