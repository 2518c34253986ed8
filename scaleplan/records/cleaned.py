"""What reading a log did: the metric, the columns, and every dropped or changed row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from scaleplan.records.base import Record

MetricKind = Literal["loss", "error", "accuracy", "score"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Metric(Record):
    """What is predicted.

    Args:
        name: The column it came from, `ln(column)` for the logarithm of one, or `loss` for a
            published law.
        kind: `loss` and `error` fall as models improve, `accuracy` and `score` rise.
        unit: For example `nats/token`; `as logged` where the log does not say.
    """

    name: str
    kind: MetricKind
    unit: str

    @property
    def bounded(self) -> bool:
        """Tell whether the metric lies between 0 and 1 by definition."""
        return self.kind in {"error", "accuracy"}

    @property
    def column(self) -> str:
        """Return the name of the column that it came from."""
        inner = self.name.removeprefix("ln(")
        changed = inner != self.name and "perplexity" in self.unit
        return inner.removesuffix(")") if changed else self.name

    def logarithm(self) -> Metric:
        """Return the metric of the logarithms, so named that no one takes them for the numbers."""
        return replace(self, name=f"ln({self.name})")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ColumnUse(Record):
    """Which column of the log plays which role, and how that was decided."""

    role: str
    column: str
    how: Literal["given", "guessed", "derived"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class RowNote(Record):
    """A row that was dropped or changed: where, and why. `run` names it where it has a name."""

    file: str
    line: int | None
    reason: str
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Cleaning(Record):
    """What reading and cleaning did: nothing is dropped or changed without a line here."""

    files: tuple[str, ...]
    rows_read: int
    rows_used: int
    dropped: tuple[RowNote, ...]
    changed: tuple[RowNote, ...]
    columns: tuple[ColumnUse, ...]
