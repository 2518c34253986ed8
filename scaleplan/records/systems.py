"""Systems of runs side by side: what compute of one is worth in compute of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Cleaning, Metric
from scaleplan.records.fits import Interval, Parameter
from scaleplan.units import format_significant

Form = Literal["shared", "free"]
# What a loss was chosen for: inside what both have reached, or asked for.
At = Literal["common", "between", "target_loss", "target_flops"]
Verdict = Literal["better", "worse", "not told apart", "reached by it alone", "not reached"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class System(Record):
    """One system with its own fit.

    Args:
        name: Its file, folder or value of the column.
        runs: Number of fitted runs.
        formula: Its own fit, written out.
        parameters: Its own parameters, and `gamma`, the exponent of compute at the best split.
        noise: Scatter of one run, log units.
        flops_low: Smallest compute of its runs.
        flops_high: Largest.
        value_low: Best metric that one of its runs reached.
        value_high: Worst.
        worth: Under the shared form, how many times their own number its parameters and its tokens
            (or its compute) are worth in the reference.
    """

    name: str
    runs: int
    formula: str
    parameters: tuple[Parameter, ...]
    noise: float
    flops_low: float
    flops_high: float
    value_low: float
    value_high: float
    worth: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Ratio(Record):
    """A compute multiplier with its interval; infinite where the reference never gets there.

    All three are None where neither system may get there: a number would stand for nothing.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Multiplier(Record):
    """How many times a system's compute the reference needs for the same metric.

    Args:
        system: The system.
        at: What the metric was chosen for.
        value: The metric.
        reference_flops: Compute with which the reference reaches it, of the form that is answered
            by; infinite if it never does.
        flops: Compute with which the system does.
        answer: The multiplier that the data support.
        shared: That of shared exponents and floor.
        free: That of each system's own fit.
        reference_reaches: Share of the answer's resamples in which the reference ever gets there.
        system_reaches: Share in which the system does.
        decades_beyond_data: How far the larger of both lies outside its system's runs.
        verdict: What the interval of the answer says.
    """

    system: str
    at: At
    value: float
    reference_flops: float
    flops: float
    answer: Ratio
    shared: Ratio
    free: Ratio
    reference_reaches: float
    system_reaches: float
    decades_beyond_data: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SystemCrossing(Record):
    """Where the free curves of a system and the reference meet.

    Args:
        system: The system.
        flops: The compute.
        flops_low: Lower end of its interval; None if the curves are told apart nowhere below.
        flops_high: Upper end; None if nowhere above.
        value: The metric there.
        decades_beyond_data: How far outside the compute that both have runs at; 0 inside.
        better_below: Which is better with less compute.
        better_above: Which with more.
        supported: Whether the data reject the shared form, under which no curves cross, and tell
            the curves apart at some compute below or above.
    """

    system: str
    flops: float
    flops_low: float | None
    flops_high: float | None
    value: float
    decades_beyond_data: float
    better_below: str
    better_above: str
    supported: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FormTest(Record):
    """The F test of shared exponents and floor against each system's own.

    Args:
        statistic: F.
        extra: Degrees of freedom of its numerator.
        spare: Of its denominator.
        p: Tail probability.
        weight: Akaike weight of the shared form, its share of the answer's interval.
        rejected: Whether the data reject the shared form.
        formula: The shared form, written out.
    """

    statistic: float
    extra: int
    spare: int
    p: float
    weight: float
    rejected: bool
    formula: str

    @property
    def words(self) -> str:
        """Return the statistic with its freedom and tail probability, as people write it."""
        name = f"F({self.extra}, {self.spare})"
        if self.statistic <= 0.0:
            return f"{name} = 0, the shared form fits no worse than the free ones"
        return f"{name} = {format_significant(self.statistic, 3)}, p = {self.p:.2g}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SystemsComparison(Record):
    """Two or more systems side by side.

    Args:
        reference: The one that the others are measured by.
        by: The column that tells systems apart; empty where each is a source of its own.
        metric: What is reached.
        complement: Whether all values are of 1 - metric.
        law: The law of each system.
        resource: What is multiplied: `training compute`, or the single input's column.
        form: Which form answers.
        test: Whether the systems share exponents and floor.
        systems: One entry a system, the reference first.
        multipliers: One entry a system and metric.
        crossings: Where curves meet.
        interval: Level and kind of all intervals.
        cleaning: What reading did to all rows.
        notes: What there is to say.
        assumptions: What was assumed.
    """

    reference: str
    by: str
    metric: Metric
    complement: bool
    law: str
    resource: str
    form: Form
    test: FormTest
    systems: tuple[System, ...]
    multipliers: tuple[Multiplier, ...]
    crossings: tuple[SystemCrossing, ...]
    interval: Interval
    cleaning: Cleaning
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
