"""Shapes that the rest of a curve may have, fitted together and weighed by how well they do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.runs.table import FloatArray

# Powers (x + shift)^-exponent, exponent 0 standing for -ln(x + shift); x is 1 at the last reading.
_EXPONENTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.4, 2.0)
_SHIFTS = (0.0, 0.03, 0.1, 0.3)
# Times of exponentials exp(-x / time).
_TIMES = tuple(np.geomspace(0.1, 3.0, 24).tolist())
# What a full decay of the learning rate brings beyond the area under it, as a share of the fall so
# far: its mean and standard deviation where the curve does not tell.
_DECAY_MEAN, _DECAY_SPREAD = 0.04, 0.04
_SLACK = 1e-9  # precision that keeps columns apart which say the same


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Shapes with their coefficients, how much each is believed, and how sure each is.

    Args:
        coefficients: Shape (shapes, columns).
        weights: Shape (shapes,), with sum 1.
        covariance: Of the coefficients, shape (shapes, columns, columns).
    """

    coefficients: FloatArray
    weights: FloatArray
    covariance: FloatArray

    def at(self, clock: float, decay: float | None, lowest: float) -> tuple[float, float]:
        """Return the mean and the standard deviation of the curve at one place.

        Args:
            clock: Where, 1 at the last reading that was fitted.
            decay: Share of the peak by which the learning rate has come down; None without one.
            lowest: What the curve cannot fall below.
        """
        column = None if decay is None else np.array([decay])
        row = _columns(np.array([clock]), column)[:, 0, :]
        means = np.maximum((row * self.coefficients).sum(axis=1), lowest)
        own = np.einsum("jp,jpq,jq->j", row, self.covariance, row)
        mean = float(self.weights @ means)
        variance = float(self.weights @ (np.maximum(own, 0.0) + (means - mean) ** 2))
        return mean, math.sqrt(variance)


def blend(
    clock: FloatArray, decay: FloatArray | None, values: FloatArray, *, height: float, lowest: float
) -> Blend:
    """Fit every shape by least squares and weigh them by likelihood.

    Args:
        clock: Positions, shape (n,), 1 at the last.
        decay: Share of the peak by which the learning rate had come down there; None without one.
        values: Readings, shape (n,).
        height: How far the curve has fallen so far.
        lowest: What its end cannot fall below.

    Returns:
        The shapes; those that rise, or end below `lowest`, have no weight.
    """
    columns = _columns(clock, decay)
    gram = np.einsum("jnp,jnq->jpq", columns, columns)
    diagonal = range(gram.shape[1])
    precision = _SLACK * np.maximum(gram[:, diagonal, diagonal], values.size * 1e-6)
    prior = np.zeros(gram.shape[1])
    rough = _Fitted.of(columns, gram, values, precision, prior, lowest)
    if decay is None:
        return rough.weighed()
    # What a decay brings is known beforehand to some degree, in units of the scatter.
    prior[2] = -_DECAY_MEAN * height
    precision[:, 2] = max(rough.variance, (1e-6 * height) ** 2) / (_DECAY_SPREAD * height) ** 2
    return _Fitted.of(columns, gram, values, precision, prior, lowest).weighed()


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Every shape by itself: coefficients, cost, and the variance of residuals of the best one."""

    gram: FloatArray
    coefficients: FloatArray
    cost: FloatArray
    variance: float

    @classmethod
    def of(
        cls, columns: FloatArray, gram: FloatArray, values: FloatArray, precision: FloatArray,
        prior: FloatArray, lowest: float,
    ) -> _Fitted:  # fmt: skip
        """Fit; shapes that rise, or end below `lowest`, cost infinitely much."""
        diagonal = range(gram.shape[1])
        gram = gram.copy()
        gram[:, diagonal, diagonal] += precision
        right = np.einsum("jnp,n->jp", columns, values) + precision * prior
        found = np.linalg.solve(gram, right[..., None])[..., 0]
        rest = values - np.einsum("jnp,jp->jn", columns, found)
        cost = (rest**2).sum(axis=1) + (precision * (found - prior) ** 2).sum(axis=1)
        possible = (found[:, 1] >= 0.0) & ((found[:, 0] >= lowest) | ~_BOUNDED)
        if found.shape[1] > 2:
            possible &= found[:, 2] <= 0.0
        possible[-1] = True  # the constant
        cost = np.where(possible, cost, np.inf)
        return cls(gram, found, cost, _inflated(rest[int(np.argmin(cost))], gram.shape[1]))

    def weighed(self) -> Blend:
        """Weigh the shapes by likelihood."""
        weights = np.exp(-0.5 * (self.cost - self.cost.min()) / max(self.variance, 1e-300))
        weights *= _PRIOR
        covariance = self.variance * np.linalg.inv(self.gram)
        return Blend(self.coefficients, weights / weights.sum(), np.asarray(covariance))


def _columns(clock: FloatArray, decay: FloatArray | None) -> FloatArray:
    """Return the columns of every shape, shape (shapes, n, columns): level, shape, decay."""
    x = clock[None, :] + _SHIFT[:, None]
    logs = np.log(np.maximum(x, 1e-12))
    shape = np.where(_IS_LOG[:, None], -logs, np.exp(-_RATE[:, None] * logs))
    falls = np.exp(-clock[None, :] / np.array(_TIMES)[:, None])
    shape = np.concatenate([shape, falls, np.zeros((1, clock.size))])
    found = [np.ones_like(shape), shape]
    if decay is not None:
        found.append(np.broadcast_to(decay, shape.shape))
    return np.stack(found, axis=2)


def _inflated(rest: FloatArray, columns: int) -> float:
    """Return the variance of residuals, times what neighbours that lie alike count less."""
    power = float(rest @ rest)
    if power <= 0.0:
        return 0.0
    alike = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.9)
    return power / max(rest.size - columns, 1) * (1.0 + alike) / (1.0 - alike)


_POWERS = [(exponent, shift) for exponent in _EXPONENTS for shift in _SHIFTS]
_RATE = np.array([exponent for exponent, _ in _POWERS])
_SHIFT = np.array([shift for _, shift in _POWERS])
_IS_LOG = _RATE == 0.0
# A logarithm falls for ever; its level says nothing about an end.
_BOUNDED = np.r_[~_IS_LOG, np.ones(len(_TIMES) + 1, dtype=bool)]
# Each family as a whole is believed alike before the curve is seen.
_PRIOR = np.r_[
    np.full(len(_POWERS), 0.45 / len(_POWERS)), np.full(len(_TIMES), 0.45 / len(_TIMES)), 0.1
]
