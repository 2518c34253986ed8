"""Failures and checkpoints that are given where the times are those of whole published runs."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.catalog import planning_default
from scaleplan.planning.given import given_in
from scaleplan.records import Note, Plan
from scaleplan.units import format_count, format_significant

_GIVEN = {
    "failure_gpu_hours": "--mtbf", "checkpoint_seconds": "--checkpoint-seconds",
    "restart_minutes": "--restart-minutes", "storage_gbs": "--storage",
}  # fmt: skip
# Shares of the speed: above, nothing is said to change, and below, it is a warning; a choice.
_NO_LOSS, _GRAVE = 0.995, 0.8
_FEW = 4


def failures_in_times(plan: Plan) -> Iterator[Note]:
    """Say what given failures and checkpoints change of times that contain failures already."""
    given = [
        option for name, option in _GIVEN.items()
        if given_in(plan.assumptions, planning_default(name).name) is not None
    ]  # fmt: skip
    rows = [row for row in plan.rows if row.goodput is None]
    if not given or not rows:
        return
    usual = planning_default("failure_gpu_hours").value
    held = (
        "Times are those of whole published runs, which contain failures and checkpoints of about "
        f"one in {format_count(usual)} accelerator-hours"
    )
    worse = [row for row in rows if row.failure_share < _NO_LOSS]
    least = min(row.failure_share for row in rows)
    text = f"{held}: {', '.join(given)} changes times and costs here by less than half a percent."
    if worse:
        costs = ", ".join(
            f"{format_significant(1.0 / row.failure_share, 3)} times as long on {row.gpus:,}"
            for row in worse[:_FEW]
        )  # fmt: skip
        more = f" and on {len(worse) - _FEW:,} counts more" if len(worse) > _FEW else ""
        text = f"{held}. By {', '.join(given)} runs lose more than those: they take {costs}{more}."
    yield Note(
        id="FAILURES_IN_TIMES", severity="warning" if least < _GRAVE else "info", text=text,
        action="Give --mfu of single steps: all failures and checkpoints are then taken off it.",
        numbers=(("failure_share", least),),
        source="Daly 2006, A higher order estimate of the optimum checkpoint interval",
    )  # fmt: skip
