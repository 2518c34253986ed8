"""Steps that are counted within an epoch: with the epoch they count the steps of the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.grouping import combine, fixed_groups
from scaleplan.runs.raw import numeric_column
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.units import format_significant

_FEWEST = 4  # rows of a run, in two epochs, that show how it counts
_UNEVEN = 0.99  # the last distance in an epoch over the usual one, if its last step is always there


def with_steps_of_runs(rows: Gathered) -> tuple[Gathered, tuple[Note, ...]]:
    """Count the steps of a run through where a log counts them within each epoch.

    That is where they begin again at each row at which the epoch rises by one, and nowhere else. An
    epoch that begins again as well is that of another run.

    Args:
        rows: The rows of all inputs.

    Returns:
        The rows with steps from the start of each run on, and a note if any were changed.
    """
    if not {"step", "epoch"} <= set(rows.roles):
        return rows, ()
    step, epoch = (rows.roles[role].numbers for role in ("step", "epoch"))
    known = np.isfinite(step) & np.isfinite(epoch)
    logged = ~rows.roles["value"].blank
    made, lengths = step.copy(), list[float]()
    for members in _runs(rows):
        at, during, here = step[members], epoch[members], known[members]
        measured = here & logged[members]
        # Where the metric is read once an epoch, the other rows show how its steps are counted.
        rest = here & ~measured
        for counting in (measured, rest) if _once_an_epoch(during[measured]) else (measured,):
            length = _length(at[counting], during[counting])
            if length is not None:
                made[members] = _through(at, during, length, float(at[counting].max()))
                lengths.append(length)
                break
    if not lengths:
        return rows, ()
    joined = replace(rows, roles={**rows.roles, "step": numeric_column(made)})
    return joined, (_note(rows.names["step"], rows.names["epoch"], lengths),)


def steps_begin_again(step: FloatArray, epoch: FloatArray) -> bool:
    """Tell whether steps are counted within epochs.

    Args:
        step: Shape (n,), of one run or of one run after the other, in the order of the log.
        epoch: Shape (n,).
    """
    return _length(step, epoch) is not None


def _runs(rows: Gathered) -> list[IntArray]:
    """Return the rows of each run that a name or a size tells apart, else of each file."""
    groups = fixed_groups(rows)
    if "run" in rows.labels:
        groups = combine([groups, np.asarray(rows.labels["run"].codes, dtype=np.int64)])
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _once_an_epoch(epoch: FloatArray) -> bool:
    return bool((epoch[1:] != epoch[:-1]).all())


def _length(step: FloatArray, epoch: FloatArray) -> float | None:
    """Return the number of steps of an epoch; None if steps are not counted within epochs."""
    if step.size < _FEWEST or bool((epoch != np.floor(epoch)).any()):
        return None
    later, move = np.diff(epoch), np.diff(step)
    same, rises = later == 0.0, later > 0.0
    if not rises.any() or not (same & (move > 0.0)).any():
        return None
    if bool((move[same] < 0.0).any() or (later[rises] != 1.0).any() or (move[rises] >= 0.0).any()):
        return None
    starts = np.r_[0, np.flatnonzero(~same) + 1]
    ends = np.r_[starts[1:] - 1, step.size - 1]
    usual = float(np.median(move[same & (move > 0.0)]))
    first, last = step[starts], step[ends]
    # An epoch begins where the one before it began; a table of finished runs has any steps.
    if float(np.median(ends - starts)) < 1.0 or float(np.ptp(first)) > usual:
        return None
    before = ends[:-1][ends[:-1] > starts[:-1]]  # in an epoch that is over
    ragged = bool(np.median(move[before - 1]) < _UNEVEN * usual) if before.size else False
    next_one = rises[ends[:-1]]
    across = float(np.median((last[:-1] - first[1:])[next_one])) + (1.0 if ragged else usual)
    return max(across, float(last.max() - first.min()) + 1.0)


def _through(step: FloatArray, epoch: FloatArray, length: float, end: float) -> FloatArray:
    """Return the steps from the start of the run on.

    What is logged once an epoch, such as a validation with a count of its own, stands at its end.

    Args:
        step: Shape (n,), within the epoch.
        epoch: Shape (n,).
        length: Steps of an epoch.
        end: The last of them that was logged.
    """
    first = 0.0 if float(np.nanmin(epoch)) < 1.0 else 1.0
    within = np.where(np.isfinite(step), np.minimum(step, end), end)
    return np.asarray(np.where(np.isfinite(epoch), (epoch - first) * length + within, step))


def _note(step: str, epoch: str, lengths: list[float]) -> Note:
    low, high = (format_significant(bound) for bound in (min(lengths), max(lengths)))
    return Note(
        id="STEPS_OF_EPOCHS", severity="info",
        text=f"{step} begins again where {epoch} rises by one: it counts the steps within an epoch "
        f"({low if low == high else f'{low} to {high}'} by what was logged), and the steps of a "
        f"run are taken from {epoch} and {step} together.",
        action="Add a column named run if every epoch is a run of its own.",
        numbers=(("shortest_epoch", min(lengths)), ("longest_epoch", max(lengths))),
    )  # fmt: skip
