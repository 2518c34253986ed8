"""The minimum of one grid of learning rates and batch sizes: parabolas in their logarithms.

Of each learning rate the best run over all batches counts, and of each batch the best over all
learning rates; near its lowest point each of these curves is quadratic in the logarithm, as every
smooth curve is (Li et al. 2025, arXiv 2503.04715, find both convex). A paraboloid in both at once
has six coefficients and is thrown off by the noise of a flat valley more easily: on the public grid
of that paper it gives a usable minimum in 9 of 17 groups, the parabolas in 12 (2026).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import IntArray

_REACH = math.log(4.0)  # of the parabola to both sides of the best level
_SAME = 0.01  # in logs: settings that differ by less are one level, written in two ways
_COEFFICIENTS = 3
_LARGEST_ERROR = 1.0  # of a minimum, in logs: known to a factor of 2.7 only


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """Where the metric is smallest over one setting.

    Args:
        used: Levels that the parabola was fitted to.
        at: Logarithm of the best setting; None without a minimum.
        error: Its standard error; None without levels to spare.
        flag: Why it should not be used; empty if it may.
    """

    used: int
    at: float | None
    error: float | None
    flag: str


def minimum_of(setting: FloatArray, values: FloatArray, name: str) -> Minimum:
    """Return the minimum over one setting, the others at their best.

    Args:
        setting: Shape (n,), logs of the setting.
        values: Shape (n,), the metric, smaller is better.
        name: What the setting is called.
    """
    levels, place = _levels(setting)
    if levels.size < _COEFFICIENTS:
        return _none(f"fewer than {_COEFFICIENTS} values of {name}")
    lowest = np.full(levels.size, np.inf)
    np.minimum.at(lowest, place, values)
    best = int(np.argmin(lowest))
    if best in {0, levels.size - 1}:
        end = "lowest" if best == 0 else "highest"
        return _none(f"the best run has the {end} {name}")
    near = np.abs(levels - levels[best]) <= _REACH + _SAME
    near[best - 1 : best + 2] = True
    x, y = levels[near] - levels[best], lowest[near]
    columns = np.stack([np.ones(x.size), x, x**2], axis=1)
    fitted = np.linalg.lstsq(columns, y, rcond=None)[0]
    slope, curve = float(fitted[1]), float(fitted[2])
    used = int(x.size)
    if curve <= 0.0:
        return Minimum(used=used, at=None, error=None, flag=f"no minimum over the {name}")
    at = -0.5 * slope / curve
    error = None
    if used > _COEFFICIENTS:
        rest = y - columns @ fitted
        covariance = np.linalg.inv(columns.T @ columns)
        covariance *= float(rest @ rest) / (used - _COEFFICIENTS)
        moves = np.array([0.0, -0.5 / curve, 0.5 * slope / curve**2])
        error = math.sqrt(max(0.0, float(moves @ covariance @ moves)))
    flag = ""
    if not x.min() <= at <= x.max():
        flag = f"the minimum lies outside of the tested {name}"
    elif error is not None and error > _LARGEST_ERROR:
        flag = f"the minimum over the {name} is not known to better than a factor of {math.e:.1f}"
    return Minimum(used=used, at=at + float(levels[best]), error=error, flag=flag)


def _levels(setting: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the levels of a setting, smallest first, and the place of each run among them."""
    order = np.argsort(setting, kind="stable")
    place = np.empty(setting.size, dtype=np.int64)
    place[order] = np.concatenate([[0], np.cumsum(np.diff(setting[order]) > _SAME)])
    return np.bincount(place, weights=setting) / np.bincount(place), place


def _none(flag: str) -> Minimum:
    return Minimum(used=0, at=None, error=None, flag=flag)
