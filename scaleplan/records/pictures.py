"""What pictures are drawn from: curves and points in SI units, with what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scale = Literal["linear", "log"]
# What a line or a set of points is; the renderer gives each its look.
Look = Literal["runs", "law", "band", "ideal", "limit", "training", "validation", "mark", "zero"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A line, or points where `look` is `runs` or `mark`; `low` and `high` make a band."""

    name: str
    look: Look
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contours:
    """Values over a grid: `values[i][j]` at `y[i]` and `x[j]`."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    x_scale: Scale
    y_scale: Scale
    traces: tuple[Trace, ...]
    contours: Contours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Panels side by side under one title."""

    title: str
    panels: tuple[Panel, ...]
