"""Texts that hold tables of Markdown: which lines are tables, and which of the tables are runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scaleplan.records import Note
from scaleplan.runs.formats.markdown import unmarked
from scaleplan.runs.metrics import describe
from scaleplan.runs.roles import rank
from scaleplan.runs.text import clean_text, listed

# The line below the names: |---|:--:|, --- | ---, or |---+---| of Org mode.
_RULE = re.compile(r"(?=[^|]*\|)[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*[|+])*(?:[ \t]*:?-+:?[ \t]*)?\s*")
_CUT = re.compile(r"\||(?<=-)\+(?=-)")
_NUMBER = re.compile(r"[~<>≈+-]?\s*\.?\d")
_COUNTED = (
    "params", "active_params", "non_embedding_params", "tokens", "unique_tokens", "flops",
    "step", "epoch",
)  # fmt: skip
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a text.

    Args:
        names: Its names, as they are written.
        lines: The places of its lines: of the names, of the rule, then of its rows.
        worth: 2 if it has a metric and a size or a step, 1 if a metric only, else 0.
    """

    names: tuple[str, ...]
    lines: tuple[int, ...]
    worth: int


def tables_in(lines: Sequence[str]) -> list[Table]:
    """Return the tables of a text: a row of bars, below it a rule of dashes, and rows of bars.

    Args:
        lines: The text.
    """
    tables = []
    place = 0
    while place + 1 < len(lines):
        if not _is_head(lines, place):
            place += 1
            continue
        wide = len(_cut(lines[place]))
        rows = [place, place + 1]
        after = place + 2
        while after < len(lines) and not _is_head(lines, after):
            if lines[after].strip():
                # Below a blank line a bar may be one of a sentence.
                near = rows[-1] == after - 1 or len(_cut(lines[after])) == wide
                if "|" not in lines[after] or not near:
                    break
                rows.append(after)
            after += 1
        tables.append(_table(lines, rows))
        place = after
    return tables


def is_mixed(lines: Sequence[str]) -> bool:
    """Tell whether a text holds a table of Markdown and something else: prose or another table.

    Args:
        lines: The text, or its beginning.
    """
    tables = tables_in(lines)
    return len(tables) > 1 or bool(tables and _outside(lines, tables))


def beside_runs(lines: Sequence[str]) -> tuple[int, list[str]]:
    """Return how many rows the largest table of sizes or steps and a metric has, and other lines.

    Args:
        lines: The text, or its beginning.

    Returns:
        The number of rows, 0 without such a table, and the lines of no table.
    """
    tables = tables_in(lines)
    rows = max((len(table.lines) - 2 for table in tables if table.worth == 2), default=0)
    return rows, [lines[place] for place in _outside(lines, tables)]


def only_runs(lines: Sequence[str], file: str) -> tuple[list[str], list[Note]]:
    """Return a text with all lines blank that are not of its table of runs, and what was left out.

    Args:
        lines: The text; it holds a table.
        file: What messages call it.
    """
    tables = tables_in(lines)
    best = max(table.worth for table in tables)
    first = next(table for table in tables if table.worth == best)
    taken = [table for table in tables if _folded(table) == _folded(first)]
    kept = {line for table in taken for line in table.lines[2:]} | {first.lines[0]}
    opening = _opening(lines)  # comments above all else may hold metadata
    result = [
        line if place in kept or place < opening else "\n" for place, line in enumerate(lines)
    ]
    # One dash a cell is a rule of Markdown, and less than others take for one.
    result[first.lines[1]] = lines[first.lines[1]].replace("-", "--")
    notes = []
    prose = _outside(lines, tables)
    if prose:
        notes.append(_prose_note(file, [lines[place] for place in prose]))
    others = [table for table in tables if _folded(table) != _folded(first)]
    if len(tables) > 1:
        notes.append(_tables_note(file, taken, others))
    return result, notes


def _is_head(lines: Sequence[str], place: int) -> bool:
    """Tell whether a table begins at a line: names between bars, and a rule of as many cells."""
    if place + 1 >= len(lines) or "|" not in lines[place]:
        return False
    rule = lines[place + 1]
    return (
        "-" in rule and _RULE.fullmatch(rule) is not None
        and _RULE.fullmatch(lines[place]) is None
        and len(_CUT.split(_between(rule))) == len(_cut(lines[place]))
    )  # fmt: skip


def _between(line: str) -> str:
    return line.strip().removeprefix("|").removesuffix("|")


def _cut(line: str) -> list[str]:
    """Return the cells of a row, without marks of emphasis."""
    return [unmarked(cell).strip() for cell in _between(line).split("|")]


def _table(lines: Sequence[str], rows: list[int]) -> Table:
    names = _cut(lines[rows[0]])
    meant = [_meant(name) for name in names]
    metrics = [i for i, meaning in enumerate(meant) if meaning == "metric"]
    counted = [i for i, meaning in enumerate(meant) if meaning == "counted"]
    cells = [row for place in rows[2:] if len(row := _cut(lines[place])) == len(names)]
    measured = [row for row in cells if any(_NUMBER.match(row[i]) for i in metrics)]
    sized = any(_NUMBER.match(row[i]) for row in measured for i in counted)
    worth = 2 if sized else int(bool(measured))
    return Table(tuple(map(clean_text, names)), tuple(rows), worth)


@lru_cache(maxsize=1024)  # a text of many tables has them of a few names
def _meant(name: str) -> str:
    """Return whether a name is one of a metric, or of a size or step (`counted`); else empty."""
    if describe(name) is not None:
        return "metric"
    return "counted" if any(rank(role, name) is not None for role in _COUNTED) else ""


def _folded(table: Table) -> tuple[str, ...]:
    return tuple(name.casefold() for name in table.names)


def _opening(lines: Sequence[str]) -> int:
    """Return how many lines there are before the first that is neither blank nor a comment."""
    bare = (line.strip("\ufeff \t\r\n") for line in lines)
    texts = (place for place, line in enumerate(bare) if line and not line.startswith("#"))
    return next(texts, len(lines))


def _outside(lines: Sequence[str], tables: Sequence[Table]) -> list[int]:
    """Return the places of lines of prose: of no table, not blank, and not the comments above."""
    inside = {line for table in tables for line in table.lines}
    return [
        place for place in range(_opening(lines), len(lines))
        if place not in inside and lines[place].strip()
    ]  # fmt: skip


def _prose_note(file: str, prose: Sequence[str]) -> Note:
    count = "1 line" if len(prose) == 1 else f"{len(prose)} lines"
    return Note(
        id="LINES_PASSED_OVER", severity="info",
        text=f"{file}: {count} outside of its tables passed over: "
        f"{listed(map(clean_text, prose), 2)}.",
        action="Put bars around what is a row of a table.",
        numbers=(("lines", float(len(prose))),),
    )  # fmt: skip


def _tables_note(file: str, taken: Sequence[Table], others: Sequence[Table]) -> Note:
    lost = any(table.worth == 2 for table in others)
    one = "" if len(taken) == 1 else " as one, since their columns have the same names"
    passed = f"; passed over: {_told(others)}" if others else ""
    return Note(
        id="TABLE_PASSED_OVER", severity="warning" if lost else "info",
        text=f"{file} holds {len(taken) + len(others)} tables; read{one}: {_told(taken)}"
        f"{passed}.",
        action="To read another choice of them, copy it into a file of its own.",
        numbers=(("read", float(len(taken))), ("passed over", float(len(others)))),
    )  # fmt: skip


def _told(tables: Sequence[Table]) -> str:
    return "; ".join(
        [f"line {t.lines[0] + 1} ({listed(t.names, _NAMED)})" for t in tables[:_NAMED]]
        + ([f"{len(tables) - _NAMED} more"] if len(tables) > _NAMED else [])
    )
