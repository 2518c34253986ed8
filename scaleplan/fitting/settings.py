"""Numbers that a law does not take and by which runs of one size differ: sparsity, context, depth.

Text has `labels.py`. A number that follows the sizes (layers, width) would stand for the law's own
error, so that numbers are judged among runs that share the law's inputs only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.form_tests import is_exact, p_text
from scaleplan.records import Note
from scaleplan.runs.inputs import could_be_setting
from scaleplan.runs.repeated import FURTHER_SIZES, is_tuned
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray, IndexArray
    from scaleplan.runs.table import Runs

_SIGNIFICANT = 0.01  # of all such columns together: nobody asked whether these matter
_EXPLAINED = 0.25  # least share of the scatter's squares; less is left to the runs' noise
_RUNS_A_VALUE = 3  # on average; with fewer a column is a reading, not a setting
_MOST_VALUES = 100  # a column of more is a reading as well; each takes a column of the design
_SPARE_RUNS = 2
_CLIP_SIGMAS = 5.0
_SAME_SIZE = 0.002  # of the logarithm of an input: 99,999,154,176 tokens are 1e11
_SIZES = ("params", "active_params", "tokens", "unique_tokens", "epochs")
_REPEATS = ("unique_tokens", "epochs")  # beside tokens they have a warning of their own


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A number by which runs with the same inputs differ.

    Args:
        column: Its name.
        role: Its role; empty if it has none.
        numbers: Shape (n,), of the fitted runs.
        lowest: The value with the smallest metric.
        highest: The value with the largest.
        shift: What the metric of the latter is more, in logs for log laws.
        share: Of the squares of the scatter among such runs, what the column explains.
        p: P-value of no difference.
    """

    column: str
    role: str
    numbers: FloatArray
    lowest: float
    highest: float
    shift: float
    share: float
    p: float


def settings_that_matter(runs: Runs, axes: Axes, fitted: Fitted) -> tuple[Setting, ...]:
    """Return the numbers that explain much of the scatter of runs with the same inputs.

    Args:
        runs: Cleaned runs.
        axes: What is fitted.
        fitted: The fit.
    """
    if is_exact(fitted) or not fitted.free:
        return ()
    logs = np.round(np.log(np.abs(fitted.inputs) + 1e-300) / _SAME_SIZE)
    group = np.unique(logs, axis=1, return_inverse=True)[1].ravel()
    found = [
        _judged(name, role, column, group, fitted) for name, role, column in _columns(runs, axes)
    ]
    tested = [each for each in found if each is not None]
    kept: list[Setting] = []
    for each in tested:
        matters = each.p * len(tested) < _SIGNIFICANT and each.share >= _EXPLAINED
        if matters and not any(_says_the_same(each.numbers, other.numbers) for other in kept):
            kept.append(each)
    return tuple(kept)


def _says_the_same(one: FloatArray, other: FloatArray) -> bool:
    """Tell whether two columns tell the same runs apart, as width and the parameters it gives."""
    pairs = np.unique(np.stack([one, other]), axis=1).shape[1]
    return bool(pairs == np.unique(one).size == np.unique(other).size)


def _columns(runs: Runs, axes: Axes) -> Iterator[tuple[str, str, FloatArray]]:
    """Yield (column, role, numbers) of what takes few values beside the inputs."""
    names = {use.role: use.column for use in runs.cleaning.columns}
    roles = [r for r in (*_SIZES, *FURTHER_SIZES) if runs.has(r) and r not in axes.roles]
    if "tokens" in axes.roles:
        roles = [role for role in roles if role not in _REPEATS]
    if "params" in roles and "tokens" in roles:
        roles.remove("tokens")  # of runs that share their compute, which says the same
    yield from (
        (names.get(role, role), role, column) for role in roles
        if _few(column := runs.column(role)[axes.rows])
    )  # fmt: skip
    for name, numbers in runs.extra.items():
        column = numbers[axes.rows]
        if name not in axes.columns and _chosen(name) and _few(column):
            yield name, "", column


def kinds_of(runs: Runs) -> tuple[str, ...]:
    """Return the columns, of text or numbers, that take few values and may tell runs apart.

    Args:
        runs: Cleaned runs.
    """
    most = runs.value.size / _RUNS_A_VALUE
    labels = [name for name, texts in runs.labels.items() if 2 <= len(set(texts)) <= most]
    names = {use.role: use.column for use in runs.cleaning.columns}
    numbers = [name for name, column in runs.extra.items() if _chosen(name) and _few(column)]
    return (*(names.get(label, label) for label in labels if label != "status"), *numbers)


def _chosen(name: str) -> bool:
    """Tell whether a name may be that of a setting; those that are tuned have a note already."""
    return could_be_setting(name) and not is_tuned(name)


def _few(column: FloatArray) -> bool:
    most = min(_MOST_VALUES, column.size / _RUNS_A_VALUE)
    return bool(np.isfinite(column).all()) and 2 <= np.unique(column).size <= most


def _judged(
    name: str, role: str, column: FloatArray, group: IndexArray, fitted: Fitted
) -> Setting | None:
    """Test a level for each value, among runs that share their inputs; None if there are too few.

    Frisch and Waugh: residuals and levels, both less their means in the groups.
    """
    values, codes = np.unique(column, return_inverse=True)
    shared = np.bincount(group)[group] > 1
    limit = _CLIP_SIGMAS * fitted.noise
    left = -np.clip(fitted.residuals(), -limit, limit)  # observed less fitted
    levels = (codes.ravel()[:, None] == np.arange(1, values.size)).astype(float)
    columns = _less_means(np.column_stack([left, levels]), group)[shared]
    target, design = columns[:, 0], columns[:, 1:]
    solution, _, rank, _ = np.linalg.lstsq(design, target, rcond=None)
    freedom = int(shared.sum()) - np.unique(group[shared]).size - int(rank)
    before, after = float(target @ target), float(((target - design @ solution) ** 2).sum())
    if rank == 0 or freedom < _SPARE_RUNS or not 0.0 < after < before:
        return None
    shift = np.concatenate([[0.0], solution])
    low, high = int(np.argmin(shift)), int(np.argmax(shift))
    return Setting(
        column=name, role=role, numbers=column, lowest=float(values[low]),
        highest=float(values[high]), shift=float(shift[high] - shift[low]),
        share=1.0 - after / before,
        p=float(f_tail((before - after) / rank / (after / freedom), float(rank), float(freedom))),
    )  # fmt: skip


def _less_means(columns: FloatArray, group: IndexArray) -> FloatArray:
    """Return columns, shape (n, k), less their means in each group."""
    sums = np.zeros((int(group.max()) + 1, columns.shape[1]))
    np.add.at(sums, group, columns)
    return np.asarray(columns - (sums / np.bincount(group)[:, None])[group])


def setting_notes(
    found: tuple[Setting, ...], runs: Runs, axes: Axes, fitted: Fitted
) -> tuple[Note, ...]:
    """Return a warning for each number that matters and that no other note speaks of.

    Args:
        found: The numbers.
        runs: Cleaned runs.
        axes: What is fitted.
        fitted: The fit.
    """
    metric = f"1 - {runs.metric.name}" if axes.complement else runs.metric.name
    return tuple(
        _note(each, metric, ", ".join(axes.columns), relative=fitted.residual == "log")
        for each in found
        if each.role not in {"active_params", *FURTHER_SIZES}
    )


def _note(found: Setting, metric: str, inputs: str, *, relative: bool) -> Note:
    far = (
        format_percent(math.expm1(found.shift), 2) if relative
        else format_significant(found.shift, 2)
    )  # fmt: skip
    low, high = (format_significant(v) for v in (found.lowest, found.highest))
    return Note(
        id="SETTING_MATTERS", severity="warning",
        text=f"Runs with the same {inputs} differ by {found.column}, which the law does not take: "
        f"{metric} at {high} lies {far} above that at {low}, and {found.column} explains "
        f"{format_percent(found.share, 2)} of their scatter ({p_text(found.p)}). The law lies "
        "between them.",
        action=f"Fit runs that share it apart (--by {found.column})"
        + (
            ", or ask for a law that takes it (scaleplan laws)." if found.role
            else "; if it is a size, name it with --columns or --input."
        ),
        numbers=(("share", found.share), ("difference", found.shift), ("p", found.p)),
        source="F test of a level for each value among runs with the same inputs",
    )  # fmt: skip
