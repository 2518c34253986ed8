"""Which runs tell most about a target: greedy design over several laws and their parameters.

Each law is treated as linear in its parameters around each draw of them. What a run at x tells
about the target t is then a matter of covariances of ln L, K(x, y) = g(x)' V g(y), and of the
noise s^2 of one run: it lowers the variance at the target by K(x, t)^2 / (s^2 + K(x, x)). Runs are
added one at a time, the covariances updated by Sherman-Morrison in the space of the candidates.

Source: c-optimal design (Silvey 1980, Optimal Design, chapter 3); its average over draws of the
parameters (Chaloner and Verdinelli 1995, Statistical Science 10, 273).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws.base import BoolArray, FloatArray

# Exponents w of cost in the greedy gain / cost^w; the design with the least expected variance at
# the target is kept. From own simulation (tests/benchmark/next_runs.py, 2026).
COST_POWERS = (0.0, 0.3, 0.6, 1.0)
_SMALLEST_VARIANCE = 1e-300
# A run that lowers the variance at the target by less is not worth the trouble of training it.
_LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """What is believed about ln L at the candidates, by each of F forms (laws and draws).

    Args:
        rows: Shape (F, n, p), whitened gradients g' V^(1/2) of ln L at each candidate.
        target: Shape (F, p), the same at the target.
        weights: Shape (F,), how much each form counts; they sum to 1.
        noise: Shape (F,), standard deviation of ln L of one run.
    """

    rows: FloatArray
    target: FloatArray
    weights: FloatArray
    noise: FloatArray


class Design:
    """Runs chosen so far, and the variance of ln L at the target given them.

    Args:
        beliefs: What is believed before any of them.
    """

    def __init__(self, beliefs: Beliefs) -> None:
        self.beliefs = beliefs
        self.chosen: list[int] = []
        self.with_target = np.einsum("fnp,fp->fn", beliefs.rows, beliefs.target)
        self.variance = np.einsum("fnp,fnp->fn", beliefs.rows, beliefs.rows)
        self.at_target = np.einsum("fp,fp->f", beliefs.target, beliefs.target)
        self._told: list[FloatArray] = []

    def gains(self) -> FloatArray:
        """Return how much each candidate would lower the log variance at the target, shape (n,)."""
        noisy = self.variance + self.beliefs.noise[:, None] ** 2
        share = self.with_target**2 / (noisy * self.at_target[:, None] + _SMALLEST_VARIANCE)
        found: FloatArray = self.beliefs.weights @ -np.log1p(-np.minimum(share, 1.0 - 1e-12))
        return found

    def add(self, at: int) -> None:
        """Add a run of the candidate `at`."""
        beliefs = self.beliefs
        column = np.einsum("fnp,fp->fn", beliefs.rows, beliefs.rows[:, at])
        for told in self._told:
            column -= told * told[:, at, None]
        spread = np.sqrt(self.variance[:, at] + beliefs.noise**2)
        told = column / spread[:, None]
        of_target = self.with_target[:, at] / spread
        self.with_target = self.with_target - told * of_target[:, None]
        self.variance = np.maximum(self.variance - told**2, 0.0)
        self.at_target = np.maximum(self.at_target - of_target**2, 0.0)
        self._told.append(told)
        self.chosen.append(at)

    def expected_variance(self) -> float:
        """Return the variance of ln L at the target, the mean over forms and draws."""
        return float(self.beliefs.weights @ self.at_target)


def greedy(
    beliefs: Beliefs,
    cost: FloatArray,
    budget: float,
    *,
    anchor: int | None,
    usable: BoolArray,
    fewest: int,
    most: int,
) -> list[int]:
    """Return the candidates to run, the anchor first, within a budget.

    Args:
        beliefs: What is believed about the candidates and the target.
        cost: Shape (n,), what each costs, in the budget's unit.
        budget: What may be spent.
        anchor: A candidate that is taken whatever it tells; None for none.
        usable: Shape (n,), which candidates may be added to it.
        fewest: How many runs a design should have if the budget allows.
        most: How many it may have.
    """
    best: list[int] = []
    least = (True, np.inf)
    for power in COST_POWERS:
        design = Design(beliefs)
        left, open_ = budget, usable.copy()
        if anchor is not None:
            design.add(anchor)
            left, open_[anchor] = left - cost[anchor], False
        worth = cost**-power
        while len(design.chosen) < most:
            reserve = left - _cheapest(cost, open_, fewest - len(design.chosen) - 1)
            within = open_ & (cost <= reserve)
            gains = design.gains()
            if len(design.chosen) >= fewest:
                within &= gains >= _LEAST_GAIN
            if not within.any():
                break
            at = int(np.argmax(np.where(within, gains * worth, -np.inf)))
            design.add(at)
            left, open_[at] = left - cost[at], False
        found = (len(design.chosen) < fewest, design.expected_variance())
        if design.chosen and (found < least or not best):
            best, least = design.chosen, found
    return best


def _cheapest(cost: FloatArray, open_: BoolArray, count: int) -> float:
    """Return what the `count` cheapest of the open candidates cost together."""
    if count <= 0:
        return 0.0
    return float(np.sort(cost[open_])[:count].sum())
