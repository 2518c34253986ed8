"""A sweep of 10,000 (parameters, accelerators, layout) points against one plan; run as a script.

    python tests/benchmark/plan_sweep.py [ROUNDS]

One plan is a whole process: `scaleplan budget --gpus 1000 --params 1e10`. The sweeps are processes
too, start included: rows of a plan over a grid of sizes and counts, each with the layout that is
searched for it; given layouts of one model evaluated one by one; and 10,000 counts at the command
line. It ends with 1 if a sweep takes 10 times one plan or longer.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 10.0
ROWS = """
from scaleplan.catalog import accelerator
from scaleplan.planning.plan import plan_rows
points = 0
for step in range(100):
    params = 1e8 * 1e4 ** (step / 99)
    rows, _ = plan_rows(
        params=params, active_params=params, tokens=20 * params, flops=120 * params**2,
        accelerators=[accelerator("h100")], gpus=[8 * n for n in range(1, 101)], mfu=None,
        usd_per_hour=None, batch_tokens=None, sequence_length=4096, country=None, pue=None,
    )
    points += len(rows)
assert points == 10_000
"""
LAYOUTS = """
from scaleplan.planning.memory import Layout, memory_model
from scaleplan.planning.shape import guess_shape
from scaleplan.records import TrainingSetup
points = 0
for params in (1e9, 7e9, 3e10, 7e10, 1.75e11):
    model = memory_model(
        params, active_params=params, shape=guess_shape(params), batch_tokens=4e6,
        sequence_length=4096, setup=TrainingSetup(),
    )
    for tensor in (1, 2, 4, 8):
        for pipeline in range(1, 26):
            for data in range(1, 21):
                layout = Layout(tensor=tensor, pipeline=pipeline, data=data, zero=1)
                assert model.use(layout).total > 0
                points += 1
assert points == 10_000
"""
BUDGET = ["-m", "scaleplan", "budget", "--params", "1e10", "--gpus"]
COUNTS = ",".join(map(str, range(1, 10_001)))
PROGRAMS = {
    "one plan": [*BUDGET, "1000"],
    "10,000 rows, layouts searched": ["-c", ROWS],
    "10,000 given layouts": ["-c", LAYOUTS],
    "10,000 counts as CSV": [*BUDGET, COUNTS, "--format", "csv"],
}


def seconds(arguments: list[str]) -> float:
    """Return the time of one process."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=os.environ,
    )  # fmt: skip
    return time.perf_counter() - start


def main(rounds: int) -> int:
    """Print the medians and their ratio to one plan."""
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, arguments in PROGRAMS.items():
            times[name].append(seconds(arguments))
    base = statistics.median(times["one plan"])
    worst = 0.0
    for name, found in times.items():
        ratio = statistics.median(found) / base
        worst = max(worst, ratio)
        print(f"{name:32} {1000 * statistics.median(found):7.0f} ms  ratio {ratio:5.2f}")
    print(f"target (below {LIMIT:g} times one plan): {'met' if worst < LIMIT else 'MISSED'}")
    return 0 if worst < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
