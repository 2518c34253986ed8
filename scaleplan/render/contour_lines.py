"""Lines of equal value over a grid: which values, and where they run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scaleplan.records.pictures import Contours

_SHARES = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)  # of the grid that lies below each line


def levels_of(grid: Contours) -> list[float]:
    """Return the values of a grid whose lines divide it into parts of about equal size."""
    flat = sorted(v for row in grid.values for v in row if math.isfinite(v))
    return sorted({flat[int(share * (len(flat) - 1))] for share in _SHARES}) if flat else []


def crossings(grid: Contours, level: float) -> list[tuple[float, float]]:
    """Return where lines of one value cross the rows and columns of a grid with logarithmic axes.

    Args:
        grid: Values over positive x and y.
        level: The value.
    """
    along_x = [
        (at, y) for y, row in zip(grid.y, grid.values, strict=True)
        for at in _between(grid.x, row, level)
    ]  # fmt: skip
    along_y = [
        (x, at) for x, column in zip(grid.x, zip(*grid.values, strict=True), strict=True)
        for at in _between(grid.y, column, level)
    ]  # fmt: skip
    return along_x + along_y


def _between(places: Sequence[float], values: Sequence[float], level: float) -> Iterator[float]:
    """Yield the places between which the values pass a level."""
    for k in range(len(places) - 1):
        before, after = values[k] - level, values[k + 1] - level
        if math.isfinite(before) and math.isfinite(after) and (before <= 0.0) != (after <= 0.0):
            share = before / (before - after)
            yield places[k] * (places[k + 1] / places[k]) ** share
