"""Columns whose numbers tell whether they count the points of a run or say how long runs were.

`steps` beside the loss of each is an axis where it rises evenly from row to row, and the length of
a finished run in a table of those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from scaleplan.runs.epoch_lengths import steps_an_epoch
from scaleplan.runs.frame import Frame
from scaleplan.runs.inputs import could_be_size, is_clock, may_be_input
from scaleplan.runs.learning_rates import is_swept
from scaleplan.runs.raw import CodeArray
from scaleplan.runs.roles import AXIS_NAMES, BATCH_NAMES, CONFIG_NAMES, TEXT_ROLES, rank, spellings
from scaleplan.runs.shapes import is_shape
from scaleplan.runs.table import BoolArray, FloatArray, IntArray

_SIZES = ("params", "active_params", "non_embedding_params", "dense_params", "tokens", "flops",
          "unique_tokens", "experts")  # fmt: skip
# Names of one run each, not of a model that was trained several times.
_RUN_NAMES = frozenset(TEXT_ROLES["run"]) - {"name", "id", "model", "modelname", *CONFIG_NAMES}
# Rows of a run that show an even count: more where sizes say that rows may be finished runs.
_FEWEST, _FEWEST_SIZED, _MANY = 3, 8, 16
_EVEN_SHARE, _EVEN = 0.75, 0.01


def counters(
    frame: Frame, role: str, named: Collection[str], taken: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Return the columns, best first, that by their numbers count steps or epochs.

    Args:
        frame: The rows of all inputs.
        role: `step` or `epoch`.
        named: The columns that count them by their name alone; where a file has one of those no
            other one is looked for.
        taken: The columns that have a role, among them the names of runs.
    """
    names = AXIS_NAMES.get(role, ())
    with_name = frozenset[int]().union(*(frame.present[name] for name in named))
    used = {name for columns in taken.values() for name in columns}
    found = []
    for name in frame.columns:
        places = [names.index(s) for s in spellings(name) if s in names]
        files = frame.present[name] - with_name
        if not places or name in used or not files:
            continue
        here = frame.rows_in(files) & np.isfinite(frame.columns[name].numbers)
        if frame.used is not None:
            here &= frame.used
        if _counts(frame, name, np.flatnonzero(here), taken):
            found.append((min(places), name))
    return [name for _, name in sorted(found, key=lambda each: each[0])]


def names_runs(frame: Frame, name: str) -> bool:
    """Tell whether a column with the name of one that names runs names those with the metric.

    A column of configurations does only where no two rows have the same one.
    """
    column = frame.columns[name]
    here = frame.rows_in(frame.present[name])
    if frame.used is not None:
        here &= frame.used
    blank = column.blank[here]
    if not any(spelling in CONFIG_NAMES for spelling in spellings(name)):
        return not here.any() or not blank.all()
    numbers = np.nan_to_num(column.numbers[here], nan=-1.0)  # a NaN is unlike every other one
    said = set(zip(column.codes[here].tolist(), numbers.tolist(), strict=True))
    return not blank.any() and len(said) == blank.size


def _counts(
    frame: Frame, name: str, rows: IntArray, taken: Mapping[str, tuple[str, ...]]
) -> bool:  # fmt: skip
    numbers = frame.columns[name].numbers[rows]
    if numbers.size < _FEWEST or bool(((numbers < 0.0) | (numbers % 1.0 != 0.0)).any()):
        return False
    for epoch in taken.get("epoch", ()):
        during = frame.columns[epoch].numbers[rows]
        known = np.isfinite(during)
        if steps_an_epoch(numbers[known], during[known]) is not None:
            return True
    named = "run" in taken
    sized = any(_may_tell_runs(frame, other, rows) for other in frame.columns if other != name)
    parts = list(_parts(frame, rows, taken))
    longest = max(part.size for part in parts)
    batch = any(spelling in BATCH_NAMES for spelling in spellings(name))
    wanted = _FEWEST_SIZED if batch or (sized and named) else _MANY if sized else _FEWEST
    if longest < wanted:
        return False
    moves = [np.diff(numbers[part]) for part in parts]
    every = np.concatenate(moves)
    usual = [float(np.median(each[each > 0.0])) for each in moves if (each > 0.0).any()]
    if not usual:
        return False
    even = sum(int(_even(each).sum()) for each in moves)
    if even >= _EVEN_SHARE * every.size:
        return not _are_lengths(name, min(usual), longest)
    own = named and longest >= _FEWEST_SIZED and _of_own_names(frame, rows, taken, len(parts))
    rises = bool((every > 0.0).all()) and not batch
    return rises and (own or (longest >= _MANY and not sized))


def _of_own_names(
    frame: Frame, rows: IntArray, taken: Mapping[str, tuple[str, ...]], parts: int
) -> bool:  # fmt: skip
    """Tell whether rows of one name are those of one run: nothing but what grows along it differs.

    The name of a model or a configuration may be that of several runs, which were of other lengths.
    """
    names = taken["run"]
    if not all(_RUN_NAMES & set(spellings(name)) for name in names):
        return False
    keys: list[IntArray | CodeArray | FloatArray] = [frame.file_of[rows]]
    for name in names:
        column = frame.columns[name]
        keys += [column.codes[rows], np.nan_to_num(column.numbers[rows], nan=-1.0)]
    runs = len(set(zip(*(key.tolist() for key in keys), strict=True)))
    settings = (n for n in frame.columns if n not in names and not _is_size(n))
    return runs == parts and not any(_may_tell_runs(frame, name, rows) for name in settings)


def _are_lengths(name: str, usual: float, longest: int) -> bool:
    """Tell whether a few even numbers of epochs may be those that runs were trained for."""
    return rank("epochs", name) is not None and usual != 1.0 and longest < _FEWEST_SIZED


def _even(moves: FloatArray) -> BoolArray:
    """Return which moves are the usual one, up to rounding."""
    rising = moves[moves > 0.0]
    if not rising.size:
        return np.zeros(moves.size, dtype=bool)
    usual = float(np.median(rising))
    return np.asarray(np.abs(moves - usual) <= _EVEN * usual)


def _may_tell_runs(frame: Frame, name: str, rows: IntArray) -> bool:
    """Tell whether a column beside the one that may count holds sizes or settings of runs."""
    column = frame.columns[name]
    if column.is_text:
        said = column.codes[rows]
        return not is_clock(name) and rows.size > 1 and np.unique(said).size == rows.size
    if rank("learning_rate", name) is not None:
        return is_swept(column.numbers[rows])
    size = _is_size(name) or (may_be_input(frame, name) and could_be_size(name))
    return size and not _is_counter(name) and _varies(column.numbers[rows])


def _is_size(name: str) -> bool:
    return is_shape(name) or any(rank(role, name) is not None for role in _SIZES)


def _is_counter(name: str) -> bool:
    return any(spelling in names for names in AXIS_NAMES.values() for spelling in spellings(name))


def _varies(numbers: FloatArray) -> bool:
    known = numbers[np.isfinite(numbers)]
    return bool(known.size) and float(known.min()) < float(known.max())


def _parts(
    frame: Frame, rows: IntArray, taken: Mapping[str, tuple[str, ...]]
) -> Iterator[IntArray]:
    """Yield the places among some rows of those that may be of one run."""
    keys = [frame.file_of[rows].astype(np.float64)]
    for run in taken.get("run", ()):
        keys += [
            frame.columns[run].codes[rows].astype(np.float64),
            frame.columns[run].numbers[rows],
        ]
    for name in filter(_is_size, frame.columns):
        if rank("tokens", name) is None and rank("flops", name) is None:  # both grow along a run
            keys.append(frame.columns[name].numbers[rows])
    other = np.zeros(rows.size, dtype=bool)
    order = np.lexsort([np.arange(rows.size), *keys])
    for key in keys:
        stands = np.nan_to_num(key[order], nan=-1.0)
        other[1:] |= stands[1:] != stands[:-1]
    yield from np.split(order, np.flatnonzero(other))
