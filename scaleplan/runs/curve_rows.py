"""Which rows of a log are those of one run, and what counts their steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.curve_order import SHUFFLED, order_of
from scaleplan.runs.dividing import combine
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.grouping import fixed_groups, groups_of, restarts
from scaleplan.runs.name_sharing import fixed_columns
from scaleplan.runs.raw import CodeArray
from scaleplan.runs.sweeps import settings_apart
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.runs.text import listed, shown, words
from scaleplan.units import format_number_of

_AXES = ("step", "epoch", "tokens")  # what may order the points of a run
_SO_FAR = frozenset({"seen", "consumed", "processed", "elapsed"})
_MANY_POINTS = 16  # a file; a table of finished runs of one model is shorter


def axis_of(rows: Gathered) -> tuple[str, FloatArray]:
    """Return what counts the points of a run: the role that tells most of them apart."""
    best, most = "row", 0
    run = rows.labels["run"].codes if "run" in rows.labels else rows.file_of
    for role in _AXES:
        if role not in rows.roles:
            continue
        numbers = rows.roles[role].numbers
        known = np.isfinite(numbers)
        different = (
            _different(run, numbers) if known.all() else _different(run[known], numbers[known])
        )
        if different > most:
            best, most = role, different
        if most == len(rows):
            break  # nothing tells more of them apart
    if best == "row":
        return best, np.arange(len(rows), dtype=np.float64)
    return best, rows.roles[best].numbers


def counted_by(rows: Gathered) -> str | None:
    """Return the role that counts the points of runs, None where rows are runs.

    Steps and epochs do; tokens only if their name says that they are those seen so far (others are
    sizes of finished runs), many rows rise in them, and nothing tells the rows apart.
    """
    for role in ("step", "epoch"):
        if role in rows.roles:
            return role
    sizes = {"params", "active_params", "non_embedding_params", "dense_params", "experts", "seed",
             "unique_tokens", "input"}  # fmt: skip
    if "tokens" not in rows.roles or rows.labels or sizes & set(rows.roles):
        return None
    seen = {*words(rows.names["tokens"])} & _SO_FAR
    at, other = rows.roles["tokens"].numbers, rows.file_of[1:] != rows.file_of[:-1]
    rises = bool((other | (at[1:] > at[:-1])).all())
    many = len(rows) >= _MANY_POINTS * len(rows.files)
    return "tokens" if seen and rises and many else None


def _different(run: IntArray | CodeArray, at: FloatArray) -> int:
    """Return how many different pairs there are."""
    if not at.size:
        return 0
    other = run[1:] != run[:-1]
    if bool((other | (at[1:] > at[:-1])).all()):
        # Logs mostly stand so already: one run after the other, each with rising steps.
        starts = run[np.r_[0, np.flatnonzero(other) + 1]]
        if np.unique(starts).size == starts.size:
            return int(at.size)
    order = np.lexsort((at, run))
    run, at = run[order], at[order]
    return 1 + int(((run[1:] != run[:-1]) | (at[1:] != at[:-1])).sum())


def without_words(rows: Gathered) -> tuple[Gathered, tuple[Note, ...]]:
    """Empty the cells of a metric that hold words, which are no readings; nan and inf are some."""
    column = rows.roles["value"]
    words = np.array([_is_word(text) for text in (*column.vocabulary, "")], dtype=bool)
    found = np.flatnonzero(words[column.codes] & np.isnan(column.numbers) & ~column.blank)
    if not found.size:
        return rows, ()
    codes = column.codes.copy()
    codes[found] = -1
    note = rows.row_note(int(found[0]), "")
    place = f"{note.file}:{note.line}" if note.line else note.file
    said = Note(
        id="METRIC_NOT_NUMBERS", severity="warning",
        text=f"{format_number_of(found.size, 'cell')} of {rows.names['value']} "
        f"{'holds' if found.size == 1 else 'hold'} no number, such as "
        f"{shown(column.text(int(found[0])))} in {place}, and "
        f"{'is no point' if found.size == 1 else 'are no points'} of a curve.",
        action="Name another metric with --metric COLUMN.",
        numbers=(("cells", float(found.size)),),
    )  # fmt: skip
    return replace(rows, roles={**rows.roles, "value": replace(column, codes=codes)}), (said,)


def _is_word(text: str) -> bool:
    """Tell whether a text that is no number says something else than that none is finite."""
    return not any(sign in text.casefold() for sign in ("nan", "inf", "#", "diverge"))


def members(groups: IntArray | CodeArray) -> list[IntArray]:
    """Return the rows of each run, runs in the order in which they first appear."""
    bounds = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    starts = groups[np.r_[0, bounds]]
    if np.unique(starts).size == starts.size:  # one run after the other
        ends = [0, *bounds.tolist(), groups.size]
        return [np.arange(a, b) for a, b in pairwise(ends)]
    order = np.argsort(groups, kind="stable")
    bounds = np.flatnonzero(np.diff(groups[order])) + 1
    parts = np.split(order, bounds)
    return sorted(parts, key=lambda rows: int(rows[0]) if rows.size else 0)


def runs_of(rows: Gathered, position: FloatArray) -> tuple[IntArray | CodeArray, tuple[Note, ...]]:
    """Return the run of each row; a file whose steps begin again holds several."""
    if "run" in rows.labels:
        codes = rows.labels["run"].codes
        if int(codes.min(initial=0)) >= 0:
            return codes, ()  # every row names its run
        found = groups_of(rows, position)
        return (found if found is not None else combine([_codes(rows)])), ()
    return _of_a_sweep(rows) or _unnamed_runs(rows, position)


def _of_a_sweep(rows: Gathered) -> tuple[IntArray, tuple[Note, ...]] | None:
    """Return the runs of rows that no column counts and that differ in settings, None without."""
    if any(axis in rows.roles for axis in _AXES):
        return None
    apart = settings_apart(rows, rows.file_of)
    made = combine([rows.file_of, *(_keys(column.numbers) for column in apart.values())])
    count = int(np.unique(made).size)
    if count == len(rows.files):
        return None
    return made, (_told_apart(count, f"rows differ in {listed(apart)}, and no column counts them"),)


def _unnamed_runs(rows: Gathered, position: FloatArray) -> tuple[IntArray, tuple[Note, ...]]:
    """Return the runs of rows without names, by files, settings and where steps begin again."""
    try:
        groups = groups_of(rows, position)
    except InputError:
        groups = None
    if groups is not None:
        count = int(np.unique(groups).size)
        if count <= len(rows.files):
            return groups, ()
        if _share_steps(rows, position):
            return groups, (_told_apart(count, "rows of equal steps have other settings"),)
    fixed = fixed_groups(rows)
    count = int(np.unique(fixed).size)
    if count > len(rows.files) and _sizes_tell(rows, fixed):
        groups = fixed if groups is None else groups
        return groups, (_told_apart(count, "rows differ in what is fixed when a run starts"),)
    # One file, one run: but where steps fall back to the start another run begins.
    back = np.zeros(len(rows), dtype=np.int64)
    logged = ~rows.roles["value"].blank
    for file in range(len(rows.files)):
        here = np.flatnonzero(rows.file_of == file)
        if not _in_no_order(position[here][logged[here]]):
            back[here] = restarts(position[here])
    made = combine([rows.file_of, back])
    count = int(np.unique(made).size) - len(rows.files)
    return made, (_begun_again(count),) if count > 0 else ()


def groups_or_trainings(
    rows: Gathered, position: FloatArray, printed: frozenset[int]
) -> tuple[IntArray | None, tuple[Note, ...]]:  # fmt: skip
    """Return the run of each row, None where rows are no curves, and what was taken for one.

    Raises:
        InputError: If the steps of a curve go back and nothing tells its runs apart.
    """
    try:
        return groups_of(rows, position), ()
    except InputError:
        found = _trainings(rows, position, printed)
        if found is None:
            raise
        return found


def _trainings(
    rows: Gathered, position: FloatArray, printed: frozenset[int]
) -> tuple[IntArray, tuple[Note, ...]] | None:
    """Return the runs of printed logs in which a program trained several models in turn.

    A row of a table may be a finished run, of which steps say nothing; what a program prints are
    points of its run, and where their steps begin again another one starts.

    Args:
        rows: The rows of all inputs, none of which names its run.
        position: Where each stands.
        printed: Which of the files are printed logs.

    Returns:
        The runs, with what was taken to tell them apart; None if they are not told apart so.
    """
    if "run" in rows.labels or not printed or not set(rows.file_of.tolist()) <= printed:
        return None
    begun = np.zeros(len(rows), dtype=np.int64)
    for file in sorted(printed):
        here = np.flatnonzero(rows.file_of == file)
        begun[here] = restarts(position[here])
    made = combine([fixed_groups(rows), begun])
    value = rows.roles["value"]
    for run in members(made):
        logged = run[~value.blank[run] & np.isfinite(position[run])]
        if order_of(position[logged], value.numbers[logged]).mixed is not None:
            return None
    count = int(np.unique(combine([rows.file_of, begun])).size) - len(rows.files)
    return made, (_begun_again(count),) if count > 0 else ()


def steps_carried(groups: IntArray, position: FloatArray) -> FloatArray:
    """Return the steps of rows, each without one at that of the row before it in its run.

    Args:
        groups: The run of each row.
        position: The step of each; not finite where it is not known.

    Returns:
        The steps; rows above the first step of their run stand before it, and runs without any
        stay as they are.
    """
    known = np.isfinite(position)
    if known.all():
        return position
    order = np.argsort(groups, kind="stable")
    run, steps, known = groups[order], position[order], known[order]
    source = np.maximum.accumulate(np.where(known, np.arange(run.size), -1))
    own = (source >= 0) & (run[source] == run)
    placed = np.isin(run, run[known])
    made = np.empty_like(position)
    made[order] = np.where(own, steps[source], np.where(placed, -np.inf, steps))
    return made


def _keys(numbers: FloatArray) -> IntArray:
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _sizes_tell(rows: Gathered, fixed: IntArray) -> bool:
    """Tell whether what is fixed when a run starts tells runs apart, row by row.

    Where sizes stand in the first row of each run only, steps do. Sizes that differ on every row
    are those of finished runs, also where that of some row is not known.
    """
    sizes = fixed_columns(rows)
    logged = np.isfinite(rows.roles["value"].numbers)
    sized = np.logical_and.reduce([np.isfinite(column.numbers) for column in sizes.values()])
    here = logged & sized
    if bool(here[logged].all()):
        return True
    return int(here.sum()) * 2 > int(logged.sum()) and np.unique(fixed[here]).size == here.sum()


def _codes(rows: Gathered) -> IntArray:
    return np.asarray(rows.labels["run"].codes, dtype=np.int64)


def _share_steps(rows: Gathered, position: FloatArray) -> bool:
    """Tell whether a file has points of equal step, which are of different runs."""
    logged = np.flatnonzero(~rows.roles["value"].blank & np.isfinite(position))
    return _different(rows.file_of[logged], position[logged]) < logged.size


def _told_apart(count: int, reason: str) -> Note:
    return Note(
        id="RUNS_SPLIT", severity="warning",
        text=f"No column names runs; {reason}, which is taken to tell {count} runs apart.",
        action="Add a column named run.", numbers=(("runs", float(count)),),
    )  # fmt: skip


def _begun_again(count: int) -> Note:
    return Note(
        id="RUNS_SPLIT", severity="warning",
        text="No column names runs, and the steps begin again "
        f"{format_number_of(count, 'time')}: each time is taken for the start of another run.",
        action="Add a column named run, or give each run a file.",
        numbers=(("restarts", float(count)),),
    )  # fmt: skip


def _in_no_order(position: FloatArray) -> bool:
    """Tell whether steps, each of which stands once, go back too often to be those of restarts."""
    steps = position[np.isfinite(position)]
    back = int((np.diff(steps) < 0.0).sum())
    return back > max(1.0, SHUFFLED * steps.size) and np.unique(steps).size == steps.size
