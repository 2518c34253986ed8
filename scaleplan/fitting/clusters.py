"""Which runs belong together: their scatter is shared, so that they are resampled as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.text import listed, near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.resampling import IntervalKind
    from scaleplan.laws.base import IndexArray
    from scaleplan.runs.table import Runs

_FEWEST_CLUSTERS = 20  # fewer resample too coarsely to be chosen unasked


def clusters_of(
    runs: Runs, rows: IndexArray, column: str | None, kind: IntervalKind
) -> tuple[str, ...] | None:
    """Return the cluster of each fitted run, or None if each stands for itself.

    Args:
        runs: Cleaned runs.
        rows: Shape (n,), which of them are fitted.
        column: The column, role or label that names clusters. None takes the runs where rows are
            points of their curves, else the label `family`, under `auto` only if it names enough.
        kind: How intervals are made.

    Raises:
        InputError: If there is no such column.
    """
    if column is not None:
        cells = _cells(runs, column)
        # A run without a name belongs to nobody else.
        return tuple(cells[i] or f"row {i}" for i in rows)
    if kind in {"case", "residual"}:
        return None
    of_runs = runs_of_points(runs, rows)
    if of_runs is not None:
        return of_runs
    labels = runs.labels.get("family")
    if labels is None or kind == "wild":
        return None
    chosen = tuple(labels[i] or f"row {i}" for i in rows)
    enough = _FEWEST_CLUSTERS <= len(set(chosen)) < len(chosen)
    return chosen if enough or kind == "clustered" else None


def runs_of_points(runs: Runs, rows: IndexArray) -> tuple[str, ...] | None:
    """Return the run of each fitted point of curves; None where rows are runs, or all of one run.

    Args:
        runs: Cleaned runs, or all points of theirs.
        rows: Shape (n,), which of them are fitted.
    """
    names = runs.labels.get("run") if runs.every_point else None
    if names is None:
        return None
    chosen = tuple(names[i] or f"row {i}" for i in rows)
    return chosen if 1 < len(set(chosen)) < len(chosen) else None


def points_note(runs: Runs, rows: IndexArray) -> tuple[Note, ...]:
    """Say what points of curves are worth, where they are fitted.

    Args:
        runs: Cleaned runs, or all points of theirs.
        rows: Shape (n,), which of them are fitted.
    """
    if not runs.every_point:
        return ()
    names = runs_of_points(runs, rows)
    if names is None:
        return (
            Note(
                id="POINTS_OF_ONE_RUN", severity="warning",
                text=f"The {rows.size} points are of one run, as far as the log tells, and "
                "intervals take them for independent: they are too narrow by an unknown factor.",
                action="Fit several runs; name them in a column run.",
                numbers=(("points", float(rows.size)),),
            ),
        )  # fmt: skip
    count = len(set(names))
    return (
        Note(
            id="POINTS_OF_RUNS", severity="info",
            text=f"{rows.size} points of {count} runs are fitted. Points of one run share its "
            "scatter: intervals are those of so many runs, while tests of the form take each point "
            "for itself.",
            action="Leave out --all-points to fit where each run ended.",
            numbers=(("points", float(rows.size)), ("runs", float(count))),
        ),
    )  # fmt: skip


def codes_of(clusters: Sequence[str]) -> IndexArray:
    """Return the number of each run's cluster, shape (n,), in the order that they are met in.

    Names play no part in it: resamples of clusters that are called otherwise are the same.

    Args:
        clusters: The cluster of each run.
    """
    met = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return np.array([met[name] for name in clusters], dtype=np.intp)


def _cells(runs: Runs, column: str) -> tuple[str, ...]:
    """Return a column as text, whatever part of the runs it is kept in."""
    role = next((u.role for u in runs.cleaning.columns if u.column == column), column)
    if role in runs.labels:
        return runs.labels[role]
    numbers = runs.extra.get(column, runs.columns.get(role))
    if numbers is None:
        named = {use.role: use.column for use in runs.cleaning.columns}
        roles = (*runs.labels, *runs.columns)
        known = list(dict.fromkeys((*(named.get(role, role) for role in roles), *runs.extra)))
        alike = near(column, known)
        raise InputError(
            f"the log has no column {column} to tell clusters of runs; it has "
            f"{listed(known)}",
            hint=f"Did you mean {' or '.join(alike)}?" if alike
            else "Give one of these to --cluster, or leave it out.",
        )  # fmt: skip
    return tuple("" if value != value else f"{value:.17g}" for value in numbers)  # noqa: PLR0124
