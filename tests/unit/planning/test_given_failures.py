"""Failures that are given are held against those of published runs, and a note says so."""

from __future__ import annotations

import pytest

from scaleplan.advice import plan_notes
from scaleplan.catalog import accelerator
from scaleplan.errors import UsageError
from scaleplan.planning.answers import answer_plan
from scaleplan.planning.goodput import goodput
from scaleplan.planning.wish import Machines, Wish
from scaleplan.records import TrainingSetup
from tests.unit.records_for_tests import BESIROGLU


def planned(*, mfu=None, gpus=(64,), **setup):
    machines = Machines(
        accelerators=(accelerator("h100"),), gpus=gpus, mfu=mfu, setup=TrainingSetup(**setup)
    )
    return answer_plan(BESIROGLU, Wish(params=7e9, tokens=1e12), machines)


def asked_row(plan):
    return next(row for row in plan.rows if row.asked)


def notes(plan):
    return [note for note in plan_notes(plan, BESIROGLU) if note.id == "FAILURES_IN_TIMES"]


@pytest.mark.parametrize("setup", [
    {"failure_gpu_hours": 10.0}, {"restart_minutes": 1e5}, {"checkpoint_seconds": 4e5},
])  # fmt: skip
def test_failures_that_cost_more_than_the_usual_ones_take_time(setup):
    plan, usual = planned(**setup), asked_row(planned())
    row = asked_row(plan)
    assert row.days == pytest.approx(usual.days / row.failure_share)
    assert row.usd == pytest.approx(usual.usd / row.failure_share)
    (note,) = notes(plan)
    assert note.severity == "warning"
    assert f"{1 / row.failure_share:.3g} times as long on 64" in note.text
    # As much longer as with an MFU of steps.
    own = asked_row(planned(mfu=0.35, **setup)).days / asked_row(planned(mfu=0.35)).days
    assert row.days / usual.days == pytest.approx(own)


@pytest.mark.parametrize("setup", [
    {"failure_gpu_hours": 1e6}, {"restart_minutes": 15.0}, {"storage_gbs": 200.0},
    {"checkpoint_seconds": 1.0},
])  # fmt: skip
def test_those_that_cost_no_more_change_nothing_and_that_is_said(setup):
    plan = planned(**setup)
    assert asked_row(plan).days == asked_row(planned()).days
    (note,) = notes(plan)
    assert note.severity == "info"
    assert "less than half a percent" in note.text


def test_nothing_is_said_where_nothing_was_given_or_the_mfu_is_of_steps():
    assert not notes(planned())
    assert not notes(planned(mfu=0.35, failure_gpu_hours=10.0))


def test_a_slow_storage_is_one_that_checkpoints_wait_for():
    share = asked_row(planned(storage_gbs=0.5)).failure_share
    written = 14.0 * 7e9 / 1e9
    assert share == pytest.approx(
        goodput(64, write_seconds=written / 0.5) / goodput(64, write_seconds=written / 20.0)
    )


def test_only_the_counts_that_were_asked_for_are_marked():
    assert [row.gpus for row in planned().rows if row.asked] == [64]
    assert len(planned().rows) > 1
    assert all(row.asked for row in planned(gpus=(64, 128)).rows)


@pytest.mark.parametrize("name", ["lora", "QLoRA", "LoRA "])
def test_adapters_are_no_optimizer(name):
    with pytest.raises(UsageError, match="adapters are out of scope") as caught:
        planned(optimizer=name)
    assert "two thirds" in caught.value.hint
