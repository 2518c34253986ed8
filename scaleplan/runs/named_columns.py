"""Columns that a person names: found by name, or the error that lists what there is."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.errors import UsageError
from scaleplan.runs.text import fold, listed, near


def find_column(name: str, columns: Sequence[str]) -> str | None:
    """Return the column that a person means: by its exact name, else by its folded one."""
    if name in columns:
        return name
    same = [c for c in columns if fold(c) == fold(name)]
    return same[0] if len(same) == 1 and fold(name) else None


def unknown_column(what: str, name: str, columns: Sequence[str], option: str) -> UsageError:
    """Return the error for a column that is not there."""
    alike = near(name, columns)
    hint = f"Did you mean {' or '.join(alike)}? " if alike else ""
    return UsageError(
        f"the log has no column {name!r} for the {what}; it has {listed(columns)}",
        hint=f"{hint}Give {option} the name of a column.",
    )
