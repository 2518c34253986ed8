"""Replicates: runs with the same inputs, whose scatter no law can explain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import f_tail
from scaleplan.records import PureError
from scaleplan.runs.repeated import TUNED_ROLES, is_tuned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray, IndexArray
    from scaleplan.runs.table import Runs

_CLIP_SIGMAS = 5.0  # squares beyond so many noise scales are clipped: one wild run decides nothing
_EXACT_LOG = 1e-9  # residuals below this are rounding


def tuned_settings(runs: Runs, rows: IndexArray) -> list[FloatArray]:
    """Return the columns of settings that are tuned for one size, each of shape (n,).

    Args:
        runs: Cleaned runs.
        rows: Which of them were fitted.
    """
    found = [runs.columns[role] for role in TUNED_ROLES if role in runs.columns]
    found += [column for name, column in runs.extra.items() if is_tuned(name)]
    return [column[rows] for column in found]


def pure_error(fitted: Fitted, settings: Sequence[FloatArray] = ()) -> PureError | None:
    """Return the scatter of replicates and the F test of lack of fit, None without replicates.

    F = [(SS(residual) - SS(pure)) / (m - p)] / [SS(pure) / (n - m)] with m different inputs
    (Draper & Smith 1998, section 2.1).

    Args:
        fitted: The fit.
        settings: Each of shape (n,). Runs that share their inputs but differ in one of these are no
            replicates, and the test is left out.
    """
    _, group = np.unique(fitted.inputs, axis=1, return_inverse=True)
    group = group.ravel()
    counts = np.bincount(group)
    shared = counts[group] > 1
    if any(_differs(column, group, counts.size) for column in settings):
        return None
    if not shared.any():
        return None
    values = np.log(fitted.values) if fitted.residual == "log" else fitted.values
    spread = values - _group_means(values, group, counts)
    freedom = int(shared.sum()) - int(np.unique(group[shared]).size)
    limit = _CLIP_SIGMAS * fitted.noise if fitted.noise > 0.0 else math.inf
    pure = float((np.clip(spread, -limit, limit)[shared] ** 2).sum())
    left = float((np.clip(fitted.residuals(), -limit, limit) ** 2).sum())
    spare = counts.size - fitted.free
    exact = _EXACT_LOG * (1.0 if fitted.residual == "log" else float(np.abs(values).max()))
    p = None
    if spare > 0 and pure > freedom * exact**2:
        p = f_tail(max(0.0, left - pure) / spare / (pure / freedom), float(spare), float(freedom))
    return PureError(
        runs=int(shared.sum()), groups=int(np.unique(group[shared]).size),
        scatter=math.sqrt(pure / freedom), relative=fitted.residual == "log",
        lack_of_fit_p=p,
    )  # fmt: skip


def _differs(column: FloatArray, group: IndexArray, groups: int) -> bool:
    """Tell whether a setting takes several values in a group of runs with the same inputs."""
    known = np.isfinite(column)
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, group[known], column[known])
    np.maximum.at(high, group[known], column[known])
    return bool((high > low).any())


def _group_means(values: FloatArray, group: IndexArray, counts: IndexArray) -> FloatArray:
    return np.asarray((np.bincount(group, weights=values) / counts)[group])
