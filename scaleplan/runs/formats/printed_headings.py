"""What lines without a metric say about those below them: an epoch, and how much data there is."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from scaleplan.runs.formats.printed_parts import RUN
from scaleplan.runs.raw import RawTable, numeric_column
from scaleplan.runs.roles import rank
from scaleplan.runs.text import fold

# How many examples there are is said once, before the epochs over them.
_TRAINED_ON, _IN_ALL = "train set size", frozenset({"datasetsize", "totaldatasetsize"})
DATA_SIZES = {
    "trainsize": _TRAINED_ON, "trainingsize": _TRAINED_ON, "trainsetsize": _TRAINED_ON,
    "trainingsetsize": _TRAINED_ON, "traindatasize": _TRAINED_ON, "trainingdatasize": _TRAINED_ON,
    "traindatasetsize": _TRAINED_ON, "trainingdatasetsize": _TRAINED_ON,
}  # fmt: skip
# What a line says that the counts below it are of: Hugging Face's `***** Running Evaluation *****`,
# OpenNMT's `Loading dataset from data/demo.valid.0.pt`.
_TRAINING = frozenset({"train", "training"})
_HELD_OUT = frozenset(
    {"eval", "evaluation", "evaluating", "val", "valid", "validation", "validating", "dev", "test",
     "testing", "predict", "prediction", "predicting"}
)  # fmt: skip
_WORD = re.compile(r"[a-z]+")
_LONGEST_BANNER = 400  # characters
_SETTING = re.compile(r"[:=]\s*[\d,._]+\s*$")  # `Batch size = 8`
# `1 epoch = 20 batches` and `steps per epoch: 20` say how long one is.
_LENGTH = re.compile(
    r"(?:(?<![\w.])(?:one|each|every|per)|(?:^|[\])>])[ \t]*1)[ _-]"
    r"(?:epoch|step|iteration|iter|update)$",
    re.IGNORECASE,
)
# `Training with epoch 10`, and `-epoch 10` of a command, say how many there will be.
_OF_SETTING = re.compile(r"(?:\bwith |\s--?)(?:epoch|step|iteration|iter)s?\b", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


def headings(before: dict[str, str], row: dict[str, str]) -> dict[str, str]:
    """Return what lines without a metric say about those below them.

    What was trained on stays said, and the fold of it; it is not all the data there is, of which a
    part is for tests.

    Args:
        before: What the lines above this one say.
        row: What this one says.
    """
    run = {name: text for name, text in before.items() if name == RUN}
    sizes = {name: number for name, number in before.items() if _is_data_size(name)}
    if _TRAINED_ON in sizes or _TRAINED_ON in row:
        row = {name: number for name, number in row.items() if fold(name) not in _IN_ALL}
        sizes = {name: number for name, number in sizes.items() if name == _TRAINED_ON}
    if any(map(_is_data_size, row)):
        sizes = {}
    return {**run, **sizes, **row}


def _is_data_size(name: str) -> bool:
    return name == _TRAINED_ON or fold(name) in _IN_ALL


def is_length(text: str) -> bool:
    """Tell whether a text ends with the name of a count whose length is said, not its number.

    Args:
        text: A line up to and with the name.
    """
    return _LENGTH.search(text) is not None


def is_of_setting(text: str) -> bool:
    """Tell whether a line without a metric says how long will be trained.

    Args:
        text: The line.
    """
    return _OF_SETTING.search(text) is not None


class Banners:
    """Tells whether the examples that lines count are those of the training.

    Attributes:
        examples: The names under which lines without a metric count them.
    """

    def __init__(self) -> None:
        self._held_out = False
        self.examples: set[str] = set()

    def of_training(self, text: str, row: dict[str, str], *, measured: bool) -> dict[str, str]:
        """Return what a line counts without how much data there is to evaluate on.

        Args:
            text: The line.
            row: Its numbers.
            measured: Whether a metric is among them; then it is no banner.
        """
        if measured:
            self._held_out = False
            return row
        words = _WORD.findall(text.casefold()) if len(text) <= _LONGEST_BANNER else []
        said = [word for word in words if word in _TRAINING or word in _HELD_OUT]
        if said:
            self._held_out = said[-1] in _HELD_OUT
        elif text.strip() and _SETTING.search(text) is None:
            self._held_out = False  # only the settings right below a banner are of what it says
        kept = {name: number for name, number in row.items() if self._is_of_training(name)}
        for name, number in kept.items():
            if rank("tokens", name) is not None:
                self.examples.add(name)
                # Examples are whole: 1,355 are more than a thousand, whatever marks decimals.
                kept[name] = number.replace(",", "") if _GROUPED.fullmatch(number) else number
        return kept

    def _is_of_training(self, name: str) -> bool:
        said = set(_WORD.findall(name.casefold()))
        return not self._held_out or rank("tokens", name) is None or bool(said & _TRAINING)

    def with_examples(self, table: RawTable) -> RawTable:
        """Return a log with the examples of its training on the lines before the one that says it.

        Args:
            table: The log; examples that change, as with data that grow, are left as they are.
        """
        columns = dict(table.columns)
        for name in self.examples & columns.keys():
            numbers, blank = columns[name].numbers, columns[name].blank
            said = np.unique(numbers[~blank])
            if said.size == 1 and np.isfinite(said[0]):
                columns[name] = numeric_column(np.where(blank, said[0], numbers))
        return replace(table, columns=columns)
