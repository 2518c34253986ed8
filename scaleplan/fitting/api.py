"""The fit of a log, from cleaned runs to the record that everything else reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan import __version__
from scaleplan.errors import FitError
from scaleplan.fitting.axes import Axes, axes_for, metric_symbol, single_roles
from scaleplan.fitting.backtest import widening_of
from scaleplan.fitting.clusters import clusters_of
from scaleplan.fitting.fitted import Fitted
from scaleplan.fitting.forms import ADDITIVE, COUPLED, choose_form
from scaleplan.fitting.identifiability import allocation_note, check_design
from scaleplan.fitting.influence import outlier_note
from scaleplan.fitting.optimum import default_budgets, optimum_rows, size_interval
from scaleplan.fitting.remarks import fallback_note, unused_note
from scaleplan.fitting.repeats import repeat_notes
from scaleplan.fitting.resampling import IntervalKind, resample, resampled_kind
from scaleplan.fitting.selection import (
    UNPASSED,
    Comparison,
    Tried,
    compare,
    one_input_laws,
    try_law,
)
from scaleplan.fitting.uncertainty import bias_notes, parameters_of
from scaleplan.laws import HasOptimum, Law, get_law
from scaleplan.records import Candidate, Cleaning, Fit, Note, OptimumRow, Quality, Range, RowNote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.runs.table import Runs

_FALLING = {"loss", "error", "accuracy"}  # an accuracy is fitted as its error
_ASKED = "asked for"


def fit(
    runs: Runs,
    *,
    law: str = "auto",
    resamples: int = 1000,
    level: float = 0.9,
    seed: int = 0,
    delta: float | None = None,
    flops: Sequence[float] = (),
    interval: IntervalKind = "auto",
    cluster: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Fit:
    """Fit a law to runs.

    Args:
        runs: Cleaned runs.
        law: A law's name, or `auto` to compare the admissible ones.
        resamples: Bootstrap resamples; 0 uses the delta method.
        level: Level of all intervals, for example 0.9.
        seed: Seed of the resampling.
        delta: Huber's threshold in log units; None chooses it from the data and reports it.
        flops: Budgets for the table of compute-optimal sizes, FLOP; empty chooses some.
        interval: How intervals of parameters and sizes are made; `auto` draws runs (or families of
            runs) if there are enough of them, and else uses the delta method.
        cluster: The column that names which runs are resampled together.
        on_progress: Called with (done, all) resamples.

    Returns:
        The fit, with its notes.

    Raises:
        FitError: If the runs cannot carry the law.
        InputError: If a column that the law needs is missing.
    """
    chosen, axes, comparison, notes = _choose(runs, law, delta)
    fitted, test = chosen.fitted, chosen.test
    if fitted is None or test is None:  # pragma: no cover - _choose returns fitted laws only
        raise TypeError(chosen.law.name)
    draws = resample(
        fitted, kind=resampled_kind(interval, cluster), resamples=resamples, seed=seed,
        clusters=clusters_of(runs, axes.rows, cluster, interval), on_progress=on_progress,
    )  # fmt: skip
    unit = runs.metric.unit
    parameters, made = parameters_of(fitted, draws, level=level, unit=unit, kind=interval)
    notes += bias_notes(parameters, draws)
    widening = widening_of(test)
    ranges = _ranges(runs, axes)
    others = tuple(
        t.fitted.record()
        for t in comparison.admissible
        if t.fitted is not None and t.law.name != chosen.law.name and _comparable(t.law, chosen.law)
    )
    fits = (fitted.record(), *others)
    rows: tuple[OptimumRow, ...] = ()
    ratio = runs.flops_per_param_token
    if isinstance(fitted.law, HasOptimum) and ratio is not None:
        note = allocation_note(fitted)
        notes += (note,) if note is not None else ()
        if note is None or note.severity != "error":
            rows = optimum_rows(
                fits, budgets=flops or default_budgets(ranges), flops_per_param_token=ratio,
                widening=widening, ranges=ranges, level=level, draws=draws, unit=unit,
                complement=axes.complement,
            )  # fmt: skip
    budgets = flops or default_budgets(ranges)
    note = outlier_note(
        fitted, _names(runs, axes), budget=budgets[-1] if rows else None,
        flops_per_param_token=ratio or 6.0,
    )  # fmt: skip
    notes += (note,) if note is not None else ()
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
        complement=axes.complement, main=fits[0], alternatives=others, parameters=parameters,
        interval=made, quality=_quality(fitted), optimum=rows,
        candidates=comparison.candidates, widening=widening, ranges=ranges,
        flops_per_param_token=6.0 if ratio is None else ratio,
        cleaning=_cleaning(runs, axes), notes=(*runs.notes, *notes),
        assumptions=runs.assumptions, fingerprint=runs.fingerprint, seed=seed,
        version=__version__,
        optimum_interval=size_interval(fits[0], draws, level=level, runs=fitted.values.size)
        if rows else None,
    )  # fmt: skip


def _choose(
    runs: Runs, name: str, delta: float | None
) -> tuple[Tried, Axes, Comparison, tuple[Note, ...]]:
    """Return the law to use, its axes, the comparison it won, and what there is to say."""
    if name != "auto":
        law = get_law(name)
        return _asked_for(runs, law, delta)
    both = get_law(ADDITIVE)
    refusal = None
    falling = runs.metric.kind in _FALLING  # the law of two inputs has a floor
    if falling and not runs.has("input") and runs.has("params") and runs.has("tokens"):
        axes = axes_for(runs, both)
        tried = _try(runs, both, axes, delta)
        if tried.fitted is not None:
            # Criteria compare laws on the same runs only.
            one = axes_for(runs, get_law("power_floor"), "params").within(axes.rows)
            others = [_try(runs, law, one, delta) for law in one_input_laws()]
            second = _try(runs, get_law(COUPLED), axes, delta)
            forms = choose_form(tried, second)
            comparison = compare([tried, second, *others], prefer=forms.main.law.name)
            comparison = forms.applied(comparison)
            return forms.main, axes, comparison, ()
        if min(np.unique(column).size for column in axes.inputs) > 1:
            refusal = tried.refusal
    axes, comparison = _best_single(runs, delta)
    if comparison.chosen is None:
        design = check_design(get_law("linear"), axes.columns, axes.inputs)
        if design is not None:
            raise design.error()
        # Every law of one input was refused: the first reason stands for all in their order.
        raise FitError(
            f"no law can be fitted to these runs: {comparison.candidates[0].reason}",
            hint="See `scaleplan laws`, or choose the columns with --columns and --input.",
        )
    notes: tuple[Note, ...] = ()
    if refusal is not None:
        notes = (fallback_note(refusal, axes),)
    if comparison.chosen.law.residual == "raw":
        axes = axes_for(runs, comparison.chosen.law, axes.roles[0])
        return _try(runs, comparison.chosen.law, axes, delta), axes, comparison, notes
    return comparison.chosen, axes, comparison, notes


def _best_single(runs: Runs, delta: float | None) -> tuple[Axes, Comparison]:
    """Compare the laws of one input on the first column that can carry any of them."""
    tries = []
    for role in single_roles(runs):
        axes = axes_for(runs, get_law("power"), role)
        comparison = compare(
            [_try(runs, law, axes, delta) for law in one_input_laws()], prefer="power_floor"
        )
        if comparison.chosen is not None:
            return axes, comparison
        tries.append((axes, comparison))
    return tries[0]


def _asked_for(
    runs: Runs, law: Law, delta: float | None
) -> tuple[Tried, Axes, Comparison, tuple[Note, ...]]:
    """Fit the law that was asked for, and test it against the others of its kind."""
    axes = axes_for(runs, law)
    design = check_design(law, axes.columns, axes.inputs)
    if design is not None:
        raise design.error()
    tried = _try(runs, law, axes, delta)
    if tried.fitted is None:
        raise FitError(
            tried.refusal,
            hint="Use --law auto to compare the laws that these runs can carry.",
        )
    if law.name in {ADDITIVE, COUPLED}:
        other = _try(runs, get_law(COUPLED if law.name == ADDITIVE else ADDITIVE), axes, delta)
        both = (tried, other) if law.name == ADDITIVE else (other, tried)
        forms = choose_form(*both, asked=law.name)
        return tried, axes, forms.applied(compare([tried, other], prefer=law.name)), ()
    if law.inputs != ("x",) or not law.parameters:
        return tried, axes, _as_used(compare([tried], prefer=law.name), law.name, _ASKED), ()
    # Compare on one footing: straight lines are judged on the error when the metric is accuracy.
    common = axes_for(runs, get_law("power"), axes.roles[0])
    compared = dict.fromkeys((*one_input_laws(), law))
    comparison = compare([_try(runs, other, common, delta) for other in compared], prefer=law.name)
    return tried, axes, _as_used(comparison, law.name, _ASKED), ()


def _as_used(comparison: Comparison, name: str, why: str) -> Comparison:
    """Mark the law that is used whatever the comparison says, keeping what speaks against it."""
    passed = {tried.law.name for tried in comparison.admissible}

    def marked(candidate: Candidate) -> Candidate:
        if candidate.law == name and name in passed:
            return replace(candidate, verdict="chosen", reason=why)
        if candidate.law == name:
            reason = candidate.reason.removeprefix(UNPASSED)
            return replace(candidate, verdict="rejected", reason=f"{why}; but {reason}")
        if candidate.verdict == "chosen":
            return replace(candidate, verdict="admissible", reason="the data do not reject it")
        return candidate

    return replace(comparison, candidates=tuple(marked(c) for c in comparison.candidates))


def _try(runs: Runs, law: Law, axes: Axes, delta: float | None) -> Tried:
    return try_law(
        law, axes.columns, axes.inputs, axes.values, scale=axes.scale, delta=delta,
        falling=runs.metric.kind in _FALLING,
    )  # fmt: skip


def _comparable(law: Law, main: Law) -> bool:
    """Tell whether an admissible law may widen the main one's forecasts.

    Straight lines are left out of the union for power laws: far from the data they leave the
    metric's range and would say nothing.
    """
    return law.residual == main.residual and law.inputs == main.inputs


def _names(runs: Runs, axes: Axes) -> list[str]:
    """Return what to call each fitted run: its name, or its file and line."""
    labels = runs.labels.get("run")
    names = []
    for i in axes.rows:
        file, line = runs.origins[int(i)]
        names.append((labels[i] if labels else "") or f"{file}:{line}")
    return names


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
