"""How to describe the lines of a log that no known form reads, with a pattern made from them."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from scaleplan.runs.inputs import is_clock
from scaleplan.runs.metrics import describe
from scaleplan.runs.roles import rank
from scaleplan.runs.text import uncoloured, words

_EXAMPLE = r"Describe a line with --pattern 'Epoch (?P<epoch>\d+), Loss: (?P<loss>[\d.]+)'."
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]*\w)")
_PADDED = re.compile(rf" *{_NUMBER.pattern}")
_STAMP = re.compile(r"\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}:\d\d:\d\d(?:[.,]\d+)?")
_BLANKS = re.compile(r"(?:\\\s)+")  # as `re.escape` writes them
_CUT = "\0"  # stands for a date or a time, which counts nothing
_LOADING = {"data", "load", "loading"}  # said of the time that a batch took to come
_FEWEST = 3  # lines of one form
_LONGEST = 400  # characters of a line
_BEFORE = 40  # characters before a number that a pattern repeats
_COUNTED, _MEASURED = r"\d+", r"[-+\d.eE]+"


def how_to_describe(head: str) -> str:
    """Return the advice to describe lines with --pattern.

    Args:
        head: The text that the log begins with. A pattern is made from the form that most of its
            lines have, if they count or measure something; else an example is given.
    """
    lines = [_STAMP.sub(_CUT, uncoloured(line).strip()) for line in head.splitlines()[:-1]]
    alike: Counter[str] = Counter(
        _form(line) for line in lines if len(line) <= _LONGEST and _NUMBER.search(line)
    )
    for form, count in alike.most_common(3):
        made = _pattern([line for line in lines if _form(line) == form])
        if count >= _FEWEST and made is not None:
            pattern, metric = made
            named = "" if describe(metric) is not None else f" --metric {metric}"
            return (
                f"Describe a line with --pattern, such as --pattern {shlex.quote(pattern)}{named}."
            )
    return _EXAMPLE


def _form(line: str) -> str:
    """Return a line with a sign for each number; numbers may be padded."""
    return _PADDED.sub("#", line)


def _pattern(lines: Sequence[str]) -> tuple[str, str] | None:
    """Return a pattern for lines of one form and the name of its metric; None without a metric."""
    columns = list(zip(*(map(float, _NUMBER.findall(line)) for line in lines), strict=True))
    varied = [i for i, numbers in enumerate(columns) if len(set(numbers)) > 1]
    spans = [match.span() for match in _NUMBER.finditer(lines[0])]
    before = {
        i: lines[0][spans[j][1] if (j := _last(varied, i)) is not None else 0 : spans[i][0]]
        for i in varied
    }
    counter = next((i for i in varied if _counts(columns[i])), None)
    metric = _metric(lines[0], [i for i in varied if i != counter], before, spans)
    if metric is None:
        return None
    place, name = metric
    parts = [(place, name, _MEASURED)]
    if counter is not None:
        role = "epoch" if rank("epoch", _last_word(before[counter])) is not None else "step"
        parts.append((counter, role, _COUNTED))
    pieces = [f"{_literal(before[i])}(?P<{group}>{number})" for i, group, number in sorted(parts)]
    pattern = ".*?".join(pieces)
    return (pattern, name) if all(re.search(pattern, line) for line in lines) else None


def _metric(
    line: str, places: Sequence[int], before: dict[int, str], spans: Sequence[tuple[int, int]]
) -> tuple[int, str] | None:
    """Return the number that is named as a metric, or the first other one with decimals."""
    named = [(i, word) for i in places for word in words(before[i]) if describe(word) is not None]
    if named:
        place, word = named[0]
        split = {"test", "val", "valid", "validation", "eval"} & set(words(before[place]))
        return place, "_".join([*sorted(split)[:1], word])
    for i in places:
        word = _last_word(before[i])
        if word.isidentifier() and "." in line[slice(*spans[i])] and not _of_time(before[i]):
            return i, word
    return None


def _of_time(text: str) -> bool:
    word = _last_word(text)
    return is_clock(text) or word in _LOADING or rank("learning_rate", word) is not None


def _last(places: Sequence[int], before: int) -> int | None:
    return max((i for i in places if i < before), default=None)


def _last_word(text: str) -> str:
    found = re.findall(r"[A-Za-z]\w*", text)
    return found[-1].lower() if found else ""


def _counts(numbers: Sequence[float]) -> bool:
    """Tell whether numbers are whole and rise from line to line, as steps do."""
    whole = all(number.is_integer() and number >= 0 for number in numbers)
    return whole and all(a < b for a, b in pairwise(numbers))


def _literal(text: str) -> str:
    """Return what stands before a number as a pattern, cut at its beginning."""
    whole = text.rpartition(_CUT)[2]
    kept = whole[-_BEFORE:]
    if len(kept) < len(whole):
        kept = kept.partition(" ")[2] or kept
    # Numbers may be padded; elsewhere one blank reads better than a pattern of it.
    inside = _BLANKS.sub(_blanks, re.escape(kept.strip()))
    return inside + (r"\s*" if kept[-1:].isspace() else "")


def _blanks(run: re.Match[str]) -> str:
    return " " if run[0] == "\\ " else r"\s+"
