"""Rows that sum up the rows above them, as spreadsheets have them: an average is no run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from scaleplan.records import Note, RowNote
from scaleplan.runs.raw_table import RawTable
from scaleplan.runs.statistic_names import Statistic, is_surely_statistic, statistic
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.runs.text import shown

_SAID: dict[Statistic, str] = {
    "mean": "mean", "sum": "sum", "std": "standard deviation", "median": "median",
    "min": "minimum", "max": "maximum", "count": "number", "quantile": "quantile",
}  # fmt: skip
# How likely the numbers of a run would be those of the summary: a run that pools by mean may have
# about the mean of the others.
_MOST_CHANCE = 0.05
_LOOSEST = 5e-3  # of a number, however few digits it has
_ALL_ROWS, _LAST_ROWS = 100_000, 32  # of a longer table only the last rows are looked at
_FEW = 32  # of more summaries each is of the rows right above it


@dataclass(frozen=True, slots=True)
class _Named:
    """A row with the name of a statistic in one of its cells."""

    row: int
    text: str
    statistic: Statistic


def without_summaries(table: RawTable) -> RawTable:
    """Return a table without the rows that sum up others.

    A row does so if a cell of it is the name of a statistic, and its numbers are that statistic of
    the rows above it, or of all rows.

    Args:
        table: Any table whose cells are settled.

    Returns:
        The table, with such rows among the dropped ones; a warning where a row is called an
        average or a total and its numbers are something else.
    """
    named = [] if table.printed else list(_named(table))
    if not named or 2 * len(named) > len(table):
        return table  # none, or what runs are called, or how they pool
    plain = np.setdiff1d(np.arange(len(table)), np.array([n.row for n in named], dtype=np.int64))
    if plain.size < 2:
        return table
    numbers = {
        name: column.numbers for name, column in table.columns.items()
        if not column.is_text and not _numbers_rows(column.numbers)
    }  # fmt: skip
    reasons = _confirmed(table, named, plain, numbers)
    notes = tuple(
        _doubt(table, one) for one in named
        if one.row not in reasons and is_surely_statistic(one.text)
        and any(np.isfinite(each[one.row]) for each in numbers.values())
    )  # fmt: skip
    if not reasons:
        return replace(table, notes=(*table.notes, *notes))
    kept = np.setdiff1d(np.arange(len(table)), np.array(list(reasons), dtype=np.int64))
    dropped = [
        RowNote(
            file=table.file, line=int(table.lines[one.row]) or None, reason=reasons[one.row],
            run=one.text,
        )
        for one in named if one.row in reasons
    ]  # fmt: skip
    return replace(
        table, columns={name: column.take(kept) for name, column in table.columns.items()},
        lines=table.lines[kept], dropped=(*table.dropped, *dropped),
        notes=(*table.notes, *notes),
    )  # fmt: skip


def _named(table: RawTable) -> Iterator[_Named]:
    """Yield the rows that are named after a statistic, from the first to the last."""
    size = len(table)
    first = 0 if size <= _ALL_ROWS else size - _LAST_ROWS
    found: dict[int, _Named] = {}
    for column in table.columns.values():
        codes = column.codes[first:]
        for code in np.unique(codes[codes >= 0]).tolist() if column.vocabulary else ():
            text = column.vocabulary[code]
            named = statistic(text)
            if named is None or named == "quantile":
                continue
            for row in (first + np.flatnonzero(codes == code)).tolist():
                if np.isnan(column.numbers[row]):
                    found.setdefault(row, _Named(row, text, named))
    yield from (found[row] for row in sorted(found))


def _confirmed(
    table: RawTable, named: list[_Named], plain: IntArray, numbers: dict[str, FloatArray]
) -> dict[int, str]:
    """Return the rows whose numbers are what their name says, and the reason to drop each.

    Rows of one name are judged together; one next to such a row only must not contradict its name.
    """
    rows = {one.row for one in named}
    fitting: dict[int, tuple[float, str]] = {}
    together: dict[str, float] = {}
    for one in named:
        found = [
            (chance, _reason(table, one, block)) for block in _blocks(one.row, plain, rows)
            if (chance := _chance(one, block, numbers)) is not None
        ]  # fmt: skip
        if found:
            fitting[one.row] = min(found, key=lambda each: each[0])
            together[one.text] = together.get(one.text, 1.0) * fitting[one.row][0]
    texts = {one.row: one.text for one in named}
    sure = {row for row in fitting if together[texts[row]] <= _MOST_CHANCE}
    sure |= {row for row in fitting if {row - 1, row + 1} & sure}
    return {row: fitting[row][1] for row in sorted(sure)}


def _blocks(row: int, plain: IntArray, named: set[int]) -> Iterator[IntArray]:
    """Yield the rows that one may sum up: those right above it, all above it, all there are."""
    last = row - 1
    while last in named:
        last -= 1
    first = last
    while first >= 0 and first not in named:
        first -= 1
    blocks = [np.arange(first + 1, last + 1)]
    if len(named) <= _FEW:
        blocks += [plain[plain < row], plain]
    yield from (block for block in blocks if block.size > 1)


def _chance(one: _Named, block: IntArray, numbers: dict[str, FloatArray]) -> float | None:
    """Return how likely another row would agree as well; None if its numbers say something else.

    One that nobody calls a run may have numbers of other kinds beside those that agree.
    """
    chance, agreeing, others = 1.0, 0, 0
    for each in numbers.values():
        said = float(each[one.row])
        values = each[block][np.isfinite(each[block])]
        if not np.isfinite(said) or values.size < 2:
            continue
        width = _rounding(said, values, of_sum=one.statistic == "sum")
        expected = _statistics(values)
        if any(abs(said - value) <= width for value in expected[one.statistic]):
            spread = float(np.ptp(values))
            chance *= min(1.0, 2.0 * width / spread) if spread > 0.0 else 1.0
            agreeing += 1
        else:
            others += not any(
                abs(said - value) <= width for which in expected.values() for value in which
            )  # fmt: skip
    if others and (others >= agreeing or not is_surely_statistic(one.text)):
        return None
    return chance


def _statistics(values: FloatArray) -> dict[Statistic, tuple[float, ...]]:
    return {
        "mean": (float(values.mean()),), "sum": (float(values.sum()),),
        "std": (float(values.std(ddof=1)), float(values.std())),
        "median": (float(np.median(values)),), "min": (float(values.min()),),
        "max": (float(values.max()),), "count": (float(values.size),),
    }  # fmt: skip


def _rounding(said: float, values: FloatArray, *, of_sum: bool) -> float:
    """Return how far a statistic may lie off by the digits that are given."""
    finest = min(_unit(value) for value in values[:100].tolist())
    finest *= values.size if of_sum else 1
    return min(0.5 * (_unit(said) + finest), _LOOSEST * abs(said)) + 1e-9 * abs(said)


def _unit(number: float) -> float:
    """Return what the last digit of a number counts, as it is written: 0.01 for 3.25."""
    # Twelve digits: 71.3% is 0.713 up to the last bit.
    exponent = Decimal(f"{number:.12g}").normalize().as_tuple().exponent
    return float(10.0 ** float(exponent))


def _numbers_rows(numbers: FloatArray) -> bool:
    """Tell whether a column counts the rows, those of the summary among them."""
    return numbers.size > 1 and bool((np.diff(numbers) == 1.0).all())


def _reason(table: RawTable, one: _Named, block: IntArray) -> str:
    first, last = int(table.lines[block[0]]), int(table.lines[block[-1]])
    rows = f"lines {first} to {last}" if first and last else f"{block.size} rows"
    return f"{shown(one.text)} is the {_SAID[one.statistic]} of {rows}, and no run"


def _doubt(table: RawTable, one: _Named) -> Note:
    line = int(table.lines[one.row])
    return Note(
        id="SUMMARY_UNSURE", severity="warning",
        text=f"A row of {table.file}{f' (line {line})' if line else ''} is called "
        f"{shown(one.text)}, and its numbers are not the {_SAID[one.statistic]} of the rows above "
        "it: it is read as a run.",
        action="Leave the row out if it sums up others.",
    )  # fmt: skip
