"""What is shown, before it is known how: the neutral view that tables and markdown are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scaleplan.units import format_count, format_significant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scaleplan.records import Assumption, Interval, Metric, Note

UNKNOWN = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Args:
        name: Its heading, with the unit where there is one.
        kind: Numbers are aligned to the right; they and names are never wrapped, text may be.
        rank: In a narrow terminal the columns of highest rank go first; 0 always stays.
    """

    name: str
    kind: Literal["text", "number", "name"] = "number"
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: as many cells in each row as there are columns."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names and values under one title."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A formula or a sentence under a title."""

    title: str
    text: str


Block = Table | Facts | Paragraph


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that one command shows."""

    title: str
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def assumptions_table(assumptions: tuple[Assumption, ...]) -> Table:
    """Return the table of what a result rests on."""
    return Table(
        title="Assumptions",
        columns=(
            Column(name="what", kind="text"),
            Column(name="value"),
            Column(name="unit", kind="text", rank=1),
            Column(name="source", kind="text", rank=2),
        ),
        rows=tuple((a.name, quantity(a.value), a.unit, a.source) for a in assumptions),
    )


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
    """Write a range, or a dash where neither end is known."""
    return UNKNOWN if low == high == UNKNOWN else f"{low} to {high}"


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
