"""`scaleplan next`: the plan as table, document and file, and back into `fit`."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest

TARGET = ("--target-params", "10B", "--target-tokens", "200B")


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    rng = np.random.default_rng(5)
    rows = ["params,tokens,loss"]
    for n in (3e7, 6e7, 1.2e8, 2.5e8):
        for ratio in (5.0, 20.0, 80.0):
            loss = 1.8 + 480.0 / n**0.35 + 2100.0 / (ratio * n) ** 0.37
            rows.append(f"{n:.0f},{ratio * n:.0f},{loss * np.exp(0.004 * rng.normal()):.6f}")
    path = tmp_path_factory.mktemp("next") / "runs.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def fit_file(pilot):
    from typer.testing import CliRunner

    from scaleplan.cli.app import app

    path = pilot.with_name("fit.yaml")
    command = ["fit", str(pilot), "-q", "--law", "chinchilla", "--resamples", "0", "-o", str(path)]
    assert CliRunner().invoke(app, command).exit_code == 0
    return path


def test_document(invoke, fit_file):
    result = invoke("next", fit_file, "--budget", "2e19", *TARGET, "--format", "json")
    document = json.loads(result.stdout)
    assert document["schema"] == "scaleplan.next/1"
    assert document["target"]["params"] == 1e10
    assert document["spent"]["flops"] <= 2e19
    assert document["half_width"]["after"] < document["half_width"]["before"]
    assert document["law_half_width"]["after"] < document["law_half_width"]["before"]
    assert {one["name"] for one in document["alternatives"]} == {
        "one big run", "ladder", "isoFLOP grid",
    }  # fmt: skip
    assert any("2503.04715" in one["source"] for one in document["assumptions"])


def test_runs_below_the_fitted_sizes_are_said(invoke, fit_file):
    for budget, cheapest, expected in (("1e16", "1e12", True), ("1e20", "1e19", False)):
        arguments = ("--budget", budget, "--cheapest", cheapest, "--target-flops", "1e22")
        document = json.loads(invoke("next", fit_file, *arguments, "--format", "json").stdout)
        least = min(run["params"] for run in document["runs"])
        notes = {note["id"]: note for note in document["notes"]}
        assert ("BELOW_THE_RUNS" in notes) is expected
        if expected:
            small = notes["BELOW_THE_RUNS"]
            assert least < small["least"]
            assert small["runs"] == sum(r["params"] < small["least"] for r in document["runs"])


def test_table_and_csv(invoke, fit_file):
    table = invoke("next", fit_file, "--budget", "2e19", *TARGET).stdout
    assert "Runs to train, on 8 x h100" in table
    assert "Expected at the target, if the form holds" in table
    text = invoke("next", fit_file, "--budget", "2e19", *TARGET, "--format", "csv", "-q").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["name"] == "next-1"
    assert float(rows[0]["learning_rate"]) > 0.0


@pytest.mark.parametrize("kind", ["csv", "yaml"])
def test_emitted_runs_are_read_back_with_their_results(invoke, fit_file, pilot, tmp_path, kind):
    path = tmp_path / f"new.{kind}"
    shown = invoke("next", fit_file, "--budget", "2e19", *TARGET, "-o", path, "--format", "json")
    planned = json.loads(shown.stdout)["runs"]
    open_ = invoke("fit", pilot, path, "--law", "chinchilla", "--format", "json", "-q")
    assert json.loads(open_.stdout)["quality"]["runs"] == 12  # results that are open are left out
    lines = path.read_text(encoding="utf-8").splitlines()
    losses = iter(
        f"{1.8 + 480.0 / run['params'] ** 0.35 + 2100.0 / run['tokens'] ** 0.37:.6f}"
        for run in planned
    )
    if kind == "csv":
        filled = [lines[0], *(line + next(losses) for line in lines[1:])]
    else:
        filled = [
            line.replace("null", next(losses)) if line.endswith(": null") else line
            for line in lines
        ]
    path.write_text("\n".join(filled) + "\n", encoding="utf-8")
    result = invoke("fit", pilot, path, "--law", "chinchilla", "--format", "json", "-q")
    assert json.loads(result.stdout)["quality"]["runs"] == 12 + len(planned)


def test_the_script_runs_the_command_it_is_given(invoke, fit_file, tmp_path):
    path = tmp_path / "runs.sh"
    assert invoke("next", fit_file, "--budget", "2e19", *TARGET, "-o", path).exit_code == 0
    done = subprocess.run(
        ["sh", str(path)], capture_output=True, encoding="utf-8", check=True,
        env={"TRAIN": "echo", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.startswith("--run next-1 --params ")
    lacking = subprocess.run(["sh", str(path)], capture_output=True, encoding="utf-8", check=False)
    assert lacking.returncode != 0
    assert "TRAIN" in lacking.stderr


def test_without_a_file_the_runs_take_the_place_of_the_table(invoke, fit_file):
    result = invoke("next", fit_file, "--budget", "2e19", *TARGET, "--emit", "csv")
    assert result.stdout.startswith("run,params,tokens,")
    assert "IF_THE_FORM_HOLDS" in result.stderr


def test_a_first_sweep_without_runs(invoke):
    result = invoke("next", "--budget", "1e20", "--prior", "besiroglu", "--format", "json")
    document = json.loads(result.stdout)
    assert len(document["runs"]) >= 8
    assert "PRIOR_ONLY" in {note["id"] for note in document["notes"]}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--budget", "1e12"), 5, "below the cheapest run"),
        (("--budget", "1e19", "--target-params", "1e8", "--target-tokens", "2e9"), 5, "inside"),
        (("--budget", "1e20", "--target-params", "1B"), 2, "lacks --target-tokens"),
        ((), 2, "no budget"),
        (("--budget", "1e20", "--budget-usd", "5"), 2, "cannot be given together"),
        (("--budget", "1e20", "--prior", "besiroglu"), 2, "takes the place"),
        (("--budget", "1e20", "-o", "runs.txt"), 2, "is not clear"),
        (("--budget", "1e20", "--emit", "csv", "--format", "json"), 2, "would do nothing"),
        (
            ("--budget-usd", "0.0001", *TARGET),
            5,
            "budget of $0.00010 is below",
        ),
        (("--budget", "1e400"), 2, "finite"),
    ],
)
def test_refusals(invoke, fit_file, arguments, code, said):
    result = invoke("next", fit_file, *arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr


def test_a_fit_of_one_ray_is_refused_with_the_way_out(invoke, tmp_path):
    rows = [
        f"{n:.0f},{20 * n:.0f},{1.8 + 480 / n**0.35 + 2100 / (20 * n) ** 0.37:.6f}"
        for n in np.geomspace(1e7, 1e9, 10)
    ]
    log, kept = tmp_path / "ray.csv", tmp_path / "fit.yaml"
    log.write_text("\n".join(["params,tokens,loss", *rows]) + "\n", encoding="utf-8")
    assert invoke("fit", log, "-q", "-o", kept).exit_code == 0
    result = invoke("next", kept, "--budget", "1e20", *TARGET)
    assert result.exit_code == 4
    assert "--prior" in result.stderr


def test_the_fit_is_never_replaced_by_the_runs(invoke, fit_file):
    before = fit_file.read_bytes()
    result = invoke("next", fit_file, "--budget", "2e19", *TARGET, "-o", fit_file)
    assert result.exit_code == 2
    assert fit_file.read_bytes() == before


def test_next_imports_no_scipy(run_cli, fit_file):
    code = (
        "import sys; sys.argv = ['scaleplan', 'next', sys.argv[1], '--budget', '2e19', '-q']\n"
        "from scaleplan.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(fit_file)], check=True, capture_output=True)
