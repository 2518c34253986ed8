"""Columns that a person names: found by name, or the error that lists what there is."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.errors import UsageError
from scaleplan.runs.roles import rank
from scaleplan.runs.text import fold, listed, near, uncoloured
from scaleplan.units import parse_count

_NO_NAMES = "the first line has numbers where the names of the columns should be"
_ADD_NAMES = "Add a first line with a name for each column, such as model,params,tokens,loss."
_SHOWN = 5
_AXES = ("step", "epoch", "tokens")


def find_column(name: str, columns: Sequence[str]) -> str | None:
    """Return the column that a person means: by its exact name, else by its folded one."""
    if name in columns:
        return name
    folded = fold(uncoloured(name))  # as the names of columns are read
    same = [c for c in columns if fold(c) == folded]
    return same[0] if len(same) == 1 and folded else None


def unknown_column(what: str, name: str, columns: Sequence[str], option: str) -> UsageError:
    """Return the error for a column that is not there."""
    if is_unnamed(columns):
        return UsageError(
            f"the log has no column {name!r} for the {what}: {_NO_NAMES}: "
            f"{listed(columns, _SHOWN)}",
            hint=_ADD_NAMES,
        )
    alike = near(name, columns)
    hint = f"Did you mean {' or '.join(alike)}? " if alike else ""
    return UsageError(
        f"the log has no column {name!r} for the {what}; it has {listed(columns)}",
        hint=f"{hint}Give {option} the name of a column.",
    )


def is_unnamed(columns: Sequence[str]) -> bool:
    """Tell whether the names of columns are mostly numbers, as those of a first run are."""
    numbers = sum(map(_is_value, columns))
    return numbers > 1 and 2 * numbers >= len(columns)


def _is_value(name: str) -> bool:
    """Tell whether a name is a plain number or a list of them; 14b and 70M name sizes."""
    try:
        float(name.partition(" #")[0])  # one that stands twice was given a number
    except ValueError:
        return name.startswith("[")
    return True


def no_metric(kind: str | None, columns: Sequence[str]) -> str:
    """Return what to say where no column is a metric.

    Args:
        kind: What was looked for; None for any metric.
        columns: All there are.
    """
    wanted = f"no column of {kind or 'a loss, error, accuracy or score'} was found"
    if is_unnamed(columns):
        return f"{wanted}: {_NO_NAMES}: {listed(columns, _SHOWN)}"
    return f"{wanted}; the columns are {listed(columns)}"


def how_to_name(columns: Sequence[str]) -> str:
    """Return what to do where no column is a metric: of a chart with a column for each size, more.

    Args:
        columns: All there are.
    """
    if is_unnamed(columns):
        return _ADD_NAMES
    others = [name for name in columns if all(rank(axis, name) is None for axis in _AXES)]
    if len(others) < 2 or len(others) == len(columns) or not all(map(_is_size, others)):
        return "Name it with --metric COLUMN."
    return (
        f"The columns {listed(others, 5)} look like curves of runs of these sizes: write one row a "
        f"run and step (run,params,step,loss), or name each as W&B's charts do, "
        f"{others[0] + ' - loss'!r}."
    )


def _is_size(name: str) -> bool:
    """Tell whether a name is a number of parameters with its suffix: 14b, 1.7B, 70M."""
    try:
        return name[-1:].isalpha() and parse_count(name) >= 1e3
    except (ValueError, OverflowError):
        return False
