"""A fixed environment, and the program as a process and inside this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

# The same examples in every run: a gate that chance can close says nothing about a change. Others
# are tried with `pytest --hypothesis-profile=default`.
hypothesis.settings.register_profile("gate", derandomize=True)
hypothesis.settings.load_profile("gate")

# Before typer is imported: it reads these once, and CI machines would get colours into pipes.
os.environ.update(
    {
        "NO_COLOR": "1",
        "TERMINAL_WIDTH": "100",
        "COLUMNS": "100",
        "_TYPER_FORCE_DISABLE_TERMINAL": "1",
        "LC_ALL": "C.UTF-8",
        "PYTHONWARNDEFAULTENCODING": "1",
    }
)
for _name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "SCALEPLAN_TRACEBACK"):
    os.environ.pop(_name, None)
# A suite started in the background of a script (`pytest &`, nohup) inherits an ignored Ctrl-C and
# hands it on to the programs whose Ctrl-C is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
PROGRAM = [sys.executable, "-m", "scaleplan"]


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden from what is printed now"
    )


@pytest.fixture
def run_cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program as a process of its own: `run_cli("fit", "runs.csv", stdin="...")`."""

    def run(*arguments: str, stdin: str | bytes = b"", cwd: Path | None = None, **environment: str):
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            input=given,
            capture_output=True,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code as a process of its own, with this package."""

    def run(code: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, cwd=cwd, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run the program inside this process: faster, and a bug shows its traceback."""
    from typer.testing import CliRunner

    from scaleplan.cli.app import app

    def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(
            app,
            list(map(str, arguments)),
            input=stdin,
            prog_name="scaleplan",
            catch_exceptions=False,
        )

    return run


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with tests/golden/NAME; `pytest --update-golden` writes it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: run pytest --update-golden and read the result"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def chinchilla_csv(tmp_path: Path) -> Path:
    """Write the losses of 30 runs that follow L = 1.8 + 480/N^0.35 + 2100/D^0.37 up to 0.3 %."""
    # Besiroglu et al. 2024 rounded; the scatter is a fixed pattern, so no generator is needed.
    path = tmp_path / "runs.csv"
    lines = ["params,tokens,loss"]
    for i, params in enumerate((3e7, 1e8, 3e8, 1e9, 3e9)):
        for j, tokens in enumerate((1e9, 3e9, 1e10, 3e10, 1e11, 3e11)):
            loss = 1.8 + 480.0 / params**0.35 + 2100.0 / tokens**0.37
            wiggle = 1.0 + 0.003 * ((7 * i + 11 * j) % 5 - 2) / 2
            lines.append(f"{params:.0f},{tokens:.0f},{loss * wiggle:.5f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
