"""Which of the compared laws is used: the preferred one, the best, or the least bad."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.backtest import LOST, shared_forecasts
from scaleplan.fitting.form_tests import LEAST_WRONG, UNPASSED
from scaleplan.fitting.scores import NAMES, beyond_range
from scaleplan.laws import LinearLaw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scaleplan.fitting.selection import Tried

CEILING = "power_ceiling"
_FEWEST_CUTS = 2  # errors above one cut are those of one fit, which may have been lucky


def best_of(
    passing: Sequence[Tried], criteria: Mapping[str, float | None], prefer: str,
    *, falling: bool, score: bool,
) -> Tried:  # fmt: skip
    """Return the preferred law if it is among those that pass, else the one of smallest AICc.

    Args:
        passing: Laws that pass their tests, at least one.
        criteria: The AICc of each law by name.
        prefer: The name of the preferred one.
        falling: Whether the metric falls as models improve.
        score: Whether it is an error that can be no more than 1.
    """

    def rank(t: Tried) -> tuple[bool, bool, float]:
        runs_off = _runs_off(t, falling=falling, score=score)
        return t.law.name != prefer, runs_off, _or_infinity(criteria[t.law.name])

    return min(passing, key=rank)


def least_bad_of(
    usable: Sequence[Tried], criteria: Mapping[str, float | None], *, falling: bool, score: bool
) -> tuple[Tried | None, str]:
    """Return the law to use where none passes, and why: it forecast larger runs best if any did.

    Args:
        usable: Laws that could be fitted.
        criteria: The AICc of each law by name, which decides where no forecasts can.
        falling: Whether the metric falls as models improve.
        score: Whether it is an error that can be no more than 1.
    """
    errors = _forecast_errors(usable)

    def rank(t: Tried) -> tuple[bool, bool, bool, float, float]:
        # An S-curve always fits well; where larger runs speak against it, so would its forecasts.
        curve = t.law.name in NAMES
        return (
            _runs_off(t, falling=falling, score=score), curve, without_floor(t),
            errors.get(t.law.name, math.inf), _or_infinity(criteria[t.law.name]),
        )  # fmt: skip

    chosen = min(usable, key=rank, default=None)
    own = None if chosen is None else errors.get(chosen.law.name)
    return chosen, LEAST_WRONG if own is not None and own <= min(errors.values()) else UNPASSED


def without_floor(t: Tried) -> bool:
    """Tell whether a law with a floor was fitted with none."""
    return t.law.name == "power_floor" and t.fitted is not None and t.fitted.theta[0] <= 0.0


def _forecast_errors(usable: Sequence[Tried]) -> dict[str, float]:
    """Return the rms log error of the forecasts that all tested laws made, by law."""
    tests = {
        t.law.name: t.test for t in usable
        if t.law.name not in NAMES and t.test is not None
        and np.unique(t.test.cut).size >= _FEWEST_CUTS
    }  # fmt: skip
    if len(tests) < 2:
        return {}
    shared = shared_forecasts(list(tests.values()))
    if not shared:
        return {}
    errors = [np.where(np.isfinite(t.log_error), t.log_error, LOST) for t in shared]
    return {
        name: float(np.sqrt(np.mean(error**2))) for name, error in zip(tests, errors, strict=True)
    }


def _runs_off(t: Tried, *, falling: bool, score: bool) -> bool:
    """Tell whether a law is the last to extrapolate with: it says what no metric can be.

    Of a metric that falls to a floor that is a straight line, used only where it alone passes.
    """
    line = isinstance(t.law, LinearLaw) and falling
    return line or (score and t.fitted is not None and bool(beyond_range(t.fitted)))


def _or_infinity(value: float | None) -> float:
    return math.inf if value is None else value
