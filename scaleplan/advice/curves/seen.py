"""One curve with everything that rules look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.trend import Trend, trend_of
from scaleplan.records import Verdict
from scaleplan.runs.series import Curve
from scaleplan.runs.table import BoolArray, FloatArray
from scaleplan.units import format_count

# Fewer points than these say nothing about a trend.
FEWEST = 4
# A minimum of many noisy points lies below its trend by chance; a rise counts beyond this many
# standard errors of the difference of two trend points (chosen on simulated curves).
RISE_ERRORS = 4.0
# A rise below this share of what the run has gained so far changes no decision.
RISE_SHARE = 0.01
_LOST = 1e100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One curve with everything that rules look at; all series fall as training succeeds."""

    curve: Curve
    sign: float
    trend: Trend
    training: Trend | None
    lost_at: float | None
    best: int
    level: float

    @property
    def fall(self) -> float:
        """Return how far the trend has fallen from its start to its lowest point."""
        return float(self.trend.smooth[0] - self.trend.smooth[self.best])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule has found: the verdict, since when, and why."""

    verdict: Verdict
    since: float | None
    reason: str
    action: str


def usable(values: FloatArray) -> BoolArray:
    """Tell which readings are numbers that rules can square; beyond them a run is lost as well."""
    return np.asarray(np.abs(values) < _LOST)


def unset(values: FloatArray, kind: str) -> BoolArray:
    """Tell which first readings of a loss are zeros that stand for none yet.

    Args:
        values: Shape (n,), in order.
        kind: The kind of metric.
    """
    found = np.zeros(values.size, dtype=bool)
    logged = np.flatnonzero(values != 0.0)
    if kind == "loss" and logged.size:
        found[: logged[0]] = True
    return found


def training_trend(curve: Curve, sign: float) -> Trend | None:
    """Return the trend of the training series, where there is one beside validation."""
    if not len(curve.validation) or not len(curve.training):
        return None
    finite = usable(curve.training.value)
    if int(finite.sum()) < FEWEST:
        return None
    return trend_of(curve.training.at[finite], sign * curve.training.value[finite])


def lost_at(curve: Curve) -> float | None:
    """Return since when a series has no finite readings until its end; None if it ends finite."""
    for series in (curve.validation, curve.training):
        known = usable(series.value)
        if not len(series) or bool(known[-1]):
            continue
        finite = np.flatnonzero(known)
        first = int(finite[-1]) + 1 if finite.size else 0
        return float(series.at[first])
    return None


def rise(trend: Trend, best: int) -> float:
    """Return how far the end of a trend lies above its lowest point.

    The trend's last points rest on few readings; the mean of a full window has to be up there too.
    """
    end = min(float(trend.smooth[-1]), float(trend.raw[-trend.window :].mean()))
    return end - float(trend.smooth[best])


def chance_rise(seen: Seen, errors: float = RISE_ERRORS) -> float:
    """Return the rise that chance alone may give: of a minimum over many points, and a share.

    Args:
        seen: The curve.
        errors: How many standard errors of a trend point it may be beside those of the minimum.
    """
    trend = seen.trend
    windows = max(2.0, trend.raw.size / max(trend.window, trend.readings_for_one))
    # The lowest of many trend points lies below the trend by about sqrt(2 ln n) errors.
    chance = (errors + math.sqrt(2.0 * math.log(windows))) * trend.error
    return max(chance, RISE_SHARE * max(seen.fall, 0.0))


def gap_of(seen: Seen) -> float | None:
    """Return (validation - training) / validation at the end, None without both or for scores."""
    if seen.training is None or not len(seen.curve.validation):
        return None
    validation, training = float(seen.trend.smooth[-1]), float(seen.training.smooth[-1])
    if validation == 0.0:
        return None
    return (validation - training) / abs(validation)


def where(seen: Seen, at: float) -> str:
    """Write a position on the curve with what it counts."""
    shown = f"{at:g}" if at < 1e6 else format_count(at, 4)
    return f"{seen.curve.axis} {shown}"
