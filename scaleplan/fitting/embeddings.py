"""How much of the counted parameters are embeddings, where the log tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.text import fold
from scaleplan.units import format_percent

if TYPE_CHECKING:
    from scaleplan.fitting.axes import Axes
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

# Of the smallest run. Counted with embeddings or without, sizes near it then differ by as much,
# and those of large models do not: exponents of N differ (Pearce & Song 2024, arXiv 2406.12907).
_MANY = 0.1
_WIDTHS = frozenset({"hiddensize", "nembd", "nembed", "dmodel", "embeddim", "modeldim", "width"})


def embeddings_note(runs: Runs, axes: Axes) -> Note | None:
    """Return the note that embeddings are much of the smallest models and little of the largest.

    Args:
        runs: The runs.
        axes: What was fitted; only laws of params are looked at.
    """
    if "params" not in axes.roles:
        return None
    params = axes.inputs[axes.roles.index("params")]
    found = _embeddings(runs, axes, params)
    if found is None:
        return None
    shares, known, instead = found
    small, large = shares[int(np.argmin(params))], shares[int(np.argmax(params))]
    if not _MANY < small <= 1.0 or not 0.0 <= large < small:
        return None
    column = axes.columns[axes.roles.index("params")]
    return Note(
        id="EMBEDDINGS_COUNTED", severity="info",
        text=f"{column} holds embeddings: {format_percent(small, 2)} of the smallest run and "
        f"{format_percent(large, 2)} of the largest, by {known}. The exponent of N is that of "
        "sizes so counted.",
        action=instead, source="Pearce & Song 2024, arXiv 2406.12907",
        numbers=(("smallest", float(small)), ("largest", float(large))),
    )  # fmt: skip


def _embeddings(runs: Runs, axes: Axes, params: FloatArray) -> tuple[FloatArray, str, str] | None:
    """Return the share of embeddings in each fitted run, what tells it, and what to do."""
    names = {use.role: use.column for use in runs.cleaning.columns}
    if runs.has("non_embedding_params"):
        name = names.get("non_embedding_params", "non_embedding_params")
        without = runs.column("non_embedding_params")[axes.rows]
        action = f"Fit the others with --columns params={name}, and compare the forecasts."
        return _known(1.0 - without / params, name, action)
    widths = [column for name, column in runs.extra.items() if fold(name) in _WIDTHS]
    if not widths or not runs.has("vocab_size"):
        return None
    tables = runs.column("vocab_size")[axes.rows] * widths[0][axes.rows]
    action = "Fit sizes without embeddings too, and compare the forecasts."
    return _known(tables / params, "vocabulary times width", action)


def _known(shares: FloatArray, known: str, action: str) -> tuple[FloatArray, str, str] | None:
    return (shares, known, action) if np.isfinite(shares).all() else None
