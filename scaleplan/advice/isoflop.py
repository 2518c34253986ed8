"""What isoFLOP minima say for or against the fitted law."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.records import AllocationApproach, Fit, Note
from scaleplan.units import format_count, format_flops, format_percent

# Approach 2 has a bias of a few per cent by construction and up to 15% is ordinary between the two
# (own simulation; Llama 3 and Hoffmann et al. 2022).
_DIFFER = 0.15
_NAMED = 4


def unplaced_minima(fit: Fit) -> Iterator[Note]:
    """Say at which budgets a sweep does not bracket its minimum."""
    for status, id_, what, action in (
        (
            "edge", "ISOFLOP_EDGE",
            "have their best run at the smallest or largest size",
            "Train sizes beyond the edge at that budget; the optimum lies there or further out.",
        ),
        (
            "maximum", "ISOFLOP_MAXIMUM", "bend the wrong way: a maximum, no minimum",
            "Check these runs for divergence or settings that differ between sizes.",
        ),
        (
            "few sizes", "ISOFLOP_FEW_SIZES", "hold fewer than three sizes",
            "Train at least three sizes at each budget.",
        ),
    ):  # fmt: skip
        budgets = [m.budget_flops for m in fit.isoflop if m.status == status]
        if not budgets:
            continue
        shown = ", ".join(format_flops(c) for c in budgets[:_NAMED])
        more = f" and {len(budgets) - _NAMED} more" if len(budgets) > _NAMED else ""
        yield Note(
            id=id_, severity="info",
            text=f"IsoFLOP cross-check: {len(budgets)} of {len(fit.isoflop)} budgets {what} "
            f"({shown}{more} FLOP); left out of Approach 2.",
            action=action, numbers=(("budgets", float(len(budgets))),),
            source="Hoffmann et al. 2022, arXiv 2203.15556, section 3.2",
        )  # fmt: skip


def approaches_differ(fit: Fit) -> Iterator[Note]:
    """Warn where the minima and the fitted law recommend different sizes."""
    by_number = {a.approach: a for a in fit.approaches}
    if 2 not in by_number or 3 not in by_number:
        return
    second, third = by_number[2], by_number[3]
    # Beyond the data a small difference of exponents grows without end: it counts there only if
    # their intervals leave no room for it.
    inside = len(second.sizes) > 1 and _overlap(second, third)
    apart = [
        (two.flops, two.params, three.params)
        for two, three in zip(second.sizes, third.sizes, strict=True)
        if max(two.params / three.params, three.params / two.params) - 1.0 > _DIFFER
        and not (inside and two is second.sizes[-1])
    ]
    if not apart:
        return
    said = "; ".join(
        f"at {format_flops(c)} FLOP {format_count(two)} against {format_count(three)} parameters "
        f"({format_percent(two / three - 1.0, 2)})"
        for c, two, three in apart
    )
    largest = apart[-1]
    yield Note(
        id="APPROACHES_DIFFER", severity="warning",
        text=f"IsoFLOP minima (Approach 2) and the fitted law (Approach 3) disagree: {said}. N* "
        f"grows as C^{_exponent(second)} and C^{_exponent(third)}.",
        action="Take the spread as the uncertainty of N*; neither is right by construction. A "
        "parabola is biased where the exponents differ, a law where its form is wrong.",
        numbers=(
            ("at_flops", largest[0]), ("params_approach_2", largest[1]),
            ("params_approach_3", largest[2]),
        ), source="Hoffmann et al. 2022, arXiv 2203.15556, section 3; arXiv 2603.22339",
    )  # fmt: skip


def _overlap(one: AllocationApproach, other: AllocationApproach) -> bool:
    """Tell whether the intervals of both exponents of N* share a value; unknown ones do not."""
    if one.params_exponent_low is None or one.params_exponent_high is None:
        return False
    if other.params_exponent_low is None or other.params_exponent_high is None:
        return False
    return (
        one.params_exponent_low <= other.params_exponent_high
        and other.params_exponent_low <= one.params_exponent_high
    )


def _exponent(one: AllocationApproach) -> str:
    low, high = one.params_exponent_low, one.params_exponent_high
    if low is None or high is None:
        return f"{one.params_exponent:.3f}"
    return f"{one.params_exponent:.3f} ({low:.3f} to {high:.3f})"


ISOFLOP_RULES = (unplaced_minima, approaches_differ)
