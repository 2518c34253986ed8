"""What a command imports is what a person waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ASK = """
import sys
sys.argv = ["scaleplan", *sys.argv[1:]]
try:
    from scaleplan.__main__ import main
    main()
except SystemExit as end:
    assert end.code == 0, end.code
print("\\nimported:", *sorted(name for name in sys.modules if name.count(".") == 0))
"""


def imported_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    return set(done.stdout.rsplit("imported:", 1)[1].split())


@pytest.mark.parametrize("arguments", [("--help",), ("budget", "--help"), ("--version",)])
def test_help_imports_nothing_heavy(arguments):
    assert not imported_by(*arguments) & {"scipy", "numpy", "yaml", "rich"}


def test_budget_imports_no_scipy_and_no_numpy():
    found = imported_by("budget", "--gpus", "1000", "--params", "1e10")
    assert not found & {"scipy", "numpy"}
    assert "rich" in found


def test_json_needs_no_rich():
    found = imported_by("budget", "--gpus", "64", "--params", "1e9", "--format", "json")
    assert "rich" not in found


def test_fit_imports_no_scipy(chinchilla_csv):
    assert "scipy" not in imported_by("fit", str(chinchilla_csv), "--resamples", "50")


def test_command_line_and_renderers_do_not_import_numpy():
    code = (
        "import sys, pkgutil, importlib, scaleplan.cli, scaleplan.render\n"
        "for package in (scaleplan.cli, scaleplan.render):\n"
        "    for found in pkgutil.iter_modules(package.__path__):\n"
        "        importlib.import_module(f'{package.__name__}.{found.name}')\n"
        "print([m for m in ('numpy', 'scipy', 'yaml') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("traced", ["", "1"])
def test_warnings_of_libraries_are_for_those_who_trace(traced):
    warn = "\nimport warnings\nwarnings.warn('overflow in square', RuntimeWarning)"
    done = subprocess.run(
        [sys.executable, "-c", _ASK + warn, "--version"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "SCALEPLAN_TRACEBACK": traced},
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    assert ("overflow" in done.stderr) == bool(traced)
