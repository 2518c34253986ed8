"""The runs to train next, and what they are expected to tell about a target."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.advice import Assumption, Note
from scaleplan.records.base import Record
from scaleplan.records.cleaned import Metric
from scaleplan.records.fits import Interval

PLANNED = "next-"  # before the number of a run that `next` names


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NextRun(Record):
    """One run that is proposed.

    Args:
        name: What it is called in an emitted file, for example `next-1`.
        role: `anchor` for the run at the target's tokens per parameter, else `spread`.
        params: Its parameters.
        tokens: Its training tokens.
        flops: Its training compute.
        share: Its part of the compute of all proposed runs.
        law_half_width_without: Expected half-width of the law's value at the target if this run
            alone is left out.
        layers: Layers of a transformer of about that size, a guess; this and what follows up to
            the learning rate are None for models that are no language models.
        width: Its width.
        heads: Its attention heads.
        batch_tokens: Tokens in one step.
        steps: Steps of that batch.
        learning_rate: Peak learning rate, a guess.
        hours: Wall-clock hours on the cluster; None where nobody knows how fast it trains such
            a model.
        gpu_hours: Accelerator-hours.
        usd: What they cost, None without a price.
    """

    name: str
    role: str
    params: float
    tokens: float
    flops: float
    share: float
    law_half_width_without: float | None
    layers: int | None
    width: int | None
    heads: int | None
    batch_tokens: float | None
    steps: int | None
    learning_rate: float | None
    hours: float | None
    gpu_hours: float | None
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Alternative(Record):
    """Another way to spend the same compute.

    Args:
        name: For example `ladder`.
        what: Which runs these are.
        runs: How many.
        flops: What they take together.
        value: The metric expected at the target, as the fit has it today.
        half_width: Expected half-width of the interval of a run there after them.
        law_half_width: The same of the law's value.
    """

    name: str
    what: str
    runs: int
    flops: float
    value: float
    half_width: float | None
    law_half_width: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NextRuns(Record):
    """The runs to train next.

    Half-widths are of intervals at the target, in the metric's unit: of one new run, and of the
    law's value, which leaves out the scatter of a run and the error of the form.

    Args:
        fit_name: The fit or prior they are planned with.
        law: Its law.
        metric: What is predicted.
        target_params: The model to forecast.
        target_tokens: Its training tokens.
        target_flops: Its training compute.
        target_reason: Where the target comes from.
        value: The metric predicted there today.
        half_width_before: Half-width of its interval today; None if there is none.
        half_width_after: The same after the proposed runs, if the form of the law holds.
        law_half_width_before: Half-width of the interval of the law's value today.
        law_half_width_after: The same after the proposed runs.
        budget_flops: The compute that may be spent, None where dollars were given.
        budget_usd: The dollars that may be spent, None where compute was given.
        gpu: The accelerator that hours and dollars are of.
        gpus: How many.
        runs: The proposed runs, largest first.
        alternatives: Other ways to spend the same compute.
        interval: How the intervals are made.
        notes: What there is to say.
        assumptions: What was assumed.
        samples: What is counted in the place of tokens, empty for tokens.
        columns: (role, column) as the logs of the fit call them, for the roles of an emitted file.
    """

    fit_name: str
    law: str
    metric: Metric
    target_params: float
    target_tokens: float
    target_flops: float
    target_reason: str
    value: float
    half_width_before: float | None
    half_width_after: float | None
    law_half_width_before: float | None
    law_half_width_after: float | None
    budget_flops: float | None
    budget_usd: float | None
    gpu: str
    gpus: int
    runs: tuple[NextRun, ...]
    alternatives: tuple[Alternative, ...]
    interval: Interval | None
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    samples: str = ""
    columns: tuple[tuple[str, str], ...] = ()
