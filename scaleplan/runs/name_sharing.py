"""Runs that share a name: rows of one name that cannot be of one run get names of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.dividing import divide, first_known
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.raw import CodeArray, RawColumn
from scaleplan.runs.repeated_steps import divide_repeats, rise_throughout
from scaleplan.runs.shapes import is_shape
from scaleplan.runs.sweeps import settings_apart
from scaleplan.runs.table import BoolArray, FloatArray, IntArray
from scaleplan.runs.text import listed

# Set when a run starts, and the same until its end. What a log may count or measure along a run
# (active parameters, examples, the size of a batch) is not among them.
FIXED = (
    "params", "non_embedding_params", "dense_params", "experts", "granularity",
    "bits", "weight_bits", "activation_bits", "kv_cache_bits",
)  # fmt: skip
# Trained sizes, which tell runs apart where all rows of a name stand at one step.
_TRAINED = ("tokens", "unique_tokens", "flops")
# The label under which a column of names stays as it was logged, to make groups by it.
AS_LOGGED = "run as logged"
_AXES = ("step", "epoch")
_FIRST_ROWS = 4096
_STARTING_EPOCH = 1.0  # a log of a single epoch stands at 0 or 1 throughout
# The table of runs as Weights & Biases exports it has one row a run.
_WANDB_NAME = re.compile(r"Name(?: \(\d+ visualized\))?")
_WANDB_STATE = "State"
_TABLE_OF_RUNS = "every row of Weights & Biases' table of runs is a run"


def with_own_names(
    rows: Gathered, labels: Mapping[str, Sequence[str]], *, curves: bool = False
) -> tuple[Gathered, tuple[Note, ...]]:
    """Give runs that share a name, and cannot be one run, names of their own.

    Args:
        rows: The rows of all inputs.
        labels: The columns behind each label.
        curves: Whether rows that no column counts are joined by their name.

    Returns:
        The rows, and a note where a name was divided; the names as they were logged then stand
        under `AS_LOGGED`.
    """
    run = rows.labels.get("run")
    axis = next((axis for axis in _AXES if axis in rows.roles), None)
    if run is None or (axis is None and not curves):
        return rows, ()
    named = run.codes >= 0
    if not _are_shared(run, named):
        return rows, ()
    if (
        not one_row_a_run(labels)
        and rise_throughout(run.codes, rows, named)
        and all(_is_same(run.codes, c.numbers) for c in _fixed(rows).values())
    ):
        return rows, ()  # nothing divides them, which millions of rows are not copied to see
    codes = run.codes.astype(np.int64)
    own = codes.copy()
    if one_row_a_run(labels):
        _divide_all(own, named)
        reasons = [_TABLE_OF_RUNS] if int(own.max()) > int(codes.max()) else []
    else:
        reasons = [
            f"rows of one name differ in {listed(told, 5)}, which stays the same throughout a run"
            for told in [_divided_by(own, fixed_columns(rows), named)] if told
        ]  # fmt: skip
        if axis is None:
            told = _divided_by(own, settings_apart(rows, codes), named)
            if told:
                reasons.append(
                    f"rows of one name differ in {listed(told, 5)}, and no column counts them"
                )
        elif _at_one_step(own, rows.roles[axis].numbers, named, axis):
            trained = {rows.names[r]: rows.roles[r] for r in _TRAINED if r in rows.roles}
            told = _divided_by(own, trained, named)
            if told:
                reasons.append(f"rows of one name and {axis} differ in {listed(told, 5)}")
        if axis is not None:
            told = divide_repeats(own, rows, named)
            if told:
                reasons.append(f"rows of one name and {axis} differ in {listed(told, 5)}")
    if not reasons:
        return rows, ()
    column, names, runs = _renamed(run, codes, own)
    labelled = replace(rows, labels={**rows.labels, "run": column, AS_LOGGED: run})
    return labelled, (_shared_note(names, runs, reasons),)


def _are_shared(run: RawColumn, named: BoolArray) -> bool:
    """Tell whether several rows have one name."""
    count = int(np.count_nonzero(named))
    # More rows than there are words: what takes a pass over millions of rows is plain from a count.
    return count > len(run.vocabulary) or np.unique(run.codes[named]).size < count


def fixed_columns(rows: Gathered) -> dict[str, RawColumn]:
    """Return by name the columns of what is fixed when a run starts, their numbers rounded."""
    return {name: replace(c, numbers=_rounded(c.numbers)) for name, c in _fixed(rows).items()}


def _fixed(rows: Gathered) -> dict[str, RawColumn]:
    found = {rows.names[role]: rows.roles[role] for role in FIXED if role in rows.roles}
    return found | {name: column for name, column in rows.extra.items() if is_shape(name)}


def _is_same(run: CodeArray, numbers: FloatArray) -> bool:
    """Tell whether all rows of each stretch of one run have the same number."""
    return bool(((numbers[1:] == numbers[:-1]) | (run[1:] != run[:-1])).all())


def _rounded(numbers: FloatArray) -> FloatArray:
    """Round to 40 bits: 19M and 0.019B differ in the last one, and are the same size."""
    mantissa, exponent = np.frexp(numbers)
    return np.asarray(np.ldexp(np.round(mantissa * 2.0**40), exponent - 40))


def one_row_a_run(labels: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether the names of columns are those of a tracker's table of runs."""
    names = labels.get("run", ())
    return _WANDB_STATE in labels.get("status", ()) and any(map(_WANDB_NAME.fullmatch, names))


def _at_one_step(own: IntArray, at: FloatArray, named: BoolArray, axis: str) -> bool:
    """Tell whether every run stands at one step, so that its rows are no points along it.

    Rows of a training that is in its first epoch do so as well.
    """
    # Points along a run show as such in the first rows; only other logs are read to their end.
    for rows in (slice(0, _FIRST_ROWS), slice(None)):
        here = named[rows]
        if not _all_at_first(own[rows][here], at[rows][here]):
            return False
    return axis != "epoch" or bool((at[named] > _STARTING_EPOCH).all())


def _all_at_first(own: IntArray, at: FloatArray) -> bool:
    """Tell whether all rows of every group stand where its first one does."""
    first = first_known(own, at, np.ones(at.size, dtype=bool))
    return bool((at == first[own]).all())


def _divided_by(own: IntArray, columns: Mapping[str, RawColumn], named: BoolArray) -> list[str]:
    """Divide groups, in place, by each of these columns; return those that divided any."""
    return [name for name, column in columns.items() if divide(own, column.numbers, named)]


def _divide_all(own: IntArray, named: BoolArray) -> None:
    """Make, in place, every row of a group that has several a group of its own."""
    members = np.flatnonzero(named)
    _, group, count = np.unique(own[members], return_inverse=True, return_counts=True)
    several = members[count[group] > 1]
    own[several] = int(own.max()) + 1 + np.arange(several.size)


def _renamed(run: RawColumn, codes: IntArray, own: IntArray) -> tuple[RawColumn, int, int]:
    """Return the column with new names for divided ones, how many were, and into how many runs."""
    named = np.flatnonzero(codes >= 0)
    groups, first = np.unique(own[named], return_index=True)
    order = np.argsort(first, kind="stable")
    names_of = codes[named[first[order]]].tolist()
    shared, seen = Counter(names_of), Counter[int]()
    vocabulary, taken = list(run.vocabulary), set(run.vocabulary)
    table = np.full(int(own.max()) + 2, -1, dtype=np.int32)  # the last is for rows without a name
    for group, code in zip(groups[order].tolist(), names_of, strict=True):
        if shared[code] == 1:
            table[group] = code
            continue
        name = ""
        while not name or name in taken:
            seen[code] += 1
            name = f"{run.vocabulary[code]} ({seen[code]})"
        taken.add(name)
        table[group] = len(vocabulary)
        vocabulary.append(name)
    several = [count for count in shared.values() if count > 1]
    return RawColumn(run.numbers, table[own], tuple(vocabulary)), len(several), sum(several)


def across_files(shared: Sequence[str], rows: Gathered, *, joined: bool) -> list[Note]:
    """Return notes on names of runs that stand in several files, by what became of their rows.

    Args:
        shared: The names as they were logged.
        rows: All rows, after runs of one name that differ got names of their own.
        joined: Whether rows of one name were joined; rows of a table without steps are not.
    """
    if not joined:
        return [_apart_note(shared)] if shared else []
    run = rows.labels.get("run")
    if run is None:
        return []
    code_of = {text: code for code, text in enumerate(run.vocabulary)}
    files = {name: np.unique(rows.file_of[run.codes == code_of.get(name, -2)]) for name in shared}
    return same_names([name for name in shared if files[name].size > 1])


def same_names(shared: Sequence[str]) -> list[Note]:
    """Return a note on runs that stand in several files and are taken as one each."""
    if not shared:
        return []
    return [
        Note(
            id="RUN_IN_SEVERAL_FILES", severity="warning",
            text=f"1 run name stands in more than one file ({shared[0]}): its rows are taken as "
            "one run." if len(shared) == 1
            else f"{len(shared)} run names stand in more than one file ({listed(shared, 5)}): "
            "their rows are taken as one run each.",
            action="Rename the runs if they are different ones.",
            numbers=(("runs", float(len(shared))),),
        )
    ]  # fmt: skip


def _apart_note(shared: Sequence[str]) -> Note:
    one = "1 run name stands" if len(shared) == 1 else f"{len(shared)} run names stand"
    return Note(
        id="RUN_NAME_SHARED", severity="info",
        text=f"{one} in more than one file ({listed(shared, 5)}): every row is a run of its own.",
        action="Give runs names of their own.", numbers=(("names", float(len(shared))),),
    )  # fmt: skip


def _shared_note(names: int, runs: int, reasons: Sequence[str]) -> Note:
    several = "1 run name stands" if names == 1 else f"{names} run names stand"
    return Note(
        id="RUN_NAME_SHARED", severity="info",
        text=f"{several} for {runs} runs, which are numbered in brackets: {'; '.join(reasons)}.",
        action="Give runs names of their own.",
        numbers=(("names", float(names)), ("runs", float(runs))),
    )  # fmt: skip
