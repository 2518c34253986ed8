"""Curves as rules look at them: finite readings and their trends, worked out for many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.seen import FEWEST, Seen, jumped_at_end, lost_at, unset, usable
from scaleplan.advice.curves.trend import Trend, trends_of
from scaleplan.runs.series import Curve, Series
from scaleplan.runs.table import FloatArray

_Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A curve with enough readings to judge.

    Args:
        at: Where they are, shape (n,).
        readings: What they say, shape (n,).
        seen: What rules look at.
    """

    at: FloatArray
    readings: FloatArray
    seen: Seen


def look_at(curves: Sequence[Curve], level: float) -> list[Looked | None]:
    """Return the curves as rules look at them, None for those with too few readings.

    Args:
        curves: As they were logged.
        level: Level of the intervals of forecasts.
    """
    signs = [1.0 if curve.metric.kind in {"loss", "error"} else -1.0 for curve in curves]
    readings = [finite_readings(curve) for curve in curves]
    main = [
        _falling(pair, sign) if pair[0].size >= FEWEST else None
        for pair, sign in zip(readings, signs, strict=True)
    ]
    beside = [
        _falling(_training(curve), sign) if pair is not None else None
        for curve, sign, pair in zip(curves, signs, main, strict=True)
    ]
    trends, training = _trends(main), _trends(beside)
    found: list[Looked | None] = []
    for i, curve in enumerate(curves):
        trend, pair = trends[i], main[i]
        if trend is None or pair is None:
            found.append(None)
            continue
        seen = Seen(
            curve=curve, sign=signs[i], trend=trend, training=training[i], lost_at=lost_at(curve),
            best=int(np.argmin(trend.smooth)), level=level,
            jumped=pair[0].size < readings[i][0].size,
        )  # fmt: skip
        found.append(Looked(*readings[i], seen))
    return found


def finite_readings(curve: Curve) -> _Pair:
    """Return where the metric of a curve has readings that can be judged, and these."""
    main = curve.main
    finite = usable(main.value)
    finite &= ~unset(main.value, curve.metric.kind)
    return _kept(main, finite)


def _training(curve: Curve) -> _Pair | None:
    """Return the readings of the training series, where there are some beside validation."""
    if not len(curve.validation) or not len(curve.training):
        return None
    found = _kept(curve.training, usable(curve.training.value))
    return found if found[0].size >= FEWEST else None


def _kept(series: Series, finite: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> _Pair:
    if finite.all():
        return series.at, series.value  # most are, and long
    return series.at[finite], series.value[finite]


def _falling(pair: _Pair | None, sign: float) -> _Pair | None:
    """Return readings that fall as training succeeds, without a last one that has jumped."""
    if pair is None:
        return None
    at, values = pair[0], pair[1] if sign > 0.0 else sign * pair[1]
    kept = values.size - int(jumped_at_end(values))
    return at[:kept], values[:kept]


def _trends(pairs: Sequence[_Pair | None]) -> list[Trend | None]:
    """Return the trend of each series; those with readings at the same places together."""
    found: list[Trend | None] = [None] * len(pairs)
    groups: list[tuple[FloatArray, list[int]]] = []
    for place, pair in enumerate(pairs):
        if pair is None:
            continue
        if not groups or not np.array_equal(groups[-1][0], pair[0]):
            groups.append((pair[0], []))
        groups[-1][1].append(place)
    for at, places in groups:
        series = [pair[1] for place in places if (pair := pairs[place]) is not None]
        for place, trend in zip(places, trends_of(at, series), strict=True):
            found[place] = trend
    return found
