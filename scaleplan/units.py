"""Text to quantity and back: every number that a person types or reads goes through here.

Parsers raise `ValueError` with a sentence that says what was found and what is allowed; the caller
knows whether it came from an option or from line 7 of a file.
"""

from __future__ import annotations

import math
import re

# Short-scale suffixes as the field writes them: 125m and 125M are both millions, 7b is billions.
_COUNT_SUFFIXES = {
    "": 1.0,
    "k": 1e3, "thousand": 1e3,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mil": 1e6, "million": 1e6,
    "b": 1e9, "g": 1e9, "bn": 1e9, "bil": 1e9, "billion": 1e9,
    "t": 1e12, "tn": 1e12, "trillion": 1e12,
}  # fmt: skip
# Larger prefixes only before FLOP: a bare "1e" is a number cut off, not an exa.
_FLOP_PREFIXES = {
    "": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24,
}  # fmt: skip
# Words that say what is counted and change nothing.
_COUNT_UNITS = re.compile(
    r"(?:non[-_ ]?embedding|trainable|active|total)?\s*"
    r"(?:param(?:eter)?s?|weights?|tokens?|toks?|bytes?|samples?|examples?|images?|steps?"
    r"|interactions?|flops?|flop|nats?|bits?|gpus?|usd)"
    r"(?:\s*/\s*(?:token|tok|byte|char))?$",
    re.IGNORECASE,
)
# "1e21 PFLOPs"-like units multiply; a PFLOP/s-day (Kaplan 2020) is 1e15 * 86400 FLOP.
_FLOP_DAYS = re.compile(r"(k|m|g|t|p|e|z)?f(?:lops?)?(?:/?s)?[-_ ]?(?:days?|d)$", re.IGNORECASE)
_FLOP_UNITS = re.compile(r"(k|m|g|t|p|e|z|y)flops?$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
# By thousands, and as in India by hundreds above them: 12,34,567.
_GROUPED = re.compile(
    r"^[+-]?(?:\d{1,3}(?:([,' \u00a0\u202f\u2009\u2019_])\d{3})(?:\1\d{3})*"
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?![\d,]))(?:\.\d+)?"
)
_POWER_OF_TEN = re.compile(
    r"^([+-]?\d+(?:\.\d+)?)?\s*[x×*·]?\s*10\s*(?:\^|\*\*)\s*\(?([+-]?\d+)\)?"
)
# Superscripts as people paste them from papers: 10²¹.
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_DURATIONS = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "w": 604800.0, "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip
_GIB = 2.0**30
_BYTES = {
    "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
    "kib": 2.0**10, "mib": 2.0**20, "gib": _GIB, "tib": 2.0**40, "pib": 2.0**50,
}  # fmt: skip
_LONGEST = 64  # characters; nothing that is a number is longer


def parse_count(text: str | float) -> float:
    """Read a count such as `1e10`, `10B`, `10_000_000_000`, `1,234`, `3 x 10^21` or `2 PFLOP-days`.

    Args:
        text: What was typed, or a number, which is returned as it is.

    Returns:
        The number in base units (parameters, tokens, FLOP, nats ...); NaN for the text `nan`.

    Raises:
        ValueError: If the text is not one number with a known suffix or unit.
    """
    if isinstance(text, int | float):
        return float(text)
    shown = text.strip()
    if not shown:
        message = "an empty text is not a number"
        raise ValueError(message)
    if len(shown) > _LONGEST:
        message = f"{shown[:20]!r}... is too long to be a number"
        raise ValueError(message)
    number, rest = _leading_number(shown)
    return number * _multiplier(rest, shown)


def _leading_number(shown: str) -> tuple[float, str]:
    """Split `shown` into its number and what follows it."""
    if shown.lower() in {"nan", "inf", "+inf", "-inf", "infinity", "-infinity"}:
        return float(shown), ""
    grouped = _GROUPED.match(shown)
    # 10_000_000_000, 1,234,567 and 1 234 567: separators only where they group.
    if grouped and not shown[grouped.end() : grouped.end() + 1].isdigit():
        digits = re.sub(r"[,' \u00a0\u202f\u2009\u2019_]", "", grouped.group())
        tail = shown[grouped.end() :]
        exponent = re.match(r"[eE][+-]?\d+", tail)
        if exponent:
            return float(digits + exponent.group()), tail[exponent.end() :].strip()
        return float(digits), tail.strip()
    power = _POWER_OF_TEN.match(_plain_powers(shown))
    if power:
        plain = _plain_powers(shown)
        mantissa = float(power.group(1) or 1.0)
        return mantissa * _power_of_ten(int(power.group(2)), shown), plain[power.end() :].strip()
    match = _NUMBER.match(shown.replace("_", ""))
    if match is None:
        message = f"{shown!r} is not a number"
        raise ValueError(message)
    return float(match.group()), shown.replace("_", "")[match.end() :].strip()


def _plain_powers(shown: str) -> str:
    """Write `10²¹` as `10^21`."""
    return re.sub(
        r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda m: "10^" + m.group(1).translate(_SUPERSCRIPTS), shown
    )


def _power_of_ten(exponent: int, shown: str) -> float:
    if abs(exponent) > 300:  # float range, and no quantity of the field
        message = f"{shown!r} is out of range"
        raise ValueError(message)
    return 10.0**exponent


def _multiplier(rest: str, shown: str) -> float:
    """Return the factor that a suffix or unit stands for."""
    lower = rest.lower().strip()
    if lower in _COUNT_SUFFIXES:
        return _COUNT_SUFFIXES[lower]
    days = _FLOP_DAYS.fullmatch(lower.replace(" ", ""))
    if days:
        return _FLOP_PREFIXES[days.group(1) or ""] * 86400.0
    scaled = _FLOP_UNITS.fullmatch(lower.replace(" ", ""))
    if scaled:
        return _FLOP_PREFIXES[scaled.group(1)]
    unit = _COUNT_UNITS.search(lower)
    if unit:
        suffix = lower[: unit.start()].strip(" -_")
        if suffix in _COUNT_SUFFIXES:
            return _COUNT_SUFFIXES[suffix]
    message = f"{shown!r} is not a number with a known suffix (K, M, B, T; for example 10B or 1e10)"
    raise ValueError(message)


def parse_positive(text: str | float) -> float:
    """Read a count that must be finite and above zero.

    Raises:
        ValueError: If it is not.
    """
    value = parse_count(text)
    if not math.isfinite(value) or value <= 0.0:
        message = f"{text} is not allowed; it must be a finite number above 0"
        raise ValueError(message)
    return value


def parse_fraction(text: str | float) -> float:
    """Read a share such as `0.4` or `40%`; it must lie above 0 and at most at 1.

    Raises:
        ValueError: If it does not.
    """
    shown = str(text).strip()
    percent = shown.endswith("%")
    value = parse_count(shown.removesuffix("%")) / (100.0 if percent else 1.0)
    if not 0.0 < value <= 1.0:
        message = f"{shown} is not allowed; it must be above 0 and at most 1 (or 100%)"
        raise ValueError(message)
    return value


def parse_days(text: str | float) -> float:
    """Read a duration in days: `30`, `30d`, `36h`, `2w`, `90min`.

    Raises:
        ValueError: If it is not a positive duration.
    """
    shown = str(text).strip().lower()
    match = re.fullmatch(r"([0-9.eE+_-]+?)\s*([a-z]*)", shown)
    if match is None or (match.group(2) and match.group(2) not in _DURATIONS):
        message = f"{text!r} is not a duration (for example 30, 30d, 36h, 2w)"
        raise ValueError(message)
    return parse_positive(match.group(1)) * _DURATIONS[match.group(2) or "d"] / _DURATIONS["d"]


def parse_gib(text: str | float) -> float:
    """Read an amount of memory in GiB: `80`, `80GiB`, `80GB` (1e9 bytes each).

    Raises:
        ValueError: If it is not a positive amount.
    """
    shown = str(text).strip().lower()
    match = re.fullmatch(r"([0-9.e+_]+?)\s*([kmgtp]?i?b)?", shown)
    if match is None or (match.group(2) and match.group(2) not in _BYTES):
        message = f"{text!r} is not an amount of memory (for example 80GiB)"
        raise ValueError(message)
    return parse_positive(match.group(1)) * _BYTES[match.group(2) or "gib"] / _GIB


def parse_usd(text: str | float) -> float:
    """Read an amount in US dollars: `2.5`, `$2.50`, `$2.5/h`, `1M`.

    Raises:
        ValueError: If it is not a positive amount.
    """
    shown = str(text).strip().lower().removeprefix("$").removesuffix("usd")
    return parse_positive(re.sub(r"\s*(?:/|per)\s*(?:gpu[- ]?)?(?:h|hr|hour)$", "", shown).strip())


def format_significant(value: float | None, digits: int = 4) -> str:
    """Write a number with `digits` significant digits, without exponent between 1e-4 and 1e6."""
    if value is None or not math.isfinite(value):
        return "–" if value is None or math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == 0.0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -5 < exponent < 6:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(power)}"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{decimals}f}"


def format_count(value: float | None, digits: int = 3) -> str:
    """Write a count with the suffix of its size: 73.0B, 1.34T; exponents beyond 1e15."""
    if value is None or not math.isfinite(value):
        return format_significant(value, digits)
    size = abs(float(f"{value:.{digits - 1}e}"))
    for suffix, factor in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e4)):
        if factor <= size < 1e15:
            unit = 1e3 if suffix == "K" else factor
            return format_significant(value / unit, digits) + suffix
    if size >= 1e15:
        return format_flops(value, digits)
    if value == int(value):
        return str(int(value))
    return format_significant(value, digits)


def format_number_of(count: int, noun: str) -> str:
    """Write how many of something there are: 1 run, 2 runs.

    Args:
        count: How many.
        noun: What, in the singular.
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_flops(value: float | None, digits: int = 3) -> str:
    """Write a number of floating-point operations: 5.76e23."""
    if value is None or not math.isfinite(value):
        return format_significant(value, digits)
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def format_days(days: float | None) -> str:
    """Write a duration in the unit a person would use: 34.2 d, 5.1 h, 12 min, 3.2 y."""
    if days is None or not math.isfinite(days):
        return format_significant(days)
    for unit, size in (("y", 365.25), ("d", 1.0), ("h", 1 / 24), ("min", 1 / 1440)):
        # Below two years days are what people plan in.
        if days >= (2 * size if unit == "y" else size):
            return f"{format_significant(days / size, 3)} {unit}"
    return f"{format_significant(days * 86400.0, 3)} s"


def format_usd(value: float | None) -> str:
    """Write an amount in US dollars: $1.23M, $45,600, $12.30; below a cent $0.0012."""
    if value is None or not math.isfinite(value):
        return format_significant(value)
    if abs(value) >= 1e6:
        return "$" + format_count(value)
    if abs(value) >= 100:
        return f"${float(f'{value:.3g}'):,.0f}"
    if 0.0 < abs(value) < 0.01:
        return "$" + format_significant(value, 2)
    return f"${value:.2f}"


def format_percent(share: float | None, digits: int = 3) -> str:
    """Write a share as a percentage: 0.365 is 36.5%."""
    return format_significant(None if share is None else 100.0 * share, digits) + (
        "%" if share is not None and math.isfinite(share) else ""
    )


def format_energy(kwh: float | None) -> str:
    """Write an energy: 12.3 kWh, 4.56 MWh, 1.20 GWh."""
    if kwh is None or not math.isfinite(kwh):
        return format_significant(kwh)
    for unit, size in (("GWh", 1e6), ("MWh", 1e3)):
        if kwh >= size:
            return f"{format_significant(kwh / size, 3)} {unit}"
    return f"{format_significant(kwh, 3)} kWh"
