"""What each version of typer costs at start-up: the reason for the bounds in pyproject.toml.

    python tests/benchmark/typer_versions.py [ROUNDS]

Installs versions of typer beside each other into a temporary folder (pip, and so the network, is
needed) and times a minimal program with each, interleaved. The one it is measured against is the
newest that pyproject.toml allows. Found on a shared 2-core machine in 2026-11: 0.26 costs 0.97 and
0.29, which imports pydantic and a hundred modules with it, 1.91 times as much as 0.28.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from start_up import MINIMAL

VERSIONS = ("0.26.*", "0.28.*", "0.29.*")
BASELINE = "0.28.*"
LOADED = "import sys\nprint(len(sys.modules), 'pydantic' in sys.modules, file=sys.stderr)\n"


def seconds(folder: Path) -> float:
    """Run the minimal program with what is installed in a folder."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-S", "-c", MINIMAL], check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip
    return time.perf_counter() - start


def modules(folder: Path) -> str:
    """Return how many modules the program has loaded when it ends, and whether pydantic is one."""
    program = MINIMAL.replace("app()", "app(standalone_mode=False)") + LOADED
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        check=True, capture_output=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip
    count, pydantic = done.stderr.split()[-2:]
    return f"{count} modules{', pydantic among them' if pydantic == 'True' else ''}"


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folders = {version: Path(place) / version.replace("*", "x") for version in VERSIONS}
        for version, folder in folders.items():
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-conflicts",
                 "--target", str(folder), f"typer=={version}"],
                check=True,
            )  # fmt: skip
        times: dict[str, list[float]] = {version: [] for version in VERSIONS}
        for _ in range(rounds):
            for version, folder in folders.items():
                times[version].append(seconds(folder))
        for version, found in times.items():
            ratios = [t / b for t, b in zip(found, times[BASELINE], strict=True)]
            print(
                f"typer {version:8} {1000 * statistics.median(found):6.0f} ms  "
                f"ratio {statistics.median(ratios):.2f}  {modules(folders[version])}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
