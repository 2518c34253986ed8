"""Steps that are counted within an epoch: with the epoch they count the steps of the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.dividing import combine
from scaleplan.runs.epoch_lengths import steps_an_epoch
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.grouping import fixed_groups
from scaleplan.runs.raw import numeric_column
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.units import format_significant


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
            length = steps_an_epoch(at[counting], during[counting])
            if length is not None:
                made[members] = _through(at, during, length, float(at[counting].max()))
                lengths.append(length)
                break
    if not lengths:
        return rows, ()
    joined = replace(rows, roles={**rows.roles, "step": numeric_column(made)})
    return joined, (_note(rows.names["step"], rows.names["epoch"], lengths),)


def _runs(rows: Gathered) -> list[IntArray]:
    """Return the rows of each run that a name or a size tells apart, else of each file."""
    groups = fixed_groups(rows)
    if "run" in rows.labels:
        groups = combine([groups, np.asarray(rows.labels["run"].codes, dtype=np.int64)])
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _once_an_epoch(epoch: FloatArray) -> bool:
    return bool((epoch[1:] != epoch[:-1]).all())


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
