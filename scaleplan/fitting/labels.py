"""Whether runs differ by a label that the law does not take: another architecture, another router.

One law through two kinds of runs lies between them and holds for neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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

# Of all labels together, both tests of each: nobody asked whether these differ. Around a fit by
# Huber's loss p-values this small come too often: of 1,544 clean made sweeps of 20 to 40 runs 26
# were below 0.01 (own simulation, 2026).
_SIGNIFICANT = 0.005
_VISIBLE = 0.5  # difference between groups, in standard deviations of a run inside them
_RUNS_A_GROUP = 3  # on average; with fewer a label is a name
_MOST_GROUPS = 100  # a label of more is a name as well; each takes columns of the design
_SPARE_RUNS = 2
_CLIP_SIGMAS = 5.0
_SLOPE_SPAN = 0.1  # of the range of an input, which a group has to span to have a slope


@dataclass(frozen=True, slots=True, eq=False)
class _Difference:
    """Groups of runs that one law does not hold for.

    Args:
        groups: Their names, the one of the smallest metric first.
        shift: What the metric of each is more than the first one's, in logs for log laws.
        p: P-value of no difference.
        noise: Standard deviation of a run inside the groups.
        slopes: How they differ in what an input does; None if they do not.
    """

    groups: tuple[str, ...]
    shift: FloatArray
    p: float
    noise: float
    slopes: _Slopes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Slopes:
    """Groups whose metric changes differently with an input.

    Args:
        groups: The one that falls the most (or rises the least), and the one that does the least.
        at: Number of the input.
        change: What the metric of the second changes by, less what that of the first does, over the
            fitted range of the input; in logs for log laws.
        p: P-value of no difference.
        noise: Standard deviation of a run inside the groups.
    """

    groups: tuple[str, str]
    at: int
    change: float
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
    found = ((name, _tested(fitted, codes, texts, len(labels))) for name, codes, texts in labels)
    return tuple(_note(name, each, runs, axes, fitted) for name, each in found if each is not None)


def _tested(
    fitted: Fitted, codes: IndexArray, names: tuple[str, ...], labels: int
) -> _Difference | None:
    """Return what differs surely and visibly, with two tests for each of so many labels."""
    each = _SIGNIFICANT / (2 * labels)
    levels, slopes = _difference(fitted, codes, names), _slopes(fitted, codes, names)
    if slopes is not None and (slopes.p >= each or slopes.change <= _VISIBLE * slopes.noise):
        slopes = None
    apart = levels is not None and levels.p < each and levels.shift[-1] > _VISIBLE * levels.noise
    if levels is not None and apart:
        return replace(levels, slopes=slopes)
    if slopes is None:
        return None
    return _Difference(slopes.groups, np.zeros(2), slopes.p, slopes.noise, slopes)


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
        most = min(_MOST_GROUPS, axes.rows.size / _RUNS_A_GROUP)
        if 2 <= names.size <= most and not _apart(axes.inputs, codes):
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
    beside = _beside(fitted)
    if freedom < _SPARE_RUNS or beside is None:
        return None
    design, left = beside
    levels = (codes[:, None] == np.arange(1, len(names))).astype(float)
    before = _squares(design, left)[0]
    after, solution, _ = _squares(np.hstack([design, levels]), left)
    if not 0.0 < after < before:
        return None
    p = f_tail((before - after) / (len(names) - 1) / (after / freedom), len(names) - 1, freedom)
    shift = np.concatenate([[0.0], solution[-levels.shape[1] :]])
    order = np.argsort(shift, kind="stable")
    return _Difference(
        tuple(names[k] for k in order), shift[order] - shift.min(), p, math.sqrt(after / freedom)
    )


def _slopes(fitted: Fitted, codes: IndexArray, names: tuple[str, ...]) -> _Slopes | None:
    """Return how far an input acts otherwise in groups, by an F test of their slopes.

    Beside the law stand a level for each group and a curvature for each input: a law that bends
    too little makes slopes of groups that lie at other sizes.
    """
    beside = _beside(fitted)
    if beside is None or (fitted.inputs <= 0.0).any():
        return None
    design, left = beside
    logs = np.log(fitted.inputs)
    spans = np.ptp(logs, axis=1)
    moving = np.flatnonzero(spans > 0.0)
    x = (logs[moving] - logs[moving].mean(axis=1)[:, None]) / spans[moving][:, None]
    each, found = _slopes_apart(x, codes)
    if not each.size:
        return None
    member = (codes[:, None] == np.arange(1, len(names))).astype(float)
    base = np.hstack([design, member, (x**2).T])
    before, _, rank = _squares(base, left)
    after, solution, whole = _squares(np.hstack([base, each]), left)
    freedom, added = left.size - whole, whole - rank
    if freedom < _SPARE_RUNS or added < 1 or not 0.0 < after < before:
        return None
    found[np.isinf(found)] = solution[-each.shape[1] :]
    change = np.nanmax(found, axis=1) - np.nanmin(found, axis=1)
    at = int(np.argmax(change))
    groups = (names[int(np.nanargmin(found[at]))], names[int(np.nanargmax(found[at]))])
    return _Slopes(
        groups, int(moving[at]), float(change[at]),
        f_tail((before - after) / added / (after / freedom), added, freedom),
        math.sqrt(after / freedom),
    )  # fmt: skip


def _slopes_apart(x: FloatArray, codes: IndexArray) -> tuple[FloatArray, FloatArray]:
    """Return a column for each slope that is told from that of the first group that has one.

    A group that takes an input at one value, or nearly so, says nothing of what it does.

    Args:
        x: Inputs, shape (inputs, n), each spanning 1.
        codes: The group of each run, shape (n,).

    Returns:
        The columns, shape (n, slopes), and where the slopes stand by input and group: infinite
        for one of them, 0 for that of the first group, NaN where there is none.
    """
    groups = int(codes.max()) + 1
    columns, places = [], np.full((len(x), groups), np.nan)
    for k, column in enumerate(x):
        seen = [g for g in range(groups) if np.ptp(column[codes == g]) >= _SLOPE_SPAN]
        places[k, seen] = np.inf
        # Where no two groups have one, none differs.
        places[k, seen[:1] or [0]] = 0.0
        columns += [(codes == g) * column for g in seen[1:]]
    return np.array(columns, dtype=np.float64).reshape(-1, codes.size).T, places


def _beside(fitted: Fitted) -> tuple[FloatArray, FloatArray] | None:
    """Return the law's own freedom around the fit, and what it leaves, observed less fitted."""
    limit = _CLIP_SIGMAS * fitted.noise
    left = -np.clip(fitted.residuals(), -limit, limit)
    design = jacobian(fitted, fitted.theta, fitted.inputs)
    if not np.isfinite(design).all():
        return None
    return design / np.where((scale := np.abs(design).max(axis=0)) > 0.0, scale, 1.0), left


def _squares(design: FloatArray, left: FloatArray) -> tuple[float, FloatArray, int]:
    """Return what least squares leave, the coefficients, and how many of them are told."""
    found, _, rank, _ = np.linalg.lstsq(design, left, rcond=1e-10)
    solution = np.asarray(found, dtype=np.float64)
    return float(((left - design @ solution) ** 2).sum()), solution, int(rank)


def _note(name: str, found: _Difference, runs: Runs, axes: Axes, fitted: Fitted) -> Note:
    metric = f"1 - {runs.metric.name}" if axes.complement else runs.metric.name
    most = float(found.shift[-1])
    said, numbers = [], [("groups", float(len(found.groups)))]
    if most > 0.0:
        others = len(found.groups) - 2
        more = f", with {others} other{'s' if others > 1 else ''} between them" if others else ""
        said.append(
            f"Runs of one size differ by {name}: {metric} of {found.groups[-1]} lies "
            f"{_far(most, fitted)} above that of {found.groups[0]}{more} ({p_text(found.p)})."
        )
        numbers += [("difference", most), ("p", found.p)]
    slopes = found.slopes
    if slopes is not None:
        said.append(
            f"What {axes.columns[slopes.at]} does differs by {name}: over its range {metric} of "
            f"{slopes.groups[1]} goes up by {_far(slopes.change, fitted)} against that of "
            f"{slopes.groups[0]} ({p_text(slopes.p)})."
        )
        numbers += [("slope_difference", slopes.change), ("slope_p", slopes.p)]
    return Note(
        id="GROUPS_DIFFER", severity="warning",
        text=f"{' '.join(said)} One law through all of them holds for none.",
        action=f"Fit them apart (--by {name}), and compare them: scaleplan compare RUNS --by "
        f"{name}.",
        numbers=tuple(numbers),
        source="F tests of a level and a slope for each group beside the law, linear around the "
        "fit",
    )  # fmt: skip


def _far(difference: float, fitted: Fitted) -> str:
    if fitted.residual == "log":
        return format_percent(math.expm1(difference), 2)
    return format_significant(difference, 2)
