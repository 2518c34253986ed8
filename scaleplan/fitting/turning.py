"""Whether a metric turns along one input: goes down and then up again, as no law of scale does.

Every law here rises or falls. Of runs that do both the best of them says that nothing happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_tail
from scaleplan.fitting.effect import Refusal
from scaleplan.fitting.form_tests import p_text
from scaleplan.units import format_count, format_significant

if TYPE_CHECKING:
    from scaleplan.fitting.axes import Axes
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

# p-value of the slope that is less sure. Of made sets of 6 to 40 runs that are flat, fall, or fall
# and stay flat at most 0.8% turn by it; of parabolas of 8 runs or more whose ends lie 25 standard
# deviations above the middle nearly all do (own simulation, 2026).
_TURNS = 0.005
_BESIDE = 2  # values of the input on either side of a turn
_COUNTED = {"params", "active_params", "tokens", "unique_tokens", "flops"}


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a metric turns: the value of the input, which way it goes first, and how surely."""

    at: float
    falls: bool
    p: float


def turn_of(inputs: FloatArray, values: FloatArray) -> Turn | None:
    """Return where values go one way and then the other along an input, None if they do not.

    Two lines in ln x that meet at one of the inputs, the one that leaves least; both slopes must
    differ from 0, with opposite signs. A curve that only levels off has no second slope, where a
    parabola would say that it turns (Simonsohn 2018, doi 10.1177/2515245918805755).

    Args:
        inputs: Shape (n,), positive.
        values: Shape (n,).
    """
    logs = np.log(inputs)
    places = np.unique(logs)
    freedom = logs.size - 4  # two slopes, a level and the place
    if freedom < 2 or places.size < 2 * _BESIDE + 1 or not np.ptp(values) > 0.0:
        return None
    best: tuple[float, float, FloatArray, FloatArray] | None = None
    for place in places[_BESIDE:-_BESIDE]:
        sides = np.minimum(logs - place, 0.0), np.maximum(logs - place, 0.0)
        design = np.column_stack([*sides, np.ones_like(logs)])
        slopes = np.linalg.lstsq(design, values, rcond=None)[0]
        left = float(((design @ slopes - values) ** 2).sum())
        if best is None or left < best[0]:
            best = left, float(place), slopes, design
    if best is None:  # pragma: no cover - there are places to look at
        return None
    left, place, slopes, design = best
    if slopes[0] * slopes[1] >= 0.0:
        return None
    variance = np.diag(np.linalg.inv(design.T @ design))[:2] * left / freedom
    with np.errstate(divide="ignore"):
        smallest = float((np.abs(slopes[:2]) / np.sqrt(variance)).min())
    p = t_tail(smallest, float(freedom)) if np.isfinite(smallest) else 0.0
    if p > _TURNS:
        return None
    return Turn(float(np.exp(place)), falls=bool(slopes[0] < 0.0), p=p)


def turn_of_runs(runs: Runs, axes: Axes) -> Turn | None:
    """Return where the metric of runs turns along the one input they are fitted to."""
    x, values = axes.inputs[0], runs.column("value")[axes.rows]
    if len(axes.roles) > 1 or x.min() <= 0.0:
        return None
    # Of a loss over decades the small runs would say nothing else; a share has its own scale.
    if runs.metric.kind == "loss" and values.min() > 0.0:
        values = np.log(values)
    return turn_of(x, values)


def turn_said(turn: Turn, runs: Runs, axes: Axes) -> str:
    """Return what a turn is, in words."""
    first, then = ("falls", "rises") if turn.falls else ("rises", "falls")
    return (
        f"{runs.metric.name} turns: it {first} with {axes.columns[0]} up to about "
        f"{_place(turn, axes)} and {then} beyond ({p_text(turn.p)})"
    )


def turn_remedy(turn: Turn, runs: Runs, axes: Axes) -> str:
    """Return what to do about runs that turn."""
    place, column = _place(turn, axes), axes.columns[0]
    better_first = turn.falls is (runs.metric.kind in {"loss", "error"})
    if better_first and axes.roles[0] not in _COUNTED:
        return (
            f"A setting with a best value, as a learning rate has, follows no law of scale: plan "
            f"with {column} near {place}, and fit the best runs of each size (--best-of)."
        )
    if not better_first:
        return (
            f"Look at the runs below {place}: are they too short, or of another setting? Fit those "
            "beyond it alone."
        )
    cause = (
        "larger models overfit data that do not grow with them, or diverge"
        if "params" in axes.roles[0]
        else "they overfit data that repeat, or diverge"
    )
    return (
        f"Look at the runs beyond {place} (scaleplan check reads their curves): {cause}. Train "
        "them on more data, or again, or fit the runs up to there alone."
    )


def refusal_of_turn(runs: Runs, axes: Axes, refusal: Refusal) -> Refusal:
    """Return the refusal of a law of one input, for runs that turn with that as the reason.

    Args:
        runs: The runs.
        axes: What the law was fitted to.
        refusal: Why it was refused.
    """
    turn = turn_of_runs(runs, axes)
    if turn is None:
        return refusal
    return Refusal(
        f"{turn_said(turn, runs, axes)}, and every law of {axes.columns[0]} alone only rises or "
        "falls", turn_remedy(turn, runs, axes),
    )  # fmt: skip


def _place(turn: Turn, axes: Axes) -> str:
    counted = axes.roles[0] in _COUNTED
    return format_count(turn.at) if counted else format_significant(turn.at)
