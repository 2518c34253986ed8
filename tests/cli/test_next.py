from __future__ import annotations

import csv
import json

import pytest

LANGUAGE = "sample_runs/language/runs.csv"


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    from scaleplan.api import fit

    path = tmp_path_factory.mktemp("fit") / "fit.yaml"
    fit(LANGUAGE, resamples=0).save(str(path))
    return str(path)


def document(invoke, *arguments):
    result = invoke("next", *arguments, "--format", "json", "-q")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_runs_keep_to_the_budget_and_sharpen_the_forecast(invoke, fit):
    found = document(invoke, fit, "--budget", "1e15", "--target-flops", "1e17")
    assert found["schema"] == "scaleplan.next/1"
    assert sum(run["flops"] for run in found["runs"]) <= 1e15
    assert sum(run["share"] for run in found["runs"]) == pytest.approx(1.0)
    assert found["half_width"]["after"] < found["half_width"]["before"]
    assert any(run["role"] == "anchor" for run in found["runs"])
    target = found["target"]["tokens"] / found["target"]["params"]
    for run in found["runs"]:
        ratio = run["tokens"] / run["params"]
        assert target / 6.5 <= ratio <= target * 6.5
    assert len(found["alternatives"]) >= 3


def test_more_money_tells_more(invoke, fit):
    widths = [
        document(invoke, fit, "--budget", budget, "--target-flops", "1e17")["half_width"]["after"]
        for budget in ("1e14", "1e15", "1e16")
    ]
    assert widths == sorted(widths, reverse=True)


def test_a_first_sweep_needs_no_runs(invoke):
    found = document(invoke, "--budget", "1e20", "--prior", "besiroglu")
    assert len(found["runs"]) >= 8
    assert sum(run["flops"] for run in found["runs"]) <= 1e20


@pytest.mark.parametrize("kind", ["csv", "yaml"])
def test_launch_files_are_read_back_with_results(invoke, fit, tmp_path, kind):
    path = tmp_path / f"next.{kind}"
    asked = ("next", fit, "--budget", "1e15", "--target-flops", "1e17", "--emit", kind)
    assert invoke(*asked, "-o", str(path), "-q").exit_code == 0
    if kind == "csv":
        with path.open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        for row in rows:
            n, d = float(row["params"]), float(row["tokens"])
            row["val_loss"] = f"{1.0 + 65.0 / n**0.47 + 68000.0 / d**0.83:.5f}"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        shown = json.loads(invoke("runs", str(path), "--format", "json", "-q").stdout)
        assert len(shown["runs"]) == len(rows)
        assert shown["metric"]["name"] == "val_loss"
    else:
        assert "params:" in path.read_text(encoding="utf-8")


def test_a_shell_script_quotes_what_it_writes(invoke, fit, tmp_path):
    path = tmp_path / "next.sh"
    asked = ("next", fit, "--budget", "1e15", "--target-flops", "1e17", "--emit", "sh")
    assert invoke(*asked, "-o", str(path), "-q").exit_code == 0
    assert path.read_text(encoding="utf-8").startswith("#!")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--target-flops", "1e17"), 2, "no budget"),
        (("--budget", "1", "--target-flops", "1e17"), 5, "cheapest"),
        (("--budget", "1e15", "--target-flops", "1e12"), 5, "inside the fitted runs"),
        (("--budget", "nan"), 2, "--budget"),
    ],
)
def test_what_cannot_be_planned_says_why(invoke, fit, arguments, code, said):
    result = invoke("next", fit, *arguments)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stdout == ""


def test_a_published_law_without_its_covariance_says_so(invoke):
    result = invoke("next", "--budget", "1e20", "--prior", "nonsense")
    assert result.exit_code == 2
