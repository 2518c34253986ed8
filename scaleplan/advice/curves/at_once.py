"""A validation metric that was best at the first evaluation, and worse from the next one on."""

from __future__ import annotations

import numpy as np

from scaleplan.advice.curves.seen import (
    FEWEST,
    RISE_ERRORS,
    RISE_SHARE,
    Finding,
    Seen,
    usable,
    where,
)
from scaleplan.advice.curves.trend import Trend, trend_of
from scaleplan.units import format_significant

_FEWEST_AFTER = 3  # evaluations after the best one, as for a rise
# Readings above the first one by more than this many times their own range were worse at once.
_AT_ONCE = 2.0


def worse_at_once(seen: Seen) -> bool:
    """Tell whether the first evaluation is far below all others while training does not rise."""
    raw = seen.trend.raw
    after = raw[1:]
    if not len(seen.curve.validation) or after.size < _FEWEST_AFTER:
        return False
    if float(after.min() - raw[0]) <= _AT_ONCE * float(np.ptp(after)):
        return False
    training = seen.training if seen.training is not None else _loss_beside(seen)
    return training is not None and goes_on(training, float(seen.trend.at[0]))


def _loss_beside(seen: Seen) -> Trend | None:
    """Return the training loss beside a metric of another kind; None without one."""
    loss = seen.curve.loss
    known = usable(loss.value)
    return trend_of(loss.at[known], loss.value[known]) if known.sum() >= FEWEST else None


def at_once(seen: Seen) -> Finding:
    """Say that the first evaluation was the best one."""
    trend, name = seen.trend, seen.curve.metric.name
    first = float(trend.at[0])
    low, high = sorted((seen.sign * float(trend.raw[1:].min()), seen.sign * trend.raw[1:].max()))
    return Finding(
        verdict="overfitting", since=first,
        reason=f"{name} is best at the first evaluation, "
        f"{format_significant(seen.sign * float(trend.raw[0]))} at {where(seen, first)}, and was "
        f"worse at once, {format_significant(low)} to {format_significant(high)} since, while "
        "training does not rise",
        action=f"Use the checkpoint at {where(seen, first)}; evaluate more often before it, lower "
        "the learning rate, or add data. Look whether the first evaluation used the same data.",
    )  # fmt: skip


def goes_on(training: Trend, since: float) -> bool:
    """Tell whether a training metric has not risen since some place."""
    place = min(int(np.searchsorted(training.at, since)), training.smooth.size - 1)
    risen = float(training.smooth[-1] - training.smooth[place])
    fall = float(training.smooth[0] - training.smooth.min())
    return risen <= max(RISE_ERRORS * training.error, RISE_SHARE * 5.0 * max(fall, 0.0))
