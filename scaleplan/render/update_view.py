"""What is shown of an update: the old fit's forecasts, and what changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, fit_document, head, tail
from scaleplan.render.view import (
    UNKNOWN,
    Block,
    Column,
    Facts,
    Table,
    View,
    count,
    interval_text,
    level_text,
    metric_text,
    number,
    pairs_of,
    quantity,
)
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.records import Change, FitUpdate


def update_view(update: FitUpdate) -> View:
    """Return what `scaleplan fit --update` shows."""
    blocks: list[Block] = [*reading_blocks(update.cleaning), _verdict(update), _runs(update)]
    if update.changes:
        blocks.append(_changes(update))
    return View(
        title=f"scaleplan fit --update: {metric_text(update.metric)}, {update.fit_name}",
        blocks=tuple(blocks), notes=update.notes, assumptions=update.assumptions,
    )  # fmt: skip


def _verdict(update: FitUpdate) -> Facts:
    level = level_text(update.interval)
    inside = None
    if update.inside is not None and update.p is not None:
        inside = (
            f"{update.inside} of {len(update.runs)}; p = {update.p:.2g} of so few if they were "
            "independent"
        )
    new = f"{len(update.runs)}"
    if update.among_old:
        new += f"; {update.among_old} more in these logs are among the old runs, and not judged"
    return Facts(
        title="The old law and the new runs",
        pairs=pairs_of(
            (
                ("new runs", new),
                ("the law", update.verdict),
                (f"inside the {level} interval", inside),
                ("law before", update.law_before),
                ("law now", update.law_after),
                ("why", update.law_reason),
                ("formula now", None if update.fit is None else update.fit.formula),
            )
        ),
    )


def _runs(update: FitUpdate) -> Table:
    level = level_text(update.interval)
    roles = [role for role, _ in update.runs[0].inputs]
    return Table(
        title="What the old fit predicted for them",
        columns=(
            Column(name="run", kind="name"),
            *(Column(name=role, rank=2) for role in roles),
            Column(name=update.metric.name),
            Column(name="predicted"),
            Column(name=f"{level} low"),
            Column(name=f"{level} high"),
            Column(name="z"),
            Column(name="inside", kind="name"),
            Column(name="decades beyond", rank=1),
        ),
        rows=tuple(
            (
                run.name,
                *(quantity(value) for _, value in run.inputs),
                number(run.observed),
                number(run.predicted),
                number(run.low),
                number(run.high),
                UNKNOWN if run.z is None else f"{run.z:+.2f}",
                UNKNOWN if run.inside is None else ("yes" if run.inside else "no"),
                format_significant(run.decades_beyond_data, 2),
            )
            for run in update.runs
        ),
        footer=f"z: observed less the middle of the interval, in its standard deviations; "
        f"{interval_text(update.interval)}",
    )


def _changes(update: FitUpdate) -> Table:
    before = after = "interval"
    known = update.fit.interval if update.fit is not None else None
    if known is not None and known.level != update.level:
        # The old fit keeps its own level: two different ones are not read as one.
        before, after = f"{100.0 * update.level:g}% interval", f"{level_text(known)} interval"
    return Table(
        title="What changed",
        columns=(
            Column(name="", kind="name"),
            Column(name="before"),
            Column(name="now"),
            Column(name=f"{before} before", kind="name", rank=1),
            Column(name=f"{after} now", kind="name", rank=1),
        ),
        rows=tuple(
            (
                change.name,
                _value(change, change.before),
                _value(change, change.after),
                _interval(change.low_before, change.high_before),
                _interval(change.low_after, change.high_after),
            )
            for change in update.changes
        ),
    )


def _value(change: Change, value: float | None) -> str:
    return count(value) if change.unit in {"params", "tokens"} else number(value)


def _interval(low: float | None, high: float | None) -> str:
    return UNKNOWN if low is None and high is None else f"{number(low)} to {number(high)}"


def update_document(update: FitUpdate) -> dict[str, Any]:
    """Return `scaleplan.update/1`."""
    return {
        **head("update", "fit"),
        "fit_before": update.fit_name,
        "metric": asdict(update.metric),
        "verdict": update.verdict,
        "calibration": {
            "inside": update.inside, "runs": len(update.runs), "level": update.level,
            "p": update.p,
        },
        "runs": [{**asdict(run), "inputs": dict(run.inputs)} for run in update.runs],
        "law_before": update.law_before,
        "law_after": update.law_after or None,
        "law_reason": update.law_reason,
        "cleaning": cleaning_document(update.cleaning),
        "among_old": update.among_old,
        "changes": [asdict(change) for change in update.changes],
        "fit": fit_document(update.fit) if update.fit is not None else None,
        "interval": asdict(update.interval) if update.interval is not None else None,
        **tail(update.assumptions, update.notes),
    }  # fmt: skip
