"""`fit --update`: an older fit judged by new runs, and made again with them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from scaleplan.fitfile import load_fit

OLD = [(n, r) for n in (3e7, 6e7, 1.2e8, 2.5e8) for r in (5.0, 20.0, 80.0)]
NEW = [(5e8, 10.0), (5e8, 40.0), (1e9, 20.0), (2e9, 20.0)]


def write(path, runs, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    rows = ["run,params,tokens,loss"]
    for k, (n, ratio) in enumerate(runs):
        loss = 1.8 + shift + 480.0 / n**0.35 + 2100.0 / (ratio * n) ** 0.37
        loss *= np.exp(0.004 * rng.normal())
        rows.append(f"{path.stem}-{k},{n:.0f},{ratio * n:.0f},{loss:.6f}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("update")
    return (
        write(folder / "old.csv", OLD, 1), write(folder / "new.csv", NEW, 2),
        write(folder / "shifted.csv", NEW, 2, shift=0.5),
    )  # fmt: skip


@pytest.fixture
def fit_file(logs, tmp_path, invoke):
    path = tmp_path / "fit.yaml"
    command = ("fit", logs[0], "-q", "--law", "chinchilla", "--resamples", "0", "-o", path)
    assert invoke(*command).exit_code == 0
    return path


def test_new_runs_that_follow_the_law(invoke, logs, fit_file, tmp_path):
    kept = tmp_path / "fit2.yaml"
    result = invoke(
        "fit", "--update", fit_file, logs[1], "--resamples", "0", "--format", "json", "-o", kept
    )
    document = json.loads(result.stdout)
    assert document["schema"] == "scaleplan.update/1"
    assert document["verdict"] == "holds"
    assert document["calibration"]["runs"] == 4
    assert [run["name"] for run in document["runs"]] == ["new-0", "new-1", "new-2", "new-3"]
    for run in document["runs"]:
        assert abs(run["z"]) < 3.0
        assert run["inside"] == (run["low"] <= run["observed"] <= run["high"])
    assert document["fit"]["quality"]["runs"] == 16
    assert load_fit(str(kept)).quality.runs == 16
    names = {change["name"] for change in document["changes"]}
    assert any(name.startswith("N* at") for name in names)
    forecast = next(c for c in document["changes"] if c["name"].startswith("loss at"))
    assert forecast["high_after"] - forecast["low_after"] < (
        forecast["high_before"] - forecast["low_before"]
    )


def test_runs_of_another_recipe_put_the_law_in_doubt(invoke, logs, fit_file):
    result = invoke("fit", "--update", fit_file, logs[2], "--resamples", "0", "--format", "json")
    document = json.loads(result.stdout)
    assert document["verdict"] == "in doubt"
    assert document["calibration"]["inside"] == 0
    assert all(run["z"] > 2.0 for run in document["runs"])
    assert "LAW_IN_DOUBT" in {note["id"] for note in document["notes"]}


def test_a_log_that_was_appended_to_is_judged_by_its_new_rows(invoke, logs, fit_file, tmp_path):
    both = tmp_path / "both.csv"
    new = logs[1].read_text(encoding="utf-8").splitlines()[1:]
    both.write_text(logs[0].read_text(encoding="utf-8") + "\n".join(new) + "\n", encoding="utf-8")
    result = invoke("fit", "--update", fit_file, both, "--resamples", "0", "--format", "json")
    document = json.loads(result.stdout)
    assert document["calibration"]["runs"] == 4
    assert document["fit"]["quality"]["runs"] == 16


def test_without_the_old_logs_the_runs_are_judged_and_nothing_is_fitted(
    invoke, logs, fit_file, tmp_path
):
    moved = tmp_path / "moved.csv"
    shutil.copy(logs[0], moved)
    text = fit_file.read_text(encoding="utf-8").replace(str(logs[0]), "/nowhere/old.csv")
    fit_file.write_text(text, encoding="utf-8")
    result = invoke("fit", "--update", fit_file, logs[1], "--format", "json")
    document = json.loads(result.stdout)
    assert document["fit"] is None
    assert document["calibration"]["runs"] == 4
    assert "OLD_RUNS_MISSING" in {note["id"] for note in document["notes"]}
    refused = invoke("fit", "--update", fit_file, logs[1], "-o", tmp_path / "x.yaml")
    assert refused.exit_code == 4
    again = invoke(
        "fit", "--update", fit_file, logs[1], "--old", moved, "--resamples", "0",
        "--format", "json",
    )  # fmt: skip
    assert json.loads(again.stdout)["fit"]["quality"]["runs"] == 16
    other = invoke("fit", "--update", fit_file, logs[1], "--old", logs[2])
    assert other.exit_code == 3
    assert "not those that the fit was made from" in other.stderr


def test_table_and_csv(invoke, logs, fit_file):
    table = invoke("fit", "--update", fit_file, logs[1], "--resamples", "0").stdout
    assert "The old law and the new runs" in table
    assert "What changed" in table
    text = invoke(
        "fit", "--update", fit_file, logs[1], "--resamples", "0", "--format", "csv", "-q"
    ).stdout
    assert text.startswith("name,inputs_params,inputs_tokens,observed,predicted,low,high,z,")


def test_refusals(invoke, logs, fit_file):
    same = invoke("fit", "--update", fit_file, logs[0])
    assert (same.exit_code, "runs is new: they are among the old ones" in same.stderr) == (3, True)
    alone = invoke("fit", logs[0], "--old", logs[0])
    assert (alone.exit_code, "--update" in alone.stderr) == (2, True)
    grouped = invoke("fit", "--update", fit_file, logs[1], "--by", "run")
    assert grouped.exit_code == 2
    missing = invoke("fit", "--update", "nowhere.yaml", logs[1])
    assert missing.exit_code == 3


def accuracies(path, runs, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    rows = ["run,params,tokens,accuracy"]
    for k, (n, ratio) in enumerate(runs):
        error = (0.1 + 30.0 / n**0.3 + 60.0 / (ratio * n) ** 0.28) * np.exp(0.01 * rng.normal())
        rows.append(f"{path.stem}-{k},{n:.0f},{ratio * n:.0f},{1.0 - error + shift:.6f}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("shift", [0.03, -0.03])
def test_z_of_an_accuracy_has_the_sign_of_observed_less_forecast(invoke, tmp_path, shift):
    old, new = tmp_path / "old.csv", accuracies(tmp_path / "new.csv", NEW, 2, shift)
    kept = tmp_path / "fit.yaml"
    command = (
        "fit", accuracies(old, OLD, 1), "-q", "--law", "chinchilla", "--resamples", "0", "-o", kept
    )  # fmt: skip
    assert invoke(*command).exit_code == 0
    assert load_fit(str(kept)).complement
    result = invoke("fit", "--update", kept, new, "--resamples", "0", "--format", "json")
    for run in json.loads(result.stdout)["runs"]:
        assert (run["z"] > 0.0) == (run["observed"] > 0.5 * (run["low"] + run["high"]))
        assert np.sign(run["z"]) == np.sign(shift)


def test_every_row_that_is_not_judged_is_listed(invoke, fit_file, tmp_path):
    log = tmp_path / "half.csv"
    log.write_text(
        "run,params,tokens,loss\na,5e8,1e10,oops\nb,5e8,1e10,2.65\nc,5e8,1e10,-2\n"
        "d,,1e10,2.6\ne,1e9,2e10,2.55\n",
        encoding="utf-8",
    )
    table = invoke("fit", "--update", fit_file, log, "--resamples", "0").stdout
    assert "5 read, 2 used, 3 dropped" in table
    for reason in ("Dropped rows", "'oops'", "must be positive", "no params"):
        assert reason in table
    result = invoke("fit", "--update", fit_file, log, "--resamples", "0", "--format", "json")
    cleaning = json.loads(result.stdout)["cleaning"]
    assert (cleaning["rows_read"], cleaning["rows_used"]) == (5, 2)
    assert [(note["line"], note["run"]) for note in cleaning["dropped"]] == [
        (2, "a"), (4, "c"), (5, "d"),
    ]  # fmt: skip


def test_runs_among_the_old_ones_are_counted(invoke, logs, fit_file, tmp_path):
    both = tmp_path / "both.csv"
    new = logs[1].read_text(encoding="utf-8").splitlines()[1:]
    both.write_text(logs[0].read_text(encoding="utf-8") + "\n".join(new) + "\n", encoding="utf-8")
    result = invoke("fit", "--update", fit_file, both, "--resamples", "0", "--format", "json")
    assert json.loads(result.stdout)["among_old"] == 12
    table = invoke("fit", "--update", fit_file, both, "--resamples", "0").stdout
    assert "12 more in these logs are among the old runs" in " ".join(table.split())


def test_intervals_of_another_level_say_so(invoke, logs, fit_file):
    command = ("fit", "--update", fit_file, logs[1], "--resamples", "0", "-q")
    table = invoke(*command, "--level", "0.5").stdout
    assert "90% interval before" in table
    assert "50% interval now" in table
    same = invoke(*command).stdout
    assert "interval before" in same
    assert "90% interval before" not in same


def test_runs_off_the_ray_of_a_fit_are_named(invoke, logs, tmp_path):
    ray = write(tmp_path / "ray.csv", [(n, 20.0) for n in np.geomspace(1e7, 1e9, 12)], 3)
    kept = tmp_path / "ray.yaml"
    assert invoke("fit", ray, "-q", "--resamples", "0", "-o", kept).exit_code == 0
    command = ("fit", "--update", kept, "--resamples", "0", "--format", "json")
    document = json.loads(invoke(*command, logs[1]).stdout)
    (note,) = [note for note in document["notes"] if note["id"] == "NEW_RUNS_OFF_RAY"]
    # Two of the four new runs have 20 tokens per parameter, as the old ones.
    assert (note["runs"], note["least"], note["most"]) == (2, 10.0, 40.0)
    along = write(tmp_path / "along.csv", [(2e9, 20.0), (4e9, 20.0)], 4)
    found = json.loads(invoke(*command, along).stdout)
    assert "NEW_RUNS_OFF_RAY" not in {note["id"] for note in found["notes"]}
