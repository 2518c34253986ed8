"""Runs that saw their data more than once, under a law that counts every token as fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.records import Note

if TYPE_CHECKING:
    from scaleplan.laws.base import IndexArray
    from scaleplan.runs.table import Runs

# Up to four epochs are worth almost as much as fresh data (Muennighoff et al. 2023, section 6).
_NEARLY_FRESH = 4.0


def repeat_notes(runs: Runs, roles: tuple[str, ...], rows: IndexArray) -> tuple[Note, ...]:
    """Return the warning on repeated data, if the law takes all tokens as fresh and the log tells.

    Args:
        runs: Cleaned runs.
        roles: The inputs of the law.
        rows: Which runs were fitted.
    """
    counts_repeats = "unique_tokens" in roles
    if counts_repeats or "tokens" not in roles:
        return ()
    if not runs.has("unique_tokens") or not runs.has("tokens"):
        return ()
    epochs = runs.column("tokens")[rows] / runs.column("unique_tokens")[rows]
    repeated = epochs[np.isfinite(epochs) & (epochs > _NEARLY_FRESH)]
    if not repeated.size:
        return ()
    return (
        Note(
            id="REPEATED_DATA",
            severity="warning",
            text=f"{repeated.size} of {rows.size} runs saw their data more than {_NEARLY_FRESH:g} "
            f"times (up to {repeated.max():.3g} epochs); the law counts repeats as fresh data, so "
            "its term of tokens is off, and forecasts for fresh data are too high.",
            action="Use the law of repeated data (--law data_constrained), or fit the runs with "
            "few epochs apart.",
            numbers=(("runs", float(repeated.size)), ("most_epochs", float(repeated.max()))),
            source="Muennighoff et al. 2023, arXiv 2305.16264, section 6",
        ),
    )
