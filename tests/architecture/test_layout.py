"""The tree keeps the shape that makes it readable."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "scaleplan"
FILES = sorted(PACKAGE.rglob("*.py"))
identify = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))


def test_top_level_is_the_agreed_one():
    agreed = {"README.md", "pyproject.toml", "sample_runs", "scaleplan", "tests"}
    made = {".", "build", "dist"}
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    ).stdout.split()
    names = {name.split("/")[0] for name in tracked} or {p.name for p in ROOT.iterdir()}
    assert {name for name in names if not name.startswith(".")} - made <= agreed


@identify
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


@identify
def test_functions_are_short(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{node.name} has {lines} lines"


@identify
def test_nothing_is_left_open(path):
    text = path.read_text(encoding="utf-8")
    for word in ("TODO", "FIXME", "XXX", "NotImplementedError"):
        assert word not in text
    for line in text.splitlines():
        if "# type: ignore" in line or "# noqa" in line:
            assert "[" in line or ":" in line.split("noqa")[-1], line


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, scaleplan; "
        "print([m for m in ('numpy', 'scipy', 'yaml', 'rich', 'typer') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_public_names_load():
    import scaleplan

    for name in scaleplan.__all__:
        assert getattr(scaleplan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = scaleplan.nonsense
