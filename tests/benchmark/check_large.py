"""Does `scaleplan check` cost at most three times what reading its log costs?

    python tests/benchmark/check_large.py [ROWS]

Writes a per-step log of ROWS rows (1,000,000; the issue's size is 10,000,000) of 1,000 runs, and
measures, each in a process of its own: reading it with pyarrow's CSV reader, the fastest at hand,
into memory; our own reader alone; reading, reducing and checking it as `check` does; and the same
without pyarrow. Then the same rows as a Parquet file, against pyarrow's reader of those. Ratios are
of processor time, on one core; peak memory is that of each process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNS = 1000
BOUND = 3.0


def write_log(path: Path, rows: int) -> None:
    """Write runs of equal length, one after the other."""
    steps = rows // RUNS
    at = np.arange(1, steps + 1)
    draw = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as out:
        out.write("run,step,train_loss,val_loss,lr\n")
        for run in range(RUNS):
            loss = 1.5 + 3.0 * at**-0.4 + 0.01 * draw.standard_normal(steps)
            held = loss + 0.1 + 0.01 * draw.standard_normal(steps)
            out.writelines(
                f"r{run},{s},{a:.5f},{b:.5f},0.0003\n"
                for s, a, b in zip(at.tolist(), loss.tolist(), held.tolist(), strict=True)
            )


def arrow(path: str) -> None:
    """Read with pyarrow."""
    from pyarrow import csv

    csv.read_csv(path, read_options=csv.ReadOptions(use_threads=False))


def ours(path: str) -> None:
    """Read into curves."""
    from scaleplan.runs.series import load_curves

    load_curves([path])


def check(path: str) -> None:
    """Read, reduce and check."""
    from scaleplan.advice.curves import check_curves
    from scaleplan.runs.series import load_curves

    check_curves(load_curves([path]))


def without_arrow(path: str) -> None:
    """Do the same where pyarrow is not installed."""
    from scaleplan.runs.formats import plain_blocks

    plain_blocks.find_spec = lambda _: None
    check(path)


def arrow_parquet(path: str) -> None:
    """Read a Parquet file with pyarrow."""
    import pyarrow.parquet as pq

    pq.read_table(path, use_threads=False)


def as_parquet(path: Path) -> Path:
    """Write the log as a Parquet file beside it."""
    import pyarrow.parquet as pq
    from pyarrow import csv

    pq.write_table(csv.read_csv(path), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


PARQUET = {"pyarrow reads Parquet": "pyarrow reads Parquet", "checks Parquet": "scaleplan checks"}
TASKS = {
    "pyarrow reads Parquet": arrow_parquet, "pyarrow reads": arrow, "scaleplan reads": ours,
    "scaleplan checks": check, "without pyarrow": without_arrow,
}  # fmt: skip


def measure(name: str, path: str) -> tuple[float, float]:
    """Return processor seconds and peak GiB of a task in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--task", name, path], stdout=subprocess.PIPE, encoding="utf-8",
        check=True,
    )  # fmt: skip
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def main(arguments: list[str]) -> int:
    """Print the table; 1 if the check takes more than BOUND times the fastest reader."""
    if arguments[:1] == ["--task"]:
        began = time.process_time()
        TASKS[arguments[1]](arguments[2])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
        print(json.dumps([time.process_time() - began, peak]))
        return 0
    rows = int(float(arguments[0])) if arguments else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        write_log(path, rows)
        found = {name: measure(name, str(path)) for name in TASKS if name not in PARQUET}
        size = path.stat().st_size / 1e6
        written = as_parquet(path)
        columns = {name: measure(task, str(written)) for name, task in PARQUET.items()}
    print(f"{rows:,} rows of {RUNS:,} runs, {size:.0f} MB")
    first = found["pyarrow reads"][0]
    for name, (seconds, peak) in found.items():
        print(f"{name:21s} {seconds / first:6.1f} x pyarrow   peak {peak:.2f} GiB")
    reader = columns["pyarrow reads Parquet"][0]
    for name, (seconds, peak) in columns.items():
        print(f"{name:21s} {seconds / reader:6.1f} x pyarrow   peak {peak:.2f} GiB")
    return 1 if found["scaleplan checks"][0] > BOUND * first else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
