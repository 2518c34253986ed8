"""What is shown, before it is known how: the neutral view that tables and markdown are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scaleplan.records.base import Record
from scaleplan.units import format_count, format_flops, format_significant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scaleplan.records import Assumption, Interval, Metric, Note, Range

UNKNOWN = "–"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Column(Record):
    """One column of a table.

    Args:
        name: Its heading, with the unit where there is one.
        kind: Numbers are aligned to the right; they and names are never wrapped, text may be.
        rank: In a narrow terminal the columns of highest rank go first; 0 always stays.
    """

    name: str
    kind: Literal["text", "number", "name"] = "number"
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Table(Record):
    """A table: as many cells in each row as there are columns."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Facts(Record):
    """Names and values under one title."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Paragraph(Record):
    """A formula or a sentence under a title."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Listing(Record):
    """Many short lines under a title, each a name and what belongs to it."""

    title: str
    lines: tuple[tuple[str, str], ...]


Block = Table | Facts | Paragraph | Listing


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class View(Record):
    """All that one command shows."""

    title: str
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def assumptions_lists(assumptions: tuple[Assumption, ...]) -> tuple[Listing, Listing]:
    """Return what a result rests on, and the numbered sources, each of which serves many lines."""
    named = dict.fromkeys(a.source for a in assumptions if a.source)
    sources = {source: str(i) for i, source in enumerate(named, start=1)}
    lines = []
    for assumption in assumptions:
        value = f"{stated(assumption.value)} {assumption.unit}".rstrip()
        where = f" [{sources[assumption.source]}]" if assumption.source else ""
        lines.append((f"{assumption.name}:", value + where))
    listed = tuple((f"[{number}]", source) for source, number in sources.items())
    return (
        Listing(title="Assumptions", lines=tuple(lines)),
        Listing(title="Sources of the assumptions", lines=listed),
    )


_SUFFIXED, _WHOLE = 1e6, 1e8  # larger ones have a suffix; counts beyond are of data, not chosen


def stated(value: float | str) -> str:
    """Write a value that somebody stated: without the zeros that would claim precision.

    Whole numbers such as 32768 or 4,194,304 stand as they are, where three digits would round them.
    """
    if not isinstance(value, str) and abs(value) < _WHOLE and value == int(value):
        rounded = float(f"{value:.2e}") == value
        if abs(value) < _SUFFIXED or not rounded:
            return f"{int(value)}" if abs(value) < _SUFFIXED else f"{int(value):,}"
    if isinstance(value, str) or abs(value) >= 1e6:
        return quantity(value)
    text = format_significant(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def quantity(value: float | str) -> str:
    """Write a value of unknown unit: large numbers with the suffix of their size."""
    if isinstance(value, str):
        return value
    return format_count(value) if abs(value) >= 1e6 else format_significant(value)


def number(value: float | None) -> str:
    """Write a number with four significant digits, or a dash where it is not known."""
    return UNKNOWN if value is None else format_significant(value)


def count(value: float | None) -> str:
    """Write a count with the suffix of its size, or a dash where it is not known."""
    return UNKNOWN if value is None else format_count(value)


def band(low: str, high: str) -> str:
    """Write a range; where both ends read the same, or are not known, once is enough."""
    return low if low == high else f"{low} to {high}"


def ranges_text(ranges: Iterable[Range]) -> str:
    """Write the range of each input; compute as powers of ten."""
    parts = []
    for one in ranges:
        write = format_flops if one.role == "flops" else format_count
        parts.append(f"{one.role} {band(write(one.low), write(one.high))}")
    return ", ".join(parts)


def level_text(interval: Interval | None) -> str:
    """Write the level of an interval: 90%."""
    return "interval" if interval is None else f"{100.0 * interval.level:g}%"


def interval_text(interval: Interval | None) -> str:
    """Say how an interval was made."""
    if interval is None:
        return "no interval is known"
    return f"{level_text(interval)} interval: {interval.method} (n = {interval.n})"


def metric_text(metric: Metric) -> str:
    """Write the metric with its unit."""
    return f"{metric.name}, {metric.unit}" if metric.unit else metric.name


def sentences(note: Note) -> str:
    """Return the text of a note and what to do about it, as sentences."""
    text = note.text if note.text.endswith((".", "!", "?")) else f"{note.text}."
    return f"{text} {note.action}".strip()


def pairs_of(pairs: Iterable[tuple[str, str | None]]) -> tuple[tuple[str, str], ...]:
    """Leave out the facts that have no value."""
    return tuple((name, value) for name, value in pairs if value)
