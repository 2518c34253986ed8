"""What every row of a plan shares, and what is found once for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from scaleplan.planning.layout_choice import MemoryUse, Pace, choose_layout
from scaleplan.planning.layouts import smallest_fitting
from scaleplan.planning.memory import Layout, MemoryModel
from scaleplan.planning.shape import Shape
from scaleplan.planning.speed import Work, filled_of, kept_of, pace_of
from scaleplan.records import Accelerator, TrainingSetup
from scaleplan.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PlannedRun(Record):
    """A training run to plan on any cluster.

    Args:
        params: Parameters of the model, all of them.
        active_params: Parameters per token.
        tokens: Training tokens.
        flops: Training compute, FLOP.
        batch_tokens: Tokens per step.
        sequence_length: Tokens per sequence.
        shape: The transformer.
        model: The model as its memory sees it.
        setup: Optimiser, precision, layout, failures and storage.
        work: What its speed depends on.
        usd_per_hour: The user's price of an accelerator-hour.
        country: Where the power comes from.
        pue: Power usage effectiveness.
    """

    params: float
    active_params: float
    tokens: float
    flops: float
    batch_tokens: float
    sequence_length: int
    shape: Shape
    model: MemoryModel
    setup: TrainingSetup
    work: Work
    usd_per_hour: float | None
    country: str | None
    pue: float | None
    # Found once: by memory of an accelerator, and by accelerator.
    smallest_counts: dict[float, int | None] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    measured_shares: dict[str, float] = field(default_factory=dict)

    def layout(self, accelerator: Accelerator, gpus: int) -> MemoryUse:
        """Return how the model is spread over so many accelerators."""
        if accelerator.id not in self.paces:
            self.paces[accelerator.id] = pace_of(self.work, accelerator)
        return choose_layout(
            self.model, gpus=gpus, memory_gib=accelerator.memory_gib, setup=self.setup,
            pace=self.paces[accelerator.id],
        )  # fmt: skip

    def measured(self, accelerator: Accelerator) -> float:
        """Return what of its speed an accelerator kept where the user's MFU was measured.

        It is taken to be that of the layout which is planned for as many; where none of them fits,
        that of steps that neither compute twice nor wait for slow links.
        """
        if accelerator.id not in self.measured_shares:
            there = self.layout(accelerator, self.work.mfu_gpus)
            kept = kept_of(self.work, accelerator, there.layout)
            self.measured_shares[accelerator.id] = kept.share if there.fits else kept.batch
        return self.measured_shares[accelerator.id]

    def filled(self, layout: Layout) -> float:
        """Return the share of the time in which the stages of the pipeline have work."""
        return filled_of(self.model, layout)

    def smallest(self, accelerator: Accelerator) -> int | None:
        """Return the smallest number of accelerators on which the model fits, None if none is."""
        memory = accelerator.memory_gib
        if memory not in self.smallest_counts:
            self.smallest_counts[memory] = smallest_fitting(
                self.model, memory_gib=memory, setup=self.setup
            )
        return self.smallest_counts[memory]
