"""Does `scaleplan check` cost at most three times what reading its log costs?

    python tests/benchmark/check_large.py [ROWS]

Writes a per-step log of ROWS rows (1,000,000; the issue's size is 10,000,000) of 1,000 runs, and
measures, each in a process of its own: reading it with pyarrow's CSV reader, the fastest at hand,
into memory; our own reader alone; reading, reducing and checking it as `check` does; and both
without pyarrow, where our own reader is the fastest there is. Then the same rows as a Parquet file
and as JSON Lines, against pyarrow's readers of those. Ratios are medians of three rounds, in each
of which everything is measured once: of processor time, that of all threads together, on which the
bound is, and of the time on the clock, against pyarrow with its threads (CSV) and without (Parquet,
where they gain nothing here). Peak memory is that of each process.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNS = 1000
BOUND = 3.0
ROUNDS = 3


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
    """Read with pyarrow and its threads, which take less processor time here than one does."""
    from pyarrow import csv

    csv.read_csv(path)


def ours(path: str) -> None:
    """Read into curves."""
    from scaleplan.runs.series import load_curves

    load_curves([path])


def check(path: str) -> None:
    """Read, reduce and check."""
    from scaleplan.advice.curves import check_curves
    from scaleplan.runs.series import load_curves

    check_curves(load_curves([path]))


def hide_arrow() -> None:
    """Go on as where pyarrow is not installed."""
    from scaleplan.runs.formats import plain_blocks

    plain_blocks.find_spec = lambda _: None


def reads_without_arrow(path: str) -> None:
    """Read into curves where pyarrow is not installed."""
    hide_arrow()
    ours(path)


def checks_without_arrow(path: str) -> None:
    """Read, reduce and check where pyarrow is not installed."""
    hide_arrow()
    check(path)


def arrow_parquet(path: str) -> None:
    """Read a Parquet file with pyarrow."""
    import pyarrow.parquet as pq

    pq.read_table(path, use_threads=False)


def arrow_json(path: str) -> None:
    """Read JSON Lines with pyarrow and its threads."""
    from pyarrow import json as lines

    lines.read_json(path)


def to_json(path: str) -> None:
    """Write the log as JSON Lines beside it."""
    with (
        Path(path).open(encoding="utf-8") as log,
        Path(path).with_suffix(".jsonl").open("w", encoding="utf-8") as out,
    ):
        names = next(log).rstrip("\n").split(",")
        line = ", ".join(f'"{name}": {{}}' for name in names)
        for row in log:
            run, *cells = row.rstrip("\n").split(",")
            out.write("{" + line.format(f'"{run}"', *cells) + "}\n")


def to_parquet(path: str) -> None:
    """Write the log as a Parquet file beside it."""
    import pyarrow.parquet as pq
    from pyarrow import csv

    pq.write_table(csv.read_csv(path), Path(path).with_suffix(".parquet"))


# What is measured on other files: the file, the task, and what it is compared to.
OTHERS = {
    "pyarrow reads Parquet": (".parquet", "pyarrow reads Parquet", "pyarrow reads Parquet"),
    "checks Parquet": (".parquet", "scaleplan checks", "pyarrow reads Parquet"),
    "pyarrow reads JSON": (".jsonl", "pyarrow reads JSON", "pyarrow reads JSON"),
    "checks JSON Lines": (".jsonl", "scaleplan checks", "pyarrow reads JSON"),
}
ON_CSV = ("pyarrow reads", "scaleplan reads", "scaleplan checks", "reads without pyarrow",
          "checks without pyarrow")  # fmt: skip
TASKS = {
    "pyarrow reads Parquet": arrow_parquet, "pyarrow reads": arrow, "scaleplan reads": ours,
    "scaleplan checks": check, "reads without pyarrow": reads_without_arrow,
    "checks without pyarrow": checks_without_arrow, "pyarrow reads JSON": arrow_json,
    "to Parquet": to_parquet, "to JSON": to_json,
}  # fmt: skip


def measure(name: str, path: str) -> tuple[float, float, float]:
    """Return seconds of processors and of the clock, and peak GiB, of a task in its own process."""
    done = subprocess.run(
        [sys.executable, __file__, "--task", name, path], stdout=subprocess.PIPE, encoding="utf-8",
        check=True,
    )  # fmt: skip
    processor, clock, peak = json.loads(done.stdout)
    return processor, clock, peak


def ratio(
    rounds: list[dict[str, tuple[float, float, float]]], name: str, over: str, place: int = 0
) -> float:
    """Return the median of how many times as long one task takes as another of the same round.

    Args:
        rounds: What was measured.
        name: The task.
        over: The other one.
        place: 0 for processor time, 1 for the clock.
    """
    return statistics.median(one[name][place] / one[over][place] for one in rounds)


def main(arguments: list[str]) -> int:
    """Print the table; 1 if the check takes more than BOUND times the fastest reader."""
    if arguments[:1] == ["--task"]:
        began, clock = time.process_time(), time.perf_counter()
        TASKS[arguments[1]](arguments[2])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
        print(json.dumps([time.process_time() - began, time.perf_counter() - clock, peak]))
        return 0
    rows = int(float(arguments[0])) if arguments else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        write_log(path, rows)
        size = path.stat().st_size / 1e6
        # Also in processes of their own: what this one takes would count as the peak of the next.
        measure("to Parquet", str(path))
        measure("to JSON", str(path))
        rounds = [
            {
                **{name: measure(name, str(path)) for name in ON_CSV},
                **{
                    name: measure(task, str(path.with_suffix(ending)))
                    for name, (ending, task, _) in OTHERS.items()
                },
            }
            for _ in range(ROUNDS)
        ]
    print(f"{rows:,} rows of {RUNS:,} runs, {size:.0f} MB")
    print(f"{'x pyarrow':22s} processor  clock  peak")
    for name in rounds[0]:
        reader = OTHERS[name][2] if name in OTHERS else "pyarrow reads"
        peak = max(one[name][2] for one in rounds)
        processor, clock = (ratio(rounds, name, reader, place) for place in (0, 1))
        print(f"{name:22s} {processor:9.1f} {clock:6.1f}  {peak:.2f} GiB")
    times = {
        "CSV": ratio(rounds, "scaleplan checks", "pyarrow reads"),
        "CSV without pyarrow": ratio(rounds, "checks without pyarrow", "reads without pyarrow"),
        "Parquet": ratio(rounds, "checks Parquet", "pyarrow reads Parquet"),
        "JSON Lines": ratio(rounds, "checks JSON Lines", "pyarrow reads JSON"),
    }
    told = ", ".join(f"{what} {times_as_long:.1f}" for what, times_as_long in times.items())
    print(f"checking over the fastest reader in use, at most {BOUND:g}: {told}")
    return 1 if max(times.values()) > BOUND else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
