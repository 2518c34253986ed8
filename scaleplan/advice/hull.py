"""Whether a model lies between the fitted runs in size and data together, not only in each."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scaleplan.records import Fit, Note
from scaleplan.units import format_count

# Rounding in the middle of an edge is not outside; 1% of an e-fold is nothing to speak of.
_ROUNDING = 0.01


def outside_hull(fit: Fit, params: float, tokens: float) -> Iterator[Note]:
    """Yield that each of size and tokens was tested, but not their combination.

    Args:
        fit: A fit with the hull of its runs; none is kept of published laws.
        params: Parameters.
        tokens: Training tokens.
    """
    ranges = {r.role: r for r in fit.ranges}
    sizes = ranges.get("params") or ranges.get("active_params")
    data = ranges.get("tokens")
    if not fit.hull or sizes is None or data is None:
        return
    if not (sizes.low <= params <= sizes.high and data.low <= tokens <= data.high):
        return  # plain extrapolation, which has a note of its own
    at = (math.log(params), math.log(tokens))
    if _distance(fit.hull, at) <= _ROUNDING:
        return
    yield Note(
        id="OUTSIDE_HULL", severity="info",
        text=f"{format_count(params)} parameters and {format_count(tokens)} tokens were each "
        f"tested, but never together: {format_count(tokens / params)} tokens per parameter at "
        "this compute lie outside the runs.",
        action="Expect more error than at this distance along tested ratios, or train a run there.",
        numbers=(("params", params), ("tokens", tokens), ("tokens_per_param", tokens / params)),
        source="convex hull of (ln params, ln tokens) of the fitted runs",
    )  # fmt: skip


def _distance(hull: tuple[tuple[float, float], ...], at: tuple[float, float]) -> float:
    """Return how far a point lies outside a convex polygon, in e-folds; 0 within.

    Args:
        hull: Corners (params, tokens) in counter-clockwise order of their logarithms.
        at: (ln params, ln tokens).
    """
    corners = [(math.log(n), math.log(d)) for n, d in hull]
    if len(corners) == 1:
        return math.dist(corners[0], at)
    edges = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    inside = len(corners) > 2 and all(
        (b[0] - a[0]) * (at[1] - a[1]) - (b[1] - a[1]) * (at[0] - a[0]) >= 0.0 for a, b in edges
    )
    return 0.0 if inside else min(_to_edge(at, a, b) for a, b in edges)


def _to_edge(at: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance of a point from a line segment."""
    along = (b[0] - a[0], b[1] - a[1])
    length = along[0] ** 2 + along[1] ** 2
    share = ((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    return math.dist(at, (a[0] + share * along[0], a[1] + share * along[1]))
