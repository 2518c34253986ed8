"""The fit of a log, from cleaned runs to the record that everything else reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan import __version__
from scaleplan.fitting.allocation import allocation_note
from scaleplan.fitting.axes import Axes, lacking, metric_symbol
from scaleplan.fitting.checking import check, quality_of
from scaleplan.fitting.choice import choose
from scaleplan.fitting.clusters import clusters_of, points_note, runs_of_points
from scaleplan.fitting.effect import Refusal, no_effect
from scaleplan.fitting.hull import hull_of
from scaleplan.fitting.identifiability import with_known_interval
from scaleplan.fitting.levels import named, named_parameters
from scaleplan.fitting.optimum import default_budgets, optimum_rows, size_interval
from scaleplan.fitting.recipe import DEFAULT, Recipe
from scaleplan.fitting.resampling import IntervalKind, check_resamples, resample, resampled_kind
from scaleplan.fitting.sensitivity import objective_rows
from scaleplan.fitting.settings import kinds_of
from scaleplan.fitting.settled import settled
from scaleplan.fitting.turning import refusal_of_turn
from scaleplan.fitting.uncertainty import bias_notes, parameters_of
from scaleplan.fitting.widening import widening_of
from scaleplan.laws import HasOptimum
from scaleplan.records import (
    Cleaning,
    Fit,
    LawFit,
    OptimumRow,
    Parameter,
    Range,
    RowNote,
)
from scaleplan.runs.metrics import describe
from scaleplan.runs.text import split_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.fitting.selection import Tried
    from scaleplan.runs.table import Runs


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
    interval: IntervalKind = "auto",
    cluster: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_law: Callable[[str], None] | None = None,
    on_draws: Callable[[Resamples], None] | None = None,
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
        interval: How intervals of parameters and sizes are made; `auto` draws runs (or families of
            runs) if there are enough of them, and else uses the delta method.
        cluster: The column that names which runs are resampled together.
        on_progress: Called with (done, all) resamples.
        on_law: Called with the name of each law before it is fitted.
        on_draws: Called with the resamples of the parameters, if there are any.

    Returns:
        The fit, with its notes.

    Raises:
        FitError: If the runs cannot carry the law.
        InputError: If a column that the law needs is missing.
        UsageError: If the resamples are too few for an interval of that level.
    """
    kind = resampled_kind(interval, cluster)
    check_resamples(resamples, level, kind)
    runs = settled(runs)
    choice = choose(runs, law, recipe, alone=alone, on_law=on_law)
    chosen, axes, comparison, notes = choice.tried, choice.axes, choice.comparison, choice.notes
    fitted = chosen.fitted
    if fitted is None:  # pragma: no cover - choose returns fitted laws only
        raise TypeError(chosen.law.name)
    ratio = axes.flops_ratio(runs)
    allocation = allocation_note(fitted) if ratio is not None else None
    fitted, fits = _of_runs(runs, axes, fitted, choice.together[1:])
    draws = resample(
        fitted, kind=kind, resamples=resamples, seed=seed,
        clusters=clusters_of(runs, axes.rows, cluster, interval), on_progress=on_progress,
    )  # fmt: skip
    if draws is not None and on_draws is not None:
        on_draws(draws)
    parameters, made = parameters_of(
        fitted, draws, level=level, unit=runs.metric.unit, kind=interval
    )
    notes += (*points_note(runs, axes.rows), *bias_notes(parameters, draws))
    if law == "auto":
        _refuse_without_effect(runs, fitted, parameters, axes, choice.refused)
    ranges = _ranges(runs, axes)
    widening = widening_of(choice.together, axes.scale)
    rows: tuple[OptimumRow, ...] = ()
    if isinstance(fitted.law, HasOptimum) and ratio is not None:
        notes += (allocation,) if allocation is not None else ()
        if allocation is None or allocation.severity != "error":
            rows = optimum_rows(
                fits, budgets=flops or default_budgets(ranges), flops_per_param_token=ratio,
                widening=widening, ranges=ranges, level=level, draws=draws, unit=runs.metric.unit,
                complement=axes.complement,
            )  # fmt: skip
    checks = check(
        runs, axes, fitted, draws, parameters=parameters, optimum=() if alone else rows,
        level=level, together=choice.together,
    )  # fmt: skip
    objectives = () if alone else objective_rows(
        fitted, budget=rows[-1].flops if rows else None, flops_per_param_token=ratio or 6.0
    )  # fmt: skip
    return Fit(
        name="fit of " + ", ".join(runs.cleaning.files),
        source=f"fitted by scaleplan {__version__} to {fitted.values.size} runs",
        law=fitted.law.name, formula=_formula(runs, axes, fitted), inputs=axes.roles,
        input_columns=axes.columns, metric=runs.metric, complement=axes.complement, main=fits[0],
        alternatives=fits[1:], flops_per_active_token=axes.active_ratio(runs),
        parameters=named_parameters(parameters, runs.levels) if runs.levels else parameters,
        interval=made, quality=quality_of(runs, axes, fitted), optimum=rows,
        candidates=comparison.candidates, objectives=objectives, widening=widening, ranges=ranges,
        cleaning=_cleaning(runs, axes),
        flops_per_param_token=6.0 if ratio is None else ratio, assumptions=runs.assumptions,
        notes=(*runs.notes, *notes, *checks.notes), fingerprint=runs.fingerprint, seed=seed,
        version=__version__, isoflop=checks.isoflop, approaches=checks.approaches,
        influences=checks.influences, levels=runs.levels, hull=_hull(runs, axes),
        input_unit=_input_unit(runs, axes), last_planned=runs.last_planned,
        optimum_interval=size_interval(
            fits[0], draws, level=level, runs=fitted.values.size, profiles=interval == "profile"
        ) if rows else None,
    )  # fmt: skip


def _of_runs(
    runs: Runs, axes: Axes, fitted: Fitted, together: Sequence[Tried]
) -> tuple[Fitted, tuple[LawFit, ...]]:
    """Return the fit with the uncertainty of runs where rows are points, and all records of it."""
    points = runs_of_points(runs, axes.rows)
    every = [fitted, *(tried.fitted for tried in together if tried.fitted is not None)]
    if points is not None:
        every = [one.of_groups(len(set(points))) for one in every]
    every[0] = with_known_interval(every[0])
    return every[0], tuple(one.record() for one in every)


def _hull(runs: Runs, axes: Axes) -> tuple[tuple[float, float], ...]:
    """Return the hull of the fitted runs in size and tokens, empty where one is not known."""
    size = "active_params" if "active_params" in axes.roles else "params"
    if not runs.has(size) or not runs.has("tokens"):
        return ()
    params, tokens = (runs.column(role)[axes.rows] for role in (size, "tokens"))
    known = np.isfinite(params) & np.isfinite(tokens) & (params > 0.0) & (tokens > 0.0)
    return hull_of(params[known], tokens[known])


def _input_unit(runs: Runs, axes: Axes) -> str:
    """Return the unit of a single input, as the log or the name of its column says."""
    if axes.roles != ("input",):
        return ""
    named = describe(axes.columns[0])
    declared: str = runs.units.get("input", "")
    if declared or named is None:
        return declared
    # An input stays as logged: a perplexity is no logarithm here, and a percentage no share.
    if "perplexity" in named.unit:
        return "perplexity"
    said = named.unit if named.unit != "fraction" else split_unit(axes.columns[0])[1]
    return said or (runs.metadata.get("loss_unit", "") if named.kind == "loss" else "")


def _refuse_without_effect(
    runs: Runs, fitted: Fitted, parameters: Sequence[Parameter], axes: Axes,
    refused: Refusal | None,
) -> None:  # fmt: skip
    """Refuse a law that nobody asked for where the metric does not depend on its inputs."""
    instead = refused is not None
    nothing = no_effect(fitted, tuple(parameters), axes.columns, instead=instead)
    if nothing is not None:
        nothing = refusal_of_turn(runs, axes, nothing)
    if nothing is not None and refused is not None:
        nothing = refused.beside(nothing, axes.columns[0])
    if nothing is not None:
        raise nothing.apart(kinds_of(runs)).error()


def _formula(runs: Runs, axes: Axes, fitted: Fitted) -> str:
    """Return the law with its numbers, and with the names of its levels where it has them."""
    symbol = metric_symbol(runs, complement=axes.complement)
    theta = [float(v) for v in fitted.theta]
    text = fitted.law.write(theta, metric=symbol, names=axes.symbols)
    return named(text, runs.levels, axes.symbols[-1]) if runs.levels else text


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


def _cleaning(runs: Runs, axes: Axes) -> Cleaning:
    """Add the runs that this law could not use to the list of dropped rows."""
    used = set(axes.rows.tolist())
    names = runs.labels.get("run")
    extra = tuple(
        RowNote(
            file=runs.origins[i][0], line=runs.origins[i][1],
            reason=f"no usable value of {' or '.join(lacking(runs, axes, i))}",
            run=names[i] if names else "",
        )
        for i in range(len(runs))
        if i not in used
    )  # fmt: skip
    cleaning: Cleaning = runs.cleaning
    return replace(cleaning, rows_used=len(used), dropped=(*runs.cleaning.dropped, *extra))
