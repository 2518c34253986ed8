"""README's console blocks are executed, and print what README says they print."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands_of(block: str) -> list[tuple[str, str]]:
    """Return (command, shown output) pairs of one block."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def assert_same(expected: str, found: str) -> None:
    """Compare texts; numbers may differ in digits that depend on the linear-algebra library."""
    number = re.compile(r"(?:\d+\.\d{9,}|\d{6,}\.\d{6,})(?:e[-+]?\d+)?")
    assert number.sub("#", expected) == number.sub("#", found)
    for left, right in zip(number.findall(expected), number.findall(found), strict=True):
        assert float(left) == pytest.approx(float(right), rel=1e-6)


@pytest.mark.slow
def test_console_blocks_print_what_is_shown(tmp_path, run_cli, request):
    text = README.read_text(encoding="utf-8")
    shutil.copytree(ROOT / "sample_runs", tmp_path / "sample_runs")
    seen = 0
    for block in BLOCK.findall(text):
        shown = ""
        for command, output in commands_of(block):
            words = shlex.split(command)
            if words[0] != "scaleplan":
                shown += f"$ {command}\n{output}"
                continue
            done = run_cli(*words[1:], cwd=tmp_path)
            assert done.returncode == (6 if "--strict" in words else 0), done.stderr
            shown += f"$ {command}\n{done.stdout}"
            seen += 1
        if request.config.getoption("--update-golden"):
            text = text.replace(block, shown)
        else:
            assert_same(block, shown)
    assert seen >= 5
    if request.config.getoption("--update-golden"):
        README.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_python_blocks_run(tmp_path, run_python):
    text = README.read_text(encoding="utf-8")
    shutil.copytree(ROOT / "sample_runs", tmp_path / "sample_runs")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        done = run_python(block, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_no_placeholder_is_left():
    assert not re.findall(r"\b[A-Z]+_(?:TABLE|TIME)\b", README.read_text(encoding="utf-8"))


def test_every_command_and_sample_is_described():
    text = README.read_text(encoding="utf-8")
    for name in (
        "runs",
        "fit",
        "predict",
        "budget",
        "compare",
        "sizes",
        "check",
        "explain",
        "laws",
        "gpus",
    ):
        assert f"`scaleplan {name}" in text
    for folder in (ROOT / "sample_runs").iterdir():
        assert f"`sample_runs/{folder.name}`" in text
