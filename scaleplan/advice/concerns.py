"""Which warnings of a fit concern what is asked of it, and which only something else it could say.

A fit warns of all that it may be used for. Of a run well inside the data whose size is given the
best size and the far end of the law are no concern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scaleplan.advice.hull import outside_hull
from scaleplan.records import Fit, ForecastPoint, Note

# About the split of compute between parameters and tokens.
_ABOUT_BEST_SIZE = frozenset(
    {"ALLOCATION_REFUSED", "ALLOCATION_WEAK", "APPROACHES_DIFFER", "INFLUENTIAL_RUN",
     "INFLUENTIAL_RUNS", "INFLUENTIAL_TAIL", "OBJECTIVE_MATTERS"}
)  # fmt: skip
# About parameters that other values would do for: between the runs all of them say the same.
_ABOUT_FAR = frozenset(
    {"BIASED_RESAMPLES", "FLOOR_UNIDENTIFIED", "NARROW_RANGE", "NARROW_RATIOS", "NEARLY_COLLINEAR",
     "NO_BACKTEST", "PARAMETERS_UNDETERMINED"}
)  # fmt: skip


def concerning(fit: Fit, points: Sequence[ForecastPoint], *, best_size: bool) -> tuple[Note, ...]:
    """Return the warnings of a fit, those that do not concern these points as plain notes.

    Args:
        fit: The fit.
        points: What is forecast with it.
        best_size: Whether the law chose their size; then its split of compute concerns them.
    """
    inside = all(_inside(fit, point) for point in points)
    best_size = best_size and len(fit.inputs) > 1  # a law of one input splits nothing
    apart = frozenset() if best_size else _ABOUT_BEST_SIZE
    apart |= _ABOUT_FAR if inside and not best_size else frozenset()
    return tuple(
        replace(note, severity="info") if note.id in apart else note
        for note in fit.notes
        if note.severity != "info"
    )


def _inside(fit: Fit, point: ForecastPoint) -> bool:
    if point.decades_beyond_data > 0.0:
        return False
    if point.params is None or point.tokens is None:
        return True
    return not any(True for _ in outside_hull(fit, point.params, point.tokens))
