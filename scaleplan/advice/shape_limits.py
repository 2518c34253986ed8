"""What a model's shape says about 6ND."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaleplan.catalog import planning_default
from scaleplan.records import Note, Plan
from scaleplan.units import format_percent, format_significant

# 6ND is kept up to here: Hoffmann et al. 2022, appendix F, table A4 finds up to 10% for the sizes
# that they trained.
_TOLERATED = 0.10
# Tokens a sequence where nobody says how many: of a shape and a length that are both assumed the
# note stays a note.
_USUAL_LENGTH = 4096


def far_from_6nd(plan: Plan) -> Iterator[Note]:
    """Say when attention, or tables that are not multiplied, make 6ND a poor count."""
    shape = plan.shape
    if shape is None or shape.accounting != "6nd":
        return
    counted = next(found for found in shape.flops if found.accounting == "causal")
    away = counted.over_6nd - 1.0
    if max(abs(away), shape.attention_share) <= _TOLERATED:
        return
    # Beyond the band of the time it is no fine point of accounting: the times are wrong.
    high = planning_default("time_band_high").value
    beyond = counted.over_6nd > high
    beyond &= shape.asked_params is None or shape.sequence_length > _USUAL_LENGTH
    told = " Times and costs here rest on 6ND, and are as much too low." if beyond else ""
    yield Note(
        id="FLOPS_BEYOND_6ND", severity="warning" if beyond else "info",
        text=f"Every product of this shape is {format_significant(counted.over_6nd, 3)} x 6ND at "
        f"{shape.sequence_length} tokens a sequence; attention scores alone are "
        f"{format_percent(shape.attention_share, 2)} of it.{told}",
        action="--flop-count causal plans with that; published MFU figures mostly rest on 6ND.",
        numbers=(("over_6nd", counted.over_6nd), ("attention_share", shape.attention_share)),
        source="Hoffmann et al. 2022, arXiv 2203.15556, appendix F",
    )  # fmt: skip


SHAPE_RULES: tuple[Callable[[Plan], Iterator[Note]], ...] = (far_from_6nd,)
