"""The convex hull of runs in the logarithms of size and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_ROUNDING = 1e-9  # of an e-fold squared: runs on one ray have no area
_MOST_CORNERS = 64  # more than any sweep has; a curve of millions of points is thinned to them


def hull_of(params: FloatArray, tokens: FloatArray) -> tuple[tuple[float, float], ...]:
    """Return the corners of the convex hull of (ln params, ln tokens), counter-clockwise.

    Andrew's monotone chain (1979).

    Args:
        params: Shape (n,), above 0.
        tokens: Shape (n,), above 0.

    Returns:
        The corners as (params, tokens); one or two where all runs lie on a point or a line.
    """
    pairs = np.unique(np.stack([params, tokens], axis=1), axis=0)
    if pairs.shape[0] == 0:
        return ()
    points = np.log(pairs)
    lower, upper = _chain(points, range(len(points))), _chain(points, range(len(points))[::-1])
    corners = lower[:-1] + upper[:-1] if len(points) > 1 else lower
    if len(corners) > _MOST_CORNERS:
        corners = corners[:: -(-len(corners) // _MOST_CORNERS)]
    return tuple((float(pairs[i, 0]), float(pairs[i, 1])) for i in corners)


def _chain(points: FloatArray, order: range) -> list[int]:
    """Return one side of the hull, as indices in the order in which it is walked."""
    kept: list[int] = []
    for i in order:
        while len(kept) > 1 and _turn(points[kept[-2]], points[kept[-1]], points[i]) <= _ROUNDING:
            kept.pop()
        kept.append(i)
    return kept


def _turn(a: FloatArray, b: FloatArray, c: FloatArray) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
