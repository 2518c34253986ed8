"""The frontiers of systems that are compared: of both forms, and of their resamples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.planning.frontiers import Frontier, frontier_of

if TYPE_CHECKING:
    from scaleplan.fitting.systems import SystemAlone, SystemFits
    from scaleplan.laws.base import FloatArray
    from scaleplan.records.systems import Form
    from scaleplan.runs.table import Runs


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """All fits of a comparison, for its tables and its picture.

    Args:
        fits: The fits.
        runs: The runs of each, by name, the reference first.
        free: Each system's own frontier.
        free_draws: The same, refitted to resamples.
        shared: Its frontier under the shared form.
        shared_draws: The same, refitted.
        weight: Which share of the answer's resamples are of the shared form; 0 where rejected.
        answers: Whether the shared form answers.
    """

    fits: SystemFits
    runs: dict[str, Runs]
    free: tuple[Frontier, ...]
    free_draws: tuple[Frontier, ...]
    shared: tuple[Frontier, ...]
    shared_draws: tuple[Frontier, ...]
    weight: float
    answers: Form

    @property
    def of_answer(self) -> tuple[Frontier, ...]:
        """Return the frontiers of the form that answers."""
        return self.shared if self.answers == "shared" else self.free

    @property
    def answer_draws(self) -> tuple[Frontier, ...]:
        """Return the frontiers of the answer's resamples, of both forms by their weight."""
        count = self.shared_draws[0].floor.size
        of_shared = np.arange(count) < round(self.weight * count)
        return tuple(
            Frontier(
                np.where(of_shared, one.floor, own.floor), np.where(of_shared, one.part, own.part),
                np.where(of_shared, one.gamma, own.gamma), own.at,
            )
            for one, own in zip(self.shared_draws, self.free_draws, strict=True)
        )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the systems, the reference first."""
        return tuple(system.name for system in self.fits.systems)


def compared(fits: SystemFits, runs: dict[str, Runs], *, rejected: bool) -> Compared:
    """Return the frontiers of fits.

    Args:
        fits: All fits.
        runs: The runs of each system.
        rejected: Whether the shared form is given up.
    """
    # In the middle of all runs the reducible parts are numbers of ordinary size.
    at = math.exp(float(np.mean([np.log(compute_of(s)).mean() for s in fits.systems])))
    law, both = fits.law, fits.shared.law
    ratios = [system.flops_per_param_token for system in fits.systems]
    levels = list(enumerate(ratios, start=1))
    return Compared(
        fits=fits, runs=runs,
        free=tuple(
            frontier_of(law, system.fitted.theta, k, at)
            for system, k in zip(fits.systems, ratios, strict=True)
        ),
        free_draws=tuple(
            frontier_of(law, draws, k, at) for draws, k in zip(fits.draws, ratios, strict=True)
        ),
        shared=tuple(frontier_of(both, fits.shared.theta, k, at, level) for level, k in levels),
        shared_draws=tuple(
            frontier_of(both, fits.shared_draws, k, at, level) for level, k in levels
        ),
        weight=0.0 if rejected else fits.shared.weight, answers="free" if rejected else "shared",
    )  # fmt: skip


def compute_of(system: SystemAlone) -> FloatArray:
    """Return the compute of a system's runs in FLOP (or its single input), shape (n,)."""
    inputs = system.axes.inputs
    if len(inputs) == 1:
        return np.asarray(inputs[0])
    return np.asarray(system.flops_per_param_token * inputs[0] * inputs[1])
