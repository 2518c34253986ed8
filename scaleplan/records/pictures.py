"""What pictures are drawn from: curves and points in SI units, with what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.base import Record

Scale = Literal["linear", "log"]
# What a line or a set of points is; the renderer gives each its look.
Look = Literal[
    "runs",
    "law",
    "ideal",
    "limit",
    "training",
    "validation",
    "mark",
    "zero",
    "sweep",
    "cloud",
    "bar",
]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Trace(Record):
    """A line, or points where `look` is `runs`, `mark` or `cloud`; `low` and `high` make a band.

    A `sweep` is a line with its points, `bar` are lengths `x` at the places `y`. Lines, sweeps and
    clouds of one `group` (0, 1, ...) share its colour; without one each has the next.
    """

    name: str
    look: Look
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    group: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Contours(Record):
    """Values over a grid: `values[i][j]` at `y[i]` and `x[j]`."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Panel(Record):
    """One pair of axes; `y_names` are what stands at y = 0, 1, ... in place of numbers."""

    title: str
    x_label: str
    y_label: str
    x_scale: Scale
    y_scale: Scale
    traces: tuple[Trace, ...]
    contours: Contours | None = None
    y_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Picture(Record):
    """Panels side by side under one title."""

    title: str
    panels: tuple[Panel, ...]
