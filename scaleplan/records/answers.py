"""Questions that a plan answers besides its rows: deadline, money, target, lifetime, repeats."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AnswerItem(Record):
    """One number of an answer; None where it is not known.

    `unit` is `params`, `tokens`, `flop`, `gpus`, `days`, `usd`, `metric`, `share` or `ratio`; empty
    for text.
    """

    name: str
    value: float | str | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Answer(Record):
    """The answer to one question: `id` names the question, `title` writes it out."""

    id: str
    title: str
    items: tuple[AnswerItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Offer(Record):
    """What one accelerator makes of the money or the time: the best model, and how it is trained.

    `reason` says why nothing can be trained on it; the numbers are None then.
    """

    gpu: str
    gpus: int | None
    params: float | None
    tokens: float | None
    flops: float | None
    value: float | None
    days: float | None
    usd: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LifetimeRow(Record):
    """A size that reaches the same metric, and its compute over training and inference in FLOP."""

    params: float
    tokens: float
    training_flops: float
    inference_flops: float
    total_flops: float
    best: bool
