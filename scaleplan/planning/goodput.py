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


def checkpoint_interval_hours(
    failure_hours: float, *, checkpoint_seconds: float | None = None
) -> float:
    """Return the interval between checkpoints that loses least: tau = sqrt(2 delta M).

    Young 1974, "A first order approximation to the optimum checkpoint interval"; at most M.

    Args:
        failure_hours: Mean hours between failures M.
        checkpoint_seconds: Time to write a checkpoint delta; None takes the default.
    """
    if checkpoint_seconds is None:
        checkpoint_seconds = planning_default("checkpoint_seconds").value
    return min(
        math.sqrt(2.0 * checkpoint_seconds / _SECONDS_PER_HOUR * failure_hours), failure_hours
    )


def goodput(
    gpus: float, *, checkpoint_seconds: float | None = None, restart_minutes: float | None = None,
    failure_gpu_hours: float | None = None,
) -> float:  # fmt: skip
    """Return the share of the time that makes progress: 1 - delta/tau - (tau/2 + R)/M.

    The formula is of first order in the loss (Daly 2006, "A higher order estimate of the optimum
    checkpoint interval"). Where it loses more than half, the loss is continued as 1/(4 x goodput),
    with the same value and slope at one half, so that the share stays positive.

    Args:
        gpus: Accelerators.
        checkpoint_seconds: Time to write a checkpoint; None takes the default.
        restart_minutes: Time to restart R; None takes the default.
        failure_gpu_hours: Accelerator-hours between failures; None takes the default.
    """
    if checkpoint_seconds is None:
        checkpoint_seconds = planning_default("checkpoint_seconds").value
    if restart_minutes is None:
        restart_minutes = planning_default("restart_minutes").value
    failure_hours = mean_hours_between_failures(gpus, failure_gpu_hours=failure_gpu_hours)
    interval = checkpoint_interval_hours(failure_hours, checkpoint_seconds=checkpoint_seconds)
    restart = restart_minutes / _MINUTES_PER_HOUR
    checkpoint = checkpoint_seconds / _SECONDS_PER_HOUR
    lost = checkpoint / interval + (interval / 2.0 + restart) / failure_hours
    return 1.0 - lost if lost <= 0.5 else 0.25 / lost


def goodput_assumptions(setup: TrainingSetup) -> tuple[Assumption, ...]:
    """Return what failures and checkpoints rest on.

    Args:
        setup: What the user said about them.
    """
    given = {
        "failure_gpu_hours": setup.failure_gpu_hours,
        "checkpoint_seconds": setup.checkpoint_seconds, "restart_minutes": setup.restart_minutes,
    }  # fmt: skip
    return tuple(given_or_default(name, value) for name, value in given.items())
