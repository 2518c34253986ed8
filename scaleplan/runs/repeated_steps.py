"""Settings that tell runs apart where rows of one name, or of none, stand at equal steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scaleplan.runs.dividing import combine, divide
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import CodeArray, RawColumn
from scaleplan.runs.table import BoolArray, FloatArray, IntArray
from scaleplan.runs.text import words

_AXES = ("step", "epoch")
# Set when a run starts, most surely first; what counts or is measured along a run is not among
# them. A learning rate that decays is none either: no value of it stands at several steps.
_SETTINGS = ("seed", "batch_size", "batch_tokens", "epochs", "unique_tokens", "learning_rate",
             "input")  # fmt: skip
# Text that is another one along a run, or of each process that trains one.
_ALONG = frozenset({
    "time", "timestamp", "date", "created", "updated", "checkpoint", "ckpt", "path", "file", "url",
    "message", "msg", "log", "state", "status", "output", "sample", "duration", "runtime",
    "elapsed", "host", "hostname", "node", "rank", "worker", "gpu", "device", "process", "pid",
    "thread",
})  # fmt: skip
_FEW = 0.1  # of the parts of a setting may hold one step only, as runs that failed do
# A resumed run goes on late in what it wrote before; another one begins where the first did.
_EARLY = 0.25


def divide_repeats(own: IntArray, rows: Gathered, named: BoolArray) -> list[str]:
    """Divide, in place, the groups whose rows stand at equal steps and differ in a setting.

    Args:
        own: The group of each row.
        rows: The rows.
        named: The rows that may be divided.

    Returns:
        The names of the settings.
    """
    axes, logged = _logged(rows, named)
    # There may be ten million rows, most often all of them with a metric: those are not copied.
    some = slice(None) if logged.all() else logged
    if not axes or _plain(own[some], axes[0][some]):
        return []
    here = np.flatnonzero(logged)
    steps = combine([_codes(at) for at in axes])
    place = axes[0]
    told: list[str] = []
    for name, values, sure in _candidates(rows):
        repeated = _repeating(own[here], steps[here])
        if not repeated.any():
            break
        part = here[repeated]
        if not _is_setting(own[part], steps[part], place[part], values[part], sure=sure):
            continue
        trial = own.copy()
        if not divide(trial, values, named):
            continue
        if _repeats(trial[here], steps[here]) < _repeats(own[here], steps[here]):
            own[:] = trial
            told.append(name)
    return told


def rise_throughout(run: IntArray | CodeArray, rows: Gathered, named: BoolArray) -> bool:
    """Tell by a pass over the rows whether all of them are points, of runs in turn, that rise.

    Args:
        run: The run of each row.
        rows: The rows.
        named: The rows that name their run.
    """
    axes, logged = _logged(rows, named)
    return bool(axes) and bool(logged.all()) and _plain(run, axes[0])


def _logged(rows: Gathered, named: BoolArray) -> tuple[list[FloatArray], BoolArray]:
    """Return what counts the points of runs, and the rows that have it and a metric."""
    axes = [rows.roles[axis].numbers for axis in _AXES if axis in rows.roles]
    logged = named & ~rows.roles["value"].blank
    for at in axes:
        logged &= np.isfinite(at)
    return axes, logged


def is_setting(name: str) -> bool:
    """Tell whether a column of text may, by its name, tell runs apart."""
    return not _ALONG & {*words(name)}


def _plain(own: IntArray | CodeArray, at: FloatArray) -> bool:
    """Tell by a pass over the rows whether each run stands in one stretch of rising steps."""
    if not own.size:
        return True
    other = own[1:] != own[:-1]
    if not bool((other | (at[1:] > at[:-1])).all()):
        return False
    starts = own[np.r_[0, np.flatnonzero(other) + 1]]
    return bool(np.unique(starts).size == starts.size)


def _candidates(rows: Gathered) -> Iterator[tuple[str, FloatArray, bool]]:
    """Yield name, numbers, and whether it is a setting by its name, of what may tell runs apart."""
    text = {
        name: column for name, column in rows.labels.items()
        if name != "run" and is_setting(name) and column.vocabulary
    }  # fmt: skip
    roles = [role for role in _SETTINGS if role in rows.roles]
    for role in roles[:1] if roles[:1] == ["seed"] else []:
        yield rows.names[role], rows.roles[role].numbers, True
    for name, column in text.items():
        yield rows.names.get(name, name), _as_numbers(column), True
    for role in roles:
        if role != "seed":
            yield rows.names[role], rows.roles[role].numbers, True
    for name, column in rows.extra.items():
        if describe(name) is None and is_setting(name):
            yield name, column.numbers, False


def _as_numbers(column: RawColumn) -> FloatArray:
    """Return equal numbers for equal texts, NaN for empty cells."""
    codes = combine([column.codes.astype(np.int64), _codes(column.numbers)])
    return np.where(column.blank, np.nan, codes.astype(np.float64))


def _codes(numbers: FloatArray) -> IntArray:
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _repeating(own: IntArray, steps: IntArray) -> BoolArray:
    """Return the rows of the groups in which a step stands more than once."""
    group = np.unique(own, return_inverse=True)[1]
    pairs = combine([group.astype(np.int64), steps])
    rows = np.bincount(group)
    first = np.unique(pairs, return_index=True)[1]
    return np.asarray((rows > np.bincount(group[first], minlength=rows.size))[group])


def _repeats(own: IntArray, steps: IntArray) -> int:
    """Return how many rows stand at a step of their group at which another one stands."""
    return int(own.size - np.unique(combine([own, steps])).size)


def _is_setting(
    own: IntArray, steps: IntArray, place: FloatArray, values: FloatArray, *, sure: bool
) -> bool:
    """Tell whether the rows of each value of a column are those of runs of their own.

    They stand at several steps, as a measured number does not, and begin early, as those of a
    resumed run do not.

    Args:
        own: The group of each row.
        steps: Equal numbers for equal steps.
        place: What orders them.
        values: What the column says.
        sure: Whether its name says that it is a setting: then rows of one step will do.
    """
    parts = combine([own, _codes(values)])
    group = np.unique(own, return_inverse=True)[1]
    count = int(parts.max()) + 1
    of_part = np.zeros(count, dtype=np.int64)
    of_part[parts] = group
    several = np.bincount(of_part)[of_part] > 1
    if not several.any():
        return False
    first, last = _ends(place, group)
    begun = _ends(place, parts)[0]
    long = first[of_part] < last[of_part]
    if not sure and not long[several].all():
        return False
    stands = np.bincount(parts[np.unique(combine([parts, steps]), return_index=True)[1]])
    early = begun <= first[of_part] + _EARLY * (last[of_part] - first[of_part])
    failing = several & long & ((stands < 2) | ~early)
    return int(failing.sum()) <= _FEW * int(several.sum())


def _ends(place: FloatArray, group: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return where the rows of each group begin and end."""
    count = int(group.max()) + 1
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, group, place)
    np.maximum.at(last, group, place)
    return first, last
