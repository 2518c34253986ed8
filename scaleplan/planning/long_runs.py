"""Trainings that last longer than methods and hardware stay the same."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.records import Note
from scaleplan.units import format_days

_LONGEST_DAYS = 365.0  # a convention


def lasting(days: float) -> Iterator[Note]:
    """Say when even the fastest row of a plan takes more than a year.

    Args:
        days: How long it takes.
    """
    if days > _LONGEST_DAYS:
        yield Note(
            id="LONGER_THAN_A_YEAR", severity="warning",
            text=f"The fastest row takes {format_days(days)}.",
            action="Use more accelerators or a smaller model; hardware and methods change faster.",
            numbers=(("days", days),),
        )  # fmt: skip
