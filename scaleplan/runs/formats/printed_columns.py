"""Tables that programs print among their other lines: names in one line, numbers below them.

fastai, skorch, spaCy and Ultralytics print a row an epoch or evaluation; warnings and messages may
stand between the rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from scaleplan.runs.formats.printed_lines import axis
from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import read_number
from scaleplan.runs.roles import rank

_APART = re.compile(r"\t+|[ ]{2,}")
_WORD = re.compile(r"\S+")
# `-------  ------------`, below the names: as wide as the columns are.
_RULE = re.compile(r"\s*-{2,}(?:[ ]+-{2,})+\s*")
# `640: 100%|####| 4/4 [00:01<00:00`; below 100% it shows what a part of the batches came to.
_BAR = re.compile(r":?\s+(?P<done>\d{1,3})%\s?\|.*|:\s+(?P<part>\d{1,3})%.*")
_OF = re.compile(r"(\d+)/\d+")  # `0/49`, of so many epochs
_LONGEST = 400  # characters
_FEWEST = 3  # names
# YOLOv3's losses of boxes are larger, and its 12th column is another metric.
_MOST_BOX_LOSS = 0.5
_ALL = "all"  # classes, in a table of detections by class
# spaCy's names; what it calls a loss is summed over the batches since the row before.
_FIRST = frozenset({"Class", "E", "Training", "Train", "Global"})  # besides those of steps
_SPACY = {"E": "epoch", "#": "step", "SCORE": "val score"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a printed table.

    Args:
        names: The names that two blanks or a tab part.
        spans: Where each begins and ends; of the rule below them, if there is one.
        words: The names if one blank parts them.
    """

    names: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    words: tuple[str, ...]

    def with_rule(self, text: str) -> Columns:
        """Return the columns as wide as the rule below the names has them."""
        spans = tuple(match.span() for match in _WORD.finditer(text))
        if len(spans) != len(self.names):
            return self
        return replace(self, spans=spans)

    def row(self, text: str) -> dict[str, str]:
        """Return the known numbers of a row by their names; empty for a line that is none.

        Args:
            text: The line.
        """
        begin = text.lstrip()[: len(_ALL)]
        if not begin[:1].isdigit() and begin != _ALL:
            return {}
        bar = _BAR.search(text)
        if bar is not None and int(bar["done"] or bar["part"]) < 100:
            return {}
        cells = _cells(_BAR.sub("", text[:_LONGEST]))
        first = _OF.sub(r"\1", cells[0][0]) if cells else ""
        counted = first.isdigit() and axis(self.names[0]) is not None
        if not (counted or (first == _ALL and axis(self.names[0]) is None)):
            return {}
        placed = dict(self._placed(cells))
        if counted:
            placed[self.names[0]] = first
        return {
            name: cell for name, cell in placed.items()
            if (is_known(name) if counted else describe(name) is not None)
            and not math.isnan(read_number(cell))
        }  # fmt: skip

    def _placed(self, cells: Sequence[tuple[str, int, int]]) -> Iterator[tuple[str, str]]:
        """Yield the cells with their names: by their order, or by where they stand if one lacks."""
        for names in (self.names, self.words):
            if len(names) == len(cells):
                yield from zip(names, (cell for cell, _, _ in cells), strict=True)
                return
        if len(cells) > len(self.names):
            return
        for cell, start, end in cells:
            over = [min(end, b) - max(start, a) for a, b in self.spans]
            if max(over) > 0:
                yield self.names[over.index(max(over))], cell


_HEADLESS = (
    "epoch", "gpu_mem", "train/box_loss", "train/obj_loss", "train/cls_loss", "train/loss",
    "labels", "img_size", "precision", "recall", "mAP50", "mAP50-95", "val/box_loss",
    "val/obj_loss", "val/cls_loss",
)  # fmt: skip
HEADLESS = Columns(_HEADLESS, tuple((i, i + 1) for i in range(len(_HEADLESS))), _HEADLESS)


def columns_of(text: str) -> Columns | None:
    """Return the columns whose names a line holds, None if it holds none.

    Args:
        text: The line.
    """
    if len(text) > _LONGEST or not _may_begin(text):
        return None
    text = _BAR.sub("", text.rstrip())
    spans, names, start = [], [], 0
    for part in (*_APART.finditer(text), None):
        end = len(text) if part is None else part.start()
        if text[start:end].strip():
            spans.append((start, end))
            names.append(text[start:end].strip())
        start = end if part is None else part.end()
    words = tuple(text.split())
    named = (names, words)
    if not any(_names_columns(each) for each in named):
        return None
    return Columns(tuple(_in_plain_words(names)), tuple(spans), tuple(_in_plain_words(words)))


def is_headless(text: str) -> bool:
    """Tell whether a line is a row of the table without names that YOLOv5 and YOLOv7 write."""
    cells = text.split()
    return (
        len(cells) == len(HEADLESS.names) and _OF.fullmatch(cells[0]) is not None
        and cells[1].endswith("G") and not any(math.isnan(read_number(c)) for c in cells[2:])
        and float(cells[2]) < _MOST_BOX_LOSS
    )  # fmt: skip


def is_rule(text: str) -> bool:
    """Tell whether a line is the rule below the names of columns."""
    return _RULE.fullmatch(text) is not None


def _may_begin(text: str) -> bool:
    """Tell by its first name whether a line, of which a log has millions, may hold names."""
    first, _, rest = text.strip().partition(" " if "\t" not in text else "\t")
    named = first in _FIRST or (first.isalpha() and axis(first) is not None)
    return named and not rest.lstrip()[:1].isdigit() and _APART.search(text.strip()) is not None


def _names_columns(names: Sequence[str]) -> bool:
    """Tell whether names are those of a table: first what counts, or the class, then a metric."""
    plain = _in_plain_words(names)
    return (
        len(plain) >= _FEWEST
        and all(math.isnan(read_number(name)) and name[:1] not in "'\"{[(" for name in names)
        and not any(mark in f"{name} " for name in names for mark in ("=", ": ", ","))
        and (axis(plain[0]) in {"step", "epoch"} or plain[0] == "Class")
        and any(describe(name) is not None for name in plain[1:])
    )


def _in_plain_words(names: Sequence[str]) -> list[str]:
    if tuple(names[:2]) != ("E", "#"):
        # `Box(P  R  mAP50  mAP50-95)` has one pair of brackets around all of them.
        return [name if "(" in name else name.rstrip(")") for name in names]
    return [
        _SPACY.get(name, f"train {name.lower()}" if name.startswith("LOSS ") else name)
        for name in names
    ]


def _cells(text: str) -> list[tuple[str, int, int]]:
    return [(match[0], *match.span()) for match in _WORD.finditer(text)]


@lru_cache(4096)
def is_known(name: str) -> bool:
    """Tell whether a name is that of a metric, a count of steps or the learning rate."""
    return (
        describe(name) is not None or axis(name) is not None
        or rank("learning_rate", name) is not None
    )  # fmt: skip
