"""What failures and checkpoints leave of a run's time."""

from __future__ import annotations

import math

from scaleplan.catalog import planning_default
from scaleplan.records import Assumption

_SECONDS_PER_HOUR = 3600.0
_MINUTES_PER_HOUR = 60.0


def mean_hours_between_failures(gpus: float) -> float:
    """Return the mean hours between failures of a job on so many accelerators."""
    return planning_default("failure_gpu_hours").value / gpus


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
    gpus: float, *, checkpoint_seconds: float | None = None, restart_minutes: float | None = None
) -> float:
    """Return the share of the time that makes progress: 1 - delta/tau - (tau/2 + R)/M.

    The formula is of first order in the loss (Daly 2006, "A higher order estimate of the optimum
    checkpoint interval"). Where it loses more than half, the loss is continued as 1/(4 x goodput),
    with the same value and slope at one half, so that the share stays positive.

    Args:
        gpus: Accelerators.
        checkpoint_seconds: Time to write a checkpoint; None takes the default.
        restart_minutes: Time to restart R; None takes the default.
    """
    if checkpoint_seconds is None:
        checkpoint_seconds = planning_default("checkpoint_seconds").value
    if restart_minutes is None:
        restart_minutes = planning_default("restart_minutes").value
    failure_hours = mean_hours_between_failures(gpus)
    interval = checkpoint_interval_hours(failure_hours, checkpoint_seconds=checkpoint_seconds)
    restart = restart_minutes / _MINUTES_PER_HOUR
    checkpoint = checkpoint_seconds / _SECONDS_PER_HOUR
    lost = checkpoint / interval + (interval / 2.0 + restart) / failure_hours
    return 1.0 - lost if lost <= 0.5 else 0.25 / lost


def goodput_assumptions() -> tuple[Assumption, ...]:
    """Return what the goodput rests on."""
    names = ("failure_gpu_hours", "checkpoint_seconds", "restart_minutes")
    return tuple(planning_default(name).assumption() for name in names)
