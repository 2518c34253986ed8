"""One curve with everything that rules look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.trend import Trend, noise_of
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
# Of a power law with exponent 1/2 the first of evenly spaced steps takes a third of the fall; from
# four fifths on its start is taken for a reading before training.
_FIRST_STEP = 5.0
_LOST = 1e100
# Dropout and augmentation leave a training loss above validation, but not by this factor.
_OTHER_SCALE = 4.0
# A jump at the end: in scatters of a reading, as a share of the range before, after so many.
_JUMP_ERRORS, _JUMP_SHARE, _BEFORE_A_JUMP = 8.0, 0.25, 9
# What a metric cannot fall below and rise above, in the direction in which all series fall.
_LOWEST = {"loss": 0.0, "error": 0.0, "accuracy": -1.0, "score": -math.inf}
_HIGHEST = {"loss": math.inf, "error": 1.0, "accuracy": 0.0, "score": math.inf}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One curve with everything that rules look at; all series fall as training succeeds.

    Args:
        curve: As it was logged.
        sign: 1 for a metric that falls as training succeeds, else -1.
        trend: Of the metric that is judged.
        training: Of the training metric beside it; None without one.
        lost_at: Since when a series has no finite readings; None if it has.
        best: Place of the lowest point of the trend.
        level: Level of the intervals of forecasts.
        jumped: Whether the last reading has jumped and is left out of the trend.
    """

    curve: Curve
    sign: float
    trend: Trend
    training: Trend | None
    lost_at: float | None
    best: int
    level: float
    jumped: bool = False

    @property
    def fall(self) -> float:
        """Return how far the trend has fallen from its start to its lowest point.

        A first reading before training is so far above the second that it is no measure of what
        training brings: then it is that of the others, times the most that a first step takes.
        """
        lowest = float(self.trend.smooth[self.best])
        others = float(self.trend.settled[min(1, self.trend.settled.size - 1)]) - lowest
        return min(float(self.trend.smooth[0]) - lowest, _FIRST_STEP * max(others, 0.0))

    @property
    def lowest(self) -> float:
        """Return what the series cannot fall below; nothing if it has been there."""
        bound = _LOWEST[self.curve.metric.kind]
        return bound if float(self.trend.raw.min()) >= bound else -math.inf

    @property
    def highest(self) -> float:
        """Return what the series cannot rise above; nothing if it has been there."""
        bound = _HIGHEST[self.curve.metric.kind]
        return bound if float(self.trend.raw.max()) <= bound else math.inf


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
    if kind == "loss" and values.size and values[0] == 0.0:
        logged = np.flatnonzero(values)
        found[: logged[0] if logged.size else 0] = True
    return found


def jumped_at_end(values: FloatArray) -> bool:
    """Tell whether the last reading alone has jumped far above those before it.

    It is a spike or the beginning of divergence: only the next ones tell.

    Args:
        values: Shape (n,), finite, falling as training succeeds.
    """
    before = values[:-1]
    if before.size < FEWEST:
        return False
    if before.size < _BEFORE_A_JUMP:  # too few for their noise: twice their range is none
        height = float(values[-1] - before.max())
        level = abs(float(np.median(before)))
        return height > max(2.0 * float(np.ptp(before)), _JUMP_SHARE * level)
    latest = before[-(before.size // 3) :]
    height = float(values[-1] - latest.max())
    risen = float(before[-1] - latest.min())  # as much as this: it goes on as it did
    least = max(
        2.0 * risen, _JUMP_SHARE * float(np.ptp(before)), RISE_SHARE * abs(float(latest.max()))
    )
    # The noise takes long to tell, and matters rarely.
    return height > least and height > _JUMP_ERRORS * noise_of(before)[0]


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
    """Return (validation - training) / validation at the end, None where they do not compare."""
    if seen.training is None or not len(seen.curve.validation) or other_scale(seen):
        return None
    validation, training = float(seen.trend.smooth[-1]), float(seen.training.smooth[-1])
    if validation == 0.0:
        return None
    return (validation - training) / abs(validation)


def other_scale(seen: Seen) -> bool:
    """Tell whether a training loss lies so far above validation that it counts something else."""
    training, trend = seen.training, seen.trend
    if training is None or seen.curve.metric.kind != "loss" or not len(seen.curve.validation):
        return False
    validation = float(trend.smooth[-1])  # a Dice loss is below 0, and says no scale
    return bool(0.0 < _OTHER_SCALE * validation < float(training.smooth[-1]))


def where(seen: Seen, at: float) -> str:
    """Write a position on the curve with what it counts."""
    shown = f"{at:g}" if at < 1e6 else format_count(at, 4)
    return f"{seen.curve.axis} {shown}"
