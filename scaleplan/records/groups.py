"""Fits of several groups of runs from one log."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.advice import Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning
from scaleplan.records.fits import Fit


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GroupFit(Record):
    """The fit of one group, or why there is none."""

    name: str
    runs: int
    fit: Fit | None
    refusal: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GroupFits(Record):
    """The fits of all groups that one column tells apart.

    Args:
        by: The column.
        cleaning: What reading did to the rows of all groups.
        groups: One entry a group.
        notes: What there is to say, with the group's name where it is of one group only.
    """

    by: str
    cleaning: Cleaning
    groups: tuple[GroupFit, ...]
    notes: tuple[Note, ...]
