"""How long `scaleplan next` takes over 10,000 candidates, beside importing scipy.optimize.

    python tests/benchmark/next_speed.py [REPEATS]

The least of several processes each; the aim is at most three times the import.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "sample_runs" / "language"


def seconds(command: list[str], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    program = [sys.executable, "-m", "scaleplan"]
    with tempfile.TemporaryDirectory() as folder:
        fit = str(Path(folder) / "fit.yaml")
        logs = [str(path) for path in sorted(SAMPLE.glob("*.csv"))]
        subprocess.run([*program, "fit", *logs, "-q", "-o", fit], check=True, capture_output=True)
        plan = [*program, "next", fit, "--budget", "1e20", "--target-flops", "1e22"]
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
            "python -c 'import scipy.optimize'": [sys.executable, "-c", "import scipy.optimize"],
            "scaleplan next": plan,
            "scaleplan next --candidates 10000": [*plan, "--candidates", "10000"],
        }
        times = {name: seconds(command, repeats) for name, command in rows.items()}
    reference = times["python -c 'import scipy.optimize'"]
    for name, value in times.items():
        print(f"{name:36s} {1000 * value:7.0f} ms  {value / reference:5.2f} x scipy.optimize")


if __name__ == "__main__":
    main()
