"""Every command in every format, on real input."""

from __future__ import annotations

import csv
import io
import json

import pytest

from scaleplan import __version__

FORMATS = ("table", "json", "csv", "markdown")


@pytest.fixture
def commands(invoke, chinchilla_csv, tmp_path):
    """Return the arguments of one working call of each command."""
    fit = tmp_path / "fit.yaml"
    made = invoke("fit", chinchilla_csv, "--resamples", "50", "-o", fit)
    assert made.exit_code == 0, made.stderr
    return {
        "fit": ("fit", chinchilla_csv, "--resamples", "50"),
        "predict": ("predict", fit, "--params", "10B", "--tokens", "200B,1T"),
        "predict-runs": ("predict", chinchilla_csv, "--flops", "1e22"),
        "budget": ("budget", "--gpus", "64,1000", "--params", "1e10"),
        "budget-fit": ("budget", "--gpus", "64", "--flops", "1e22", "--fit", fit),
        "budget-gpus": ("budget", "--gpus", "64", "--params", "7B", "--gpu", "all"),
        "laws": ("laws",),
        "gpus": ("gpus",),
    }


NAMES = (
    "fit", "predict", "predict-runs", "budget", "budget-fit", "budget-gpus", "laws", "gpus",
)  # fmt: skip


def refuse(constant: str):
    raise AssertionError(f"{constant} is not JSON")


@pytest.mark.parametrize("name", NAMES)
def test_json_is_one_document_with_the_common_keys(invoke, commands, name):
    result = invoke(*commands[name], "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    document = json.loads(result.stdout, parse_constant=refuse)
    assert document["schema"].endswith("/1")
    assert document["command"] == name.split("-")[0]
    for key in ("version", "assumptions", "notes"):
        assert key in document
    for note in document["notes"]:
        assert note["severity"] in {"info", "warning", "error"}
        assert note["id"]
        assert note["text"]


@pytest.mark.parametrize("name", NAMES)
def test_csv_is_one_table_and_notes_go_to_standard_error(invoke, commands, name):
    result = invoke(*commands[name], "--format", "csv")
    assert result.exit_code == 0
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1
    quiet = invoke(*commands[name], "--format", "csv", "--quiet")
    assert quiet.stderr == ""
    assert quiet.stdout == result.stdout


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("output_format", ["table", "markdown"])
def test_people_get_result_and_notes_on_standard_output_only(invoke, commands, name, output_format):
    result = invoke(*commands[name], "--format", output_format)
    assert result.exit_code == 0
    assert result.stderr == ""
    notes = json.loads(invoke(*commands[name], "--format", "json").stdout)["notes"]
    for note in notes:
        assert note["id"] in result.stdout


def test_notes_of_csv_reach_standard_error(invoke):
    far = ("budget", "--gpus", "64", "--params", "1e12")
    assert "EXTRAPOLATION" in invoke(*far, "--format", "csv").stderr


@pytest.mark.parametrize("written", ["1e10", "10B", "10_000_000_000", "10,000,000,000"])
def test_numbers_are_read_as_people_write_them(invoke, written):
    result = invoke("budget", "--gpus", "64", "--params", written, "--format", "json")
    assert json.loads(result.stdout)["model"]["params"] == 1e10


def test_lists_and_prices(invoke):
    result = invoke(
        "budget", "--gpus", "64,256,64", "--params", "7B", "--gpu", "h100,a100", "--price",
        "$2/h", "--mfu", "40%", "--format", "json",
    )  # fmt: skip
    rows = json.loads(result.stdout)["rows"]
    assert {row["gpus"] for row in rows} >= {64, 256}
    assert len({row["gpu"] for row in rows}) == 2
    for row in rows:
        assert row["usd"] == pytest.approx(2.0 * row["gpu_hours"])


def test_a_saved_fit_predicts_what_its_runs_predict(invoke, commands, chinchilla_csv):
    asked = ("--params", "10B", "--tokens", "200B", "--format", "json")
    saved = json.loads(invoke("predict", commands["predict"][1], *asked).stdout)
    fresh = json.loads(invoke("predict", chinchilla_csv, *asked).stdout)
    assert saved["points"][0]["value"] == pytest.approx(fresh["points"][0]["value"], rel=1e-9)


def test_reading_options_cannot_change_a_saved_fit(invoke, commands):
    result = invoke(*commands["predict"], "--law", "power")
    assert result.exit_code == 2
    assert "--law" in result.stderr
    several = invoke(
        "predict", commands["predict"][1], "other.csv", "--params", "1", "--tokens", "1"
    )
    assert several.exit_code == 2


def test_negative_values_can_be_given_to_at(invoke, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x,score\n" + "".join(f"{x},{2 * x + 7}\n" for x in range(1, 9)), "utf-8")
    read = ("--input", "x", "--metric", "score", "--law", "linear")
    result = invoke("predict", path, *read, "--at", "-3", "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["points"][0]["value"] == pytest.approx(1.0)


@pytest.mark.parametrize("output_format", FORMATS)
def test_golden_plan(invoke, golden, output_format):
    result = invoke("budget", "--gpus", "1000", "--params", "1e10", "--format", output_format)
    assert result.exit_code == 0
    golden(f"budget.{output_format}.txt", result.stdout.replace(__version__, "VERSION"))


def test_names_from_files_are_shown_as_they_are(invoke, tmp_path):
    path = tmp_path / "[bold]runs[red].csv"
    rows = "".join(f"{x}e8,{3.0 * x**-0.1:.6f}\n" for x in range(1, 12))
    path.write_text('params,"[red]loss\x1b[31m"\n' + rows, encoding="utf-8")
    result = invoke("fit", path, "--metric", "[red]loss\x1b[31m", "--resamples", "0")
    assert "\x1b" not in result.output
    assert "[bold]runs[red].csv" in result.output.replace("\n", "")
