"""Checks of a fit: other ways to the same answer, and which runs the answer hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.base import Record

MinimumStatus = Literal["used", "edge", "maximum", "few sizes"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class IsoflopMinimum(Record):
    """The best size among runs of about one training compute.

    Args:
        budget_flops: Median training compute of the runs, FLOP.
        runs: How many runs the budget has; `near` of them were close enough to the minimum to
            place it.
        near: See `runs`; 0 where no minimum was sought.
        params: Parameters at the minimum; None where there is none.
        tokens: Training tokens there, None likewise.
        value: The metric there as it is fitted, None likewise.
        status: `used`; `edge` if the best size is the smallest or largest of the sweep; `maximum`
            if the metric bends the wrong way; `few sizes` if there are fewer than three.
    """

    budget_flops: float
    runs: int
    near: int
    params: float | None
    tokens: float | None
    value: float | None
    status: MinimumStatus


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SizeAt(Record):
    """A compute-optimal size: params and tokens at a training compute in FLOP."""

    flops: float
    params: float
    tokens: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AllocationApproach(Record):
    """One of the three ways to the compute-optimal size: N* grows as C^a and D* as C^b.

    Args:
        approach: 1 lower envelope, 2 minima of isoFLOP sweeps, 3 the fitted law (Hoffmann et al.
            2022, arXiv 2203.15556, sections 3.1 to 3.3).
        points: Number of runs (1, 3) or minima (2) behind it.
        params_exponent: a, with its interval; bounds are None where none can be given.
        tokens_exponent: b, likewise.
        sizes: What it recommends at the largest budget of the runs and at the largest one asked
            for.
    """

    approach: int
    points: int
    params_exponent: float
    params_exponent_low: float | None
    params_exponent_high: float | None
    tokens_exponent: float
    tokens_exponent_low: float | None
    tokens_exponent_high: float | None
    sizes: tuple[SizeAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Influence(Record):
    """Runs without which the compute-optimal size is another one.

    Args:
        without: The run, or what the left-out runs have in common.
        runs: How many they are.
        at_flops: Training compute at which N* is compared.
        params: N* with all runs.
        params_without: N* without these; None if the others do not tell it.
        refitted: How many single runs were left out in turn; of very many only those that a
            first-order estimate singles out.
    """

    without: str
    runs: int
    at_flops: float
    params: float
    params_without: float | None
    refitted: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Identifiability(Record):
    """What the design of the runs can tell, in the numbers that the warnings are made from.

    Args:
        decades: log10 of the largest over the smallest fitted value, by input role, and
            `tokens_per_param` for laws of both.
        correlation: Of ln N and ln D over the runs; None for laws of one input.
        relative_error: Largest standard error of an exponent over its value; None if not known.
        relative_error_of: That exponent.
        starts_objective: Relative difference of the objectives of the best three starts; None if
            fewer were polished.
        starts_params: Largest ratio of N* among them, less 1; None without an optimum.
    """

    decades: tuple[tuple[str, float], ...]
    correlation: float | None
    relative_error: float | None
    relative_error_of: str
    starts_objective: float | None
    starts_params: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PureError(Record):
    """The scatter of runs that share all inputs, and whether the law misses more than that.

    Args:
        runs: Runs that share their inputs with another one.
        groups: How many different inputs those are.
        scatter: Standard deviation within groups, in log units if `relative`, else metric units.
        relative: Whether the law is fitted in logs.
        lack_of_fit_p: p-value of F = MS(lack of fit) / MS(pure error); None if it cannot be formed.
    """

    runs: int
    groups: int
    scatter: float
    relative: bool
    lack_of_fit_p: float | None
