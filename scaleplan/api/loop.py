"""The loop from plan to training and back, as functions: backtest, compare, next runs, tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scaleplan.api.numbers import Number, maybe
from scaleplan.api.results import FitResult, RunSet, Shown
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.records import Backtest, NextRuns, Tuning
    from scaleplan.records.systems import SystemsComparison

_SEQUENCE_LENGTH = 4096
_FEWEST_RESAMPLES = 100


class BacktestResult(Shown):
    """How good forecasts of the larger runs from the smaller ones would have been."""

    record: Backtest


class ComparisonResult(Shown):
    """Systems side by side."""

    record: SystemsComparison


class NextResult(Shown):
    """Runs to train next."""

    record: NextRuns

    def write(self, kind: str) -> str:
        """Return the runs as a file for a launcher.

        Args:
            kind: `yaml` or `csv`, logs with the results left open, or `sh`, a script.

        Raises:
            UsageError: If it is another kind.
        """
        from scaleplan.render.launch_file import LAUNCH_FILES, launch_file

        if kind not in LAUNCH_FILES:
            allowed = ", ".join(LAUNCH_FILES)
            raise UsageError(f"runs are not written as {kind!r}", hint=f"Give one of {allowed}.")
        return launch_file(self.record, kind)


class TuningResult(Shown):
    """The best learning rates and batches of a grid, and the laws through them."""

    record: Tuning


def backtest(runs: RunSet, *, laws: Sequence[str] = ()) -> BacktestResult:
    """Forecast the larger runs from the smaller ones, by each law and as `fit` would have done.

    Args:
        runs: What `read_runs` gave.
        laws: Names of laws; none takes `auto` and those that the columns allow.

    Raises:
        FitError: If no law could forecast any run.
    """
    from scaleplan.planning.backtests import backtest as made

    return BacktestResult(made(runs.record, laws=laws))


def compare(
    systems: Mapping[str, RunSet], *, reference: str | None = None, law: str | None = None,
    target_loss: float | None = None, target_flops: Number | None = None, resamples: int = 1000,
    level: float = 0.9, seed: int = 0,
) -> ComparisonResult:  # fmt: skip
    """Say how many times the compute of each system the reference needs for the same metric.

    Args:
        systems: Runs by the name of their system.
        reference: What the others are measured by; the first by default.
        law: `chinchilla` or `power_floor`; None takes the first that the runs can carry.
        target_loss: A metric to compare at besides.
        target_flops: A compute of the reference to compare at besides, FLOP.
        resamples: Bootstrap resamples, at least 100.
        level: Level of the intervals.
        seed: Seed of the resamples.

    Raises:
        FitError: If fewer than two systems can be fitted.
        UsageError: If there are too few resamples.
    """
    from scaleplan.planning.systems import compare_systems

    if resamples < _FEWEST_RESAMPLES:
        message = f"{resamples} resamples are too few for the interval of a multiplier"
        raise UsageError(message, hint=f"Give resamples={_FEWEST_RESAMPLES} or more.")
    result, _ = compare_systems(
        {name: runs.record for name, runs in systems.items()}, reference=reference, law=law,
        target_loss=target_loss, target_flops=maybe(target_flops), resamples=resamples,
        level=level, seed=seed,
    )  # fmt: skip
    return ComparisonResult(result)


def next_runs(
    fit: FitResult, *, budget: Number | None = None, budget_usd: Number | None = None,
    target_params: Number | None = None, target_tokens: Number | None = None,
    target_flops: Number | None = None, cheapest: Number | None = None,
    dearest: Number | None = None, most: int = 30, candidates: int = 400, gpu: str | None = None,
    gpus: int = 8, mfu: float | None = None, price: Number | None = None, seed: int = 0,
) -> NextResult:  # fmt: skip
    """Choose the runs whose results narrow the interval at a target most for a budget.

    Args:
        fit: A fit of a law of params and tokens.
        budget: Compute for the runs together, FLOP.
        budget_usd: Money for them instead, US dollars.
        target_params: The model to forecast: its size.
        target_tokens: Its training tokens.
        target_flops: Its training compute; alone, the compute-optimal model is the target.
        cheapest: Least compute of one run, FLOP; None takes a tenth of the cheapest fitted run.
        dearest: Most compute of one run, FLOP.
        most: Most runs to propose.
        candidates: About how many candidates to look at.
        gpu: The accelerator that hours and cost are of.
        gpus: How many of it, one run at a time.
        mfu: Measured steady-state MFU, above 0 and at most 1.
        price: US dollars an accelerator-hour.
        seed: Seed of the draws of parameters.

    Raises:
        FitError: If the fit cannot say how surely it knows its parameters.
        PlanError: If the budget pays for no run, or the target needs none.
        UsageError: If there is no budget, or two.
    """
    from scaleplan.advice.next_target import with_target_notes
    from scaleplan.catalog import accelerator, default_accelerator
    from scaleplan.planning.next_runs import plan_next
    from scaleplan.planning.next_runs_rows import Cluster
    from scaleplan.planning.next_runs_target import Request

    if (budget is None) == (budget_usd is None):
        raise UsageError(
            "there is no budget" if budget is None else "budget and budget_usd are two budgets",
            hint="Give budget=1e20 (FLOP) or budget_usd=5000.",
        )
    for name, count in (("most", most), ("candidates", candidates), ("gpus", gpus)):
        if type(count) is not int or count < 1:
            raise UsageError(f"{name}={count!r} is not allowed", hint=f"For example {name}=8.")
    if mfu is not None and not 0.0 < mfu <= 1.0:
        raise UsageError(f"mfu={mfu!r} is not allowed", hint="A share of the dense peak: 0.4.")
    request = Request(
        flops=maybe(budget), usd=maybe(budget_usd), target_params=maybe(target_params),
        target_tokens=maybe(target_tokens), target_flops=maybe(target_flops),
        cheapest=maybe(cheapest), dearest=maybe(dearest), fewest=1, most=most,
        candidates=candidates, seed=seed,
    )  # fmt: skip
    cluster = Cluster(
        accelerator=default_accelerator() if gpu is None else accelerator(gpu), gpus=gpus, mfu=mfu,
        usd_per_hour=maybe(price), sequence_length=_SEQUENCE_LENGTH,
    )  # fmt: skip
    plan = plan_next(fit.record, request, cluster)
    return NextResult(with_target_notes(plan, fit.record, mfu=mfu))


def tune(
    runs: RunSet, *, params: Number | None = None, tokens: Number | None = None,
    flops: Number | None = None, sequence_length: Number | None = None, level: float = 0.9,
) -> TuningResult:  # fmt: skip
    """Find the best learning rates and batches of a grid, and the power laws through them.

    Args:
        runs: All runs of a grid, diverged ones too.
        params: With `tokens`, the model to predict the settings for.
        tokens: Its training tokens.
        flops: The training compute to predict them for, of a grid that gives no more.
        sequence_length: Tokens per sequence, to turn batches of sequences into tokens.
        level: Level of the intervals.

    Raises:
        InputError: If the log has no learning rates, or no size.
        UsageError: If what is given is not what the grid gives.
    """
    from scaleplan.planning.tuning import tune as made

    given = {"params": maybe(params), "tokens": maybe(tokens), "flops": maybe(flops)}
    target = {role: size for role, size in given.items() if size is not None}
    found = made(runs.record, sequence_length=maybe(sequence_length), target=target, level=level)
    return TuningResult(found)
