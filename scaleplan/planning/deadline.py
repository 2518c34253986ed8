"""Whether a plan meets a deadline, on the accelerators that were asked for."""

from __future__ import annotations

from scaleplan.errors import PlanError
from scaleplan.planning.answer_items import item_of
from scaleplan.planning.cluster_size import smallest_cluster
from scaleplan.planning.family import Model
from scaleplan.planning.wish import Machines
from scaleplan.records import Answer, Plan, PlanRow
from scaleplan.units import format_days

_ROUNDED_UP = 1.006  # so that what is shown with three digits is enough


def deadline_answer(
    plan: Plan, days: float, model: Model, cluster: Machines, *, binds: str | None = None
) -> Answer:
    """Say which rows meet a deadline: of the counts that were asked for, or of all if none were.

    Args:
        plan: A plan with its rows.
        days: The deadline.
        model: The model.
        cluster: What was asked for.
        binds: What keeps the model from being better, where it is not the time.

    Raises:
        PlanError: If none does.
    """
    asked = [row for row in plan.rows if not cluster.gpus or row.gpus in cluster.gpus]
    fitting = [row for row in asked if row.fits]
    meeting = [row for row in fitting if row.days <= days]
    if not meeting:
        raise _missed(plan, days, model, cluster, min(fitting or asked, key=lambda row: row.days))
    first = min(meeting, key=lambda row: row.gpus)
    surely = [row for row in meeting if row.days_high <= days]
    sure = min(surely, key=lambda row: row.gpus) if surely else None
    return Answer(
        id="deadline", title=f"Deadline of {format_days(days)}",
        items=(
            item_of("deadline", days, "days"),
            item_of("smallest cluster in time", first.gpus, "gpus"),
            item_of("accelerator", first.gpu),
            item_of("expected time", first.days, "days"),
            *(() if binds is None else (item_of("what binds", binds),)),
            item_of("time at the high end", first.days_high, "days"),
            item_of("smallest in time at the high end too", None if sure is None else sure.gpus,
                    "gpus"),
        ),
    )  # fmt: skip


def _missed(plan: Plan, days: float, model: Model, cluster: Machines, least: PlanRow) -> PlanError:
    """Say how late the fastest row is, and on how many accelerators it would be in time."""
    there = f"{least.gpus:,} x {least.gpu}"
    message = (
        f"the deadline of {format_days(days)} is missed: {there}, the fastest that were asked for, "
        f"take {format_days(least.days)}"
    )
    allow = f"Allow {format_days(_ROUNDED_UP * least.days)}"
    if not least.fits:
        message = f"the model does not fit in the memory of {there}"
        allow = "Take larger accelerators"
    (part,) = (one for one in plan.accelerators if one.id == least.gpu)
    try:
        enough = smallest_cluster(cluster.row_at(model, part), days, model, node=cluster.node)
    except PlanError as error:
        return PlanError(message, hint=f"{allow}; else {error.message}.")
    more = f"{enough.gpus:,} of them, which take {format_days(enough.days)}"
    return PlanError(message, hint=f"{allow}, or take {more}.")
