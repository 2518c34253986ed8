"""What a fit says about the columns it used and left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.records import Note

if TYPE_CHECKING:
    from scaleplan.fitting.axes import Axes
    from scaleplan.runs.table import Runs

_MOST_NAMED = 8


def fallback_note(refusal: str, axes: Axes) -> Note:
    """Return the warning that a law of one input stands in for that of two.

    Args:
        refusal: Why the law of params and tokens was refused.
        axes: What is fitted instead.
    """
    return Note(
        id="LAW_OF_TWO_INPUTS_REFUSED", severity="warning",
        text=f"No law of parameters and tokens was fitted: {refusal}. A law of "
        f"{axes.columns[0]} alone is given instead; it holds along the sampled runs only, and "
        "no compute-optimal size follows from it.",
        action="Train runs at other ratios of tokens to parameters.",
    )  # fmt: skip


def unused_note(runs: Runs, axes: Axes) -> tuple[Note, ...]:
    """Return the note on numeric columns that vary and play no part, so that none is lost."""
    unused = [
        name
        for name, column in runs.extra.items()
        if name not in axes.columns and np.unique(column[np.isfinite(column)]).size > 1
    ]
    if not unused:
        return ()
    shown = ", ".join(unused[:_MOST_NAMED]) + (", ..." if len(unused) > _MOST_NAMED else "")
    return (
        Note(
            id="UNUSED_COLUMNS", severity="info",
            text=f"{len(unused)} numeric column(s) vary and play no part: {shown}.",
            action="Name a size among them with --columns tokens=COLUMN, or fit it with --input.",
            numbers=(("columns", float(len(unused))),),
        ),
    )  # fmt: skip
