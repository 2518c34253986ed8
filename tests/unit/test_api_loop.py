"""The loop from Python: the same documents as the commands give."""

from __future__ import annotations

import json

import pytest

import scaleplan

LANGUAGE = "sample_runs/language/runs.csv"


def document(invoke, *arguments):
    done = invoke(*arguments, "--format", "json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_next_runs_are_those_of_the_command(invoke, tmp_path):
    fit = scaleplan.fit(LANGUAGE, resamples=0)
    fit.save(str(tmp_path / "fit.yaml"))
    found = scaleplan.next_runs(fit, budget="1e14", target_flops=1e16, gpu="a100", price=2)
    shown = document(
        invoke, "next", str(tmp_path / "fit.yaml"), "--budget", "1e14", "--target-flops", "1e16",
        "--gpu", "a100", "--price", "2",
    )  # fmt: skip
    assert found.to_dict()["runs"] == shown["runs"]
    assert len(found.write("csv").splitlines()) == 1 + len(shown["runs"])
    with pytest.raises(scaleplan.ScaleplanError, match="not written as"):
        found.write("toml")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"budget": 1e14, "budget_usd": 5}, {"budget": 1e14, "gpus": 0}, {"budget": -1},
     {"budget": 1e14, "mfu": 40}, {"budget": 1e14, "most": 1.5}],
)  # fmt: skip
def test_what_next_runs_refuses(wrong):
    with pytest.raises(scaleplan.ScaleplanError) as caught:
        scaleplan.next_runs(scaleplan.load_fit("besiroglu_2024"), **wrong)
    assert caught.value.hint


def test_backtests_are_those_of_the_command(invoke):
    found = scaleplan.backtest(scaleplan.read_runs(LANGUAGE), laws=["power_floor"])
    shown = document(invoke, "backtest", LANGUAGE, "--law", "power_floor")
    assert found.to_dict()["laws"] == shown["laws"]


def test_systems_are_compared_as_by_the_command(invoke):
    logs = {name: f"sample_runs/language/{name}.csv" for name in ("runs", "constant")}
    with pytest.raises(scaleplan.ScaleplanError, match="too few"):
        scaleplan.compare({}, resamples=5)
    found = scaleplan.compare(
        {name: scaleplan.read_runs(log) for name, log in logs.items()}, resamples=100
    )
    shown = document(invoke, "compare", *logs.values(), "--resamples", "100")
    assert found.to_dict()["multipliers"] == shown["multipliers"]


def test_settings_are_those_of_the_command(invoke):
    log = "sample_runs/recommender/grid.jsonl"
    found = scaleplan.tune(scaleplan.read_runs(log), params="20k", tokens="1M")
    shown = document(invoke, "tune", log, "--params", "20k", "--tokens", "1M")
    assert found.to_dict()["laws"] == shown["laws"]
    with pytest.raises(scaleplan.ScaleplanError, match="go together"):
        scaleplan.tune(scaleplan.read_runs(log), params="20k")
