"""Numbers as people write them."""

from __future__ import annotations

from collections.abc import Iterable

from scaleplan.errors import UsageError
from scaleplan.units import parse_positive

Number = float | int | str


def number(value: Number) -> float:
    """Return a number above 0, written as 1e10 or `10B`."""
    try:
        return parse_positive(value)
    except ValueError as error:
        raise UsageError(str(error), hint="Write numbers as 1e10 or '10B'.") from None


def maybe(value: Number | None) -> float | None:
    """Return a number above 0, or None."""
    return None if value is None else number(value)


def numbers(values: Number | Iterable[Number]) -> list[float]:
    """Return one or several numbers as a list."""
    if isinstance(values, str | float | int):
        return [number(values)]
    return [number(value) for value in values]
