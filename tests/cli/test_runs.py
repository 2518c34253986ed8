from __future__ import annotations

import json

LANGUAGE = "sample_runs/language/runs.csv"


def test_runs_are_shown_with_their_roles_and_sources(invoke):
    document = json.loads(invoke("runs", LANGUAGE, "--format", "json", "-q").stdout)
    assert document["schema"] == "scaleplan.runs/1"
    assert len(document["runs"]) == 28
    first = document["runs"][0]
    assert (first["params"], first["source_line"]) == (10488.0, 2)
    assert invoke("runs", LANGUAGE, "--format", "csv", "-q").stdout.count("\n") == 29
    assert f"{LANGUAGE}:2" in invoke("runs", LANGUAGE).stdout


def test_written_runs_fit_alike(invoke, tmp_path):
    path = str(tmp_path / "runs.csv")
    assert invoke("runs", LANGUAGE, "-o", path, "-q").exit_code == 0
    asked = ("--resamples", "0", "--format", "json", "-q")
    ours, theirs = (json.loads(invoke("fit", log, *asked).stdout) for log in (path, LANGUAGE))
    assert ours["parameters"] == theirs["parameters"]


def test_a_log_is_not_overwritten_by_its_own_runs(invoke, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("run,params,val_loss\na,1,2\n", encoding="utf-8")
    assert invoke("runs", str(path), "-o", str(path)).exit_code == 2


def test_set_fills_what_the_log_lacks(invoke, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("run,val_loss\na,2\nb,3\n", encoding="utf-8")
    document = json.loads(
        invoke("runs", str(path), "--set", "params=124M", "--set", "b:params=7B",
               "--format", "json", "-q").stdout
    )  # fmt: skip
    assert [run["params"] for run in document["runs"]] == [124e6, 7e9]
    assert invoke("runs", str(path), "--set", "params").exit_code == 2
    assert invoke("runs", str(path), "--set", "c:params=1").exit_code == 2


def test_short_counts_are_shown_as_they_are(invoke, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("run,step,lr,val_loss\na,100,0.001,2.5\nb,2500,0.0015,2\n", encoding="utf-8")
    lines = invoke("runs", str(log)).stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith((" a ", " b "))]
    assert [row[1] for row in rows] == ["2.500", "2.000"]
    assert [row[2] for row in rows] == ["100", "2500"]
