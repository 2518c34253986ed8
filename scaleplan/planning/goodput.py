"""What failures and checkpoints leave of a run's time."""

from __future__ import annotations

import math

from scaleplan.catalog import planning_default
from scaleplan.planning.given import given_or_default
from scaleplan.records import Assumption, TrainingSetup

_SECONDS_PER_HOUR = 3600.0
_MINUTES_PER_HOUR = 60.0


def mean_hours_between_failures(gpus: float, *, failure_gpu_hours: float | None = None) -> float:
    """Return the mean hours between failures of a job on so many accelerators.

    Args:
        gpus: Accelerators.
        failure_gpu_hours: Accelerator-hours between failures; None takes the default.
    """
    if failure_gpu_hours is None:
        failure_gpu_hours = planning_default("failure_gpu_hours").value
    return failure_gpu_hours / gpus


def stop_seconds(checkpoint_seconds: float | None, write_seconds: float | None) -> float:
    """Return how long a checkpoint stops training: as given, or until it is written.

    What takes longer than a minute is taken to be written beside training, from a copy in the
    memory of the hosts: at the usual bandwidth a run on thousands of accelerators would wait for
    hours a day, and those that publish such times do not.

    Args:
        checkpoint_seconds: What the user said; less than the writing takes where checkpoints are
            written asynchronously.
        write_seconds: Time to write a checkpoint; None takes the default.
    """
    if checkpoint_seconds is not None:
        return checkpoint_seconds
    most = planning_default("checkpoint_seconds").value
    return most if write_seconds is None else min(most, write_seconds)


def checkpoint_interval_hours(
    failure_hours: float, *, checkpoint_seconds: float | None = None,
    write_seconds: float | None = None,
) -> float:  # fmt: skip
    """Return the interval between checkpoints that loses least: tau = sqrt(2 delta M).

    Young 1974, "A first order approximation to the optimum checkpoint interval"; at most M, and at
    least the time in which the one before is written while training goes on.

    Args:
        failure_hours: Mean hours between failures M.
        checkpoint_seconds: How long a checkpoint stops training, delta; None takes the time to
            write it.
        write_seconds: Time to write a checkpoint; None takes the default.
    """
    stop = stop_seconds(checkpoint_seconds, write_seconds)
    best = min(math.sqrt(2.0 * stop / _SECONDS_PER_HOUR * failure_hours), failure_hours)
    beside = max(0.0, (write_seconds or 0.0) - stop)
    return max(best, beside / _SECONDS_PER_HOUR)


def goodput(
    gpus: float, *, checkpoint_seconds: float | None = None, restart_minutes: float | None = None,
    failure_gpu_hours: float | None = None, write_seconds: float | None = None,
) -> float:  # fmt: skip
    """Return the share of the time that makes progress: 1 - delta/tau - (tau/2 + R)/M.

    The formula is of first order in the loss (Daly 2006, "A higher order estimate of the optimum
    checkpoint interval"). Where it loses more than half, the loss is continued as 1/(4 x goodput),
    with the same value and slope at one half, so that the share stays positive.

    Args:
        gpus: Accelerators.
        checkpoint_seconds: How long a checkpoint stops training; None takes the time to write it.
        restart_minutes: Time to restart R; None takes the default.
        failure_gpu_hours: Accelerator-hours between failures; None takes the default.
        write_seconds: Time to write a checkpoint; None takes the default.
    """
    if restart_minutes is None:
        restart_minutes = planning_default("restart_minutes").value
    failure_hours = mean_hours_between_failures(gpus, failure_gpu_hours=failure_gpu_hours)
    interval = checkpoint_interval_hours(
        failure_hours, checkpoint_seconds=checkpoint_seconds, write_seconds=write_seconds
    )
    restart = restart_minutes / _MINUTES_PER_HOUR
    checkpoint = stop_seconds(checkpoint_seconds, write_seconds) / _SECONDS_PER_HOUR
    lost = checkpoint / interval + (interval / 2.0 + restart) / failure_hours
    return 1.0 - lost if lost <= 0.5 else 0.25 / lost


def goodput_assumptions(
    setup: TrainingSetup, *, write_seconds: float | None = None
) -> tuple[Assumption, ...]:
    """Return what failures and checkpoints rest on.

    Args:
        setup: What the user said about them.
        write_seconds: Time to write a checkpoint; None takes the default.
    """
    stop = given_or_default("checkpoint_seconds", setup.checkpoint_seconds)
    if setup.checkpoint_seconds is None and write_seconds is not None:
        stop = Assumption(
            name="time that training stops for a checkpoint",
            value=_shown(stop_seconds(None, write_seconds)), unit="s",
            source="until it is written to the storage, but at most a minute: larger ones are "
            "written beside training; --checkpoint-seconds says otherwise",
        )  # fmt: skip
    return (
        given_or_default("failure_gpu_hours", setup.failure_gpu_hours), stop,
        given_or_default("restart_minutes", setup.restart_minutes),
    )  # fmt: skip


def _shown(value: float) -> float:
    return float(f"{value:.3g}")
