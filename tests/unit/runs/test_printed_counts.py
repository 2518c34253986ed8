"""Printed lines that call their step `Training steps`, and lines that begin with a time."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["Training steps", "train steps", "train_steps"])
def test_training_steps_beside_a_metric_are_the_step(tmp_path, name):
    lines = ["[10:01:05,310 INFO] Training steps: 4000", "[10:01:05,311 INFO] Start training."]
    for k in range(1, 6):
        lines += [
            f"[10:0{k}:57,224 INFO] Epoch id: 1, {name}: {100 * k}, Avg loss: {1.0 / k:.3f}",
            f"[10:0{k}:59,224 INFO] Val Acc: {0.60 + 0.05 * k:.4f}",
        ]
    (curve,) = load_curves([write(tmp_path / "train.log", lines)]).curves
    assert curve.validation.at.tolist() == [100, 200, 300, 400, 500]


def test_a_log_whose_lines_begin_with_a_time_is_no_table(tmp_path):
    lines = [
        "2024-10-31 19:57:03,980 - INFO - Loading model...",
        "2024-10-31 21:29:41,971 - INFO - Samples read: 38845",
        "2024-10-31 21:34:24,973 - INFO - Loaded configuration from config.yaml",
    ]
    with pytest.raises(InputError, match="no table and no known printed form") as refused:
        load_runs([write(tmp_path / "train.log", lines)])
    assert "2024-10-31 19:57:03,980 - INFO - Loading model" in str(refused.value)
    assert "--pattern" in refused.value.hint
