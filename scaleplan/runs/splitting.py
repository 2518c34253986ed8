"""Rows split by what a column says, for fits of each group apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.name_sharing import AS_LOGGED
from scaleplan.runs.named_columns import unknown_column
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.text import fold, shown

if TYPE_CHECKING:
    from scaleplan.runs.columns import Assignment
    from scaleplan.runs.gathering import Gathered
    from scaleplan.runs.table import FloatArray, IntArray

NO_VALUE = "(none)"  # the group of rows whose cell is empty
_MOST_GROUPS = 200  # more values than this are no groups but a measurement


def rows_by(rows: Gathered, chosen: Assignment, by: str) -> list[tuple[str, IntArray]]:
    """Return (name, rows) of each group, in the order of the names.

    Args:
        rows: Cleaned rows.
        chosen: Which column plays which role.
        by: A column or its role; rows without a value in it are a group named `(none)`.

    Raises:
        UsageError: If there is no such column.
        InputError: If it has too many values to name groups.
    """
    column = _column(rows, chosen, by)[1]
    names = np.array([_name(column, i) for i in range(len(rows))])
    found = np.unique(names)
    if found.size > _MOST_GROUPS:
        raise InputError(
            f"{shown(by)} has {found.size} different values; at most {_MOST_GROUPS} make groups",
            hint="Name a column of text, such as the dataset or the optimizer.",
        )
    order = sorted(found.tolist(), key=_natural)
    return [(name or NO_VALUE, np.flatnonzero(names == name)) for name in order]


def without_value(by: str, runs: int) -> Note:
    """Return a note on runs whose cell is empty, and which are a group all the same.

    Args:
        by: The column.
        runs: How many.
    """
    return Note(
        id="GROUP_WITHOUT_VALUE", severity="warning",
        text=f"{by} is empty for {runs} run{'' if runs == 1 else 's'}: they stand as a group of "
        f"their own, {NO_VALUE}.",
        action="Write the value into the log, or leave these runs out.",
        numbers=(("runs", float(runs)),),
    )  # fmt: skip


def _name(column: RawColumn, row: int) -> str:
    number = float(column.numbers[row])
    return column.text(row) if math.isnan(number) else f"{number:.15g}"


def _natural(name: str) -> tuple[bool, float, str]:
    """Order numbers by size and before words."""
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def role_of(rows: Gathered, chosen: Assignment, by: str) -> str:
    """Return the role of the column that names groups, or its own name."""
    return _column(rows, chosen, by)[0]


def levels_by(rows: Gathered, chosen: Assignment, by: str) -> tuple[tuple[str, ...], FloatArray]:
    """Number the values of a column from 1, the one of most runs, and the rest by name.

    Args:
        rows: Cleaned rows.
        chosen: Which column plays which role.
        by: A column or its role.

    Returns:
        The name of each level, and each row's level, shape (n,).
    """
    groups = sorted(rows_by(rows, chosen, by), key=lambda group: -group[1].size)
    groups[1:] = sorted(groups[1:], key=lambda group: _natural(group[0]))
    level = np.empty(len(rows))
    for number, (_, members) in enumerate(groups, start=1):
        level[members] = number
    level.setflags(write=False)
    return tuple(name for name, _ in groups), level


def _column(rows: Gathered, chosen: Assignment, by: str) -> tuple[str, RawColumn]:
    places = [
        *((role, names, _label(rows, role)) for role, names in chosen.labels.items()),
        *((role, names, rows.roles.get(role)) for role, names in chosen.numbers.items()),
        *((name, (name,), rows.extra.get(name)) for name in chosen.extra),
    ]
    for same in (str, fold):  # the exact name first
        for role, names, column in places:
            if column is not None and same(by) in {same(role), *map(same, names)}:
                return role, column
    every = [name for _, names, column in places if column is not None for name in names]
    raise unknown_column("groups", by, every, "--by")


def _label(rows: Gathered, role: str) -> RawColumn | None:
    """Return a label; runs by the names that the log has, which several may share."""
    own = rows.labels.get(role)
    return rows.labels.get(AS_LOGGED, own) if role == "run" else own
