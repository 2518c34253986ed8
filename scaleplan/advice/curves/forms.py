"""Shapes that the rest of a curve may have, fitted together and weighed by how well they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaleplan.runs.table import FloatArray, IntArray

# Powers (x + shift)^-exponent, exponent 0 standing for -ln(x + shift); x is 1 at the last reading.
_EXPONENTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.4, 2.0)
_SHIFTS = (0.0, 0.03, 0.1, 0.3)
# Times of exponentials exp(-x / time).
_TIMES = tuple(np.geomspace(0.05, 3.0, 28).tolist())
# What a full decay of the learning rate brings beyond the area under it, as a share of the fall so
# far: its mean and standard deviation where the curve does not tell.
_DECAY_MEAN, _DECAY_SPREAD = 0.04, 0.04
_SLACK = 1e-9  # precision that keeps columns apart which say the same


@dataclass(frozen=True, slots=True, eq=False)
class Blends:
    """Shapes fitted to the first readings of a curve, once for each of several numbers of them.

    Args:
        coefficients: Shape (fits, shapes, columns).
        weights: How much each shape is believed, with sum 1, shape (fits, shapes).
        covariance: Of the coefficients, shape (fits, shapes, columns, columns).
        lowest: What the curve cannot fall below.
    """

    coefficients: FloatArray
    weights: FloatArray
    covariance: FloatArray
    lowest: float

    def at(self, clock: FloatArray, decay: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the means and the standard deviations of the curve, by one fit at each place.

        Args:
            clock: Where, shape (fits,), 1 at the last reading of all.
            decay: Share of the peak by which the learning rate has come down; 0 without one.
        """
        row = np.ones_like(self.coefficients)
        row[:, :, 1] = _shapes(clock).T
        if row.shape[2] > 2:
            row[:, :, 2] = decay[:, None]
        means = np.maximum((row * self.coefficients).sum(axis=2), self.lowest)
        own = (row[:, :, None, :] @ self.covariance @ row[:, :, :, None])[:, :, 0, 0]
        mean = (self.weights * means).sum(axis=1)
        variance = self.weights * (np.maximum(own, 0.0) + (means - mean[:, None]) ** 2)
        return mean, np.asarray(np.sqrt(variance.sum(axis=1)))

    def last(self) -> Blends:
        """Return the last fit alone."""
        return Blends(
            self.coefficients[-1:], self.weights[-1:], self.covariance[-1:], self.lowest
        )  # fmt: skip


def blends(
    clock: FloatArray, decay: FloatArray | None, values: FloatArray, counts: IntArray, *,
    height: float, lowest: float,
) -> Blends:  # fmt: skip
    """Fit every shape by least squares and weigh them by likelihood.

    Args:
        clock: Positions, shape (n,), 1 at the last.
        decay: Share of the peak by which the learning rate had come down there; None without one.
        values: Readings, shape (n,).
        counts: How many of the first readings each fit sees, rising, shape (fits,).
        height: How far the curve has fallen so far.
        lowest: What its end cannot fall below.

    Returns:
        The shapes; those that rise, or end below `lowest`, have no weight.
    """
    sums = _Sums.of(_shapes(clock), decay, values, counts)
    diagonal = np.diagonal(sums.gram, axis1=2, axis2=3)
    precision = _SLACK * np.maximum(diagonal, values.size * 1e-6)
    prior = np.zeros(sums.gram.shape[2])
    rough = sums.fitted(precision, prior, lowest)
    if decay is None:
        return rough.weighed(lowest)
    # What a decay brings is known beforehand to some degree, in units of the scatter.
    prior[2] = -_DECAY_MEAN * height
    scatter = np.maximum(rough.variance, max(1e-6 * height, 1e-100) ** 2)
    precision[:, :, 2] = scatter[:, None] / max(_DECAY_SPREAD * height, 1e-100) ** 2
    return sums.fitted(precision, prior, lowest).weighed(lowest)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over the first readings that every fit needs; values are from their mean.

    Args:
        shapes: Shape (shapes, n).
        decay: Shape (n,), None without a learning rate.
        apart: The values less their mean, shape (n,).
        mean: Their mean.
        counts: How many readings each fit sees, shape (fits,).
        gram: Products of level, shape and decay, shape (fits, shapes, columns, columns).
        right: Their products with the values, shape (fits, shapes, columns).
    """

    shapes: FloatArray
    decay: FloatArray | None
    apart: FloatArray
    mean: float
    counts: IntArray
    gram: FloatArray
    right: FloatArray

    @classmethod
    def of(
        cls, shapes: FloatArray, decay: FloatArray | None, values: FloatArray, counts: IntArray
    ) -> _Sums:
        """Sum up."""
        mean = float(values.mean())
        apart = values - mean
        starts = np.r_[0, counts[:-1]]

        def upto(products: FloatArray) -> FloatArray:
            """Return sums over the first readings, shape (fits,) or (fits, shapes)."""
            return np.asarray(np.add.reduceat(products, starts, axis=-1).cumsum(axis=-1).T)

        columns = 2 if decay is None else 3
        gram = np.empty((counts.size, shapes.shape[0], columns, columns))
        right = np.empty(gram.shape[:3])
        gram[:, :, 0, 0], right[:, :, 0] = counts[:, None], upto(apart)[:, None]
        gram[:, :, 0, 1] = gram[:, :, 1, 0] = upto(shapes)
        gram[:, :, 1, 1], right[:, :, 1] = upto(shapes * shapes), upto(shapes * apart)
        if decay is not None:
            gram[:, :, 0, 2] = gram[:, :, 2, 0] = upto(decay)[:, None]
            gram[:, :, 1, 2] = gram[:, :, 2, 1] = upto(shapes * decay)
            gram[:, :, 2, 2] = upto(decay * decay)[:, None]
            right[:, :, 2] = upto(decay * apart)[:, None]
        return cls(shapes, decay, apart, mean, counts, gram, right)

    def fitted(self, precision: FloatArray, prior: FloatArray, lowest: float) -> _Fitted:
        """Fit every shape by itself, coefficients being known to some precision beforehand.

        Args:
            precision: Shape (fits, shapes, columns).
            prior: What they are taken to be, shape (columns,).
            lowest: What the level cannot fall below.

        Returns:
            The fits; shapes that rise, or end below `lowest`, cost infinitely much.
        """
        width = self.gram.shape[2]
        gram = self.gram.copy()
        gram[:, :, range(width), range(width)] += precision
        found = np.linalg.solve(gram, (self.right + precision * prior)[..., None])[..., 0]
        power = np.add.reduceat(self.apart**2, np.r_[0, self.counts[:-1]]).cumsum()[:, None]
        fits = (found[:, :, None, :] @ self.gram @ found[:, :, :, None])[:, :, 0, 0]
        cost = np.maximum(power - 2.0 * (found * self.right).sum(axis=2) + fits, 1e-14 * power)
        cost += (precision * (found - prior) ** 2).sum(axis=2)
        possible = found[:, :, 1] >= 0.0
        possible &= (found[:, :, 0] + self.mean >= lowest) | ~_BOUNDED
        if width > 2:
            possible &= found[:, :, 2] <= 0.0
        possible[:, -1] = True  # the constant
        cost = np.where(possible, cost, np.inf)
        variance = [
            self._variance(int(count), found[fit], int(cost[fit].argmin()))
            for fit, count in enumerate(self.counts)
        ]
        found[:, :, 0] += self.mean
        return _Fitted(gram, np.asarray(found), cost, np.array(variance))

    def _variance(self, count: int, found: FloatArray, best: int) -> float:
        """Return the variance around the best shape, times what neighbours alike count less."""
        level, size = float(found[best, 0]), float(found[best, 1])
        rest = self.apart[:count] - level - size * self.shapes[best, :count]
        if self.decay is not None:
            rest -= float(found[best, 2]) * self.decay[:count]
        power = float(rest @ rest)
        if power <= 0.0:
            return 0.0
        alike = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.9)
        return float(power / max(count - found.shape[1], 1) * (1.0 + alike) / (1.0 - alike))


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Every shape by itself: coefficients, cost, and the variance of residuals of the best one."""

    gram: FloatArray
    coefficients: FloatArray
    cost: FloatArray
    variance: FloatArray

    def weighed(self, lowest: float) -> Blends:
        """Weigh the shapes by likelihood."""
        above = self.cost - self.cost.min(axis=1, keepdims=True)
        weights = np.exp(-0.5 * above / np.maximum(self.variance, 1e-300)[:, None]) * _PRIOR
        covariance = self.variance[:, None, None, None] * np.linalg.inv(self.gram)
        return Blends(
            self.coefficients, weights / weights.sum(axis=1, keepdims=True),
            np.asarray(covariance), lowest,
        )  # fmt: skip


def _shapes(clock: FloatArray) -> FloatArray:
    """Return every shape at these places, shape (shapes, n); the last one is a constant."""
    found = np.zeros((_BOUNDED.size, clock.size))
    for shift, rows in _BY_SHIFT:
        logs = np.log(np.maximum(clock + shift, 1e-12))
        found[rows] = np.multiply.outer(-_RATE[rows], logs)
        found[rows[0]] = -logs  # its exponent is 0
        np.exp(found[rows[1:]], out=found[rows[1] : rows[-1] + 1])
    powers = _RATE.size
    np.exp(np.multiply.outer(-1.0 / np.array(_TIMES), clock), out=found[powers:-1])
    return found


_POWERS = [(exponent, shift) for shift in _SHIFTS for exponent in _EXPONENTS]
_RATE = np.array([exponent for exponent, _ in _POWERS])
# The rows of each shift, those of its logarithm first.
_BY_SHIFT = [
    (shift, np.arange(len(_EXPONENTS)) + i * len(_EXPONENTS)) for i, shift in enumerate(_SHIFTS)
]
_IS_LOG = _RATE == 0.0
# A logarithm falls for ever; its level says nothing about an end.
_BOUNDED = np.r_[~_IS_LOG, np.ones(len(_TIMES) + 1, dtype=bool)]
# Each family as a whole is believed alike before the curve is seen.
_PRIOR = np.r_[
    np.full(len(_POWERS), 0.45 / len(_POWERS)), np.full(len(_TIMES), 0.45 / len(_TIMES)), 0.1
]
