"""Whatever a user gets wrong ends in one clear error with a hint and the right exit code."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

GOOD = "params,tokens,loss\n" + "\n".join(
    f"{n:g},{d:g},{1.8 + 480 / n**0.35 + 2000 / d**0.36:.6f}"
    for n in (1e7, 3e7, 1e8, 3e8)
    for d in (1e9, 4e9, 1.6e10)
)


def refused(done, code, *words):
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    assert "hint:" in done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return name


BAD_LOGS = {
    "empty file": ("", 3, ["runs.csv", "empty"]),
    "header only": ("params,tokens,loss\n", 3, ["runs.csv"]),
    "one row": ("params,tokens,loss\n1e8,2e9,3.1\n", 4, ["1 usable run "]),
    "all rows the same": (
        "params,tokens,loss\n" + "1e8,2e9,3.1\n" * 8,
        4,
        ["1 usable run ", "7 of 8 rows were dropped", "runs.csv:3: duplicate of line 2"],
    ),
    "all losses NaN": ("params,tokens,loss\n1e8,2e9,nan\n2e8,2e9,NaN\n", 3, ["NaN"]),
    "all losses negative": ("params,tokens,loss\n1e8,2e9,-1\n2e8,2e9,-3\n", 3, ["runs.csv"]),
    "no known column": ("apple,pear\n1,2\n3,4\n", 3, ["apple", "pear"]),
    "binary": (bytes(range(256)) * 40, 3, ["runs.csv"]),
}


@pytest.mark.parametrize("case", BAD_LOGS, ids=lambda c: c.replace(" ", "-"))
def test_bad_logs(case, tmp_path, run_cli):
    content, code, words = BAD_LOGS[case]
    write(tmp_path, "runs.csv", content)
    refused(run_cli("fit", "runs.csv", cwd=tmp_path), code, *words)


def test_three_points_for_five_parameters(tmp_path, run_cli):
    write(tmp_path, "runs.csv", "params,tokens,loss\n1e7,1e9,4\n1e8,4e9,3.5\n1e9,9e9,3\n")
    done = run_cli("fit", "runs.csv", "--law", "chinchilla", cwd=tmp_path)
    refused(done, 4, "3 usable runs cannot fix the 5 parameters")


def test_all_runs_on_one_ray(tmp_path, run_cli):
    rows = [f"{n:g},{20 * n:g},{1.5 + 300 / n**0.3:.6f}" for n in (1e7, 3e7, 1e8, 3e8, 1e9, 3e9)]
    write(tmp_path, "runs.csv", "params,tokens,loss\n" + "\n".join(rows))
    done = run_cli("fit", "runs.csv", "--law", "chinchilla", cwd=tmp_path)
    refused(done, 4, "one ray", "--input flops")
    done = run_cli("fit", "runs.csv", cwd=tmp_path)
    assert done.returncode == 0
    assert "one ray" in done.stdout


def test_text_in_a_number_column_drops_the_row_and_says_so(tmp_path, run_cli):
    lines = GOOD.splitlines()
    lines[3] = lines[3].replace(lines[3].split(",")[0], "big")
    write(tmp_path, "runs.csv", "\n".join(lines))
    done = run_cli("fit", "runs.csv", "--format", "json", cwd=tmp_path)
    cleaning = json.loads(done.stdout)["cleaning"]
    assert (cleaning["rows_read"], cleaning["rows_used"]) == (12, 11)
    (row,) = cleaning["dropped"]
    assert (row["file"], row["line"]) == ("runs.csv", 4)
    assert "big" in row["reason"]


@pytest.fixture
def good(tmp_path):
    write(tmp_path, "runs.csv", GOOD)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("fit", "absent.csv"), 3, ["absent.csv"]),
        (("fit", "runs.csv", "--columns", "params=nonsense"), 2, ["nonsense"]),
        (("fit", "runs.csv", "--metric", "nonsense"), 2, ["nonsense"]),
        (("fit", "runs.csv", "--input", "nonsense"), 2, ["nonsense"]),
        (("fit", "runs.csv", "--law", "chinchila"), 2, ["chinchilla"]),
        (("fit", "runs.csv", "--resamples", "-1"), 2, []),
        (("fit", "runs.csv", "--level", "2"), 2, []),
        (("fit", "runs.csv", "--delta", "0"), 2, []),
        (("fit", "runs.csv", "-o", "no/such/fit.yaml"), 3, ["no/such/fit.yaml"]),
        (("predict", "runs.csv"), 2, ["--params"]),
        (("predict", "runs.csv", "--params", "-1B", "--tokens", "1B"), 2, ["-1B"]),
        (("predict", "runs.csv", "--params", "many", "--tokens", "1B"), 2, ["many"]),
        (("predict", "absent.yaml", "--params", "1B"), 3, ["absent.yaml"]),
        (("budget", "--gpus", "0", "--params", "1e10"), 2, ["0"]),
        (("budget", "--gpus", "-8", "--params", "1e10"), 2, ["-8"]),
        (("budget", "--gpus", "1.5", "--params", "1e10"), 2, ["1.5"]),
        (("budget", "--gpus", "many", "--params", "1e10"), 2, ["many"]),
        (("budget", "--gpus", "8", "--params", "0"), 2, []),
        (("budget", "--gpus", "8"), 2, ["--params"]),
        (("budget", "--gpus", "8", "--params", "1B", "--mfu", "4"), 2, ["4"]),
        (("budget", "--gpus", "8", "--params", "1B", "--mfu", "0"), 2, []),
        (("budget", "--gpus", "8", "--params", "1B", "--price", "0"), 2, []),
        (("budget", "--gpus", "8", "--params", "1B", "--gpu", "h10"), 2, ["h100"]),
        (("budget", "--gpus", "8", "--params", "1B", "--law", "besirogl"), 2, ["besiroglu"]),
        (("budget", "--gpus", "8", "--params", "1B", "--country", "XX"), 2, ["XX"]),
        (("budget", "--gpus", "8", "--params", "1B", "--tokens", "1B", "--ratio", "3"), 2, []),
        (("budget", "--gpus", "8", "--params", "1B", "--fit", "absent.yaml"), 3, ["absent"]),
        (("budget", "--gpus", "8", "--params", "1B", "--fit", "runs.csv"), 3, ["runs.csv"]),
        (("budget", "--gpus", "8", "--params", "1B", "--format", "xml"), 2, ["xml"]),
        (("fit", "runs.csv", "--bound", "E=3", "--law", "chinchilla"), 2, ["'3'", "LOW:HIGH"]),
        (("fit", "runs.csv", "--cluster", "lost"), 3, ["lost", "Did you mean loss?"]),
        (("fit", "runs.csv", "--best-of-each", "tokns"), 2, ["Did you mean tokens?"]),
        (("fit", "runs.csv", "--set", "params=many"), 2, ["'many'", "'params'", "above 0"]),
        (("fit", "runs.csv", "--set", "a:tokens=0"), 2, ["'0'", "'tokens' of 'a'", "above 0"]),
        (("fit", "runs.csv", "--set", "seed=x"), 2, ["'x'", "must be a number"]),
        (("predict", "besirglu_2024", "--flops", "1e20"), 3, ["Did you mean besiroglu_2024"]),
        (("predict", "nothing_near", "--flops", "1e20"), 3, ["no such file"]),
        (("report", "runs.csv", "-o", "page.pdf"), 2, ["page.pdf", ".html"]),
        (("tune", "runs.csv", "--tokens"), 2, ["--tokens", "--help"]),
        (("frobnicate",), 2, []),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None,
)
def test_bad_options(arguments, code, words, good, run_cli):
    refused(run_cli(*arguments, cwd=good), code, *words)


def test_a_folder_without_logs(tmp_path, run_cli):
    (tmp_path / "logs").mkdir()
    refused(run_cli("fit", "logs", cwd=tmp_path), 3, "logs")


def test_a_line_of_many_megabytes(tmp_path, run_cli):
    with (tmp_path / "runs.csv").open("wb") as out:
        out.write(b"params,tokens,loss\n")
        for _ in range(30):
            out.write(b"1" * 10_000_000)
    refused(run_cli("fit", "runs.csv", cwd=tmp_path), 3, "runs.csv")


def test_latin_1_text_is_read_and_said(good, run_cli):
    text = GOOD.replace("\n", ",größe\n").replace("loss,größe", "loss,note", 1)
    write(good, "runs.csv", (text + ",größe\n").encode("latin-1"))
    done = run_cli("fit", "runs.csv", "--format", "json", cwd=good)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cleaning"]["rows_used"] == 12


def test_a_yaml_alias_bomb(tmp_path, run_cli):
    lines = ['a0: &a0 ["x","x","x","x","x","x","x","x","x"]']
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12)]
    write(tmp_path, "runs.yaml", "\n".join(lines))
    refused(run_cli("fit", "runs.yaml", cwd=tmp_path), 3, "runs.yaml")


def test_a_fit_file_of_another_schema_or_cut_in_half(good, run_cli):
    assert run_cli("fit", "runs.csv", "-o", "fit.yaml", cwd=good).returncode == 0
    text = (good / "fit.yaml").read_text(encoding="utf-8")
    write(good, "other.yaml", text.replace("fit-file/1", "fit-file/7", 1))
    write(good, "half.yaml", text[: len(text) // 2])
    for name in ("other.yaml", "half.yaml"):
        done = run_cli("predict", name, "--params", "1B", "--tokens", "20B", cwd=good)
        refused(done, 3, name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(good, run_cli):
    folder = good / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    refused(run_cli("fit", "runs.csv", "-o", "locked/fit.yaml", cwd=good), 3, "locked")


def test_no_half_written_file_is_left(good, run_cli):
    done = run_cli("fit", "runs.csv", "-o", "/dev/null/fit.yaml", cwd=good)
    refused(done, 3, "/dev/null")
    assert sorted(p.name for p in good.iterdir()) == ["runs.csv"]


@pytest.mark.parametrize("named", ["runs.csv", "./runs.csv", "link.csv"])
def test_a_log_is_never_replaced_by_its_fit(named, good, run_cli):
    (good / "link.csv").symlink_to("runs.csv")
    refused(run_cli("fit", "*.csv", "-o", named, cwd=good), 2, named, "another name")
    assert (good / "runs.csv").read_text(encoding="utf-8") == GOOD


def test_the_fit_file_does_not_go_where_the_result_goes(good, run_cli):
    refused(run_cli("fit", "runs.csv", "-o", "-", cwd=good), 2, "standard output", "fit.yaml")
    assert sorted(p.name for p in good.iterdir()) == ["runs.csv"]


def test_errors_are_json_under_json(good, run_cli):
    done = run_cli("fit", "absent.csv", "--format", "json", cwd=good)
    document = json.loads(done.stderr)
    assert document["schema"] == "scaleplan.error/1"
    assert document["exit_code"] == done.returncode == 3
    assert document["hint"]


def test_strict_turns_warnings_into_exit_6(good, run_cli):
    asked = ("predict", "runs.csv", "--params", "1T", "--tokens", "20T")
    assert run_cli(*asked, cwd=good).returncode == 0
    done = run_cli(*asked, "--strict", cwd=good)
    assert done.returncode == 6
    assert done.stdout


def test_escapes_in_a_log_never_reach_the_terminal(good, run_cli):
    lines = GOOD.splitlines()
    lines[0] += ",run"
    lines[1:] = [f"{line},\x1b[31mrun[bold]{i}\x07" for i, line in enumerate(lines[1:])]
    lines.append("1e8,1e9,\x1b]0;pwned\x07,\x1b[2J")
    write(good, "runs.csv", "\n".join(lines))
    for form in ("table", "json", "csv", "markdown"):
        done = run_cli("fit", "runs.csv", "--format", form, cwd=good)
        assert done.returncode == 0, done.stderr
        assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
