"""Printed logs: lines such as `Epoch 3, Loss: 1.902150` or `iter 10: loss 4.27, time 18.5ms`.

A line gives the numbers whose names are known: steps, epochs, tokens, learning rates and metrics;
a line before the training may give the number of parameters and the tokens a step. Every other
line is passed over, and counted. A pattern of the user's own replaces the search.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.heading import is_aligned
from scaleplan.runs.formats.json_file import recognises as begins_json
from scaleplan.runs.formats.pattern_hint import how_to_describe
from scaleplan.runs.formats.printed_bars import Bars
from scaleplan.runs.formats.printed_batches import with_batches_counted
from scaleplan.runs.formats.printed_blocks import Line, with_blocks
from scaleplan.runs.formats.printed_columns import columns_of
from scaleplan.runs.formats.printed_commas import with_commas
from scaleplan.runs.formats.printed_headings import Banners, headings
from scaleplan.runs.formats.printed_joining import united
from scaleplan.runs.formats.printed_lines import (
    axis,
    known,
    matched,
    measures,
)
from scaleplan.runs.formats.printed_parts import heading as heading_on
from scaleplan.runs.formats.printed_parts import of_part, with_bare_scalars
from scaleplan.runs.formats.printed_pattern import compiled
from scaleplan.runs.formats.printed_rounds import closes, directed
from scaleplan.runs.formats.printed_settings import settings
from scaleplan.runs.formats.printed_sizes import Sizes
from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder
from scaleplan.runs.run_totals import tells_totals, without_totals
from scaleplan.runs.source import TextSource
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import uncoloured
from scaleplan.units import format_number_of

_TIME = re.compile(r"\b\d{1,2}:\d{2}:\d{2},\d{3}\b")  # as Python's logging writes it
_BLOCK = 5000
_MOST_NAMES = 100
_LOOKED_AT = 20  # lines


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a printed log by the names that are known.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If no line holds a metric.
    """
    return _read(source, keep_text, None)


def read_with(source: TextSource, keep_text: KeepText, pattern: str) -> RawTable:
    r"""Read a printed log by a pattern whose named groups are the columns.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.
        pattern: A regular expression such as `Epoch (?P<epoch>\d+), Loss: (?P<loss>[\d.]+)`.

    Raises:
        UsageError: If it is no regular expression or names no group.
        InputError: If no line matches.
    """
    return _read(source, keep_text, compiled(pattern))


def _read(source: TextSource, keep_text: KeepText, pattern: re.Pattern[str] | None) -> RawTable:
    builder = TableBuilder(source.name, keep_text=keep_text, comma="maybe")
    skipped = early = 0
    rows, lines = list[dict[str, str]](), list[int]()
    found = begun = closed = False
    heading: dict[str, str] = {}
    headed = ""
    last: dict[str, str] = {}
    said_once: dict[str, str] = {}
    bars, sizes, banners = Bars(), Sizes(), Banners()
    read_lines = with_blocks(source.lines()) if pattern is None else _alone(source.lines())
    for line, text, block in read_lines:
        # The best of the rounds of boosting, said once more at the end, is no point of the curve.
        again = closed and pattern is None
        closed = closes(text) or (closed and not text.strip())
        row = block or {}
        if block is None and not again:
            row = _on_line(text, banners) if pattern is None else matched(text, pattern)
        if pattern is None and any(map(str.isalnum, text)):
            # `test result:` is said of the lines below it that do not count steps themselves.
            below = bool(row) and not any(map(axis, row))
            row = {of_part(name, headed): number for name, number in row.items()} if below else row
            headed = headed if below else heading_on(text)
        if row and pattern is None and not measures(row):
            heading = headings(heading, row)  # `Epoch 1/10` before the line with its metrics
            continue
        if not row:
            said = settings(text) if pattern is None else {}
            said_once = {**said, **said_once}  # what is said first counts
            heading = {} if sizes.say(said) else heading
            skipped += bool(text.strip()) and not said
            continue
        found = True
        heading = _of_heading(heading, row)  # what a line counts itself is no longer its heading's
        row = {**heading, **row}
        if block is None and ("/s" in text or "s/" in text):
            row = bars.placed(text, row, begun=begun)
            if not row:
                continue
        rows.append(sizes.given(row))
        lines.append(line)
        begun = begun or any(map(axis, rows[-1]))
        early += not begun
        if len(rows) >= _BLOCK:
            last = _add(builder, rows, lines, last)
            rows, lines = [], []
    if not found:
        raise _nothing_found(source, pattern)
    _add(builder, rows, lines, last)
    for note in source.notes():
        builder.note(note)
    if skipped:
        builder.note(_note(source.name, skipped))
    table = sizes.of_runs(with_commas(builder.build(said_once)))
    table = replace(_begun_at(table, early), printed=True)
    return (
        table if pattern is not None else united(directed(banners.with_examples(_of_curve(table))))
    )


def _nothing_found(source: TextSource, pattern: re.Pattern[str] | None) -> InputError:
    return InputError(
        "no line matches --pattern" if pattern is not None
        else "no line holds a metric such as `loss 2.31`",
        file=source.name, hint=how_to_describe(source.head),
    )  # fmt: skip


def _on_line(text: str, banners: Banners) -> dict[str, str]:
    row = known(text)
    return banners.of_training(text, row, measured=measures(row))


def _of_curve(table: RawTable) -> RawTable:
    """Return a log without what it says of whole trainings, and with batches as its steps."""
    table = with_batches_counted(without_totals(table))
    columns = {name: column for name, column in table.columns.items() if not tells_totals(name)}
    return replace(table, columns=columns)


def _alone(lines: Iterator[str]) -> Iterator[Line]:
    """Yield each line with its number, for itself."""
    return ((number, uncoloured(raw), None) for number, raw in enumerate(lines, 1))


def _of_heading(heading: dict[str, str], row: dict[str, str]) -> dict[str, str]:
    """Return what a heading says about a line below it that does not count the same for itself.

    DeepSpeed prints `epoch=0/micro_step=10/global_step=10` after the line of step 10, before that
    of step 20, which begins with `steps: 20`.
    """
    counted = {axis(name) for name in row} - {None}
    return {name: text for name, text in heading.items() if axis(name) not in counted}


def _begun_at(table: RawTable, early: int) -> RawTable:
    """Give the rows before the first step the step that the training stood at then.

    llm.c prints the loss on validation data before step 1: it is that of step 0. Where steps
    begin later, as in a run that goes on, it is one distance of steps before the first.

    Args:
        table: The rows.
        early: How many rows stand before the first that has a step.
    """
    if not 0 < early < len(table):
        return table
    columns = dict(table.columns)
    for name, column in table.columns.items():
        if axis(name) is None:
            continue
        counted = _numbers(column, table)[early:]
        if np.isnan(counted[0]):
            continue
        later = counted[counted > counted[0]]
        distance = later[0] - counted[0] if later.size else counted[0]
        numbers = np.array(column.numbers)
        numbers[:early] = max(0.0, float(counted[0] - distance))
        columns[name] = replace(column, numbers=numbers)
    return replace(table, columns=columns)


def _numbers(column: RawColumn, table: RawTable) -> FloatArray:
    """Return the numbers of a column, those with marks of thousands too."""
    read = [read_number(text, decimal_comma=table.decimal_comma) for text in column.vocabulary]
    # The last place is what -1 finds: a plain number, or nothing.
    marked = np.array([*read, np.nan])[column.codes]
    return np.where(np.isnan(marked), column.numbers, marked)


def _note(file: str, skipped: int) -> Note:
    return Note(
        id="LINES_PASSED_OVER", severity="info",
        text=f"{format_number_of(skipped, 'line')} of {file} without a known number passed over.",
        action="Describe the lines that count with --pattern.",
        numbers=(("lines", float(skipped)),),
    )  # fmt: skip


def _add(
    builder: TableBuilder, rows: list[dict[str, str]], lines: list[int], last: dict[str, str]
) -> dict[str, str]:
    """Add rows and return what was counted last.

    A line that does not count steps, or epochs, or tokens, has those of the line before it.
    """
    merged = []
    for row in rows:
        last = _counted(row, last)
        merged.append({**row, **last})
    names = list(dict.fromkeys(name for row in merged for name in row))[:_MOST_NAMES]
    builder.add({name: [row.get(name, "") for row in merged] for name in names}, lines)
    return last


def _counted(row: dict[str, str], last: dict[str, str]) -> dict[str, str]:
    """Return the counts at a line, those that it leaves out from the line before it."""
    own = {name: text for name, text in row.items() if axis(name)}
    for name, text in own.items():
        # `Epoch: [0] Total time` after batch 5000 of 5005 of that epoch is not its start.
        before = last.get(name, "")
        if axis(name) == "epoch" and text.isdigit() and before.split(".")[0] == text:
            own[name] = before
    roles = {axis(name) for name in own}
    kept = {name: text for name, text in last.items() if axis(name) not in roles}
    return {**kept, **own}


def recognises(head: str) -> bool:
    """Tell whether a text is messages, of which some have a metric."""
    text = with_bare_scalars(uncoloured(head)).lstrip("\ufeff")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or (begins_json(text) and not lines[0].lstrip().startswith("{'")):
        return False
    commas = _marks(lines[0])
    # A table has its names in the first line only, and as many marks in each.
    same = commas > 0 and all(_marks(line) == commas for line in lines[:20])
    if (same and not known(lines[0])) or (columns_of(lines[0]) and is_aligned(lines)):
        return False
    # Programs may say much before the training begins.
    said = (known(line) if row is None else row for _, line, row in with_blocks(lines))
    measured = list(islice((row for row in said if measures(row)), 2))
    return len(measured) > 1 or any(map(_is_whole_epoch, measured))


def _is_whole_epoch(row: dict[str, str]) -> bool:
    """Tell whether a line says of an epoch or step what it came to in training and validation."""
    splits = {found.split for name in row if (found := describe(name)) is not None}
    return {"train", "validation"} <= splits and any(map(axis, row))


def _marks(line: str) -> int:
    """Return how many commas and tabs a line has; that of a time (12:00:00,123) is none."""
    return line.count(",") + line.count("\t") - len(_TIME.findall(line))


def is_talk(head: str) -> bool:
    """Tell whether a text begins with sentences, as a log does that says much before it trains.

    The cells of a table are mostly numbers below its first line, or stand between marks.
    """
    lines = [line for line in uncoloured(head).splitlines() if line.strip()][1:_LOOKED_AT]
    if begins_json(head) or any(mark in line for line in lines for mark in ",;\t|"):
        return False
    words = [word for line in lines for word in line.split()]
    return 2 * sum(map(_is_number, words)) < len(words)


def _is_number(word: str) -> bool:
    return not math.isnan(read_number(word))


PRINTED = Format(
    name="printed log", extensions=(".log", ".out", ".txt"), recognises=recognises, read=read
)
