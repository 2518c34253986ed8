"""How far the target of planned runs lies from them, and what is left to gain there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scaleplan.advice.extrapolation import far_beyond, outside_range
from scaleplan.advice.floor import floor_reached
from scaleplan.advice.plan_limits import mfu_notes
from scaleplan.fitting.interval import decades_beyond
from scaleplan.planning.forecast import forecast_at
from scaleplan.records import Fit, NextRuns, Note, Range


def with_target_notes(plan: NextRuns, fit: Fit, *, mfu: float | None) -> NextRuns:
    """Return a plan of runs with what there is to say about its target, and about its speed.

    Args:
        plan: The runs and their target.
        fit: What they are planned with.
        mfu: The user's own model-FLOP utilisation of steps; None for that of published runs.
    """
    told = _target_notes(plan, fit)
    return replace(plan, notes=(*plan.notes, *told, *mfu_notes(mfu or 0.0)))


def _target_notes(plan: NextRuns, fit: Fit) -> Iterator[Note]:
    """Yield the notes on the forecast that is to be made once the runs are trained."""
    size = "active_params" if "active_params" in fit.inputs else "params"
    target = {
        size: plan.target_params, "params": plan.target_params, "tokens": plan.target_tokens,
        "flops": plan.target_flops,
    }  # fmt: skip
    point = replace(
        forecast_at(fit, target), decades_beyond_data=decades_beyond(_reached(plan, fit), target)
    )
    yield from far_beyond(point, "these runs and the fitted ones")
    yield from floor_reached(point, fit)
    yield from outside_range(point, fit)


def _reached(plan: NextRuns, fit: Fit) -> list[Range]:
    """Return the smallest and largest value of each input once the runs are trained."""
    new = {
        "params": [run.params for run in plan.runs],
        "active_params": [run.params for run in plan.runs],
        "tokens": [run.tokens for run in plan.runs],
        "flops": [run.flops for run in plan.runs],
    }
    known = {each.role: each for each in fit.ranges}
    return [
        Range(
            role=role, low=min([*values, *([known[role].low] if role in known else [])]),
            high=max([*values, *([known[role].high] if role in known else [])]),
        )
        for role, values in new.items()
        if values and (role in known or role != "active_params")
    ]  # fmt: skip
