"""Whether runs differ by a label that the law does not take: another architecture, another router.

One law through two kinds of runs lies between them and holds for neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.backtest import jacobian
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.form_tests import is_exact, p_text
from scaleplan.records import Note
from scaleplan.runs.repeated import CONVENTIONS
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray, IndexArray
    from scaleplan.runs.table import Runs

_SIGNIFICANT = 0.01  # of all labels together: nobody asked whether these differ
_VISIBLE = 0.5  # difference between groups, in standard deviations of a run inside them
_RUNS_A_GROUP = 3  # on average; with fewer a label is a name
_SPARE_RUNS = 2
_CLIP_SIGMAS = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class _Difference:
    """Groups of runs that one law does not hold for.

    Args:
        groups: Their names, the one of the smallest metric first.
        shift: What the metric of each is more than the first one's, in logs for log laws.
        p: P-value of no difference.
        noise: Standard deviation of a run inside the groups.
    """

    groups: tuple[str, ...]
    shift: FloatArray
    p: float
    noise: float


def label_notes(runs: Runs, axes: Axes, fitted: Fitted) -> tuple[Note, ...]:
    """Return a warning for each label by which the runs differ at the same sizes.

    Args:
        runs: Cleaned runs.
        axes: What is fitted.
        fitted: The fit.
    """
    if is_exact(fitted) or not fitted.free:
        return ()
    labels = list(_labels(runs, axes))
    found = ((name, _difference(fitted, codes, texts)) for name, codes, texts in labels)
    return tuple(
        _note(name, each, runs, axes, fitted) for name, each in found
        if each is not None and each.p * len(labels) < _SIGNIFICANT
        and each.shift[-1] > _VISIBLE * each.noise
    )  # fmt: skip


def _labels(runs: Runs, axes: Axes) -> Iterator[tuple[str, IndexArray, tuple[str, ...]]]:
    """Yield (column, group of each fitted run, names of the groups) of labels worth a test.

    Mixed conventions (a tokenizer, a data set) have a warning whatever the residuals say.
    """
    told = {use.column for use in runs.cleaning.columns if use.role == "level"}
    columns = {use.role: use.column for use in runs.cleaning.columns}
    for role, texts in runs.labels.items():
        name = columns.get(role, role)
        if role in CONVENTIONS or name in told:
            continue
        names, codes = np.unique([texts[i] for i in axes.rows], return_inverse=True)
        if 2 <= names.size <= axes.rows.size / _RUNS_A_GROUP and not _apart(axes.inputs, codes):
            yield name, codes, tuple(str(text) or "(none)" for text in names)


def _apart(inputs: FloatArray, codes: IndexArray) -> bool:
    """Tell whether some input alone tells the groups apart: then they are sizes, not kinds."""
    groups = range(int(codes.max()) + 1)
    for column in inputs:
        ends = sorted((column[codes == g].min(), column[codes == g].max()) for g in groups)
        if all(low[1] < high[0] for low, high in pairwise(ends)):
            return True
    return False


def _difference(fitted: Fitted, codes: IndexArray, names: tuple[str, ...]) -> _Difference | None:
    """Return how far groups lie apart, by an F test of a level for each beside the law.

    The law's parameters are linear around the fit, so that they may give way to the levels.
    """
    freedom = fitted.dof - (len(names) - 1)
    if freedom < _SPARE_RUNS:
        return None
    limit = _CLIP_SIGMAS * fitted.noise
    left = -np.clip(fitted.residuals(), -limit, limit)  # observed less fitted
    design = jacobian(fitted, fitted.theta, fitted.inputs)
    if not np.isfinite(design).all():
        return None
    design = design / np.where((scale := np.abs(design).max(axis=0)) > 0.0, scale, 1.0)
    levels = (codes[:, None] == np.arange(1, len(names))).astype(float)
    before = _squares(design, left)[0]
    after, solution = _squares(np.hstack([design, levels]), left)
    if not 0.0 < after < before:
        return None
    p = f_tail((before - after) / (len(names) - 1) / (after / freedom), len(names) - 1, freedom)
    shift = np.concatenate([[0.0], solution[-levels.shape[1] :]])
    order = np.argsort(shift, kind="stable")
    return _Difference(
        tuple(names[k] for k in order), shift[order] - shift.min(), p, math.sqrt(after / freedom)
    )


def _squares(design: FloatArray, left: FloatArray) -> tuple[float, FloatArray]:
    """Return what least squares leave, and the coefficients."""
    solution = np.asarray(np.linalg.lstsq(design, left, rcond=None)[0], dtype=np.float64)
    return float(((left - design @ solution) ** 2).sum()), solution


def _note(name: str, found: _Difference, runs: Runs, axes: Axes, fitted: Fitted) -> Note:
    metric = f"1 - {runs.metric.name}" if axes.complement else runs.metric.name
    most = float(found.shift[-1])
    far = (
        format_percent(math.expm1(most), 2) if fitted.residual == "log"
        else format_significant(most, 2)
    )  # fmt: skip
    others = len(found.groups) - 2
    more = f", with {others} other{'s' if others > 1 else ''} between them" if others else ""
    return Note(
        id="GROUPS_DIFFER", severity="warning",
        text=f"Runs of one size differ by {name}: {metric} of {found.groups[-1]} lies {far} above "
        f"that of {found.groups[0]}{more} ({p_text(found.p)}). One law through all of them holds "
        "for none.",
        action=f"Fit them apart (--by {name}).",
        numbers=(("groups", float(len(found.groups))), ("difference", most), ("p", found.p)),
        source="F test of a level for each group beside the law, linear around the fit",
    )  # fmt: skip
