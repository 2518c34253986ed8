"""What there is to say: notes and assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scaleplan.records.base import Record

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Note(Record):
    """One piece of advice: which rule spoke, how gravely, on which numbers, and what to do.

    Args:
        id: The rule's name, such as `EXTRAPOLATION`.
        severity: `info`, `warning` (exit 6 under `--strict`) or `error`.
        text: What was found, with its numbers.
        action: What to do about it; may be empty.
        numbers: The numbers behind the text, by name.
        source: Where the rule or threshold comes from; may be empty.
    """

    id: str
    severity: Severity
    text: str
    action: str = ""
    numbers: tuple[tuple[str, float], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Assumption(Record):
    """A value that a result rests on and that the data did not give."""

    name: str
    value: float | str
    unit: str = ""
    source: str = ""


def joined_notes(*groups: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes of all groups, each once."""
    return tuple({(note.id, note.text): note for group in groups for note in group}.values())


def serious_notes(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return the warnings among the notes of a fit, which hold for all that is derived from it."""
    return tuple(note for note in notes if note.severity != "info")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Explanation(Record):
    """Why a note is given: what it says, the rule with its formula and thresholds, and the reasons.

    Args:
        id: The note's id.
        stage: Where it is given: `reading`, `fitting`, `comparing`, `forecasting`, `planning` or
            `checking`.
        says: What the note says, in one sentence.
        rule: When it is given: formula and thresholds.
        reason: Why that matters.
        action: What to do.
        source: Where the rule or its thresholds come from.
    """

    id: str
    stage: str
    says: str
    rule: str
    reason: str
    action: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Explanations(Record):
    """Explanations that were asked for; with `brief` only what each says is shown."""

    entries: tuple[Explanation, ...]
    brief: bool
