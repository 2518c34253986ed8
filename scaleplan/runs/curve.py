"""One training run as it was logged: its series, and a log of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scaleplan.records import Metric, Note
from scaleplan.runs.table import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric along a run: where and what, each of shape (n,); values may be NaN or infinite."""

    at: FloatArray
    value: FloatArray

    def __len__(self) -> int:
        return int(self.at.size)


NOTHING = Series(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One training run as it was logged.

    Args:
        run: Its name.
        file: Where it was read.
        axis: What `at` counts: `step`, `tokens`, `epoch`, or `row` where nothing counts.
        metric: What the main series is.
        validation: The metric on validation (or test) data; empty if it was not logged.
        training: The same metric on training data, or the only one there is.
        accuracy: Accuracy on validation beside a validation loss, or an error there with its sign
            turned round, so that it rises as training succeeds; empty otherwise.
        loss: Training loss beside a metric of another kind; empty otherwise.
        learning_rate: The learning rate.
        sizes: Params, tokens and so on of the run, by role: the last one logged.
        sorted_rows: How many rows stood out of order.
        replaced: How many rows a restart of the run has overtaken; what it wrote is kept.
        gap: The widest hole between points over the median distance.
        repeated: How many points were written twice otherwise; the later ones are kept.
        afterwards: What evaluations of the finished run read at its last step; left out above.
    """

    run: str
    file: str
    axis: str
    metric: Metric
    validation: Series
    training: Series
    accuracy: Series
    learning_rate: Series
    sizes: Mapping[str, float]
    sorted_rows: int
    replaced: int
    gap: float
    repeated: int = 0
    loss: Series = NOTHING
    afterwards: Series = NOTHING

    @property
    def main(self) -> Series:
        """Return the validation series, or the training one where nothing was validated."""
        return self.validation if len(self.validation) else self.training


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveLog:
    """All curves of a log, the rows that were read, and what there is to say about them."""

    curves: tuple[Curve, ...]
    files: tuple[str, ...]
    rows: int
    notes: tuple[Note, ...]
