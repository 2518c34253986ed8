from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.planning.goodput import (
    checkpoint_interval_hours,
    goodput,
    goodput_assumptions,
    mean_hours_between_failures,
)
from scaleplan.records import TrainingSetup


@pytest.mark.parametrize(
    ("gpus", "slow", "fast"),
    [(256, 0.986, 0.994), (1000, 0.969, 0.988), (4096, 0.927, 0.972), (16384, 0.81, 0.93)],
)
def test_first_order_values(gpus, slow, fast):
    """60 s checkpoints and 15 min restarts, and 10 s and 5 min, 50,000 GPU-hours a failure."""
    assert goodput(gpus) == pytest.approx(slow, abs=0.005)
    assert goodput(gpus, checkpoint_seconds=10, restart_minutes=5) == pytest.approx(fast, abs=0.005)


def test_llama_3_was_interrupted_every_three_hours():
    # 419 unexpected interruptions in 54 days on 16,384 GPUs.
    assert mean_hours_between_failures(16_384) == pytest.approx(54 * 24 / 419, rel=0.02)


def test_the_best_interval_is_young_s():
    assert checkpoint_interval_hours(50, checkpoint_seconds=36) == pytest.approx(1.0)
    # It cannot be longer than the time between failures.
    assert checkpoint_interval_hours(0.001, checkpoint_seconds=3600) == 0.001


def test_no_other_interval_is_better():
    hours, checkpoint = mean_hours_between_failures(4096), 60 / 3600

    def lost(interval):
        return checkpoint / interval + interval / 2 / hours

    best = checkpoint_interval_hours(hours)
    assert lost(best) <= min(lost(best * factor) for factor in (0.5, 0.9, 1.1, 2))


@given(st.integers(1, 10_000_000), st.integers(1, 10_000_000))
def test_more_accelerators_fail_more_often_but_never_do_less_together(one, other):
    few, many = sorted((one, other))
    assert 0 < goodput(many) <= goodput(few) < 1
    assert many * goodput(many) >= few * goodput(few) * (1 - 1e-9)


def test_beyond_half_the_loss_is_continued_smoothly():
    # From 40,000 to 400,000 accelerators the first-order loss runs through one half.
    counts = range(40_000, 400_000, 2_000)
    shares = [goodput(count) for count in counts]
    slopes = [earlier - later for earlier, later in pairwise(shares)]
    assert shares[0] > 0.5 > shares[-1]
    assert all(slope > 0 for slope in slopes)
    assert all(earlier == pytest.approx(later, rel=0.1) for earlier, later in pairwise(slopes))
    done = [count * share for count, share in zip(counts, shares, strict=True)]
    assert done == sorted(done)


def test_its_assumptions():
    assert [item.value for item in goodput_assumptions(TrainingSetup())] == [50_000, 60, 15]
    own = goodput_assumptions(TrainingSetup(failure_gpu_hours=20_000, restart_minutes=5))
    assert [(item.value, item.source == "given") for item in own] == [
        (20_000, True), (60, False), (5, True),
    ]  # fmt: skip


def test_the_users_failure_rate():
    """Llama 3 405B: 10 s and 5 min on 16,384 keep 93%."""
    assert goodput(16_384, checkpoint_seconds=10, restart_minutes=5) == pytest.approx(
        0.93, abs=0.01
    )
    assert goodput(1000, failure_gpu_hours=25_000) == pytest.approx(goodput(2000), abs=1e-12)


@given(st.integers(1, 10_000_000), st.integers(1, 10_000_000), st.floats(1, 1e4), st.floats(1, 1e4))
def test_more_never_do_less_however_long_checkpoints_are_written(one, other, stop, write):
    few, many = sorted((one, other))
    least, most = (
        goodput(count, checkpoint_seconds=stop, write_seconds=write) for count in (few, many)
    )
    assert 0 < most <= least < 1
    assert many * most >= few * least * (1 - 1e-9)


def test_no_checkpoint_begins_before_the_one_before_is_written():
    hours = checkpoint_interval_hours(0.5, checkpoint_seconds=1, write_seconds=3601)
    assert hours == pytest.approx(1.0)
    # Where training waits for the writing, nothing is written beside it.
    assert checkpoint_interval_hours(50, write_seconds=36) == pytest.approx(1.0)
