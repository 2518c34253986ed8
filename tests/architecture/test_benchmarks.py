"""The suite does not run the benchmarks; what they call in the package is there all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "benchmark"
# They are scripts without types of their own: only what they take from the package is checked.
OPTIONS = (
    "--config-file=", "--check-untyped-defs", "--ignore-missing-imports", "--follow-imports=silent",
)  # fmt: skip


def test_benchmarks_call_what_the_package_has():
    scripts = sorted(path.name for path in FOLDER.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *OPTIONS, *scripts],
        cwd=FOLDER, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    told = done.stdout.splitlines()
    assert told[-1].startswith(("Found", "Success")), done.stdout
    wrong = [line for line in told if "[call-arg]" in line or 'Module "scaleplan' in line]
    assert not wrong
