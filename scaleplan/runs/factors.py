"""What a column's name and unit say that its numbers are to be multiplied by."""

from __future__ import annotations

import math
import re

from scaleplan.runs.roles import (
    LETTERS,
    SCALED_ROLES,
    SUFFIXES,
    flop_factor,
    is_named,
    prefix_factor,
    spellings,
    suffix_factor,
    without_suffix,
)
from scaleplan.runs.text import split_unit, without_about, words
from scaleplan.units import parse_count

# Words in brackets that count nothing else.
_PLAIN = frozenset(
    {"", "#", "-", "count", "counts", "number", "total", "raw", "abs", "absolute", "embedding",
     "embeddings", "non", "nonembedding", "incl", "excl", "including", "excluding", "trainable",
     "active", "trained", "seen", "unique", "training", "train", "processed", "consumed", "all",
     "without", "with", "no", "and", "of", "in", "est", "estimated", "approx", "measured", "model",
     "theoretical", "n", "d", "c", "6nd", "s", "bpe", "subword", "subwords", "word", "words"}
)  # fmt: skip
_ABROAD = {"mio": 1e6, "mln": 1e6, "mill": 1e6, "mrd": 1e9, "mld": 1e9, "md": 1e9, "bln": 1e9}
_PREFIXES = {
    "kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p", "exa": "e", "zetta": "z",
    "yotta": "y",
}  # fmt: skip
_WRITTEN_OUT = re.compile(rf"({'|'.join(_PREFIXES)})[\s-]*(?=f(?:lops?)?\b|flops?)", re.IGNORECASE)
_TIMES = re.compile(r"^(?:in\b|[x×*·])\s*", re.IGNORECASE)
_PREFIX_ALONE = re.compile(r"[kmgtpezy]", re.IGNORECASE)
# What a number can be made of, up to the suffix that says what it counts.
_DIGITS = re.compile(r"^[+-]?[\d.,'_\s]*(?:[eE][+-]?\d+)?")


def factor(role: str, column: str) -> float:
    """Return what the name says that numbers are to be multiplied by: `params_m`, `tokens (B)`."""
    name, unit = split_unit(column)
    if role == "flops":
        for spelling in spellings(column):
            if flop_factor(spelling) != 1.0:
                return flop_factor(spelling)
    for spelling in spellings(column):
        prefixed = prefix_factor(role, spelling)
        if prefixed is not None:
            return prefixed
    # `flops_B` may be the cost of one image, and is not found by its name: who gives it means it.
    scaled = role in SCALED_ROLES or role == "flops"
    if scaled and not _stands_alone(role, name):
        return suffix_factor(words(name)[-1]) or 1.0
    if unit and (role in SCALED_ROLES or role == "flops"):
        return unit_factor(unit, role)
    return 1.0


def unit_factor(unit: str, role: str = "") -> float:
    """Return how many of the thing one unit is: `1e8 params`, `millions`, `PFLOP-days`; else 1."""
    found = _read(unit, role)
    return 1.0 if found is None else found


def unknown_unit(role: str, column: str) -> str:
    """Return the unit in a column's name that says a size nobody knows; empty if there is none."""
    unit = split_unit(column)[1]
    counted = role in SCALED_ROLES or role == "flops"
    return unit if counted and unit and _read(unit, role) is None else ""


def has_own_scale(cell: str) -> bool:
    """Tell whether a cell says itself what it counts, as 350M and 3 x 10^8 do and 1,500 does not.

    Args:
        cell: The text of a number.
    """
    return _DIGITS.sub("", without_about(cell).strip(), count=1).strip() != ""


def _stands_alone(role: str, name: str) -> bool:
    """Tell whether a name is that of a role without a suffix at its end."""
    return is_named(role, name) or name in LETTERS or not is_named(role, without_suffix(name))


def _read(unit: str, role: str) -> float | None:
    """Return what a unit counts, None if it is not understood."""
    whole = _TIMES.sub("", unit.strip())
    for part in (whole, *re.split(r"[,;/|]\s+|,", whole)):
        found = _number(_TIMES.sub("", part.strip()), role)
        if found is not None:
            return found
    return 1.0 if all(word in _PLAIN for word in words(whole)) else None


def _number(text: str, role: str) -> float | None:
    plain = _WRITTEN_OUT.sub(lambda match: _PREFIXES[match.group(1).lower()], text)
    if plain.casefold() in _ABROAD:
        return _ABROAD[plain.casefold()]
    if role == "flops" and _PREFIX_ALONE.fullmatch(plain):
        plain = f"{plain}FLOP"
    for written in (plain, f"1 {plain}"):
        try:
            value = SUFFIXES.get(written.casefold()) or parse_count(written)
        except (ValueError, OverflowError):
            continue
        if 0.0 < value < math.inf:
            return value
    return None
