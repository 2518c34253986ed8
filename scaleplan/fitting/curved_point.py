"""The objective of many curved fits around a point of each, and what two points tell of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray


@dataclass(slots=True, eq=False)
class Point:
    """The objective around one phi of each fit."""

    phi: FloatArray  # (b, p)
    predicted: FloatArray  # (b, n)
    value: FloatArray  # (b,)
    gradient: FloatArray  # (b, p)
    gauss: FloatArray  # (b, p, p), sum w psi' J J^T
    bend: FloatArray  # (b, p, p), sum w psi times the law's second derivatives at the start
    metric: FloatArray  # (b, p, p), sum w min(1, delta/|r|) J J^T
    derivatives: FloatArray  # (b, p, n), J
    pull: FloatArray  # (b, n), w psi
    before: FloatArray  # (b, p), how large the slopes were at the start

    def kept(self, rows: BoolArray | IndexArray) -> Point:
        """Return the points of some fits."""
        return Point(*(getattr(self, field.name)[rows] for field in fields(self)))

    def joined(self, other: Point) -> Point:
        """Return these points and those of further fits after them."""
        return Point(
            *(np.concatenate([getattr(p, f.name) for p in (self, other)]) for f in fields(self))
        )

    def replace(self, rows: BoolArray, other: Point) -> None:
        """Put the points of `other` in place of these for some fits."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)[rows]


def next_secant(secant: FloatArray, old: Point, new: Point, move: FloatArray) -> FloatArray:
    """Return the next estimate of sum w psi d2r from the change of the slopes along a step.

    The sized update of Dennis, Gay & Welsch 1981, equations 2.4 and 2.5.
    """
    with np.errstate(all="ignore"):
        change = new.gradient - old.gradient
        goal = new.gradient - (old.derivatives @ new.pull[:, :, None])[:, :, 0]
        goal = goal - np.einsum("bij,bj->bi", new.bend, move)
        now = np.einsum("bij,bj->bi", secant, move)
        along = np.einsum("bi,bi->b", move, now)
        wanted = np.abs(np.einsum("bi,bi->b", move, goal))
        size = np.where(np.abs(along) > 0.0, np.minimum(1.0, wanted / np.abs(along)), 1.0)
        miss = goal - size[:, None] * now
        across = np.einsum("bi,bi->b", change, move)
        direction = change / across[:, None]
        outer = miss[:, :, None] * direction[:, None, :]
        inner = np.einsum("bi,bi->b", miss, move)
        after = (
            size[:, None, None] * secant + outer + outer.transpose(0, 2, 1)
            - inner[:, None, None] * direction[:, :, None] * direction[:, None, :]
        )  # fmt: skip
        usable = (across > 0.0) & np.isfinite(after).all(axis=(1, 2))
    return np.where(usable[:, None, None], after, secant)
