"""Intervals hold on larger runs: a fast part of tests/benchmark/coverage.py.

Point SCALEPLAN_PUBLIC_DATA at a folder that holds the public sweeps, or keep them in
../shared/data; without it only this project's own runs are forecast.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmark"
# At the end: there the script `coverage.py` does not hide the package of that name.
sys.path.append(str(BENCHMARK))
import sweeps  # noqa: E402 - found by its folder, like the benchmark itself


def loaded(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


benchmark = loaded("coverage_benchmark", BENCHMARK / "coverage.py")

FOLDER = Path(
    os.environ.get("SCALEPLAN_PUBLIC_DATA", Path(__file__).parents[3] / "shared" / "data")
)
# Of the scoring half: laws of two inputs and of one, dense sweeps and sparse ones.
FAST = {
    "over-training, RedPajama": 8, "lr grid, best of group": 1, "fine-tuning, wikiword": 2,
    "CLIP, all of LAION": 5,
}  # fmt: skip


def measured(every, cuts):
    found = benchmark.Forecasts("")
    for data in every:
        benchmark.measure(data, cuts, found)
    return found


@pytest.mark.slow
@pytest.mark.skipif(
    not (FOLDER / "chinchilla_runs.csv").exists(), reason="public sweeps are not here"
)
def test_nine_in_ten_larger_runs_lie_inside_on_sweeps_that_chose_nothing():
    seen, chosen = {}, []
    for data in sweeps.public_sweeps(FOLDER):
        if data.half == sweeps.SCORING and data.name in FAST:
            seen[data.name] = seen.get(data.name, 0) + 1
            if seen[data.name] % FAST[data.name] == 0:
                chosen.append(data)
    found = measured(chosen, (0.6, 0.8))
    coverage, half_width, error, _ = benchmark.summary(found)
    assert len(found.error) > 100
    assert 0.85 <= coverage <= 0.99
    assert half_width < 5.0 * error


def test_two_runs_trained_after_the_fit_lie_inside():
    own = next(data for data in sweeps.own_sweeps() if data.name == "sample: language")
    found = measured([own], (1.0,))
    assert len(found.error) == int(own.held.sum()) == 2
    coverage, half_width, error, _ = benchmark.summary(found)
    assert coverage == 1.0
    assert half_width < 0.10
    assert error < 0.05


def test_sweeps_are_in_one_half_only():
    every = [*sweeps.own_sweeps(), *sweeps.made_sweeps(1)]
    if (FOLDER / "chinchilla_runs.csv").exists():
        every += sweeps.public_sweeps(FOLDER)
    keys = {}
    for data in every:
        key = (data.name, tuple(data.values[:5]), tuple(np.ravel(data.inputs)[:5]))
        assert keys.setdefault(key, data.half) == data.half
    assert set(keys.values()) == {sweeps.CHOOSING, sweeps.SCORING}
