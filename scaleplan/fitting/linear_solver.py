"""Least squares for laws that are linear in their parameters, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.laws import LinearLaw
    from scaleplan.laws.base import FloatArray


def least_squares(
    law: LinearLaw, inputs: FloatArray, values: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return (slope, intercept) of each weighted least-squares line.

    Args:
        law: A law y = a basis(x) + b.
        inputs: Shape (1, n).
        values: Shape (n,), or (batch, n) where each fit has its own.
        weights: Shape (batch, n).

    Returns:
        Shape (batch, 2); NaN where the weighted rows have one value of x only.
    """
    basis = law.basis(inputs[0])
    # Centring and scaling keeps 12 digits when x is 1e15 and varies little.
    centre, scale = basis.mean(), np.ptp(basis) or 1.0
    x = (basis - centre) / scale
    total = weights.sum(axis=1)
    weighted = weights * values
    mean_x, mean_y = weights @ x / total, weighted.sum(axis=1) / total
    spread = weights @ (x * x) - total * mean_x**2
    product = weighted @ x - total * mean_x * mean_y
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(spread > 1e-12 * total, product / spread, np.nan)
    return np.stack([slope / scale, mean_y - slope * mean_x - slope / scale * centre], axis=1)
