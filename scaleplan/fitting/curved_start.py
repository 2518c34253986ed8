"""What refits know of the curvature of their law from the start that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.fitting.curved_runs import FittedRuns
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
        slopes: Shape (p, n), the slopes there.
    """

    second: FloatArray
    slopes: FloatArray

    @classmethod
    def at(cls, problem: CurvedProblem, start: FloatArray) -> StartCurvature | None:
        """Return them at a start of shape (p,), by differences; None if they are no numbers."""
        size = start.size
        aside = _ASIDE * np.eye(size)
        with np.errstate(all="ignore"):
            slopes = problem.model(np.concatenate([start + aside, start - aside]))[1]
            second = (slopes[:size] - slopes[size:]) / (2.0 * _ASIDE)
            second = 0.5 * (second + second.transpose(1, 0, 2))
        slopes = slopes.mean(axis=0)
        if not (np.isfinite(second).all() and np.isfinite(slopes).all()):
            return None
        one, other = np.triu_indices(size)
        pairs = np.ascontiguousarray(second[one, other].T)
        return cls(pairs, slopes)

    def sizes(self, runs: FittedRuns) -> FloatArray:
        """Return how large the slopes of some fits' runs are there, shape (b, p) or (1, p)."""
        if runs.columns is None:
            return _sizes(self.slopes[None])
        columns = runs.columns[:, :: _stride(runs.columns.shape[1])]
        some = np.stack([slope[columns] for slope in self.slopes], axis=1)
        return np.asarray(np.sqrt(np.einsum("bpn,bpn->bp", some, some)))

    def bend(self, pull: FloatArray, derivatives: FloatArray, before: FloatArray) -> FloatArray:
        """Return what the curvature adds to each Hessian, shape (b, p, p).

        A coordinate that runs off to where it no longer matters does so exponentially, its
        curvature along with its slope; that of the start would hold it back. So it is scaled down
        by the roots of what is left of both slopes.

        Args:
            pull: Shape (b, n), weighted and clipped residuals of all runs.
            derivatives: Shape (b, p, m), the slopes now.
            before: Shape (b, p), how large those slopes were at the start.
        """
        left = np.sqrt(np.minimum(1.0, _sizes(derivatives) / np.maximum(before, 1e-300)))
        one, other = np.triu_indices(left.shape[1])
        bend = np.empty((*left.shape, left.shape[1]))
        bend[:, one, other] = (pull @ self.second) * (left[:, one] * left[:, other])
        bend[:, other, one] = bend[:, one, other]
        return bend

    def across(self, step: FloatArray, other: FloatArray) -> FloatArray:
        """Return the mixed second derivative of the predictions along two steps, shape (b, n).

        Args:
            step: Shape (b, p).
            other: Shape (b, p).
        """
        one, two = np.triu_indices(step.shape[1])
        mixed = step[:, one] * other[:, two] + step[:, two] * other[:, one]
        return np.asarray((np.where(one == two, 0.5, 1.0) * mixed) @ self.second.T)


def _sizes(derivatives: FloatArray) -> FloatArray:
    some = derivatives[:, :, :: _stride(derivatives.shape[2])]
    return np.asarray(np.sqrt(np.einsum("bpn,bpn->bp", some, some)))


def _stride(runs: int) -> int:
    return max(1, runs // _RUNS_SEEN)
