"""The fit of a log, from cleaned runs to the record that everything else reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan import __version__
from scaleplan.fitting.axes import Axes, metric_symbol
from scaleplan.fitting.choice import choose
from scaleplan.fitting.fitted import Fitted
from scaleplan.fitting.identifiability import allocation_note
from scaleplan.fitting.influence import outlier_note
from scaleplan.fitting.optimum import default_budgets, optimum_rows
from scaleplan.fitting.recipe import DEFAULT, Recipe
from scaleplan.fitting.remarks import unused_note
from scaleplan.fitting.repeats import repeat_notes
from scaleplan.fitting.sensitivity import objective_rows
from scaleplan.fitting.uncertainty import parameters_of, resample
from scaleplan.fitting.widening import widening_of
from scaleplan.laws import HasOptimum
from scaleplan.records import Cleaning, Fit, OptimumRow, Quality, Range, RowNote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.runs.table import Runs

_FALLING = {"loss", "error", "accuracy"}  # an accuracy is fitted as its error
_FEWEST_CLUSTERS = 20
_ASKED = "asked for"


def fit(
    runs: Runs,
    *,
    law: str = "auto",
    resamples: int = 1000,
    level: float = 0.9,
    seed: int = 0,
    recipe: Recipe = DEFAULT,
    alone: bool = False,
    flops: Sequence[float] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Fit:
    """Fit a law to runs.

    Args:
        runs: Cleaned runs.
        law: A law's name, or `auto` to compare the admissible ones.
        resamples: Bootstrap resamples; 0 uses the delta method.
        level: Level of all intervals, for example 0.9.
        seed: Seed of the resampling.
        recipe: What is minimised, and which parameters are held or bounded.
        alone: Compare a law that is asked for with no other, and with no other objective.
        flops: Budgets for the table of compute-optimal sizes, FLOP; empty chooses some.
        on_progress: Called with (done, all) resamples.

    Returns:
        The fit, with its notes.

    Raises:
        FitError: If the runs cannot carry the law.
        InputError: If a column that the law needs is missing.
    """
    choice = choose(runs, law, recipe, alone=alone)
    chosen, axes, comparison, notes = choice.tried, choice.axes, choice.comparison, choice.notes
    fitted = chosen.fitted
    if fitted is None:  # pragma: no cover - choose returns fitted laws only
        raise TypeError(chosen.law.name)
    draws = resample(
        fitted, resamples=resamples, seed=seed, clusters=_clusters(runs, axes),
        on_progress=on_progress,
    )  # fmt: skip
    parameters, interval = parameters_of(fitted, draws, level=level, unit=runs.metric.unit)
    ranges = _ranges(runs, axes)
    together = choice.together
    widening = widening_of(together, axes.scale)
    fits = tuple(t.fitted.record() for t in together if t.fitted is not None)
    rows: tuple[OptimumRow, ...] = ()
    ratio = runs.flops_per_param_token
    if isinstance(fitted.law, HasOptimum) and ratio is not None:
        note = allocation_note(fitted)
        notes += (note,) if note is not None else ()
        if note is None or note.severity != "error":
            rows = optimum_rows(
                fits, budgets=flops or default_budgets(ranges), flops_per_param_token=ratio,
                widening=widening, ranges=ranges, level=level, draws=draws,
            )  # fmt: skip
    budgets = flops or default_budgets(ranges)
    note = outlier_note(
        fitted, _names(runs, axes), budget=budgets[-1] if rows else None,
        flops_per_param_token=ratio or 6.0,
    )  # fmt: skip
    notes += (note,) if note is not None else ()
    objectives = (
        ()
        if alone
        else objective_rows(
            fitted, budget=budgets[-1] if rows else None, flops_per_param_token=ratio or 6.0
        )
    )
    notes += repeat_notes(runs, axes.roles, axes.rows)
    notes += unused_note(runs, axes)
    return Fit(
        name="fit of " + ", ".join(runs.cleaning.files),
        source=f"fitted by scaleplan {__version__} to {fitted.values.size} runs",
        law=fitted.law.name,
        formula=fitted.law.write(
            [float(v) for v in fitted.theta],
            metric=metric_symbol(runs, complement=axes.complement), names=axes.symbols,
        ),
        inputs=axes.roles, input_columns=axes.columns, metric=runs.metric,
        complement=axes.complement, main=fits[0], alternatives=fits[1:], parameters=parameters,
        interval=interval, quality=_quality(fitted), optimum=rows,
        candidates=comparison.candidates, objectives=objectives, widening=widening, ranges=ranges,
        flops_per_param_token=6.0 if ratio is None else ratio,
        cleaning=_cleaning(runs, axes), notes=(*runs.notes, *notes),
        assumptions=runs.assumptions, fingerprint=runs.fingerprint, seed=seed,
        version=__version__,
    )  # fmt: skip


def _names(runs: Runs, axes: Axes) -> list[str]:
    """Return what to call each fitted run: its name, or its file and line."""
    labels = runs.labels.get("run")
    names = []
    for i in axes.rows:
        file, line = runs.origins[int(i)]
        names.append((labels[i] if labels else "") or f"{file}:{line}")
    return names


def _clusters(runs: Runs, axes: Axes) -> tuple[str, ...] | None:
    """Return the family of each fitted run, if the log names enough families."""
    labels = runs.labels.get("family")
    if labels is None:
        return None
    chosen = tuple(labels[i] for i in axes.rows)
    return chosen if _FEWEST_CLUSTERS <= len(set(chosen)) < len(chosen) else None


def _ranges(runs: Runs, axes: Axes) -> tuple[Range, ...]:
    """Return the fitted range of each input, and of compute where it is known."""
    ranges = [
        Range(role=role, low=float(column.min()), high=float(column.max()))
        for role, column in zip(axes.roles, axes.inputs, strict=True)
    ]
    for role in ("params", "tokens", "flops"):
        if role in axes.roles or not runs.has(role):
            continue
        column = runs.column(role)[axes.rows]
        known = column[np.isfinite(column) & (column > 0.0)]
        if known.size:
            ranges.append(Range(role=role, low=float(known.min()), high=float(known.max())))
    return tuple(ranges)


def _quality(fitted: Fitted) -> Quality:
    residuals = fitted.log_residuals()
    return Quality(
        runs=int(fitted.values.size), objective_name=fitted.objective_name,
        objective=fitted.objective,
        rmse_log=None if residuals is None else float(np.sqrt(np.mean(residuals**2))),
        noise=fitted.noise, starts=fitted.starts, starts_agreeing=fitted.agreeing,
        condition=fitted.condition,
    )  # fmt: skip


def _cleaning(runs: Runs, axes: Axes) -> Cleaning:
    """Add the runs that this law could not use to the list of dropped rows."""
    used = set(axes.rows.tolist())
    names = runs.labels.get("run")
    extra = tuple(
        RowNote(
            file=runs.origins[i][0], line=runs.origins[i][1],
            reason=f"no usable value of {' or '.join((*axes.columns, runs.metric.name))}",
            run=names[i] if names else "",
        )
        for i in range(len(runs))
        if i not in used
    )  # fmt: skip
    cleaning: Cleaning = runs.cleaning
    return replace(cleaning, rows_used=len(used), dropped=(*runs.cleaning.dropped, *extra))
