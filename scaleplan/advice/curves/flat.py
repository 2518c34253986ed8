"""Rules on curves that do not turn: plateau, underfitting, healthy."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from scaleplan.advice.curves.schedule import cycle_begun
from scaleplan.advice.curves.seen import FEWEST, RISE_SHARE, Finding, Seen, where
from scaleplan.advice.curves.trend import Trend, slope_t
from scaleplan.records import CurveForecast
from scaleplan.runs.series import Series
from scaleplan.runs.table import FloatArray
from scaleplan.units import format_percent, format_significant

_LAST_POINTS = 3  # fewer have no trend
_FLAT_SHARE = 0.005  # of the whole fall: less than this in the last half is no progress
_FLAT_ERRORS = 2.2
# Errors by which a straight fall over the whole run is below zero; how many falls of each kind that
# have ended are compared with it, the quickest with this time constant, in readings.
_FALL_T, _RIVALS, _QUICKEST = 4.0, 20, 0.3
# Times the way from the lowest reading of the last quarter to their median: so far above an earlier
# one it does not come back to it.
_APART = 1.0
_RISES_ERRORS = 4.0  # a plateau's noise rises as often as it falls
# What doubling the steps must still bring for a run to be called underfitted: of the fall so far,
# and of the value itself. Conventions.
_GAIN_OF_FALL, _GAIN_OF_VALUE = 0.065, 0.02
# A last quarter of so many readings or more that has brought less than this share of what the last
# half has: of a straight line it is half, of a power law more than a third.
_LATE_POINTS, _HARDLY = 5, 0.1
_UNSEEN = 14.0  # times the share of the run before the first reading; chosen on simulated curves
_JUST_BEGUN = 0.3  # of the fall so far, still to come at this slope
_FALLING_T = 2.5  # errors by which the slope of the last third has to be below zero
# A learning rate that has come down to this share of its peak has ended its schedule.
_ANNEALED = 0.2
_AT_PEAK = 0.98  # a rate above this share of its peak has not begun to come down


def plateau(seen: Seen) -> Finding | None:
    """Find a curve whose last half has brought nothing that noise does not explain."""
    found = _last_half(seen)
    if found is None:
        return None
    (gained, error), trend = found, seen.trend
    chance = _FLAT_ERRORS * error
    rounding = 1e-12 * float(np.abs(trend.raw).max())
    least = max(chance, _FLAT_SHARE * max(seen.fall, 0.0), rounding)
    if gained > least or falls_on(trend) or cycle_begun(seen.curve.learning_rate) is not None:
        return None
    name, best = seen.curve.metric.name, where(seen, _best_at(seen))
    noise = f"noise explains up to {format_significant(chance, 2)}"
    if gained < -least:
        verb = "risen" if seen.sign > 0.0 else "fallen"
        return Finding(
            verdict="plateau", since=float(trend.at[seen.best]),
            reason=f"{name} has {verb} by {format_significant(-gained, 2)} in the last half; "
            f"{noise}",
            action=f"Stop here and use the checkpoint at {best}; look at the data and the learning "
            "rate of what came after.",
        )  # fmt: skip
    if gained > chance:
        noise += f", but that is below {format_percent(_FLAT_SHARE, 1)} of the whole way"
    reason = (
        f"{name} has {'gained' if gained >= 0.0 else 'lost'} "
        f"{format_significant(abs(gained), 2)} in the last half; {noise}"
    )
    if _ends_above(trend):
        side = "above" if seen.sign > 0.0 else "below"
        return Finding(
            verdict="plateau", since=float(trend.at[seen.best]),
            reason=f"{reason}; it stays {side} its best value, of {best}",
            action=f"Stop here and use the checkpoint at {best}: more of the same brings nothing.",
        )  # fmt: skip
    return Finding(
        verdict="plateau", since=min(_flat_since(trend), float(trend.at[seen.best])),
        reason=reason,
        action="Stop here, lower the learning rate, or take a larger model: more of the same "
        "brings nothing.",
    )  # fmt: skip


def _ends_above(trend: Trend) -> bool:
    """Tell whether no reading of the last quarter comes near the best one before."""
    quarter = max(_LAST_POINTS, trend.raw.size // 4)
    before, after = trend.raw[:-quarter], trend.raw[-quarter:]
    lowest = float(before.min())
    return float(after.min()) - lowest > _APART * float(np.median(after) - after.min())


def falls_on(trend: Trend) -> bool:
    """Tell whether a fall that goes on explains the whole run as well as one that has ended.

    Few readings do not tell their noise, and the last half of them even less whether it falls.
    Falls that go on are a straight line, and one in the logarithm of the readings so far, as power
    laws are nearly; against them stand lines to a place in the first half that are level from
    there on, and exponentials that have made 95% of their way by the middle.
    """
    y = trend.settled - trend.settled.mean()
    if slope_t(y) / math.sqrt(trend.readings_for_one) > -_FALL_T:
        return False
    x = (trend.at - trend.at[0]) * ((trend.at.size - 1) / (trend.at[-1] - trend.at[0]))
    half = 0.5 * float(x[-1])
    places = np.linspace(1.0, half, _RIVALS)[:, None]
    times = np.geomspace(_QUICKEST, half / 3.0, _RIVALS)[:, None]
    going = np.vstack([x, np.log1p(x)])
    ended = np.vstack([np.minimum(x, places), -np.exp(-x / times)])
    return _explained(going, y) >= _explained(ended, y)


def _explained(shapes: FloatArray, y: FloatArray) -> float:
    """Return the most that one of the shapes explains of readings around 0, as squares."""
    around = shapes - shapes.mean(axis=1)[:, None]
    return float(((around @ y) ** 2 / (around**2).sum(axis=1)).max())


def rises(seen: Seen) -> bool:
    """Tell whether the last half of a curve rises by more than noise explains."""
    found = _last_half(seen)
    return found is not None and found[0] < -max(
        _RISES_ERRORS * found[1], _FLAT_SHARE * max(seen.fall, 0.0)
    )


def ends_above_best(seen: Seen) -> float:
    """Return how far the last reading lies above the best one, 0 for a shift that says nothing."""
    away = float(seen.trend.raw[-1] - seen.trend.raw.min())
    return away if away > RISE_SHARE * max(seen.fall, float(np.ptp(seen.trend.raw))) else 0.0


def _last_half(seen: Seen) -> tuple[float, float] | None:
    """Return what the last half of a run has gained, and its error; None for too few readings."""
    trend = seen.trend
    size = trend.raw.size
    half = int(np.searchsorted(trend.at, 0.5 * (trend.at[0] + trend.at[-1])))
    if size - half < _LAST_POINTS or size < 2 * FEWEST:
        return None
    return _gained(trend, half)


def _best_at(seen: Seen) -> float:
    return float(seen.trend.at[int(np.argmin(seen.trend.raw))])


def _gained(trend: Trend, since: int) -> tuple[float, float]:
    """Return how far a straight line through the readings since a place falls, and its error."""
    values = trend.settled[since:] - float(trend.settled[since:].mean())
    x, power = _evenly(values.size)
    error = trend.noise * math.sqrt(trend.readings_for_one / power)
    return -float(x @ values) / power, error


@lru_cache(maxsize=8)  # runs of a sweep are mostly equally long
def _evenly(size: int) -> tuple[FloatArray, float]:
    """Return so many evenly spaced places around 0, one apart in all, and their sum of squares."""
    x = np.linspace(-0.5, 0.5, size)
    return x, float(x @ x)


def _flat_since(trend: Trend) -> float:
    """Return since where the trend has stayed within noise of its level at the end."""
    end = float(np.median(trend.raw[-max(1, trend.raw.size // 6) :]))
    band = max(4.0 * trend.error, 0.01 * float(trend.smooth[0] - trend.smooth.min()))
    above = np.flatnonzero(trend.smooth > end + band)
    return float(
        trend.at[min(int(above[-1]) + 1, trend.at.size - 1)] if above.size else trend.at[0]
    )


def underfitting(seen: Seen, doubling: CurveForecast | None) -> Finding | None:
    """Find a curve that twice as many steps would still improve by much."""
    share = _share_of_peak(seen.curve.learning_rate)
    if doubling is None or (share is not None and share < _AT_PEAK):
        return None  # annealed, or still to gain from a schedule that has not ended
    trend = seen.trend
    last = seen.sign * float(trend.smooth[-1])
    slope = _gain_by_slope(trend)
    forecast = seen.sign * (last - doubling.value)
    gain = min(forecast, slope)
    # Before its main fall a curve bends downwards, as no power law does.
    begun = slope > _JUST_BEGUN * max(seen.fall, 0.0)
    if begun:
        gain = min(slope, float(trend.smooth[-1]) - seen.lowest)
    # The first reading comes late where there are few: what had fallen before is not seen.
    fall = max(seen.fall, 0.0) * (1.0 + _UNSEEN * max(0.0, float(trend.at[0] / trend.at[-1])))
    level = abs(last) if seen.sign > 0.0 else max(1.0 - last, 1e-12)
    if gain <= max(_GAIN_OF_FALL * fall, _GAIN_OF_VALUE * level, 2.0 * trend.error):
        return None
    twice, name = where(seen, doubling.at), seen.curve.metric.name
    between = f"{format_significant(doubling.low)} to {format_significant(doubling.high)}"
    reason = (
        f"{name} still improves: twice as long, to {twice}, would bring "
        f"{format_significant(forecast, 3)} more ({between} then)"
    )
    if begun:
        falls = "falls" if seen.sign > 0.0 else "rises"
        reason = (
            f"{name} still {falls}, so steeply that its main {falls[:-1]} is not over: how far it "
            f"goes cannot be told yet ({between} at {twice})"
        )
    return Finding(
        verdict="underfitting", since=None, reason=reason,
        action="Train longer, or raise the learning rate.",
    )  # fmt: skip


def _gain_by_slope(trend: Trend) -> float:
    """Return what doubling the steps brings by the slope in ln x of the last third; 0 if unclear.

    For a power law with exponent near 1/2 it is 0.85 ln 2 times that slope.
    """
    kept = (trend.at > 0.0) & (trend.at >= trend.at[-1] - (trend.at[-1] - trend.at[0]) / 3.0)
    x, y = np.log(trend.at[kept]), trend.settled[kept]
    if x.size < _LAST_POINTS or slope_t(y) > -_FALLING_T:
        return 0.0
    centred = x - x.mean()
    return float(-0.85 * math.log(2.0) * (centred @ y) / (centred @ centred))


def _share_of_peak(rate: Series) -> float | None:
    """Return where a logged learning rate stands, as a share of its peak; None if not logged."""
    known = rate.value[np.isfinite(rate.value) & (rate.value >= 0.0)]
    peak = float(known.max(initial=0.0))
    return float(known[-1]) / peak if known.size >= FEWEST and peak > 0.0 else None


def healthy(seen: Seen) -> Finding:
    """Say that nothing else was found, and how the curve stands."""
    name, last = seen.curve.metric.name, seen.sign * float(seen.trend.smooth[-1])
    share = _share_of_peak(seen.curve.learning_rate)
    coming = _course(seen)
    if share is not None and _ANNEALED < share < _AT_PEAK:
        coming += (
            f"; the learning rate has come down to {format_percent(share, 2)} of its peak and its "
            "schedule has not ended, so that more is to come"
        )
    begun = cycle_begun(seen.curve.learning_rate)
    if begun is not None:
        coming = (
            f"; the learning rate has gone up again, at {where(seen, begun)}, and what this cycle "
            "brings shows where it has come down"
        )
    return Finding(
        verdict="healthy", since=None,
        reason=f"{name} has come to {format_significant(last)}{coming}",
        action="Nothing.",
    )  # fmt: skip


def _course(seen: Seen) -> str:
    """Say what the last half of a run has brought, and whether that has ended."""
    found = _last_half(seen)
    if found is None:
        few = f"; {seen.trend.raw.size} points do not tell whether it stands still"
        away = ends_above_best(seen)
        if not away:
            return few
        side = "above" if seen.sign > 0.0 else "below"
        best = where(seen, _best_at(seen))
        return f"{few}, and the last is {format_significant(away, 2)} {side} the best, of {best}"
    gained, chance = found[0], _FLAT_ERRORS * found[1]
    if gained <= chance:
        return "; over the whole run it improves like one that goes on"
    said = f"; the last half has gained {format_significant(gained, 2)}, noise explains up to "
    said += format_significant(chance, 2)
    late = seen.trend.raw.size - seen.trend.raw.size // 4
    if late + _LATE_POINTS <= seen.trend.raw.size:
        lately, _ = _gained(seen.trend, late)
        if lately < _HARDLY * found[0]:
            said += f", and hardly any of it since {where(seen, float(seen.trend.at[late]))}"
    return said
