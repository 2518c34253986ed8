"""The runs that each of many fits looks at: all of them, or those that its resample drew.

A resample leaves out more than a third of the runs. They would be carried along with a weight of
zero through every product; so each refit gets its own runs, moved together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

_WORTH_IT = 0.8  # share of the runs that are drawn, below which they are moved together


@dataclass(frozen=True, slots=True, eq=False)
class FittedRuns:
    """The runs of some fits; an array of shape (n,) is that of all of them.

    Args:
        x: Each input, shape (n,) or (b, n).
        y: The metric as it is fitted, shape (n,) or (b, n).
        weights: Shape (b, n), how often each run counts; None for once.
        columns: Shape (b, n), which of all runs they are; None where they are all of them.
    """

    x: tuple[FloatArray, ...]
    y: FloatArray
    weights: FloatArray | None
    columns: IndexArray | None

    @classmethod
    def of(
        cls, problem: CurvedProblem, weights: FloatArray | None, values: FloatArray | None,
        count: int,
    ) -> FittedRuns:  # fmt: skip
        """Return the runs of some fits.

        Args:
            problem: The law and its runs.
            weights: Shape (b, n), None for once.
            values: Shape (b, n), each fit's own y; None for the problem's.
            count: How many runs each fit gets (`drawn`).
        """
        y = problem.y if values is None else values
        if weights is None or count == problem.y.size:
            return cls(tuple(problem.x), y, weights, None)
        columns = np.argsort(weights == 0.0, axis=1, kind="stable")[:, :count]
        x = tuple(values[columns] for values in problem.x)
        own = y[columns] if y.ndim == 1 else np.take_along_axis(y, columns, axis=1)
        return cls(x, own, np.take_along_axis(weights, columns, axis=1), columns)

    def kept(self, rows: BoolArray | IndexArray) -> FittedRuns:
        """Return those of some fits."""
        return FittedRuns(
            tuple(_of_rows(each, rows) for each in self.x), _of_rows(self.y, rows),
            None if self.weights is None else self.weights[rows],
            None if self.columns is None else self.columns[rows],
        )  # fmt: skip

    def joined(self, other: FittedRuns) -> FittedRuns:
        """Return these and those of further fits after them."""
        x = tuple(_after(one, two) for one, two in zip(self.x, other.x, strict=True))
        weights = columns = None
        if self.weights is not None and other.weights is not None:
            weights = np.concatenate([self.weights, other.weights])
        if self.columns is not None and other.columns is not None:
            columns = np.concatenate([self.columns, other.columns])
        return FittedRuns(x, _after(self.y, other.y), weights, columns)

    def spread_out(self, values: FloatArray, size: int) -> FloatArray:
        """Return values (b, n) of these runs in their places among `size` runs, zeros between."""
        if self.columns is None:
            return values
        found = np.zeros((len(values), size))
        np.put_along_axis(found, self.columns, values, axis=1)
        return found


def drawn(weights: FloatArray | None, size: int) -> int:
    """Return how many runs each fit gets: the most that any draws, or all of `size`."""
    if weights is None:
        return size
    most = int(np.count_nonzero(weights, axis=1).max(initial=1))
    return most if most <= _WORTH_IT * size else size


def _of_rows(values: FloatArray, rows: BoolArray | IndexArray) -> FloatArray:
    return values if values.ndim == 1 else values[rows]


def _after(values: FloatArray, others: FloatArray) -> FloatArray:
    return values if values.ndim == 1 else np.concatenate([values, others])
