"""Training times against published runs; tests/benchmark/published_times.py prints the table."""

import importlib.util
from pathlib import Path

import pytest

_FILE = Path(__file__).resolve().parents[1] / "benchmark" / "published_times.py"
_SPEC = importlib.util.spec_from_file_location("published_times", _FILE)
published_times = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(published_times)

_RUN = (
    "- {{id: run{i}, domain: language, time_kind: measured, params: 7.0e+9, params_active: null, "
    "tokens: 1.0e+12, batch_tokens: 4.0e+6, accelerator: a100_sxm_80gb, num_accelerators: 512, "
    "gpu_hours: {hours}}}\n"
)


def _runs(folder, factors):
    # 4.2e22 FLOP at 0.41 x 0.7^0.05 x 7/7.1 / (1 + 200 x 512 / 4e6) of 312 TFLOP/s.
    hours = 4.2e22 / (312e12 * 0.41 * 0.7**0.05 * (7 / 7.1) / 1.0256 * 3600)
    lines = [_RUN.format(i=i, hours=hours * factor) for i, factor in enumerate(factors)]
    (folder / "published_runs.yaml").write_text("runs:\n" + "".join(lines), encoding="utf-8")
    return folder


def test_the_targets_are_met_by_the_published_runs(capsys):
    if not (published_times._DEFAULT / "published_runs.yaml").is_file():
        pytest.skip("the published runs are not beside this project")
    assert published_times.main([]) == 0, capsys.readouterr().out


def test_nothing_to_compare_with_is_said(tmp_path, capsys):
    assert published_times.main([str(tmp_path)]) == 0
    assert "nothing to compare with" in capsys.readouterr().out


def test_runs_that_took_what_was_predicted_meet_the_targets(tmp_path, capsys):
    # Two of ten outside the band, so that it is neither too wide nor too narrow.
    factors = [0.8, 0.9, 0.95, 0.99, 1, 1, 1.01, 1.05, 1.65, 2.0]
    assert published_times.main([str(_runs(tmp_path, factors))]) == 0
    out = capsys.readouterr().out
    (planner,) = [line for line in out.splitlines() if line.startswith("the planner  ")]
    assert planner.split()[-4:] == ["1.000", "0.89", "1.68", "80%"]


def test_runs_that_took_twice_as_long_miss_them(tmp_path, capsys):
    assert published_times.main([str(_runs(tmp_path, [2.0] * 10))]) == 1
    assert "MISSED" in capsys.readouterr().out


def test_runs_that_the_constants_never_saw_are_in_the_band():
    """LLaMA 13B, Llama 2 7B and 34B, BLOOM 176B, Falcon 180B."""
    low, high = 0.70, 1.60
    ratios = [published_times.published_over_predicted(run) for run in published_times.HELD_OUT]
    assert all(low <= ratio <= high for ratio in ratios), ratios
