"""Rules on curves that turn upwards: diverged, shifted, and overfitting."""

from __future__ import annotations

import math

import numpy as np

from scaleplan.advice.curves.at_once import at_once, goes_on, worse_at_once
from scaleplan.advice.curves.seen import (
    RISE_ERRORS,
    RISE_SHARE,
    Finding,
    Seen,
    chance_rise,
    gap_of,
    rise,
    where,
)
from scaleplan.advice.curves.trend import Trend, ends, median_of, slope_t
from scaleplan.runs.table import FloatArray
from scaleplan.units import format_percent, format_significant

_RISING_POINTS = 3  # evaluations after the best one (methods: at least 3)
_RISING_T = 2.5
# Where training has fallen to less than half of validation and still falls, the examples are being
# remembered, and a rise of validation is what follows: it needs less to be believed. Chosen on 79
# trained networks (tests/benchmark/trained_curves.py 79 --choosing): with 2 errors 39 of 48 were
# found, with 1 42, with 0 43, at one false alarm in 31 each; of 400 made curves that stay level
# (tests/unit/advice/test_training_curves.py) 5, 9 and 31 were called overfitting.
_REMEMBERED_GAP, _REMEMBERED_ERRORS = 0.5, 1.0
# A rise that has come back by this share of itself, at this many errors, may go all the way.
_BACK_T, _BACK_SHARE = 2.0, 0.33
# A smaller rise counts if it is steady: over this many points, with a slope this many errors
# above zero (a search for the lowest point favours a rise after it, hence more than 2 or 3).
_STEADY_POINTS, _STEADY_T, _STEADY_ERRORS = 5, 4.0, 2.0
# A rise over the whole run has its lowest point within this share of so many readings or more.
_AT_START, _WHOLE_POINTS = 0.1, 6
# Above its start, or half of the way back to it with the training loss too, a run is lost.
_LOST_SHARE = 0.25
# A jump by less than this share of the fall, after which a series falls again by so many errors of
# its slope, is another level, not divergence.
_SHIFT_SHARE, _FALLS_ON_T = 0.75, 2.0
# A value that is lost goes by more than this share of the best one, and the last reading has not
# come back by more than half of what shows it.
_TRIFLE, _UP_THERE = 0.01, 0.5
# Where the examples are being remembered, validation that has left its lowest stretch stays away,
# also where it jumped there and rises no more: so many readings since, by so many of their scatters
# in their middle and at least. Chosen on 2400 made curves that stay level: 207 were called
# overfitting with it and 191 without, nearly all of both with noise that wanders.
_AWAY, _AWAY_LEAST, _AWAY_POINTS = 3.5, 1.0, 8
_SEEN_FALL = 4.0  # scatters of a reading that a fall must have for its loss to mean something


def diverged(seen: Seen) -> Finding | None:
    """Find values that are lost, or that have jumped up and stay there, in training too."""
    action = "Stop it, go back to a checkpoint before, lower the learning rate or clip gradients."
    name = seen.curve.metric.name
    if seen.lost_at is not None:
        return Finding(
            verdict="diverged", since=seen.lost_at, action=action,
            reason=f"the values are lost (not finite, or above 1e100) from "
            f"{where(seen, seen.lost_at)} to the end",
        )  # fmt: skip
    judged = seen.training if seen.training is not None else seen.trend
    best = int(np.argmin(judged.smooth))
    start, _ = ends(judged, 0.05)
    # Overfitting raises validation loss too, but slowly and without the training loss.
    # One reading at the very end is a spike, not a level: three have to be up there.
    up_there = judged.raw[best:][-3:]  # what came before the lowest point is no rise after it
    risen = median_of(up_there) - float(judged.smooth[best]) if up_there.size == 3 else 0.0
    fall = max(start - float(judged.smooth[best]), 0.0)
    chance = (RISE_ERRORS + math.sqrt(2.0 * math.log(max(2.0, judged.raw.size)))) * judged.error
    least = max(_LOST_SHARE * fall, chance)
    up_now = float(judged.raw[-1]) - float(judged.smooth[best])
    if risen <= max(least, _trifle(seen, judged, best)) or up_now <= _UP_THERE * least:
        return None
    if fall <= _SEEN_FALL * judged.noise and risen <= 2.0 * _SEEN_FALL * judged.noise:
        return None  # a run that never fell has nothing to lose
    # Validation alone may rise slowly by overfitting; training does not.
    validated = bool(len(seen.curve.validation)) and seen.training is None
    spared = seen.training is not None and _held_out_goes_on(seen, float(judged.at[best]))
    if spared or (
        validated and (not _sudden(judged, best) or _loss_goes_on(seen) or worse_at_once(seen))
    ):
        return None
    since = float(judged.at[_onset(judged, best)])
    shown = "training" if seen.training is not None else name
    up, fallen, falls = ("up", "fallen", "falls") if seen.sign > 0 else ("down", "risen", "rises")
    if risen <= _SHIFT_SHARE * fall and _falls_on(judged, best):
        return Finding(
            verdict="shifted", since=since,
            reason=f"{shown} has jumped {up} by {format_significant(risen)} at "
            f"{where(seen, since)}, {format_percent(risen / fall, 2)} of what it had {fallen}, and "
            f"{falls} on from there",
            action="If the data, the context length or the loss changed there, compare only from "
            "there on; if nothing did, go back to a checkpoint before.",
        )  # fmt: skip
    return Finding(
        verdict="diverged", since=since, action=action,
        reason=f"{shown} has {'risen' if seen.sign > 0 else 'fallen'} by "
        f"{format_significant(risen)} from its {'lowest' if seen.sign > 0 else 'highest'} value "
        f"since {where(seen, since)}{_of_gain(risen, fall, fallen)}, and stays there",
    )  # fmt: skip


def _trifle(seen: Seen, judged: Trend, best: int) -> float:
    """Return a change that is small whatever noise says, of which few readings tell little."""
    kind = seen.curve.metric.kind
    if kind == "score":
        return 0.0  # what its zero means is not known
    level = abs(float(judged.smooth[best]))
    # An error of 1% and an accuracy of 99% are the same thing.
    return _TRIFLE * (max(level, 1.0 - level) if kind == "error" else level)


def _loss_goes_on(seen: Seen) -> bool:
    """Tell whether the training loss beside a metric of another kind falls on since its best."""
    loss = seen.curve.loss
    since = float(seen.trend.at[seen.best])
    before, after = loss.value[loss.at <= since], loss.value[loss.at > since]
    if before.size == 0 or after.size < _RISING_POINTS:
        return False
    return bool(np.median(after[-_RISING_POINTS:]) < np.median(before[-_RISING_POINTS:]))


def _held_out_goes_on(seen: Seen, since: float) -> bool:
    """Tell whether validation has gone on improving while training became worse, to its end.

    That of a run that is lost does not. It does where each row has more data to fit, as in a table
    of training sets, or where regularisation grows.
    """
    if not len(seen.curve.validation):
        return False
    trend, best = seen.trend, float(seen.trend.smooth[seen.best])
    gained = float(np.interp(since, trend.at, trend.smooth)) - best
    return gained > RISE_ERRORS * trend.error and rise(trend, seen.best) <= _TRIFLE * gained


def _of_gain(risen: float, fall: float, fallen: str) -> str:
    """Say which share of what had been gained is lost; of a hundredth and less it is no figure."""
    if risen > 100.0 * fall:
        return f", and had hardly {fallen} before"
    return f", {format_percent(risen / fall, 2)} of what it had {fallen}"


def _falls_on(trend: Trend, best: int) -> bool:
    """Tell whether a series goes on falling after a sudden jump, as divergence does not."""
    jumped = best + int(np.argmax(trend.smooth[best:]))
    after = trend.raw[jumped:]
    if after.size < _STEADY_POINTS or not _sudden(trend, best):
        return False
    return slope_t(after) / math.sqrt(trend.readings_for_one) <= -_FALLS_ON_T


def _onset(trend: Trend, best: int) -> int:
    """Return where the rise after the lowest point begins for good."""
    half = trend.smooth[best] + 0.1 * (trend.smooth[-1] - trend.smooth[best])
    below = np.flatnonzero(trend.smooth[best:] <= half)
    return min(best + int(below[-1]) + 1, trend.smooth.size - 1) if below.size else best


def _sudden(trend: Trend, best: int) -> bool:
    """Tell whether most of a rise happened within a small part of the run, as divergence does."""
    after = trend.smooth[best:]
    if after.size < 3:
        return True
    low, high = float(after[0]), float(after.max())
    quarter = int(np.argmax(after >= low + 0.2 * (high - low)))
    most = int(np.argmax(after >= low + 0.7 * (high - low)))
    return (most - quarter) <= max(trend.window, 0.1 * trend.smooth.size)


def overfitting(seen: Seen) -> Finding | None:
    """Find a validation metric that has turned while the training metric goes on."""
    trend, best = seen.trend, seen.best
    if not len(seen.curve.validation):
        return None
    after = trend.raw[best + 1 :]
    if after.size < _RISING_POINTS:
        return None
    if worse_at_once(seen):
        return at_once(seen)
    risen = rise(trend, best)
    how = _turned(seen, after, risen)
    if how is None or (seen.training is not None and not _training_goes_on(seen)):
        return None
    since = float(trend.at[best])
    lowest = float(trend.at[int(np.argmin(trend.raw))])
    name = seen.curve.metric.name
    verb = "risen" if seen.sign > 0.0 else "fallen"
    gap = gap_of(seen)
    beside = f"; the gap to training is {format_percent(gap, 2)}" if gap is not None else ""
    return Finding(
        verdict="overfitting", since=since,
        reason=f"{name} has {verb} by {format_significant(risen)} since {where(seen, since)}, "
        f"{how} {after.size} points; one reading scatters by "
        f"{format_significant(trend.noise, 2)}{beside}",
        action=f"Use the checkpoint at {where(seen, lowest)}; stop earlier, regularise more, or "
        "add data.",
    )  # fmt: skip


def _turned(seen: Seen, after: FloatArray, risen: float) -> str | None:
    """Say how validation has risen since its lowest point, by more than chance; None if not."""
    trend = seen.trend
    steady = (
        after.size >= _STEADY_POINTS
        and slope_t(after) / math.sqrt(trend.readings_for_one) >= _STEADY_T
        and risen > max(_STEADY_ERRORS * trend.error, RISE_SHARE * max(seen.fall, 0.0))
    )  # fmt: skip
    expected = _REMEMBERED_ERRORS if _remembers(seen) else RISE_ERRORS
    rises = steady or risen > chance_rise(seen, expected) or _never_fell(seen)
    rises = rises and slope_t(trend.smooth[seen.best :]) >= _RISING_T
    if not (rises or _stays_away(seen)) or _turns_back(after, risen):
        return None
    return "steadily over" if rises else "and has not come back over"


def _stays_away(seen: Seen) -> bool:
    """Tell whether validation has left its lowest stretch for good while training remembers."""
    trend, best = seen.trend, seen.best
    left = max(best + trend.window // 2, int(np.argmin(trend.raw)))
    after = trend.raw[left + 1 :]
    if after.size < _AWAY_POINTS or not _remembers(seen):
        return False
    level = median_of(after)
    scatter = 1.4826 * median_of(np.abs(after - level))
    lowest = float(trend.smooth[best])
    if level - lowest <= max(_AWAY * scatter, RISE_SHARE * max(seen.fall, 0.0)):
        return False
    return float(after.min()) - lowest > _AWAY_LEAST * scatter


def _never_fell(seen: Seen) -> bool:
    """Tell whether validation has risen since the first readings while training has fallen.

    Over the whole run no lowest point is sought, which chance would have favoured.
    """
    trend, training = seen.trend, seen.training
    if training is None or trend.raw.size < _WHOLE_POINTS or seen.best > _AT_START * trend.raw.size:
        return False
    risen, fallen = (
        slope_t(one.raw) / math.sqrt(one.readings_for_one) for one in (trend, training)
    )
    return risen >= _STEADY_T and fallen <= -_STEADY_T


def _remembers(seen: Seen) -> bool:
    """Tell whether training has fallen far below validation, and falls on since its lowest."""
    gap, training = gap_of(seen), seen.training
    if gap is None or training is None or gap <= _REMEMBERED_GAP:
        return False
    place = int(np.searchsorted(training.at, float(seen.trend.at[seen.best])))
    fallen = training.smooth[min(place, training.smooth.size - 1)] - training.smooth[-1]
    return bool(fallen > 2.0 * training.error)


def _turns_back(after: FloatArray, risen: float) -> bool:
    """Tell whether a rise is on its way back: it falls in its later half, and not by a trifle."""
    late = after[-max(_RISING_POINTS, after.size // 2) :]
    if slope_t(late) >= -_BACK_T:
        return False
    slope = float(np.polyfit(np.arange(late.size), late, 1)[0])
    return -slope * (late.size - 1) > _BACK_SHARE * risen


def _training_goes_on(seen: Seen) -> bool:
    """Tell whether the training metric has not risen with the validation metric."""
    training = seen.training
    if training is None:  # pragma: no cover - asked by the caller
        return True
    return goes_on(training, float(seen.trend.at[seen.best]))
