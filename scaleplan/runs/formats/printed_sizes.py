"""The sizes of several models whose trainings stand in one printed log."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from scaleplan.runs.formats.printed_lines import axis
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawTable

_SAME = 0.01  # a size said again in other digits, as 10.65M and 10,646,784, is the same one


@dataclass(slots=True)
class Sizes:
    """The parameters of the models that one program trains, one after the other.

    Each line below a size is given it. Where steps go on below another one, as when more layers
    are trained, they are those of one run: then the first one counts for all.
    """

    said: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    last: dict[str, str] = field(default_factory=dict)
    first_of_run: bool = True
    changed: bool = False
    undecided: bool = False
    goes_on: bool = False

    def say(self, settings_said: dict[str, str]) -> bool:
        """Take what a line says about its run, and tell whether another model begins here."""
        sizes = {name: text for name, text in settings_said.items() if "param" in name.casefold()}
        sizes = {name: text for name, text in sizes.items() if "trainable" not in name.casefold()}
        if not sizes:
            return False
        if self.first_of_run or not self.said:
            self.said = {**sizes, **self.said}
            self.names |= set(sizes)
            return False
        known = tuple(self.said.values())
        if any(_alike(before, now) for now in sizes.values() for before in known):
            return False
        # Nothing said of the model before holds for this one.
        self.names, self.said = self.names | set(sizes), sizes
        self.first_of_run, self.changed, self.undecided = True, True, True
        return True

    def given(self, row: dict[str, str]) -> dict[str, str]:
        """Return a row of a metric with the size that was said above it."""
        counted = {role: text for name, text in row.items() if (role := axis(name))}
        if self.undecided and (moved := _moved(self.last, counted)):
            self.goes_on |= moved > 0.0
            self.undecided = False
        self.first_of_run, self.last = False, counted or self.last
        return {**self.said, **row}

    def of_runs(self, table: RawTable) -> RawTable:
        """Return the table with sizes on its rows only where several runs have different ones."""
        columns = dict(table.columns)
        for name in sorted(self.names):
            if name not in columns:
                continue
            numbers = columns[name].numbers
            known = numbers[np.isfinite(numbers)]
            if not self.changed or self.goes_on or np.unique(known).size < 2:
                del columns[name]
        shared = {name: text for name, text in table.shared.items() if name not in columns}
        return replace(table, columns=columns, shared=shared)


def _alike(before: str, now: str) -> bool:
    return math.isclose(read_number(before), read_number(now), rel_tol=_SAME)


def _moved(before: dict[str, str], now: dict[str, str]) -> float:
    """Return by how much what counts steps, or else epochs, moved; 0 where nothing did."""
    moves = (
        read_number(now[r]) - read_number(before[r])
        for r in ("step", "epoch")
        if r in before and r in now
    )
    return next((move for move in moves if abs(move) > 0.0), 0.0)
