"""One test for each exit code, and for each kind of wrong input that the command line sees."""

from __future__ import annotations

import json

import pytest

PLAN = ("budget", "--gpus", "64", "--params", "1e9")


def one_error(result) -> str:
    """Check the shape of an error and return it."""
    first, blank, hint = result.stderr.rstrip("\n").split("\n")
    assert first.startswith("error: ")
    assert blank == ""
    assert hint.startswith("hint: ")
    assert "Traceback" not in result.stderr
    return first


def test_0_done(invoke):
    result = invoke(*PLAN)
    assert result.exit_code == 0
    assert result.stderr == ""


def test_1_bug_is_one_line_and_names_the_variable(run_cli, tmp_path):
    # A module of the same name in front of the real one stands for a bug.
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("import scaleplan.laws as laws\nlaws.LAWS = (object(),)\n", encoding="utf-8")
    path = f"{tmp_path}:{__file__.rsplit('/tests/', 1)[0]}"
    result = run_cli("laws", PYTHONPATH=path)
    assert result.returncode == 1
    assert "this is a bug in scaleplan: AttributeError" in one_error(result)
    assert "SCALEPLAN_TRACEBACK=1" in result.stderr
    told = run_cli("laws", PYTHONPATH=path, SCALEPLAN_TRACEBACK="1")
    assert told.returncode == 1
    assert "Traceback (most recent call last)" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "no such command"),
        (("budgte",), "Did you mean 'budget'?"),
        (("budget",), "there is no model to plan"),
        (("budget", "--gpus", "0", "--params", "1e9"), "0 is not allowed"),
        (("budget", "--gpus", "-4", "--params", "1e9"), "-4 is not allowed"),
        (("budget", "--gpus", "1.5", "--params", "1e9"), "it must be a whole number"),
        (("budget", "--gpus", "64,,128", "--params", "1e9"), "empty part"),
        (("budget", "--gpus", "many", "--params", "1e9"), "'many' is not a number"),
        (("budget", "--gpus", "64"), "there is no model to plan"),
        (("budget", "--gpus", "64", "--params", "-1e9"), "-1e9 is not allowed"),
        (("budget", "--gpus", "64", "--params", "nan"), "nan is not allowed"),
        (("budget", "--gpus", "64", "--params", "inf"), "inf is not allowed"),
        (("budget", "--gpus", "64", "--params", "10Q"), "known suffix"),
        ((*PLAN, "--mfu", "4"), "above 0 and at most 1"),
        ((*PLAN, "--mfu", "0"), "above 0 and at most 1"),
        ((*PLAN, "--price", "free"), "'free' is not a number"),
        ((*PLAN, "--pue", "0.5"), "at least what its machines use"),
        ((*PLAN, "--tokens", "1e9", "--ratio", "20"), "--tokens and --ratio cannot be given"),
        ((*PLAN, "--tokens", "1e9", "--flops", "1e20"), "contradict"),
        ((*PLAN, "--fit", "fit.yaml", "--law", "besiroglu"), "--fit and --law cannot be given"),
        ((*PLAN, "--gpu", "h1000000"), "h1000000"),
        ((*PLAN, "--law", "nobody_1900"), "nobody_1900"),
        ((*PLAN, "--active-params", "2e9"), "--active-params"),
        ((*PLAN, "--format", "xml"), "'xml' is not one of"),
        ((*PLAN, "--unknown", "1"), "no such option: --unknown"),
        ((*PLAN, "--seed", "-1"), "-1 is not allowed; it must be a whole number of at least 0"),
        ((*PLAN, "--seed", "0.5"), "0.5 is not allowed; it must be a whole number of at least 0"),
        ((*PLAN, "--sequence-length", "0"), "0 is not allowed"),
        (("fit",), "missing argument"),
    ],
)  # fmt: skip
def test_2_usage(invoke, arguments, message):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in one_error(result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--level", "1"), "no interval is certain"),
        (("--level", "2"), "at most 1"),
        (("--resamples", "-1"), "-1 is not allowed"),
        (("--delta", "0"), "0 is not allowed"),
        (("--flops", "1e20,"), "empty part"),
        (("--columns", "params"), "'params' is not role=column"),
        (("--columns", "params=a", "--columns", "params=b"), "two columns, a and b"),
        (("--law", "nonsense"), "nonsense"),
        (("--columns", "params=not_there"), "not_there"),
    ],
)
def test_2_usage_of_fit(invoke, chinchilla_csv, options, message):
    result = invoke("fit", chinchilla_csv, *options)
    # A column that the file lacks is the file's fault or the option's: both are told alike.
    assert result.exit_code in ({2, 3} if "not_there" in message else {2})
    assert message in one_error(result)


def test_2_no_arguments_shows_the_help(invoke):
    result = invoke()
    assert result.exit_code == 2
    assert "Usage: scaleplan" in result.stderr
    assert "Examples:" in invoke("fit", "--help").stdout


@pytest.mark.parametrize(
    "content",
    [b"", b"params,tokens,loss\n", b"\x00\x01\x02\xff\xfe" * 50],
    ids=["empty", "header only", "binary"],
)
def test_3_file_without_runs(invoke, tmp_path, content):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    result = invoke("fit", path)
    assert result.exit_code == 3
    assert "bad.csv" in one_error(result)


def test_3_missing_file(invoke, tmp_path):
    result = invoke("fit", tmp_path / "nowhere.csv")
    assert result.exit_code == 3
    assert "nowhere.csv" in one_error(result)


def test_3_missing_fit_file(invoke, tmp_path):
    result = invoke(*PLAN, "--fit", tmp_path / "nowhere.yaml")
    assert result.exit_code == 3
    assert "nowhere.yaml" in one_error(result)


def test_3_output_that_cannot_be_written(invoke, chinchilla_csv, tmp_path):
    result = invoke("fit", chinchilla_csv, "-o", tmp_path / "no" / "folder" / "fit.yaml")
    assert result.exit_code == 3
    assert result.stdout == ""
    one_error(result)


def test_4_too_few_runs_for_the_law(invoke, tmp_path):
    path = tmp_path / "three.csv"
    path.write_text(
        "params,tokens,loss\n1e8,1e9,3.5\n1e9,3e9,3.0\n3e8,1e10,2.8\n", encoding="utf-8"
    )
    result = invoke("fit", path, "--law", "chinchilla")
    assert result.exit_code == 4
    one_error(result)


def test_5_plan_of_a_fit_that_knows_no_params(invoke, tmp_path):
    path = tmp_path / "width.csv"
    rows = "".join(f"{x},{0.1 * x + 0.5}\n" for x in range(1, 12))
    path.write_text("width,score\n" + rows, encoding="utf-8")
    fit = tmp_path / "fit.yaml"
    made = invoke(
        "fit", path, "--input", "width", "--metric", "score", "--law", "linear", "-o", fit
    )
    assert made.exit_code == 0, made.stderr
    result = invoke(*PLAN, "--fit", fit)
    assert result.exit_code == 5
    one_error(result)


def test_6_strict_keeps_the_result_and_tells_by_the_code(invoke):
    # 1e12 parameters are far beyond every published law's runs.
    far = ("budget", "--gpus", "64", "--params", "1e12", "--format", "json")
    assert invoke(*far).exit_code == 0
    result = invoke(*far, "--strict")
    assert result.exit_code == 6
    severities = {note["severity"] for note in json.loads(result.stdout)["notes"]}
    assert severities & {"warning", "error"}
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("budget", "--gpus", "0", "--params", "1e9"),
        ("budget", "--gpus", "64", "--params", "1e9", "--law", "nobody"),
        ("nonsense",),
        ("budget", "--unknown"),
    ],
)
@pytest.mark.parametrize("option", [("--format", "json"), ("--format=json",)])
def test_errors_are_one_json_document_when_json_was_asked_for(invoke, arguments, option):
    result = invoke(*arguments, *option)
    assert result.exit_code == 2
    assert result.stdout == ""
    document = json.loads(result.stderr)
    assert document["schema"] == "scaleplan.error/1"
    assert document["exit_code"] == 2
    assert document["error"]
    assert document["hint"]
    assert {"file", "line"} <= document.keys()


def test_json_error_names_file_and_line(invoke, tmp_path):
    result = invoke("fit", tmp_path / "nowhere.csv", "--format", "json")
    document = json.loads(result.stderr)
    assert document["exit_code"] == 3
    assert document["file"].endswith("nowhere.csv")
    assert document["line"] is None


def test_what_was_typed_reaches_the_terminal_without_control_characters(invoke):
    result = invoke("budget", "--gpus", "\x1b[31m[bold]9x", "--params", "1e9")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr
    assert "[bold]9x" in result.stderr
