"""Where axes have their ticks, and how the number at one is written."""

from __future__ import annotations

import math
from collections.abc import Sequence

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_NARROW = 4.0  # an axis of logs that spans less than this factor has ticks at even steps
_FEWEST = 3
_DIGITS, _MOST_DIGITS = 4, 16  # of the numbers at ticks
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def ticks_between(low: float, high: float, *, log: bool, most: int) -> tuple[float, ...]:
    """Return round numbers from `low` to `high`, at least one and about `most` of them.

    Args:
        low: Lower end of the axis, positive for logs.
        high: Upper end, above `low`.
        log: Whether the axis is one of logs.
        most: How many there is room for.
    """
    powers = _powers(low, high, most) if log and high / low >= _NARROW else ()
    return powers if len(powers) >= _FEWEST else _even(low, high, most)


def _powers(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return powers of ten, with 2 and 5 or 3 times them where there is room."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    found = [10.0**power for power in range(first, last + 1)]
    if len(found) > most:
        return tuple(found[:: -(-len(found) // most)])
    for parts in ((1.0, 2.0, 5.0), (1.0, 3.0)):
        finer = [
            part * 10.0**power for power in range(first - 1, last + 1) for part in parts
            if low * (1.0 - 1e-9) <= part * 10.0**power <= high * (1.0 + 1e-9)
        ]  # fmt: skip
        if len(finer) <= most:
            return tuple(finer)
    return tuple(found)


def _even(low: float, high: float, most: int) -> tuple[float, ...]:
    rough = (high - low) / max(1, most - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * part for part in _STEPS if size * part >= rough * (1.0 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(step * k for k in range(first, last + 1)) or (low,)


def labels_of(values: Sequence[float], *, powers: bool) -> dict[float, str]:
    """Return what is written at ticks, with as many digits as tell them apart.

    Args:
        values: Where the ticks are.
        powers: Whether they are amounts of compute, written as powers of ten.
    """
    shown = {value: (power if powers else tick)(value) for value in values}
    for digits in range(_DIGITS + 1, _MOST_DIGITS):
        if len(set(shown.values())) == len(shown):
            break
        shown = {value: f"{value:.{digits}g}" for value in values}
    return shown


def power(value: float) -> str:
    """Write compute at a tick, as people do: 1e21."""
    return _scientific(value) if value >= 1e4 else f"{value:.4g}"


def tick(value: float) -> str:
    """Write the number at a tick: 10M, 1e21, 0.5."""
    if abs(value) >= 1e15:
        return _scientific(value)
    for size, suffix in _SUFFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}"


def _scientific(value: float) -> str:
    number, _, exponent = f"{value:.1e}".partition("e")
    return f"{number.removesuffix('.0')}e{int(exponent)}"
