"""What refits know of the curvature of their law from the start that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.laws.base import FloatArray

_ASIDE = 1e-4  # of a central difference of the slopes: its error is near 1e-8
_RUNS_SEEN = 32  # runs by which it is told how far slopes have changed


@dataclass(frozen=True, slots=True, eq=False)
class StartCurvature:
    """The second derivatives of the predictions at a start.

    Refits stay near their common start: there these are the curvature that the law adds, with each
    point's own residuals, but for what a secant estimate corrects.

    Args:
        second: Shape (n, p (p + 1) / 2), the second derivatives, each pair of parameters once.
        sizes: Shape (p,), how large the slopes are there.
        stride: Every so many runs are looked at for the size of slopes.
    """

    second: FloatArray
    sizes: FloatArray
    stride: int

    @classmethod
    def at(cls, problem: CurvedProblem, start: FloatArray) -> StartCurvature | None:
        """Return them at a start of shape (p,), by differences; None if they are no numbers."""
        size = start.size
        aside = _ASIDE * np.eye(size)
        with np.errstate(all="ignore"):
            slopes = problem.model(np.concatenate([start + aside, start - aside]))[1]
            second = (slopes[:size] - slopes[size:]) / (2.0 * _ASIDE)
            second = 0.5 * (second + second.transpose(1, 0, 2))
            stride = max(1, problem.y.size // _RUNS_SEEN)
            sizes = _sizes(slopes, stride).mean(axis=0)
        if not (np.isfinite(second).all() and np.isfinite(sizes).all()):
            return None
        one, other = np.triu_indices(size)
        pairs = np.ascontiguousarray(second[one, other].T)
        return cls(pairs, np.maximum(sizes, 1e-300), stride)

    def bend(self, pull: FloatArray, derivatives: FloatArray) -> FloatArray:
        """Return what the curvature adds to each Hessian, shape (b, p, p).

        A coordinate that runs off to where it no longer matters does so exponentially, its
        curvature along with its slope; that of the start would hold it back. So it is scaled down
        by the roots of what is left of both slopes.

        Args:
            pull: Shape (b, n), weighted and clipped residuals.
            derivatives: Shape (b, p, n), the slopes now.
        """
        left = np.sqrt(np.minimum(1.0, _sizes(derivatives, self.stride) / self.sizes))
        one, other = np.triu_indices(left.shape[1])
        bend = np.empty((*left.shape, left.shape[1]))
        bend[:, one, other] = (pull @ self.second) * (left[:, one] * left[:, other])
        bend[:, other, one] = bend[:, one, other]
        return bend

    def along(self, step: FloatArray) -> FloatArray:
        """Return the second derivative of the predictions along steps (b, p), shape (b, n)."""
        one, other = np.triu_indices(step.shape[1])
        products = step[:, one] * step[:, other] * np.where(one == other, 1.0, 2.0)
        return np.asarray(products @ self.second.T)


def _sizes(derivatives: FloatArray, stride: int) -> FloatArray:
    some = derivatives[:, :, ::stride]
    return np.asarray(np.sqrt(np.einsum("bpn,bpn->bp", some, some)))
