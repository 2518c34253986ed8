"""Tables of finished runs whose rows have names, and logs of steps whose rows have texts."""

from __future__ import annotations

import pytest

_SIZES = ((1e8, 16, 1e-3), (1e8, 32, 1e-3), (4e8, 16, 5e-4), (4e8, 32, 5e-4))


def _finished(name, value=lambda at: f"dense_{at}"):
    """Return a table of eight runs: each size at each batch, once shorter and once longer."""
    lines = [f"{name},params,tokens,lr,batch_size,iteration,loss"]
    for at, (params, batch, rate) in enumerate(_SIZES):
        for part in (1, 2):
            tokens = part * 6e9
            lines.append(
                f"{value(2 * at + part)},{params:g},{tokens:g},{rate},{batch},"
                f"{tokens / batch / 4096:.0f},{3.5 - 0.1 * at - 0.05 * part}"
            )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "name", ["job_name", "run_name", "exp_name", "trial_name", "config", "wandb_run", "sweep/job"]
)
def test_a_name_of_its_own_on_every_row_makes_it_a_run(load, note_ids, name):
    runs = load(_finished(name))
    assert len(runs) == 8
    assert "CURVES_REDUCED" not in note_ids(runs)


@pytest.mark.parametrize("name", ["job_name", "exp_name"])
def test_names_of_jobs_are_names_of_runs(load, name):
    assert load(_finished(name)).labels["run"][0] == "dense_1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", lambda at: f"2026-01-0{at} 10:00"),
        ("message", lambda at: f"evaluated {at} batches of the job"),
        ("model_path", lambda at: f"out/step-{at}.pt"),
        ("job_status", lambda at: f"running {at} of 8"),
        ("run_time", lambda at: f"{at}h 3min"),
        ("note", lambda at: f"point {at}"),
    ],
)
def test_texts_that_differ_on_every_row_of_a_log_of_steps_name_no_runs(
    load, note_ids, name, value
):  # fmt: skip
    runs = load(_finished(name, value))
    assert len(runs) == 4
    assert "CURVES_REDUCED" in note_ids(runs)


def test_a_configuration_that_several_rows_share_is_one_of_curves(load, note_ids):
    runs = load(_finished("config", lambda at: f"dense_{(at - 1) // 2}"))
    assert len(runs) == 4
    assert "CURVES_REDUCED" in note_ids(runs)
