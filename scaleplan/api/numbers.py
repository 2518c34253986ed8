"""Numbers as people write them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from scaleplan.errors import UsageError
from scaleplan.units import parse_count, parse_days, parse_fraction, parse_positive, parse_usd

Number = float | int | str


def number(value: Number) -> float:
    """Return a number above 0, written as 1e10 or `10B`."""
    return _read(parse_positive, value, "Write numbers as 1e10 or '10B'.")


def mfu(value: Number | None) -> float | None:
    """Return an MFU, a share above 0 and at most 1, written as 0.4 or `40%`, or None."""
    return (
        None
        if value is None
        else _read(parse_fraction, value, "Write a share as 0.4 or '40%'.", "mfu")
    )


def days(value: Number | None) -> float | None:
    """Return a time above 0 in days, written as 30, `30d`, `36h` or `2w`, or None."""
    return (
        None
        if value is None
        else _read(parse_days, value, "Write a time as 30, '30d', '36h'.", "days")
    )


def price(value: Number | None) -> float | None:
    """Return a price above 0 in US dollars an accelerator-hour, or None."""
    hint = "Write a price as 2.5 or '$2.5/h'; for hardware of your own, what an hour of it costs."
    return None if value is None else _read(parse_usd, value, hint, "price")


def target(value: Number | None) -> float | None:
    """Return a finite number of any sign, or None."""
    if value is None:
        return None
    found = _read(parse_count, value, "Give a finite number.", "target")
    if not math.isfinite(found):
        raise UsageError(f"a target of {value} is not allowed", hint="Give a finite number.")
    return found


def _read(parse: Callable[[float | str], float], value: Number, hint: str, name: str = "") -> float:
    """Return what a person wrote; anything that is no number is refused in the same words."""
    try:
        return parse(value)
    except ValueError as error:
        raise UsageError(f"{name}: {error}" if name else str(error), hint=hint) from None


def maybe(value: Number | None) -> float | None:
    """Return a number above 0, or None."""
    return None if value is None else number(value)


def numbers(values: Number | Iterable[Number]) -> list[float]:
    """Return one or several numbers as a list."""
    if isinstance(values, str | float | int):
        return [number(values)]
    return [number(value) for value in values]
