"""The article's worked case as the program prints it: P = 10.5, E = 0.001 and G = 100."""

from __future__ import annotations

import pytest

SAMPLE = "sample_runs/article/worked_case.yaml"
CASES = {
    "performance": ("--metric", "P", "--input", "S", "--at", "100"),
    "efficiency": ("--metric", "E", "--input", "C", "--law", "efficiency", "--at", "1000"),
    "generalisation": ("--metric", "G", "--input", "S", "--at", "100"),
}


@pytest.mark.parametrize("name", CASES)
def test_predictions(name, run_cli, golden):
    done = run_cli("predict", SAMPLE, *CASES[name])
    assert done.returncode == 0, done.stderr
    golden(f"article.{name}.txt", done.stdout)


@pytest.mark.parametrize("metric", ["P", "G"])
def test_fits(metric, run_cli, golden):
    done = run_cli("fit", SAMPLE, "--metric", metric, "--input", "S")
    assert done.returncode == 0, done.stderr
    # Sections whose numbers are rounding errors of an exact fit differ between machines.
    stable = [s for s in done.stdout.split("\n\n") if s.startswith(("Law", "Metric", "Param"))]
    golden(f"article.fit_{metric}.txt", "\n\n".join(stable[:3]) + "\n")
