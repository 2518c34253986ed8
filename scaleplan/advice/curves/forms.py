"""Shapes that the rest of a curve may have, fitted together and weighed by how well they do.

Curves with readings at the same places are fitted together: what depends on the places alone is
worked out once. No number of a curve depends on the others, to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaleplan.advice.curves.factors import Factors
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
    """Shapes fitted to the first readings of curves, once for each of several numbers of them.

    Args:
        coefficients: One array a column, each of shape (curves, fits, shapes).
        weights: How much each shape is believed, with sum 1, shape (curves, fits, shapes).
        variance: Of a reading around the shapes, shape (curves, fits).
        factors: Of the matrices whose inverses, times the variance, are the covariances.
        lowest: What each curve cannot fall below, shape (curves,).
    """

    coefficients: Sequence[FloatArray]
    weights: FloatArray
    variance: FloatArray
    factors: Factors
    lowest: FloatArray

    def at(self, clock: FloatArray, decay: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the means and the standard deviations of the curves, by one fit at each place.

        Args:
            clock: Where, shape (fits,), 1 at the last reading of all.
            decay: Share of the peak by which the learning rate has come down; 0 without one.

        Returns:
            Two arrays of shape (curves, fits).
        """
        shapes = np.ascontiguousarray(_shapes(clock).T)
        row = [np.ones_like(shapes), shapes]
        if len(self.coefficients) > 2:
            row.append(np.broadcast_to(decay[:, None], shapes.shape))
        means = sum(one * each for one, each in zip(row, self.coefficients, strict=True))
        means = np.maximum(means, self.lowest[:, None, None])
        own = self.variance[..., None] * self.factors.inverse_form(row)
        mean = (self.weights * means).sum(axis=2)
        variance = self.weights * (np.maximum(own, 0.0) + (means - mean[..., None]) ** 2)
        return mean, np.asarray(np.sqrt(variance.sum(axis=2)))

    def last(self) -> Blends:
        """Return the last fit alone."""
        return Blends(
            [one[:, -1:] for one in self.coefficients], self.weights[:, -1:],
            self.variance[:, -1:], self.factors.last_fit(), self.lowest,
        )  # fmt: skip


def blends(
    clock: FloatArray, decay: FloatArray | None, values: FloatArray, counts: IntArray, *,
    height: FloatArray, lowest: FloatArray,
) -> Blends:  # fmt: skip
    """Fit every shape by least squares and weigh them by likelihood.

    Args:
        clock: Positions, shape (n,), 1 at the last.
        decay: Share of the peak by which the learning rate had come down there; None without one.
        values: Readings of curves, shape (curves, n).
        counts: How many of the first readings each fit sees, rising, shape (fits,).
        height: How far each curve has fallen so far, shape (curves,).
        lowest: What its end cannot fall below, shape (curves,).

    Returns:
        The shapes; those that rise, or end below `lowest`, have no weight.
    """
    sums = _Sums.of(_shapes(clock), decay, values, counts)
    precision = [
        _SLACK * np.maximum(sums.gram[i][i], clock.size * 1e-6) for i in range(len(sums.gram))
    ]
    prior = [np.zeros((1, 1, 1)) for _ in precision]
    rough = sums.fitted(precision, prior, lowest)
    if decay is None:
        return rough.weighed(lowest)
    # What a decay brings is known beforehand to some degree, in units of the scatter.
    prior[2] = -_DECAY_MEAN * height[:, None, None]
    scatter = np.maximum(rough.variance, np.maximum(1e-6 * height, 1e-100)[:, None] ** 2)
    known = np.maximum(_DECAY_SPREAD * height, 1e-100)[:, None] ** 2
    precision[2] = (scatter / known)[..., None]
    return sums.fitted(precision, prior, lowest).weighed(lowest)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over the first readings that every fit needs; values are from their mean.

    Args:
        shapes: Shape (shapes, n).
        decay: Shape (n,), None without a learning rate.
        apart: The values less their mean, shape (curves, n).
        mean: Their means, shape (curves,).
        counts: How many readings each fit sees, shape (fits,).
        gram: Products of level, shape and decay, columns by columns; each broadcasts to (1, fits,
            shapes).
        right: Their products with the values, one a column; each broadcasts to (curves, fits,
            shapes).
        power: Sums of the squared values, shape (curves, fits).
    """

    shapes: FloatArray
    decay: FloatArray | None
    apart: FloatArray
    mean: FloatArray
    counts: IntArray
    gram: Sequence[Sequence[FloatArray]]
    right: Sequence[FloatArray]
    power: FloatArray

    @classmethod
    def of(
        cls, shapes: FloatArray, decay: FloatArray | None, values: FloatArray, counts: IntArray
    ) -> _Sums:
        """Sum up."""
        mean = values.mean(axis=1)
        apart = values - mean[:, None]
        starts = np.r_[0, counts[:-1]]
        parts = [slice(a, b) for a, b in zip(starts.tolist(), counts.tolist(), strict=True)]

        def of_places(products: FloatArray) -> FloatArray:
            """Return sums over the first readings, shape (1, fits, shapes or 1)."""
            upto = np.add.reduceat(products, starts, axis=-1).cumsum(axis=-1)
            return np.asarray(upto.T[None])

        def with_values(column: FloatArray) -> FloatArray:
            """Return sums of products with the values, shape (curves, fits, shapes or 1)."""
            # Not by a product of matrices, whose last digits depend on how many curves there are.
            each = [np.einsum("kn,sn->ks", apart[:, p], column[:, p]) for p in parts]
            return np.asarray(np.stack(each, axis=1).cumsum(axis=1))

        columns = [np.ones((1, shapes.shape[1])), shapes]
        if decay is not None:
            columns.append(decay[None])
        gram = [[of_places(one * other) for other in columns] for one in columns]
        return cls(
            shapes, decay, apart, mean, counts, gram, [with_values(each) for each in columns],
            np.asarray(np.add.reduceat(apart**2, starts, axis=1).cumsum(axis=1)),
        )  # fmt: skip

    def fitted(
        self, precision: Sequence[FloatArray], prior: Sequence[FloatArray], lowest: FloatArray
    ) -> _Fitted:
        """Fit every shape by itself, coefficients being known to some precision beforehand.

        Args:
            precision: One a column; each broadcasts to (curves, fits, shapes).
            prior: What they are taken to be, likewise.
            lowest: What the level cannot fall below, shape (curves,).

        Returns:
            The fits; shapes that rise, or end below `lowest`, cost infinitely much.
        """
        width = range(len(self.gram))
        factors = Factors.of(
            [[self.gram[i][j] + precision[i] if i == j else self.gram[i][j] for j in width]
             for i in width]
        )  # fmt: skip
        found = factors.solved([self.right[i] + precision[i] * prior[i] for i in width])
        power = self.power[..., None]
        fits = sum(self.gram[i][j] * found[i] * found[j] for i in width for j in width)
        along = sum(found[i] * self.right[i] for i in width)
        cost = np.maximum(power - 2.0 * along + fits, 1e-14 * power)
        cost = cost + sum(precision[i] * (found[i] - prior[i]) ** 2 for i in width)
        possible = found[1] >= 0.0
        level = found[0] + self.mean[:, None, None]
        possible &= (level >= lowest[:, None, None]) | ~_BOUNDED
        if len(found) > 2:
            possible &= found[2] <= 0.0
        possible[..., -1] = True  # the constant
        cost = np.where(possible, cost, np.inf)
        variance = self._variance(found, cost.argmin(axis=2))
        return _Fitted(factors, [level, *found[1:]], cost, variance)

    def _variance(self, found: Sequence[FloatArray], best: IntArray) -> FloatArray:
        """Return the variances around the best shapes, times what neighbours alike count less."""
        one, *others = (np.take_along_axis(each, best[..., None], axis=2) for each in found)
        rest = self.apart[:, None, :] - one - others[0] * self.shapes[best]
        if self.decay is not None:
            rest -= others[1] * self.decay
        seen = np.arange(self.apart.shape[1]) < self.counts[:, None]
        rest = np.where(seen, rest, 0.0)
        power = (rest * rest).sum(axis=2)
        beside = (rest[..., 1:] * rest[..., :-1]).sum(axis=2)
        alike = np.clip(beside / np.where(power > 0.0, power, 1.0), 0.0, 0.9)
        free = np.maximum(self.counts - len(found), 1)
        return np.asarray(power / free * (1.0 + alike) / (1.0 - alike))


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Every shape by itself: coefficients, cost, and the variance of residuals of the best one."""

    factors: Factors
    coefficients: Sequence[FloatArray]
    cost: FloatArray
    variance: FloatArray

    def weighed(self, lowest: FloatArray) -> Blends:
        """Weigh the shapes by likelihood."""
        above = self.cost - self.cost.min(axis=2, keepdims=True)
        weights = np.exp(-0.5 * above / np.maximum(self.variance, 1e-300)[..., None]) * _PRIOR
        return Blends(
            self.coefficients, weights / weights.sum(axis=2, keepdims=True), self.variance,
            self.factors, lowest,
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
