"""Plans of models that are not language models: by examples, never by 6ND."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.plans import Accelerator

Family = Literal["vit", "cnn", "recommender", "other"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Embeddings(Record):
    """The tables of a recommender.

    Args:
        rows: Rows of all tables.
        width: Values of a row.
        lookups: Rows that one example reads.
    """

    rows: float
    width: float
    lookups: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ExampleModel(Record):
    """A model, by what one example takes.

    Args:
        family: Kind of model.
        origin: Where its numbers come from.
        params: Dense parameters; None where they are not known.
        forward_flops: FLOP of one forward pass of one example; a multiply-add is two.
        patches: Patches of an image, for a vision transformer.
        activations: Values that all convolutions of one example write; None if not known.
        activation_bytes: Bytes kept for the backward pass of one example; None if not known.
        embeddings: The tables of a recommender.
        source: Where a published shape stands; may be empty.
    """

    family: Family
    origin: str
    params: float | None
    forward_flops: float
    patches: int | None = None
    activations: float | None = None
    activation_bytes: float | None = None
    embeddings: Embeddings | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FamilyRow(Record):
    """Training on one number of accelerators; fields as in a PlanRow, None where not known.

    `bound` says what a step waits for: compute, bandwidth (of memory) or network.
    """

    gpus: int
    gpu: str
    mfu: float
    efficiency: float
    days_low: float
    days: float
    days_high: float
    gpu_hours: float
    usd: float | None
    usd_low: float | None
    usd_high: float | None
    energy_kwh: float | None
    tco2: float | None
    examples_per_second: float
    memory_gib_per_gpu: float | None
    fits: bool | None
    bound: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FamilyPlan(Record):
    """A training plan by examples.

    Args:
        model: What one example takes.
        examples: Examples of the data set.
        epochs: Passes over them.
        flops: Training compute: 3 x forward x examples x epochs.
        batch_examples: Examples in a step.
        rows: One an accelerator and count.
    """

    model: ExampleModel
    examples: float
    epochs: float
    flops: float
    batch_examples: float
    rows: tuple[FamilyRow, ...]
    accelerators: tuple[Accelerator, ...]
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
