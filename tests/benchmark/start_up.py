"""Start-up time as ratios to a minimal typer program that prints one rich table.

Run it with `python tests/benchmark/start_up.py [ROUNDS]`. Rounds are interleaved, so that a busy
machine slows all programs alike; the medians of what the processor took are compared. It ends with
1 if a budget is exceeded.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MINIMAL = """
import typer
app = typer.Typer()

@app.command()
def main(count: int = 3) -> None:
    from rich.console import Console
    from rich.table import Table
    table = Table("a", "b")
    table.add_row("1", "2")
    Console().print(table)

app()
"""
PLAN = ["-m", "scaleplan", "budget", "--gpus", "1000", "--params", "1e10"]
FIT = ["-m", "scaleplan", "fit", "sample_runs/language/runs.csv", "--quiet", "-o"]
PROGRAMS = {
    "minimal": ["-c", MINIMAL],
    "--help": ["-m", "scaleplan", "--help"],
    "budget": PLAN,
    "budget --format json": [*PLAN, "--format", "json"],
}
# Name -> how many times the minimal program it may take.
BUDGETS = {"--help": 1.5, "budget": 2.5, "budget --fit": 2.5}


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        # An installed package has its byte code, which some machines forbid in a checkout.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        fit = str(Path(folder) / "fit.yaml")
        seconds([*FIT, fit], environment)
        with_fit = ["-m", "scaleplan", "budget", "--fit", fit, "--gpus", "1000", "--params", "1e7"]
        return compare({**PROGRAMS, "budget --fit": with_fit}, rounds, environment)


def compare(programs: dict[str, list[str]], rounds: int, environment: dict[str, str]) -> int:
    for arguments in programs.values():  # fill caches
        seconds(arguments, environment)
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, arguments in programs.items():
            times[name].append(seconds(arguments, environment))
    base = statistics.median(times["minimal"])
    exceeded = 0
    for name, found in times.items():
        ratio = statistics.median(found) / base
        limit = BUDGETS.get(name)
        exceeded += limit is not None and ratio > limit
        told = f" (at most {limit})" if limit is not None else ""
        print(f"{name:22} {1000 * statistics.median(found):6.0f} ms  ratio {ratio:.2f}{told}")
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
