"""The loop of fit, next and fit --update on logs whose columns have names of their own."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

OLD = [(n, r) for n in (3e7, 6e7, 1.2e8, 2.5e8) for r in (5.0, 20.0, 80.0)]
COLUMNS = ("--columns", "params=n_model,tokens=tok_seen,loss=val/ce")
BUDGET = ("--budget", "1e20")


def loss(params, tokens, rng):
    return (1.8 + 480.0 / params**0.35 + 2100.0 / tokens**0.37) * np.exp(0.004 * rng.normal())


def write(path, header="name,n_model,tok_seen,val/ce"):
    rng = np.random.default_rng(1)
    rows = [f"r{k},{n:.0f},{r * n:.0f},{loss(n, r * n, rng):.6f}" for k, (n, r) in enumerate(OLD)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def fitted(invoke, log, *columns):
    kept = log.with_suffix(".yaml")
    law = () if "--law" in columns else ("--law", "chinchilla")
    command = ("fit", log, *columns, *law, "--resamples", "0", "-q", "-o", kept)
    result = invoke(*command)
    assert result.exit_code == 0, result.stderr
    return kept


def planned(invoke, fit_file, *more):
    result = invoke("next", fit_file, *BUDGET, "--emit", "csv", "-q", *more)
    assert result.exit_code == 0, result.stderr
    return list(csv.reader(io.StringIO(result.stdout)))


def filled(rows, path, header=None):
    """Write the planned runs with results, under a header of one's own."""
    rng = np.random.default_rng(2)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header or rows[0])
        for row in rows[1:]:
            writer.writerow([*row[:-1], f"{loss(float(row[1]), float(row[2]), rng):.6f}"])
    return path


def update(invoke, fit_file, log, *more):
    result = invoke("fit", "--update", fit_file, log, "--resamples", "0", "--format", "json", *more)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def own(invoke, tmp_path):
    return fitted(invoke, write(tmp_path / "own.csv"), *COLUMNS)


@pytest.mark.parametrize(
    "header", [("name", "n_model", "tok_seen"), ("run", "params", "tokens")], ids=["own", "roles"]
)
@pytest.mark.parametrize("options", [(), COLUMNS, ("--old", "own.csv")], ids=["", "columns", "old"])
def test_the_loop_closes_with_columns_of_ones_own(
    invoke, own, tmp_path, monkeypatch, header, options
):
    monkeypatch.chdir(tmp_path)
    rows = planned(invoke, own)
    assert rows[0][:3] == ["name", "n_model", "tok_seen"]
    assert rows[0][-1] == "val/ce"
    new = filled(rows, tmp_path / "new.csv", [*header, *rows[0][3:]])
    document = update(invoke, own, new, *options)
    assert "OLD_RUNS_MISSING" not in {note["id"] for note in document["notes"]}
    assert document["calibration"]["runs"] == len(rows) - 1
    assert document["fit"]["quality"]["runs"] == len(OLD) + len(rows) - 1


def test_new_logs_may_name_a_third_column(invoke, own, tmp_path):
    rows = planned(invoke, own)
    new = filled(rows, tmp_path / "new.csv", ["run", "n2", *rows[0][2:-1], "ce2"])
    document = update(invoke, own, new, "--columns", "params=n2,loss=ce2")
    assert document["fit"]["quality"]["runs"] == len(OLD) + len(rows) - 1
    assert document["fit"]["metric"]["name"] == "val/ce"
    both = filled(rows, tmp_path / "both.csv", ["n_model", "n2", *rows[0][2:]])
    refused = invoke("fit", "--update", own, both, "--columns", "params=n2", "--resamples", "0")
    assert refused.exit_code == 2
    assert "n2, named as params, and n_model" in refused.stderr
    unknown = invoke("fit", "--update", own, new, "--columns", "params=nowhere")
    assert (unknown.exit_code, "'nowhere'" in unknown.stderr) == (2, True)


def test_a_name_that_scales_its_numbers_is_not_taken_for_planned_runs(invoke, tmp_path):
    log = write(tmp_path / "scaled.csv", "run,params (M),tokens,loss")
    rows = log.read_text(encoding="utf-8").splitlines()
    for at, row in enumerate(rows[1:], start=1):
        name, params, *rest = row.split(",")
        rows[at] = ",".join([name, f"{float(params) / 1e6:g}", *rest])
    log.write_text("\n".join(rows) + "\n", encoding="utf-8")
    kept = fitted(invoke, log)
    runs = planned(invoke, kept)
    assert runs[0][1] == "params"
    document = update(invoke, kept, filled(runs, tmp_path / "new.csv"))
    assert document["verdict"] == "holds"
    assert document["fit"]["quality"]["runs"] == len(OLD) + len(runs) - 1


def test_a_single_input_of_the_fit_is_read_again(invoke, tmp_path):
    rows = [f"{x:g},{2 * x:g},{1.0 + 30.0 / x:.6f}" for x in np.geomspace(10.0, 1000.0, 12)]
    text = "depth_score,other,loss\n"
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text(text + "\n".join(rows) + "\n", encoding="utf-8")
    new.write_text(text + "2000,1,1.015\n4000,2,1.0076\n", encoding="utf-8")
    kept = fitted(invoke, old, "--input", "depth_score", "--law", "power_floor")
    document = update(invoke, kept, new)
    assert [run["inputs"] for run in document["runs"]] == [{"input": 2000.0}, {"input": 4000.0}]
    assert document["fit"]["quality"]["runs"] == 14


def test_new_runs_on_standard_input_are_judged_and_fitted(invoke, own, tmp_path):
    rows = planned(invoke, own)
    new = filled(rows, tmp_path / "new.csv")
    result = invoke(
        "fit", "--update", own, "-", "--resamples", "0", "--format", "json",
        stdin=new.read_text(encoding="utf-8"),
    )  # fmt: skip
    assert json.loads(result.stdout)["fit"]["quality"]["runs"] == len(OLD) + len(rows) - 1


def test_a_header_that_a_spreadsheet_would_compute_is_neutral_and_read_back(invoke, tmp_path):
    log = write(tmp_path / "odd.csv", "run,params,tokens,=cmd|x loss")
    kept = fitted(invoke, log, "--columns", "loss==cmd|x loss")
    rows = planned(invoke, kept)
    assert rows[0][-1] == "'=cmd|x loss"
    document = update(invoke, kept, filled(rows, tmp_path / "new.csv"))
    assert document["fit"]["quality"]["runs"] == len(OLD) + len(rows) - 1


def test_names_of_planned_runs_go_on_in_the_next_round(invoke, own, tmp_path):
    first = planned(invoke, own)
    assert [row[0] for row in first[1:]] == [f"next-{k}" for k in range(1, len(first))]
    new = filled(first, tmp_path / "new.csv")
    again = tmp_path / "again.yaml"
    result = invoke("fit", "--update", own, new, "--resamples", "0", "-q", "-o", again)
    assert result.exit_code == 0, result.stderr
    target = ("--target-params", "100B", "--target-tokens", "2T")
    second = planned(invoke, again, "--budget", "1e21", *target)
    assert second[1][0] == f"next-{len(first)}"
    third = filled(second, tmp_path / "third.csv")
    both = invoke(
        "fit", tmp_path / "own.csv", new, third, *COLUMNS, "--resamples", "0", "--format", "json"
    )
    document = json.loads(both.stdout)
    assert document["quality"]["runs"] == len(OLD) + len(first) + len(second) - 2
    assert not {"RUN_IN_SEVERAL_FILES", "RUN_NAME_SHARED"} & {n["id"] for n in document["notes"]}
