"""How much of a budget goes to one run at the target's tokens per parameter, the anchor.

Where the form of the law is wrong, forecasts along one ratio stay right the longest: a large anchor
costs next to nothing where the form is right and saves much where it is not. Where scatter is what
keeps the forecast from being sharp, many runs tell more than one large one, and the share is less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.planning.next_runs_design import Beliefs, Design, greedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws.base import FloatArray

# Of the budget, the largest first. Of 0.4, 0.6, 0.7, 0.8 and 0.9 forecasts by the form that runs
# show were best with 0.8 (tests/benchmark/next_runs.py --reps 60 --shares 0.4,0.6,0.7,0.9, 2026, of
# runs no smaller than the pilot's).
ANCHOR_SHARES = (0.8, 0.5, 0.2)
# The largest share is taken whose expected standard deviation at the target is within this factor
# of the best: on those truths it is 0.67 to 0.8 in the mean (the last lines there).
_ALIKE = 1.1
_SEEN = 400  # candidates looked at to choose the share


def choose_runs(
    beliefs: Beliefs, cost: FloatArray, budget: float, *, anchors: Sequence[int], fewest: int,
    most: int,
) -> tuple[int | None, list[int]]:  # fmt: skip
    """Return the anchor that is taken, and the candidates to run.

    Args:
        beliefs: What is believed about the candidates and the target.
        cost: Shape (n,), what each costs, in the budget's unit.
        budget: What may be spent.
        anchors: The candidates that may be the anchor, the largest first; the last places.
        fewest: How many runs a design should have if the budget allows.
        most: How many it may have.

    Returns:
        None and a design without an anchor if the budget pays for none of them.
    """
    affordable = [at for at in anchors if cost[at] <= budget]
    plain = np.asarray(cost <= budget)
    plain[list(anchors)] = False
    anchor = affordable[0] if affordable else None
    if len(affordable) > 1:
        anchor = _largest_of_the_good(
            beliefs, cost, budget, affordable, np.flatnonzero(plain), fewest, most
        )
    chosen = greedy(
        beliefs, cost, budget, anchor=anchor, usable=plain, fewest=fewest, most=most,
    )  # fmt: skip
    return anchor, chosen


def _largest_of_the_good(
    beliefs: Beliefs, cost: FloatArray, budget: float, anchors: Sequence[int],
    others: np.ndarray[tuple[int], np.dtype[np.intp]], fewest: int, most: int,
) -> int:  # fmt: skip
    """Return the first anchor whose design tells about as much as the best design."""
    step = -(-others.size // _SEEN) if others.size else 1
    kept = np.concatenate([others[::step], np.asarray(anchors)])
    some = replace(beliefs, rows=beliefs.rows[:, kept])
    count = kept.size - len(anchors)
    usable = np.arange(kept.size) < count
    found = []
    for place in range(count, kept.size):
        chosen = greedy(
            some, cost[kept], budget, anchor=place, usable=usable, fewest=fewest, most=most,
        )  # fmt: skip
        design = Design(some)
        for at in chosen:
            design.add(at)
        found.append(np.sqrt(design.expected_variance()))
    good = [at for at, sd in zip(anchors, found, strict=True) if sd <= _ALIKE * min(found)]
    return good[0]
