"""What there is to say about a table over sizes: the gap, its form, and whether a range exists."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.records import Note, SizePlan
from scaleplan.units import format_count, format_number_of, format_percent, format_significant

_REJECTED = 0.01  # p-value, as for the forms of laws


def size_notes(plan: SizePlan) -> Iterator[Note]:
    """Yield the notes on a table over sizes."""
    yield from _large(plan)
    yield from _impossible(plan)
    yield from _rejected(plan)
    yield from _flat(plan)
    if not plan.possible:
        yield Note(
            id="NO_GOOD_SIZE", severity="warning",
            text=f"No size is between underfit and overfit: below "
            f"{format_count(plan.params_low or 0.0)} parameters the model is too small, above "
            f"{format_count(plan.params_high or 0.0)} the gap passes the limit.",
            action="Collect more data, regularise more, or accept a larger gap with --max-gap.",
        )  # fmt: skip


def limit_text(plan: SizePlan) -> str:
    """Write the largest accepted gap with its unit."""
    if plan.max_gap_relative:
        return f"{format_percent(plan.max_gap, 2)} of {plan.metric.name}"
    return f"{format_significant(plan.max_gap)} {plan.metric.unit}"


def _large(plan: SizePlan) -> Iterator[Note]:
    found = [row.params for row in plan.rows if row.verdict.endswith("overfit")]
    if found:
        yield Note(
            id="GAP_LARGE", severity="warning",
            text=f"The gap between training and validation passes {limit_text(plan)} at "
            f"{', '.join(map(format_count, found[:4]))} parameters"
            + (f" and {format_number_of(len(found) - 4, 'larger size')}" if len(found) > 4 else "")
            + ": overfitting.",
            action="Take a smaller model, more data, or stronger regularisation.",
            numbers=(("params", found[0]), ("max_gap", plan.max_gap)),
        )  # fmt: skip


def _impossible(plan: SizePlan) -> Iterator[Note]:
    """Say where the law of the gap leaves the training value no room."""
    kind, name = plan.metric.kind, plan.metric.name
    found = []
    for row in plan.rows:
        if row.gap is None or kind == "score":
            continue
        if (row.value + row.gap > 1.0) if kind == "accuracy" else row.gap > row.value > 0.0:
            found.append(row.params)
    if found:
        sizes = format_count(min(found)) + (
            " parameters and more" if len(found) > 1 else " parameters"
        )
        end = "above 1" if kind == "accuracy" else "below 0"
        yield Note(
            id="GAP_IMPOSSIBLE", severity="warning",
            text=f"At {sizes} the gap is so large that {name} on the training data would be {end}: "
            "the power law of the gap does not hold there.",
            action="Read the gap nearer to the fitted sizes, or train a run of such a size.",
            numbers=(("params", min(found)),),
        )  # fmt: skip


def _rejected(plan: SizePlan) -> Iterator[Note]:
    gap = plan.gap
    if gap is None or gap.curvature_p is None or gap.curvature_p >= _REJECTED:
        return
    yield Note(
        id="GAP_FORM_REJECTED", severity="warning",
        text=f"The power law of the gap, {gap.formula}, is rejected by these runs: their gaps "
        f"curve in the logs (p = {gap.curvature_p:.2g}).",
        action="Read the gap inside the fitted sizes only.",
        numbers=(("p", gap.curvature_p),), source="F test of added squares of the logs",
    )  # fmt: skip


def _flat(plan: SizePlan) -> Iterator[Note]:
    gap = plan.gap
    if gap is None:
        return
    size = next((p for p in gap.parameters if p.symbol == "d"), None)
    if size is None or size.low is None or size.high is None or not size.low <= 0.0 <= size.high:
        return
    yield Note(
        id="GAP_FLAT", severity="info",
        text=f"The gap does not surely grow with size: its exponent is "
        f"{format_significant(size.value)} ({format_significant(size.low)} to "
        f"{format_significant(size.high)}).",
        action="Do not bound the size by it; log more sizes.",
        numbers=(("exponent", size.value), ("low", size.low), ("high", size.high)),
    )  # fmt: skip
