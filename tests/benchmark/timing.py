"""Interleaved timing of whole processes: medians and ratios from one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


def interleaved(commands: Mapping[str, Sequence[str]], *, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each command in each round; rounds interleave, so load hits all."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    # pip compiles what it installs; a checkout must be allowed to keep its byte code as well.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for command in commands.values():
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    for _ in range(rounds):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            seconds[name].append(time.perf_counter() - began)
    return seconds


def report(seconds: Mapping[str, Sequence[float]], baseline: str) -> dict[str, float]:
    """Print the median of each command and the median of its per-round ratios to the baseline."""
    ratios = {}
    print(f"{'command':44} {'median ms':>10} {'ratio':>7}   (ratio to: {baseline})")
    for name, times in seconds.items():
        each = [t / b for t, b in zip(times, seconds[baseline], strict=True)]
        ratios[name] = statistics.median(each)
        print(f"{name:44} {1000 * statistics.median(times):10.1f} {ratios[name]:7.2f}")
    return ratios


PYTHON = sys.executable
