"""Runs that could be trained next, and the sets of runs that people plan without looking."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

# Tokens per parameter within this factor of the target's. A band of 6 takes a sixth off a ladder's
# error where the law is right, 25 and 50 half of it; and where the law is wrong wide bands show it
# (tests/benchmark/next_runs.py --reps 60 --bands 6,25, 2026, of runs no smaller than the pilot's).
RATIO_BAND = 50.0
# Runs of fewer tokens than parameters stand apart in public sweeps: five of them move the exponent
# of the tokens by a quarter (Besiroglu et al. 2024, who leave them out).
_LEAST_RATIO = 1.0
_RATIOS = 7
# Rungs of a ladder, each so many times the compute of the one below.
_RUNGS, _RUNG_FACTOR = 5, 3.0
_ISOFLOP_LEVELS, _ISOFLOP_SIZES = 3, 5
_ISOFLOP_BAND = (
    8.0  # from the smallest to the largest size of one level, as in Hoffmann et al. 2022
)
CHINCHILLA_RATIO = 20.0  # tokens per parameter, Hoffmann et al. 2022 (arXiv 2203.15556), table 3


@dataclass(frozen=True, slots=True, eq=False)
class RunSet:
    """Runs by their params, tokens and compute, each of shape (n,)."""

    params: FloatArray
    tokens: FloatArray
    flops: FloatArray

    def __len__(self) -> int:
        return int(self.params.size)

    def take(self, rows: list[int]) -> RunSet:
        """Return some of the runs."""
        return RunSet(self.params[rows], self.tokens[rows], self.flops[rows])

    def joined(self, other: RunSet) -> RunSet:
        """Return these runs and others after them."""
        return RunSet(
            np.append(self.params, other.params), np.append(self.tokens, other.tokens),
            np.append(self.flops, other.flops),
        )  # fmt: skip


def runs_of(flops: FloatArray, ratio: FloatArray, flops_per_param_token: float) -> RunSet:
    """Return runs of these computes and tokens per parameter, rounded to three digits.

    Args:
        flops: Shape (n,), training compute, FLOP.
        ratio: Shape (n,), tokens per parameter.
        flops_per_param_token: k in C = k N D.
    """
    params = _rounded(np.sqrt(flops / (flops_per_param_token * ratio)))
    # Rounded down: the runs of a budget together never cost more than it.
    tokens = _rounded(flops / (flops_per_param_token * params), down=True)
    return RunSet(params, tokens, flops_per_param_token * params * tokens)


def _rounded(values: FloatArray, *, down: bool = False) -> FloatArray:
    digits = 10.0 ** (np.floor(np.log10(values)) - 2.0)
    scaled = values / digits
    # A value that is whole but for its last bit is not rounded down to the one below.
    return np.asarray((np.floor(scaled + 1e-9) if down else np.round(scaled)) * digits)


def candidates(
    *,
    cheapest: float,
    dearest: float,
    ratio: float,
    count: int,
    flops_per_param_token: float,
    band: float = RATIO_BAND,
    least: tuple[float, float] = (0.0, 0.0),
) -> RunSet:
    """Return candidates on a grid of compute and tokens per parameter around the target's.

    Args:
        cheapest: Least compute of a run, FLOP.
        dearest: Largest.
        ratio: Tokens per parameter of the target.
        count: About how many candidates.
        flops_per_param_token: k in C = k N D.
        band: Largest factor between a candidate's tokens per parameter and the target's.
        least: Fewest params and tokens, where some candidates have so many.
    """
    ratios = max(_RATIOS, 2 * round(math.sqrt(count / 8.0)) + 1)
    levels = max(2, round(count / ratios))
    flops, wide = np.meshgrid(
        np.geomspace(cheapest, dearest, levels),
        np.geomspace(max(ratio / band, min(_LEAST_RATIO, ratio)), ratio * band, ratios),
        indexing="ij",
    )
    found = runs_of(flops.ravel(), wide.ravel(), flops_per_param_token)
    kept = np.flatnonzero((found.params >= least[0]) & (found.tokens >= least[1]))
    return found.take(kept.tolist()) if kept.size else found


def naive_sets(
    budget: float, *, ratio: float, flops_per_param_token: float, dearest: float
) -> tuple[tuple[str, str, RunSet], ...]:
    """Return what the budget buys in other ways: name, what it is, and the runs.

    Args:
        budget: Compute, FLOP.
        ratio: Tokens per parameter of the target.
        flops_per_param_token: k in C = k N D.
        dearest: Most compute of one run.
    """
    one = np.array([min(budget, dearest)])
    rungs = _RUNG_FACTOR ** np.arange(_RUNGS, dtype=float)
    ladder = np.minimum(budget * rungs / rungs.sum(), dearest)
    levels = _RUNG_FACTOR ** np.arange(_ISOFLOP_LEVELS, dtype=float)
    level = budget * levels / (levels.sum() * _ISOFLOP_SIZES)
    sizes = _ISOFLOP_BAND ** np.linspace(-0.5, 0.5, _ISOFLOP_SIZES)
    flops, factor = (a.ravel() for a in np.meshgrid(np.minimum(level, dearest), sizes))
    k = flops_per_param_token
    return (
        ("one big run", "all of it in one run at the target's tokens per parameter",
         runs_of(one, np.array([ratio]), k)),
        ("ladder", f"{_RUNGS} runs with D = {CHINCHILLA_RATIO:g} N, each {_RUNG_FACTOR:g} times "
         "the compute of the one below", runs_of(ladder, np.full(_RUNGS, CHINCHILLA_RATIO), k)),
        ("isoFLOP grid", f"{_ISOFLOP_LEVELS} computes with {_ISOFLOP_SIZES} sizes each around "
         f"D = {CHINCHILLA_RATIO:g} N", runs_of(flops, CHINCHILLA_RATIO / factor**2, k)),
    )  # fmt: skip
