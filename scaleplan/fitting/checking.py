"""All that is checked about a finished fit: quality, influence, isoFLOP minima, its floor."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.crosscheck import cross_check
from scaleplan.fitting.diagnostics import diagnose
from scaleplan.fitting.embeddings import embeddings_note
from scaleplan.fitting.floorless import beyond, floor_note
from scaleplan.fitting.influence import outlier_note
from scaleplan.fitting.labels import label_notes
from scaleplan.fitting.leave_out import influences
from scaleplan.fitting.pure_error import pure_error, tuned_settings
from scaleplan.fitting.remarks import left_out_note, pattern_note, unused_note
from scaleplan.fitting.repeats import repeat_notes
from scaleplan.fitting.settings import setting_notes, settings_that_matter
from scaleplan.records import Quality
from scaleplan.units import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.resampling import Resamples
    from scaleplan.fitting.selection import Tried
    from scaleplan.records import (
        AllocationApproach,
        Influence,
        IsoflopMinimum,
        Note,
        OptimumRow,
        Parameter,
    )
    from scaleplan.runs.table import Runs


@dataclass(frozen=True, slots=True)
class Checks:
    """What the checks found: notes, and the records that the fit carries."""

    notes: tuple[Note, ...]
    isoflop: tuple[IsoflopMinimum, ...]
    approaches: tuple[AllocationApproach, ...]
    influences: tuple[Influence, ...]


def check(
    runs: Runs,
    axes: Axes,
    fitted: Fitted,
    draws: Resamples | None,
    *,
    parameters: Sequence[Parameter],
    optimum: Sequence[OptimumRow],
    level: float,
    together: Sequence[Tried] = (),
) -> Checks:
    """Check a fit against its own runs.

    Args:
        runs: Cleaned runs.
        axes: What was fitted.
        fitted: The fit.
        draws: Its resamples, None if there are none.
        parameters: Its parameters with intervals.
        optimum: The table of compute-optimal sizes; empty if there is none. N* is compared at its
            last budget.
        level: Level of the intervals.
        together: The laws that forecast together, the fitted one first.
    """
    names, ratio = names_of(runs, axes), axes.flops_ratio(runs) or 6.0
    budget = optimum[-1].flops if optimum else None
    at = (optimum[-1].params, optimum[-1].tokens) if optimum else beyond(fitted)
    notes = (
        outlier_note(fitted, names, budget=budget, flops_per_param_token=ratio),
        floor_note(fitted, parameters, level=level, at=at),
        *repeat_notes(runs, axes.roles, axes.rows), *left_out_note(runs, axes),
        *unused_note(runs, axes.columns), pattern_note(runs, axes, fitted, together),
        embeddings_note(runs, axes),
        *label_notes(runs, axes, fitted),
        *setting_notes(settings_that_matter(runs, axes, fitted), runs, axes, fitted),
    )  # fmt: skip
    minima, approaches = cross_check(
        runs, axes, fitted, draws, budgets=() if budget is None else (budget,),
        flops_per_param_token=ratio, level=level,
    )  # fmt: skip
    return Checks(
        notes=tuple(note for note in notes if note is not None), isoflop=minima,
        approaches=approaches,
        influences=influences(fitted, names, budget=budget, flops_per_param_token=ratio),
    )  # fmt: skip


def quality_of(runs: Runs, axes: Axes, fitted: Fitted) -> Quality:
    """Return how well a law describes the runs, and how well these determine it.

    Args:
        runs: Cleaned runs.
        axes: What was fitted.
        fitted: The fit.
    """
    residuals = fitted.log_residuals()
    further = [each.numbers for each in settings_that_matter(runs, axes, fitted)]
    return Quality(
        runs=int(fitted.values.size), objective_name=fitted.objective_name,
        objective=fitted.objective,
        rmse_log=None if residuals is None else float(np.sqrt(np.mean(residuals**2))),
        noise=fitted.noise, starts=fitted.starts, starts_agreeing=fitted.agreeing,
        condition=fitted.condition, identifiability=diagnose(fitted, axes.roles),
        pure_error=pure_error(fitted, [*tuned_settings(runs, axes.rows), *further]),
    )  # fmt: skip


def names_of(runs: Runs, axes: Axes) -> list[str]:
    """Return what to call each fitted run: its name if it has one of its own, else its place.

    The place is its file and line, and in a file without lines its inputs.
    """
    labels = runs.labels.get("run")
    names = [labels[i] if labels else "" for i in axes.rows.tolist()]
    count = Counter(names)
    return [
        name
        if name and count[name] == 1
        else _place(runs, axes, at, name if len(count) > 1 else "")
        for at, name in enumerate(names)
    ]


def _place(runs: Runs, axes: Axes, at: int, name: str) -> str:
    """Return where the run of the axes' column `at` stands, after a name that others share."""
    file, line = runs.origins[int(axes.rows[at])]
    where = file if line is None else f"{file}:{line}"
    if line is None:
        sizes = (
            f"{column} {format_count(float(numbers[at]))}"
            for column, numbers in zip(axes.columns, axes.inputs, strict=True)
        )
        where += f", {', '.join(sizes)}"
    return f"{name} ({where})" if name else where
