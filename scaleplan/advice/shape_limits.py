"""What a model's shape says about 6ND."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaleplan.catalog import planning_default
from scaleplan.planning.attention import attention_growth
from scaleplan.planning.shape import memory_shape
from scaleplan.records import Note, Plan
from scaleplan.records.shapes import ModelShape
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
    causal, counted = (
        next(found for found in shape.flops if found.accounting == name)
        for name in ("causal", "full")
    )
    if max(abs(causal.over_6nd - 1.0), shape.attention_share) <= _TOLERATED:
        return
    measured = any(row.goodput is not None for row in plan.rows)
    told = _told(plan, shape, measured=measured)
    # Beyond the band of the time it is no fine point of accounting.
    beyond = counted.over_6nd > planning_default("time_band_high").value
    beyond &= shape.asked_params is None or shape.sequence_length > _USUAL_LENGTH
    yield Note(
        id="FLOPS_BEYOND_6ND", severity="warning" if beyond else "info",
        text=f"Every product of this shape, with the full matrix of attention scores, is "
        f"{format_significant(counted.over_6nd, 3)} x 6ND at {shape.sequence_length} tokens a "
        f"sequence; the half of the scores that is not masked is "
        f"{format_percent(shape.attention_share, 2)} of 6ND. {told}",
        action="--flop-count full counts them all.",
        numbers=(("over_6nd", counted.over_6nd), ("attention_share", shape.attention_share)),
        source="Hoffmann et al. 2022, arXiv 2203.15556, appendix F; "
        "tests/benchmark/long_sequences.py",
    )  # fmt: skip


def _told(plan: Plan, shape: ModelShape, *, measured: bool) -> str:
    """Return what times and costs rest on."""
    if measured:
        return (
            "Times and costs rest on your --mfu as one of 6ND: measure it at this length, or give "
            "--flop-count as it was counted."
        )
    growth = attention_growth(
        memory_shape(shape.transformer, origin=shape.origin), active_params=plan.active_params,
        sequence_length=shape.sequence_length,
    )  # fmt: skip
    usual = planning_default("attention_length").value
    return (
        "FLOP and MFU are shown by 6ND; times and costs count attention, which makes a token "
        f"{format_significant(growth, 3)} times as long as at {usual:,.0f} tokens."
    )


SHAPE_RULES: tuple[Callable[[Plan], Iterator[Note]], ...] = (far_from_6nd,)
