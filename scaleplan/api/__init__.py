"""The Python interface: the commands as functions, their results as objects.

    import scaleplan

    runs = scaleplan.read_runs("runs.csv")
    fit = scaleplan.fit(runs)
    fit.predict(params="10B", tokens="200B").value
    scaleplan.budget(fit=fit, params="10B", gpus=256).to_frame()

Numbers may be written as people write them. Results hold the record behind them as `record`; their
`to_dict()` is the document of `--format json`, `to_frame()` its main table for pandas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.api import numbers
from scaleplan.api.numbers import Number, maybe
from scaleplan.api.results import CheckResult, FitResult, PlanResult, Prediction, RunSet
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.runs.table import Runs

__all__ = [
    "CheckResult",
    "FitResult",
    "PlanResult",
    "Prediction",
    "RunSet",
    "budget",
    "check",
    "fit",
    "load_fit",
    "read_runs",
]

_FIRST_LAW = "besiroglu_2024"
_SEQUENCE_LENGTH = 4096


def read_runs(
    *sources: str | Path, columns: Mapping[str, str] | None = None, metric: str | None = None,
    input_column: str | None = None, all_points: bool = False, best_of: bool = False,
    values: Mapping[str, Number] | None = None, pattern: str | None = None,
) -> RunSet:  # fmt: skip
    """Read logs of training runs.

    Args:
        *sources: Files, folders or patterns.
        columns: Role to column, for example `{"params": "n_model"}`.
        metric: The metric's column or kind.
        input_column: Any column to be used as the single input of a law.
        all_points: Keep all points of training curves.
        best_of: Of runs that share their sizes keep the best.
        values: What the logs do not say, by column: `{"params": "124M"}`.
        pattern: How lines of a printed log are read: named groups are the columns.

    Raises:
        InputError: If the logs cannot be read or hold no usable run.
    """
    from scaleplan.planning.shape_config import count_config
    from scaleplan.runs.reading import load_runs
    from scaleplan.runs.request import Given

    given = tuple(("", name, str(value)) for name, value in (values or {}).items())
    return RunSet(
        load_runs(
            [str(source) for source in sources], columns=columns, metric=metric,
            input_column=input_column, all_points=all_points, best_of_each=() if best_of else None,
            given=Given(pattern=pattern, values=given, count_config=count_config),
        )
    )  # fmt: skip


def fit(
    runs: RunSet | Runs | str | Path, *, law: str = "auto", resamples: int = 1000,
    level: float = 0.9, seed: int = 0,
) -> FitResult:  # fmt: skip
    """Fit a scaling law to runs.

    Args:
        runs: What `read_runs` gave, or the path of a log.
        law: A law's name, or `auto` to compare the admissible ones.
        resamples: Bootstrap resamples behind the intervals; 0 uses the delta method.
        level: Level of the intervals.
        seed: Seed of the resampling.

    Raises:
        FitError: If the runs cannot carry the law.
    """
    from scaleplan.advice import fit_notes
    from scaleplan.fitting.api import fit as fit_record
    from scaleplan.records.advice import joined_notes
    from scaleplan.runs.table import Runs

    if not 0.0 < level < 1.0:
        raise UsageError(f"a level of {level:g} is not allowed", hint="For example level=0.9.")
    for name, value in (("resamples", resamples), ("seed", seed)):
        if type(value) is not int or value < 0:
            hint = "Give a whole number of at least 0."
            raise UsageError(f"{name}={value!r} is not allowed", hint=hint)
    if isinstance(runs, str | Path):
        runs = read_runs(runs)
    table = runs.record if isinstance(runs, RunSet) else runs
    if not isinstance(table, Runs):
        raise UsageError(
            f"{type(table).__name__} is not a set of runs",
            hint="Give what scaleplan.read_runs returns, or the path of a log.",
        )
    found = fit_record(table, law=law, resamples=resamples, level=level, seed=seed)
    return FitResult(replace(found, notes=joined_notes(found.notes, fit_notes(found))))


def load_fit(source: str | Path) -> FitResult:
    """Return a fit that was kept as a file, or a published law by its id.

    Args:
        source: The path of a fit file, or an id such as `besiroglu_2024`.
    """
    if Path(source).suffix or Path(source).exists():
        from scaleplan.fitfile import load_fit as load

        return FitResult(load(str(source)))
    from scaleplan.catalog import published_law
    from scaleplan.planning.published import fit_from_published

    return FitResult(fit_from_published(published_law(str(source))))


def budget(
    *, fit: FitResult | None = None, params: Number | None = None, tokens: Number | None = None,
    ratio: Number | None = None, flops: Number | None = None, target: Number | None = None,
    days: Number | None = None, max_usd: Number | None = None,
    inference_tokens: Number | None = None, unique_tokens: Number | None = None,
    active_params: Number | None = None, gpus: int | Sequence[int] = (),
    gpu: str | Sequence[str] | None = None, mfu: Number | None = None,
    price: Number | None = None, batch: Number | None = None, country: str | None = None,
) -> PlanResult:  # fmt: skip
    """Plan a training run, or find the one that a deadline, money or a target asks for.

    The arguments are the options of `scaleplan budget`; see there.

    Args:
        fit: What forecasts the metric; None takes Besiroglu et al. 2024.
        params: Parameters of the model.
        tokens: Training tokens.
        ratio: Tokens per parameter.
        flops: Training compute, FLOP.
        target: The metric to reach.
        days: Deadline, in days where no unit is written: 30, `30d`, `36h`.
        max_usd: Money, US dollars.
        inference_tokens: Tokens after training.
        unique_tokens: Different tokens there are.
        active_params: Parameters that one token passes through.
        gpus: Numbers of accelerators; none finds the smallest cluster in time.
        gpu: Accelerators by name.
        mfu: Measured steady-state MFU, above 0 and at most 1, or a percentage as text.
        price: US dollars an accelerator-hour.
        batch: Tokens in one step.
        country: For the grid's carbon intensity.

    Raises:
        UsageError: If the arguments contradict each other.
        PlanError: If nothing meets the limits.
    """
    from scaleplan.advice import concerning, plan_notes
    from scaleplan.catalog import accelerator, default_accelerator
    from scaleplan.planning.answers import answer_plan
    from scaleplan.planning.wish import Machines, Wish
    from scaleplan.records.advice import joined_notes

    law = load_fit(_FIRST_LAW) if fit is None else fit
    names = [gpu] if isinstance(gpu, str) else list(gpu or [])
    parts = tuple(accelerator(name) for name in names) or (default_accelerator(),)
    wish = Wish(
        params=maybe(params), active_params=maybe(active_params), tokens=maybe(tokens),
        ratio=maybe(ratio), flops=maybe(flops), target=numbers.target(target),
        days=numbers.days(days), max_usd=maybe(max_usd),
        inference_tokens=maybe(inference_tokens), unique_tokens=maybe(unique_tokens),
    )  # fmt: skip
    plan = answer_plan(
        law.record,
        wish,
        Machines(
            accelerators=parts, gpus=_counts(gpus), mfu=numbers.mfu(mfu),
            usd_per_hour=numbers.price(price), batch_tokens=maybe(batch),
            sequence_length=_SEQUENCE_LENGTH, country=country,
        ),
    )  # fmt: skip
    about = concerning(law.record, plan.forecast.points, best_size=wish.leaves_the_split)
    notes = joined_notes(plan.notes, plan_notes(plan, law.record), about)
    return PlanResult(replace(plan, notes=notes))


def _counts(gpus: int | Sequence[int]) -> tuple[int, ...]:
    """Return numbers of accelerators.

    Raises:
        UsageError: If one is no whole number of at least 1.
    """
    several = gpus if isinstance(gpus, Sequence) else [gpus]
    for one in several:
        if type(one) is not int or one < 1:
            raise UsageError(f"gpus={gpus!r} is not allowed", hint="For example gpus=[8, 64].")
    return tuple(several)


def check(
    *logs: str | Path, columns: Mapping[str, str] | None = None, metric: str | None = None,
    total_steps: float | None = None, fit: FitResult | None = None,
) -> CheckResult:  # fmt: skip
    """Judge training curves.

    Args:
        *logs: Logs per step or epoch.
        columns: Role to column.
        metric: The metric's column or kind.
        total_steps: Where runs are planned to end.
        fit: A law that says where a run should be.

    Raises:
        InputError: If the logs cannot be read or hold no curve.
    """
    from scaleplan.advice.curves import check_curves
    from scaleplan.runs.series import load_curves

    log = load_curves([str(each) for each in logs], columns=columns, metric=metric)
    law = None if fit is None else fit.record
    return CheckResult(check_curves(log, total=total_steps, fit=law))
