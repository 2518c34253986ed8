"""The order in which a run wrote its steps: restarts, steps written twice, rows of several runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaleplan.runs.table import BoolArray, FloatArray

# Steps that stand twice with other values are those of several runs from this share of all steps
# on, if they alternate; a run that is resumed writes a stretch again, not every other step.
_MIXED_SHARE, _MIXED_FEWEST, _ALTERNATING = 0.2, 3, 0.5
# Stretches in turns, as two processes write that share a file: so many turns, so many steps twice.
_TURNS, _TWICE = 4, 0.7
# Steps that go back more often than on one row in ten are in no order at all.
SHUFFLED = 0.1
_STRETCH = 2  # rows that a restart writes before it passes where the run had been


@dataclass(frozen=True, slots=True)
class Order:
    """How the readings of one series stand in their file.

    Args:
        late: Readings that stand after later steps.
        repeated: Readings of a step that stands again, in another way than by a restart.
        restarts: The index of the first reading of each restart, and its step.
        mixed: Index of the first reading that shows that several runs are mixed; None if they are
            not.
    """

    late: int
    repeated: int
    restarts: tuple[tuple[int, float], ...]
    mixed: int | None


IN_ORDER = Order(0, 0, (), None)


def order_of(at: FloatArray, values: FloatArray) -> Order:
    """Return how readings stand in their file.

    Args:
        at: Their positions, shape (n,), in the order of the file, finite.
        values: What was read there; NaN is allowed.
    """
    moves = np.diff(at)
    if not moves.size or bool((moves > 0.0).all()):
        return IN_ORDER
    order = np.argsort(at, kind="stable")
    steps, read = at[order], values[order]
    again = steps[1:] == steps[:-1]
    other = again & ~_alike(read[1:], read[:-1])
    back = np.flatnonzero(moves < 0.0) + 1
    beside = int(((moves == 0.0) & ~_alike(values[1:], values[:-1])).sum())
    twice, steps_in_all = int(other.sum()), int(at.size - again.sum())
    alternating = beside + back.size >= _ALTERNATING * twice
    mixed = twice >= max(_MIXED_FEWEST, _MIXED_SHARE * steps_in_all) and alternating
    mixed |= back.size >= _TURNS and twice >= _TWICE * steps_in_all
    if mixed:
        return Order(0, 0, (), int(order[1:][other].min()))
    if back.size > max(1.0, SHUFFLED * at.size):
        return Order(int(back.size), int(again.sum()), (), None)
    restarts = tuple((int(row), float(at[row])) for row in back if _is_restart(at, int(row)))
    kept = np.ones(at.size, dtype=bool)
    for row, step in restarts:
        kept[:row] &= at[:row] < step
    left = np.sort(at[kept])
    repeated = int((left[1:] == left[:-1]).sum())
    return Order(int(back.size) - len(restarts), repeated, restarts, None)


def _alike(first: FloatArray, second: FloatArray) -> BoolArray:
    return np.asarray((first == second) | (np.isnan(first) & np.isnan(second)))


def _is_restart(at: FloatArray, row: int) -> bool:
    """Tell whether a run begins again here: it goes on for some rows below where it had been."""
    reached = float(at[:row].max())
    below = at[row : row + _STRETCH]
    rises = bool((np.diff(below) >= 0.0).all())
    return below.size == _STRETCH and rises and bool((below <= reached).all())
