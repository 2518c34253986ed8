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
    """Return the warning on repeated data, if the law takes tokens and the log tells repeats.

    Args:
        runs: Cleaned runs.
        roles: The inputs of the law.
        rows: Which runs were fitted.
    """
    if "tokens" not in roles or not runs.has("unique_tokens") or not runs.has("tokens"):
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
            "its exponent of tokens is too small and forecasts for fresh data too high.",
            action="Fit the runs with few epochs apart, or fit against unique data "
            "(--columns tokens=COLUMN).",
            numbers=(("runs", float(repeated.size)), ("most_epochs", float(repeated.max()))),
            source="Muennighoff et al. 2023, arXiv 2305.16264, section 6",
        ),
    )
