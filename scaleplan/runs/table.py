"""The runs of a log after reading and cleaning: read-only columns of numbers and of text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Assumption, Cleaning, Metric, Note
from scaleplan.records.next_runs import PLANNED

# Spelled out, because importing numpy.typing for its aliases costs a tenth of a whole fit.
FloatArray = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
IntArray = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]
BoolArray = np.ndarray[tuple[Any, ...], np.dtype[np.bool_]]
_PLANNED = re.compile(rf"{PLANNED}([0-9]{{1,9}})\b")


class Origins(Sequence[tuple[str, int | None]]):
    """Where each row came from: (file, 1-based line), the line None where it is not known.

    Args:
        files: The files that were read.
        file_of: Shape (n,), index into `files`.
        lines: Shape (n,), 0 where the line is not known.
    """

    __slots__ = ("_file_of", "_files", "_lines")

    def __init__(self, files: tuple[str, ...], file_of: IntArray, lines: IntArray) -> None:
        self._files, self._file_of, self._lines = files, file_of, lines

    def __len__(self) -> int:
        return int(self._lines.size)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int | None]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str, int | None]]: ...
    def __getitem__(
        self, index: int | slice
    ) -> tuple[str, int | None] | Sequence[tuple[str, int | None]]:
        if isinstance(index, slice):
            return Origins(self._files, self._file_of[index], self._lines[index])
        line = int(self._lines[index])
        return self._files[int(self._file_of[index])], line or None

    def __iter__(self) -> Iterator[tuple[str, int | None]]:
        return (self[i] for i in range(len(self)))

    def take(self, rows: IntArray) -> Origins:
        """Return the origins of some rows."""
        return Origins(self._files, self._file_of[rows], self._lines[rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Cleaned runs, one a row; every array is float64 of shape (n,) and cannot be written to.

    Args:
        columns: Numbers by role (`params`, `tokens`, `flops`, `value` ...); NaN where a row has
            none. `value` is the metric.
        labels: Text by role (`run`, `family`, `tokenizer` ...) or by the column's own name.
        extra: Every other numeric column under its own name.
        metric: What `value` is.
        cleaning: What reading did to the rows.
        metadata: What the log says about all of its runs.
        units: The unit that the log declares for a role, where it declares one.
        fingerprint: SHA-256 of roles, values and metric; no file name and no row order in it.
        notes: What there is to say about these runs.
        assumptions: What was assumed to derive columns.
        origins: File and line of each row.
        flops_per_param_token: Median of flops / (params x tokens); None if it cannot be known.
        flops_per_active_token: The same of the parameters that a token uses.
        every_point: Whether rows are all points of the runs' curves, not one a run.
        levels: What the numbers of the role `level` stand for, from 1; empty without that role.
    """

    columns: Mapping[str, FloatArray]
    labels: Mapping[str, tuple[str, ...]]
    extra: Mapping[str, FloatArray]
    metric: Metric
    cleaning: Cleaning
    metadata: Mapping[str, str]
    units: Mapping[str, str]
    fingerprint: str
    notes: tuple[Note, ...]
    assumptions: tuple[Assumption, ...]
    origins: Origins
    flops_per_param_token: float | None
    levels: tuple[str, ...] = ()
    flops_per_active_token: float | None = None
    every_point: bool = False

    def __len__(self) -> int:
        return int(self.value.size)

    def take(self, rows: IntArray) -> Runs:
        """Return some of the runs, shape (m,), with all that is known of the log."""
        return replace(
            self, columns={role: values[rows] for role, values in self.columns.items()},
            labels={
                role: tuple(texts[row] for row in rows) for role, texts in self.labels.items()
            },
            extra={name: values[rows] for name, values in self.extra.items()},
            origins=self.origins.take(rows),
        )  # fmt: skip

    @property
    def own_order(self) -> IntArray:
        """Return the rows in the order that is theirs however a log is sorted, shape (n,).

        Starts and resamples then draw the same runs from the same log, as its fingerprint promises.
        """
        return np.lexsort([self.columns[role] for role in sorted(self.columns, reverse=True)])

    @property
    def last_planned(self) -> int:
        """Return the highest number that `scaleplan next` gave to one of the runs, 0 for none.

        Runs that were left out, such as those without a result yet, have their numbers too.
        """
        names = (*self.labels.get("run", ()), *(note.run for note in self.cleaning.dropped))
        found = (_PLANNED.match(name) for name in names)
        return max((int(match.group(1)) for match in found if match), default=0)

    @property
    def value(self) -> FloatArray:
        """Return the metric, shape (n,)."""
        return self.columns["value"]

    def has(self, role: str) -> bool:
        """Tell whether some run has a number for this role."""
        return role in self.columns and bool(np.isfinite(self.columns[role]).any())

    def column(self, role: str) -> FloatArray:
        """Return the numbers of a role, shape (n,), NaN where a run has none.

        Raises:
            InputError: If no column plays this role.
        """
        if role not in self.columns:
            known = ", ".join((*self.columns, *self.extra))
            raise InputError(
                f"the log has no column for {role}; it has {known}",
                hint=f"Name the column with --columns {role}=COLUMN.",
            )
        return self.columns[role]
