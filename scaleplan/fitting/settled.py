"""Which points of the runs' curves a law of size can be fitted to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.records import Note, RowNote
from scaleplan.units import format_number_of

if TYPE_CHECKING:
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray
    from scaleplan.runs.table import Runs

# Of a run: warm-up and the first fall follow no law of size (Choshen et al. 2024, arXiv
# 2410.11840, who leave out the first 10%).
_WARM_UP = 0.1
# A run of fewer points loses none to it: its first one may be all there is of a tenth.
_FEWEST = 10
# A run has turned if the mean of its last three points lies this share above the lowest such mean,
# the rule by which this project labels its own curves (tests/benchmark/curve_verdicts.py).
_TURNED, _MEAN = 0.05, 3
_AXES = ("step", "epoch", "tokens", "samples")


def settled(runs: Runs) -> Runs:
    """Return the runs without points of warm-up, and without those after a run has overfitted.

    Args:
        runs: Cleaned runs; where rows are no points of curves they stay as they are.
    """
    axis = next(
        (role for role in _AXES if runs.has(role) and np.isfinite(runs.column(role)).all()), None
    )
    if not runs.every_point or axis is None:
        return runs
    at = runs.column(axis)
    names = runs.labels.get("run", ("",) * len(runs))
    early, late = np.zeros(len(runs), dtype=bool), np.zeros(len(runs), dtype=bool)
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        groups.setdefault(name, []).append(row)
    for members in groups.values():
        rows = np.array(members)
        rows = rows[np.argsort(at[rows], kind="stable")]
        if rows.size >= _FEWEST:
            early[rows] = at[rows] < _WARM_UP * at[rows[-1]]
        late[_after_the_best(runs, rows)] = True
    late &= ~early
    return _without(runs, early, late) if early.any() or late.any() else runs


def _after_the_best(runs: Runs, rows: IndexArray) -> IndexArray:
    """Return the points of a run, in order, that stand after its best and end worse."""
    values: FloatArray = runs.value[rows]
    if rows.size < 2 * _MEAN or not np.isfinite(values).all():
        return rows[:0]
    loss = runs.metric.kind in {"loss", "error"}
    means = np.convolve(values if loss else -values, np.full(_MEAN, 1.0 / _MEAN), mode="valid")
    best = int(np.argmin(means))
    size = abs(float(means[best])) if loss else float(np.ptp(means))
    turned = means[-1] - means[best] > _TURNED * size
    return rows[best + _MEAN - 1 :] if turned else rows[:0]


def _without(runs: Runs, early: BoolArray, late: BoolArray) -> Runs:
    """Return the runs without these rows, each of them told with the reason."""
    names = runs.labels.get("run")
    said = {
        "in the first tenth of its run: warm-up follows no law of size": early,
        "after the best of its run, which ends 5% worse": late,
    }
    dropped = tuple(
        RowNote(file=runs.origins[int(row)][0], line=runs.origins[int(row)][1], reason=reason,
                run=names[row] if names else "")
        for reason, which in said.items() for row in np.flatnonzero(which)
    )  # fmt: skip
    first, last = int(early.sum()), int(late.sum())
    note = Note(
        id="POINTS_NOT_SETTLED", severity="info",
        text=f"{format_number_of(first + last, 'point')} of {len(runs)} "
        f"{'is' if first + last == 1 else 'are'} not fitted: {first} in the first tenth of their "
        f"run, {last} after its best, from where it overfits.",
        numbers=(("warm_up", float(first)), ("overfitted", float(last))),
    )  # fmt: skip
    left = runs.take(np.flatnonzero(~(early | late)))
    cleaning = replace(runs.cleaning, dropped=(*runs.cleaning.dropped, *dropped))
    return replace(left, cleaning=cleaning, notes=(*runs.notes, note))
