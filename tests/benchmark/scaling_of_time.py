"""Does time grow no faster than linearly, and does memory stay bounded?

Measures: processor time of one fit of the five-parameter law from 240 to 240,000 runs, and of the
bootstrap of 1,000 runs from 250 to 4,000 resamples (drawn in blocks, as `fit` does), and the peak
memory that numpy and Python allocate meanwhile (tracemalloc, in a second pass).

Against: a straight line. The slope of ln(time) against ln(size), by least squares, must be at most
1.1; the memory of resampling must not grow with the number of resamples, but for their results.

    python tests/benchmark/scaling_of_time.py

Exit code: 1 if a bound is missed.
"""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import Recipe
from scaleplan.fitting.resampling import resample
from scaleplan.laws import get_law

LAW = get_law("chinchilla")
RUNS = (240, 2_400, 24_000, 240_000)
RESAMPLES = (250, 500, 1_000, 2_000, 4_000)
STEEPEST = 1.1  # slope in logs: 1 is linear, the rest is noise of the clock
MEMORY_GROWTH = 2.0  # times, from the fewest to the most resamples


def made(runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (2, runs) and losses (runs,) of the law of Besiroglu et al. 2024, 1% noise."""
    rng = np.random.default_rng(0)
    params, tokens = 10 ** rng.uniform(7.7, 10.2, runs), 10 ** rng.uniform(8.9, 11.5, runs)
    loss = 1.8172 + 482.01 / params**0.3478 + 2085.43 / tokens**0.3658
    return np.stack([params, tokens]), loss * np.exp(0.01 * rng.standard_normal(runs))


def cost(work: Callable, rounds: int = 3) -> tuple[float, float]:
    """Return the least processor seconds of some rounds, and the peak memory in MB."""
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return min(seconds), peak


def table(title: str, sizes: tuple[int, ...], works: list[Callable]) -> tuple[float, list[float]]:
    """Print time and memory at each size; return the slope in logs and the memory peaks."""
    print(f"{title:>12} {'seconds':>9} {'peak MB':>9}")
    seconds, peaks = [], []
    for size, work in zip(sizes, works, strict=True):
        one, peak = cost(work)
        print(f"{size:12,} {one:9.4f} {peak:9.1f}", flush=True)
        seconds.append(one)
        peaks.append(peak)
    slope = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
    print(f"slope of ln(time) against ln({title}): {slope:.2f}, at most {STEEPEST}")
    return slope, peaks


def main() -> int:
    fits = [partial(fit_law, LAW, *made(runs), recipe=Recipe(delta=1e-2)) for runs in RUNS]
    by_runs, peaks = table("runs", RUNS, fits)
    data_mb = 3 * 8 * RUNS[-1] / 1e6
    print(f"at {RUNS[-1]:,} runs the data are {data_mb:.0f} MB, the peak {peaks[-1] / data_mb:.0f} "
          "times that")  # fmt: skip
    fitted = fit_law(LAW, *made(1_000))
    draws = [
        partial(resample, fitted, resamples=count, seed=0, clusters=None) for count in RESAMPLES
    ]
    by_resamples, peaks = table("resamples", RESAMPLES, draws)
    growth = peaks[-1] / peaks[0]
    print(
        f"peak memory grows {growth:.2f} times from {RESAMPLES[0]} to {RESAMPLES[-1]} resamples, "
        f"at most {MEMORY_GROWTH}"
    )
    return 0 if max(by_runs, by_resamples) <= STEEPEST and growth <= MEMORY_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
