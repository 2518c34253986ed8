"""Texts that were read as a table since they are nothing else, and are none."""

from __future__ import annotations

import math
import re

from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawColumn, RawTable
from scaleplan.runs.roles import text_role

_LONGEST_NAME = 60  # characters
_NUMBER = re.compile(r" *[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NAMED_NUMBER = re.compile(r"[A-Za-z_)\]] ?[:=] ?[-+]?\.?\d")
# The time that begins a line of a log, which names no column: `2024-10-31 19:57:03,980 - INFO`.
_TIME = re.compile(r"\W*(?:\d{4}-\d\d-\d\d[ T_])?\d\d:\d\d:\d\d\b")
_SENTENCE = 4  # words; names of columns have fewer: `Val loss (nats/token)`


def is_no_table(table: RawTable) -> bool:
    """Tell whether the lines of a text were no rows.

    Args:
        table: What they were read as.
    """
    names = list(table.columns)
    if len(names) == 1:
        # Nothing cut the first line; a column of words may be the names of runs.
        name = names[0]
        listed = text_role(name) is not None or (len(table) == 0 and not table.dropped)
        return not listed and not _has_number(table.columns[name])
    if _TIME.match(names[0]) or sum(_says_its_name(n, table.columns[n]) for n in names) > 1:
        return True  # one sentence again and again, with other numbers
    again = all(_is_said_again(name, table.columns[name]) for name in names)
    if again and any(_NAMED_NUMBER.search(name) for name in names):
        return True
    sentences = [name for name in names if len(name.split()) >= _SENTENCE]
    if not sentences:
        return False
    if any(len(name) > _LONGEST_NAME for name in sentences) and not any(map(describe, names)):
        return True
    most_others = len(table.dropped) > len(table)
    return most_others and (not len(table) or not any(map(describe, names)))


def _says_its_name(name: str, column: RawColumn) -> bool:
    """Tell whether each cell of a column is its name; one that stands twice was given a number."""
    word = name.partition(" #")[0]
    return column.vocabulary == (word,) and bool((column.codes >= 0).all())


def _is_said_again(name: str, column: RawColumn) -> bool:
    """Tell whether each cell of a column is its name with another number: `Foo: 3`, `Foo: 1.5`."""
    form = _NUMBER.sub("#", name)
    said = bool(column.vocabulary) and bool((column.codes >= 0).all())
    return form != name and said and all(_NUMBER.sub("#", t) == form for t in column.vocabulary)


def _has_number(column: RawColumn) -> bool:
    """Tell whether a cell of a column is a number, as it stands or as 1.3B or 12%."""
    if any(not math.isnan(value) for value in column.numbers):
        return True
    return any(not math.isnan(read_number(text)) for text in column.vocabulary)
