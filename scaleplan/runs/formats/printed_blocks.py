"""Blocks of printed lines that say one thing a line and together are one point of a run.

Stable-Baselines3 prints boxes, Composer and OLMo a step with what was measured at it below, RSL-RL
a heading and a list.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from scaleplan.runs.formats.printed_columns import (
    HEADLESS,
    Columns,
    columns_of,
    is_headless,
    is_known,
    is_rule,
)
from scaleplan.runs.formats.printed_federated import Rounds
from scaleplan.runs.formats.printed_lines import axis
from scaleplan.runs.formats.printed_parts import with_bare_scalars
from scaleplan.runs.metrics import describe
from scaleplan.runs.run_totals import tells_totals
from scaleplan.runs.text import uncoloured

_NUMBER = r"[-+]?(?:\d[\d,_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)\b"
# `|    ep_rew_mean          | 204        |`, below `| rollout/                |            |`.
_CELLS = re.compile(
    r"\|(?P<indent>[ ]*)(?P<name>[A-Za-z][\w/ .()-]{0,60}?)[ ]*\|"
    rf"[ ]*(?P<number>{_NUMBER})?[ ]*\|\s*",
    re.IGNORECASE,
)
# `[batch=1/4800]:`, `[epoch=1][batch=5/5]:`, `... [step=10/50000,epoch=0,eta=1:00:00]`,
# `Learning iteration 3/1500`.
_STEP = re.compile(
    r"(?:\[epoch=(?P<of>\d+)\])?"
    r"\[(?:batch|step)=(?P<step>\d+)/\d+(?:,\s?epoch=(?P<epoch>\d+))?[^\[\]]{0,60}\]:?\s*$"
    r"|^\s*Learning iteration (?P<iteration>\d+)/\d+:?\s*$"
)
_BELOW = re.compile(
    r"[ \t]\s*(?P<name>[A-Za-z][\w/ .()-]{0,80}?)[ ]*[:=][ ]*"
    rf"(?P<number>{_NUMBER})(?![\w:])",
    re.IGNORECASE,
)
# AllenNLP's `trainer -   Training |  Validation`, and below it `trainer - loss |  0.692  |  0.672`.
_SIDES = re.compile(r"(?:.*\s-)?\s+Training \|\s+Validation\s*")
_SIDE = re.compile(
    rf"(?:.*\s-)?\s+(?P<name>[A-Za-z][\w/.-]{{0,60}})\s*\|\s+(?P<train>{_NUMBER}|N/A)\s+"
    rf"\|\s+(?P<val>{_NUMBER}|N/A)\s*",
    re.IGNORECASE,
)
# `***** train metrics *****`, and below it `  train_loss = 1.92`, `  train_runtime = 0:11:40.30`.
_TOTALS = re.compile(r".*\*{3,}\s*train metrics\s*\*{3,}\s*")
_TOTAL = re.compile(r"\s+(?P<name>\w{1,60})\s*=\s*(?P<value>\S+)\s*")
_RULE = re.compile(r"\s*(?:-{3,}\s*)?")  # a blank line, or one of dashes, within a list
_ENTRY = re.compile(r"\s*'[^']{1,80}'\s*:")
_MOST_LINES = 200  # of one dictionary
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
# What Composer counts besides batches.
_COUNTED = {"Train time/token": "tokens", "Train time/sample": "samples"}

Line = tuple[int, str, dict[str, str] | None]


def with_blocks(lines: Iterable[str]) -> Iterator[Line]:
    """Yield each line with its number, and of a block what it says instead of its lines.

    Args:
        lines: As they are printed.

    Yields:
        The number of the line (of a block its first), the line without colours, and the numbers by
        their names of a block; None for a line that stands for itself.
    """
    open_: _Block | None = None
    columns: Columns | None = None
    reported = False
    for number, raw in enumerate(lines, 1):
        text = with_bare_scalars(uncoloured(raw))
        if open_ is not None:
            if open_.takes(text):
                continue
            yield from open_.said()
        reported = reported or "fit progress: (" in text
        open_ = _begun(number, text)
        if open_ is not None:
            if isinstance(open_, _Federated):
                open_.reported = reported
            continue
        if columns is not None and is_rule(text):
            columns = columns.with_rule(text)
        elif (found := columns_of(text)) is not None:
            columns = found
        else:
            columns = HEADLESS if columns is None and is_headless(text) else columns
            yield number, text, (columns.row(text) or None) if columns is not None else None
    if open_ is not None:
        yield from open_.said()


def _begun(number: int, text: str) -> _Block | None:
    """Return the block that a line begins, None if it stands for itself."""
    if "{'" in text and "}" not in text:
        return _Dictionary(number, text)
    if text.startswith("|"):
        box = _Box(number, text)
        return box if box.takes(text) else None
    if "Training |" in text and _SIDES.fullmatch(text) is not None:
        return _Sides(number, text)
    if "tributed" in text or "ntralized" in text:
        history = _Federated(number, text)
        return history if history.takes(text) else None
    if "train metrics" in text and _TOTALS.fullmatch(text) is not None:
        return _Totals(number, text)
    match = _step_of(text)
    return None if match is None else _List(number, text, match)


def _step_of(text: str) -> re.Match[str] | None:
    """Return the step that a line gives to those below it, None if it gives none."""
    if "]" not in text[-4:] and "Learning iteration" not in text:
        return None
    return _STEP.search(text)


class _Block(ABC):
    """Lines that belong together.

    Args:
        number: The number of the first.
        text: The first.
    """

    def __init__(self, number: int, text: str) -> None:
        self.number, self.text = number, text
        self.row: dict[str, str] = {}
        self.lines: list[str] = []

    @abstractmethod
    def takes(self, text: str) -> bool:
        """Take a line if it belongs to the block, and tell whether it does."""

    def said(self) -> Iterator[Line]:
        """Yield what the block says, or its lines if that is nothing."""
        if any(describe(name) is not None for name in self.row):
            yield self.number, self.text, self.row
            return
        yield from self.said_alone(self.number)

    def said_alone(self, first: int) -> Iterator[Line]:
        """Yield the lines that were taken, each for itself; the first has this number."""
        for place, text in enumerate(self.lines, first):
            yield place, text, None


class _Box(_Block):
    """A box of names and numbers between bars."""

    group = ""

    def takes(self, text: str) -> bool:
        match = _CELLS.fullmatch(text)
        if match is None:
            return False
        self.lines.append(text)
        name, number = match["name"], match["number"]
        if number is None:
            self.group = name if name.endswith("/") else ""
            return True
        # Names of a group are indented more than its own.
        full = f"{self.group}{name}" if len(match["indent"]) > 1 else name
        if is_known(full) and full not in self.row:
            self.row[full] = number
        return True

    def said(self) -> Iterator[Line]:
        """Yield the row of a box that counts steps, or the lines of any other."""
        if not any(map(axis, self.row)):
            self.row = {}
        return super().said()


class _List(_Block):
    """A step and lines below it that are indented."""

    def __init__(self, number: int, text: str, match: re.Match[str]) -> None:
        super().__init__(number, text)
        self.lines = [text]
        self.row = {"step": match["step"] or match["iteration"]}
        self.loose = match["iteration"] is not None
        if match["epoch"] or match["of"]:
            self.row["epoch"] = match["epoch"] or match["of"]

    def takes(self, text: str) -> bool:
        match = _BELOW.match(text)
        if _step_of(text) is not None:
            return False  # the next one, also where the whole log is indented
        if match is None:
            inside = text[:1] in " \t" and bool(text.strip())
            inside = inside or (self.loose and _RULE.fullmatch(text) is not None)
            if inside:
                self.lines.append(text)
            return inside
        self.lines.append(text)
        name, number = match["name"], match["number"]
        name = _COUNTED.get(name, name)
        if is_known(name) and axis(name) not in {"step", "epoch"} and name not in self.row:
            plain = _GROUPED.fullmatch(number) is not None
            self.row[name] = number.replace(",", "") if plain else number
        return True


class _Totals(_Block):
    """What the example scripts of Hugging Face print when a training has ended."""

    def takes(self, text: str) -> bool:
        match = _TOTAL.fullmatch(text)
        if match is None:
            return False
        self.lines.append(text)
        name = match["name"]
        if is_known(name) or tells_totals(name):
            self.row[name] = match["value"]
        return True


class _Sides(_Block):
    """A table of a metric a line: on the left in training, on the right in validation."""

    def takes(self, text: str) -> bool:
        match = _SIDE.fullmatch(text)
        if match is None:
            return False
        self.lines.append(text)
        for side in ("train", "val"):
            if match[side] != "N/A" and describe(match["name"]) is not None:
                self.row[f"{side} {match['name']}"] = match[side]
        return True


class _Federated(_Block):
    """The history of a federated training."""

    reported = False  # line by line already, as the rounds ended

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.rounds = Rounds()

    def takes(self, text: str) -> bool:
        taken = self.rounds.takes(text)
        self.lines += [text] if taken else []
        return taken

    def said(self) -> Iterator[Line]:
        """Yield a row a round."""
        for row in () if self.reported else self.rounds.rows():
            yield self.number, self.text, row


class _Dictionary(_Block):
    """A dictionary over several lines, as TensorFlow's object detection prints its losses."""

    closed = False

    def takes(self, text: str) -> bool:
        if self.closed or len(self.lines) >= _MOST_LINES or not _ENTRY.match(text):
            return False
        self.lines.append(text)
        self.closed = "}" in text
        return True

    def said(self) -> Iterator[Line]:
        """Yield the dictionary as one line, or the lines of one that is never closed."""
        if self.closed:
            yield self.number, " ".join(line.strip() for line in (self.text, *self.lines)), None
            return
        yield self.number, self.text, None
        yield from self.said_alone(self.number + 1)
