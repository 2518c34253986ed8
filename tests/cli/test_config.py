from __future__ import annotations

import json

import pytest

PLAN = ("budget", "--params", "7B", "--format", "json", "-q")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gpus(result):
    assert result.exit_code == 0, result.stderr
    return {(row["gpu"], row["gpus"]) for row in json.loads(result.stdout)["rows"]}


def test_a_file_in_the_folder_gives_defaults_and_the_command_line_comes_first(invoke, folder):
    text = "cluster:\n  gpu: a100_sxm_80gb\n  gpus: 8,16\n  price: 1.1\n"
    (folder / "scaleplan.yaml").write_text(text, encoding="utf-8")
    assert gpus(invoke(*PLAN)) == {("a100_sxm_80gb", 8), ("a100_sxm_80gb", 16)}
    assert gpus(invoke(*PLAN, "--gpus", "32,64")) == {("a100_sxm_80gb", n) for n in (32, 64)}
    assert ("h100_sxm_80gb", 8) in gpus(invoke("--no-config", *PLAN, "--gpus", "8,16"))


def test_verbose_says_what_the_file_gives(invoke, folder):
    (folder / "own.yaml").write_text("columns: {params: n, loss: val}\n", encoding="utf-8")
    (folder / "a.csv").write_text("n,val\n1e6,3\n1e7,2.5\n1e8,2.2\n", encoding="utf-8")
    result = invoke("--config", "own.yaml", "--verbose", "runs", "a.csv", "--format", "json")
    assert "own.yaml: --columns params=n,loss=val" in result.stderr
    assert json.loads(result.stdout)["runs"][0]["params"] == 1e6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cluster: {gpuu: a100}\n", "Did you mean gpu?"),
        ("nonsense: 1\n", "nonsense is not known"),
        ("cluster: a100\n", "not a section"),
        ("a: &a {b: 1}\nc: *a\n", "scaleplan.yaml"),
        ("[1, 2]\n", "scaleplan.yaml"),
        ("", "is empty"),
        ("cluster: {mfu: 4}\n", "above 0 and at most 1"),
    ],
)
def test_what_a_file_cannot_say_is_refused(invoke, folder, text, said):
    (folder / "scaleplan.yaml").write_text(text, encoding="utf-8")
    result = invoke(*PLAN)
    assert result.exit_code in {2, 3}
    assert said in result.stderr
    assert result.stdout == ""


def test_a_missing_file_that_was_named_is_an_error(invoke, folder):
    assert invoke("--config", "none.yaml", *PLAN).exit_code == 3
    assert invoke("--config", "none.yaml", "--no-config", *PLAN).exit_code == 2
