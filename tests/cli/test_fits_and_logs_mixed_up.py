"""A log where a saved fit belongs, and a fit where a log belongs: one exit code, one message."""

from __future__ import annotations

import pytest

RUNS = "sample_runs/language/runs.csv"
FIT = """\
schema: scaleplan.fit-file/1
name: fit of a.csv
quality:
  rmse_log: 0.01
  loss: 3
  accuracy: 0.5
"""


@pytest.mark.parametrize("log", ["printed.log", "curve.csv", "state.json"])
@pytest.mark.parametrize("command", ["next", "budget", "check", "update"])
def test_a_log_is_no_fit(invoke, tmp_path, log, command):
    path = tmp_path / log
    texts = {
        "printed.log": "epoch: 1: loss 3.2\nepoch: 2: loss 3.0\n",
        "curve.csv": "step,loss\n1,3\n2,2\n", "state.json": '{"log_history": []}',
    }  # fmt: skip
    path.write_text(texts[log], encoding="utf-8")
    arguments = {
        "next": ["next", str(path), "--budget", "1e20"],
        "budget": ["budget", "--fit", str(path), "--gpus", "8"],
        "check": ["check", "sample_runs/images/epochs.csv", "--fit", str(path)],
        "update": ["fit", RUNS, "--update", str(path)],
    }[command]
    refused = invoke(*arguments)
    assert refused.exit_code == 3
    assert f"error: {path}: is no saved fit" in refused.stderr
    assert f"scaleplan fit {path} -o fit.yaml" in refused.stderr


@pytest.mark.parametrize("name", ["fit.yaml", "fit.txt", "fit.log", "fit"])
@pytest.mark.parametrize("command", ["runs", "fit", "check", "backtest", "tune", "sizes"])
def test_a_fit_is_no_log(invoke, tmp_path, name, command):
    path = tmp_path / name
    path.write_text(FIT, encoding="utf-8")
    refused = invoke(command, str(path))
    assert refused.exit_code == 3
    assert f"{path}: is a scaleplan.fit-file/1 document, not a log of runs" in refused.stderr
    assert "scaleplan predict" in refused.stderr


def test_a_document_that_a_command_printed_is_neither(invoke, tmp_path):
    path = tmp_path / "fit.json"
    path.write_text(invoke("fit", RUNS, "--format", "json", "-q").stdout, encoding="utf-8")
    for command in ("runs", "check", "predict"):
        refused = invoke(command, str(path), *(["--params", "1e9"] if command == "predict" else []))
        assert refused.exit_code == 3
        assert "is a scaleplan.fit/1 document" in refused.stderr
        assert "Give the log that it was made from" in refused.stderr
