"""Objective, slopes and curvatures of many fits of one power-sum law at once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scaleplan.fitting.problem import Problem
    from scaleplan.laws.base import FloatArray

# Doubles per array while summing: the arrays in use together then fit the processor's cache
# (measured best of 8,000 to 48,000 with 240 runs).
_PART = 24_000


class Surface:
    """Objective, gradient, Hessian and damping metric of a batch of fits.

    With r = ln S - y, psi = clip(r, -delta, delta) and J = d r / d phi,
    F = sum w psi (r - psi / 2), g = sum w psi J and
    H = sum w (psi' - psi) J J^T + sum w psi (1/S) d2S; the metric is that of iteratively
    reweighted least squares, sum w min(1, delta/|r|) J J^T.

    Each entry is a sum over runs of a factor of (fit, run) times a fixed column 1, x_k or x_j x_k:
    all factors are stacked, so that one matrix product gives every sum.
    """

    def __init__(self, problem: Problem, delta: float) -> None:
        self.problem, self.delta, self.terms = problem, delta, len(problem.x)
        self.floor = problem.law.floor
        ones = np.ones_like(problem.y)
        first = [ones, *problem.x]
        pairs = [(j, k) for j in range(self.terms) for k in range(j, self.terms)]
        self.width = len(first) + len(pairs)
        self.columns = np.stack([*first, *(problem.x[j] * problem.x[k] for j, k in pairs)], axis=1)
        self.lines = [np.stack([ones, -x]) for x in problem.x]
        second = {pair: len(first) + at for at, pair in enumerate(pairs)}
        # What each coordinate multiplies its share by: (share, column), the column negative.
        places = [(k, column) for k in range(self.terms) for column in (0, 1 + k)]
        places += [(self.terms, 0)] if self.floor else []
        self.parts = self.terms + int(self.floor)
        self.pairs = [(j, k) for j in range(self.parts) for k in range(j, self.parts)]
        row = {pair: at for at, pair in enumerate(self.pairs)}
        self.slopes = np.array(places).T
        self.slope_signs = np.where(self.slopes[1] > 0, -1.0, 1.0)[:, None]
        entries, signs = [], []
        for (j, left), (k, right) in itertools.product(places, repeat=2):
            both = (min(left, right), max(left, right))
            column = second[both[0] - 1, both[1] - 1] if both[0] else both[1]
            entries.append((row[min(j, k), max(j, k)], column))
            signs.append(1.0 if bool(left) == bool(right) else -1.0)
        self.entries, self.signs = np.array(entries).T, np.array(signs)[:, None]
        self.memory = np.empty(0)

    def at(
        self, phi: FloatArray, weights: FloatArray | None, values: FloatArray | None = None,
        *, metric: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:  # fmt: skip
        """Return objective (b,), gradient (b, p), Hessian (b, p, p) and metric (b, p, p).

        Args:
            phi: Shape (b, p).
            weights: Shape (b, n), or None.
            values: Shape (b, n), log metrics of each fit's own; None for the problem's.
            metric: A metric to hand back instead of a new one, which costs a third of the work.
        """
        count = len(self.pairs)
        value = np.empty(len(phi))
        sums = np.empty(
            (self.parts + count * (2 if metric is None else 1), *phi.shape[:1], self.width)
        )
        part = max(1, _PART // self.problem.y.size)
        for first in range(0, len(phi), part):
            rows = slice(first, first + part)
            self._sum(
                phi[rows], None if weights is None else weights[rows],
                self.problem.y if values is None else values[rows], value[rows], sums[:, rows],
            )  # fmt: skip
        value = np.where(np.isfinite(value), value, np.inf)
        gradient = (sums[self.slopes[0], :, self.slopes[1]] * self.slope_signs).T
        hessian = self._square(sums[self.parts :])
        if metric is None:
            metric = self._square(sums[-count:])
        return value, gradient, hessian, metric

    def _sum(
        self, phi: FloatArray, weights: FloatArray | None, observed: FloatArray,
        value: FloatArray, sums: FloatArray,
    ) -> None:  # fmt: skip
        """Write the objective (b,) and all sums over runs (factors, b, columns)."""
        delta, terms, count = self.delta, self.terms, len(self.pairs)
        stacked, shares, (residual, psi, work) = self._room(len(phi), len(sums))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for k, line in enumerate(self.lines):
                np.matmul(phi[:, 2 * k : 2 * k + 2], line, out=shares[k])
            np.exp(shares[:terms], out=shares[:terms])
            total = shares[:terms].sum(axis=0, out=work)
            if self.floor:
                total += phi[:, -1, None]
            np.log(total, out=residual)
            residual -= observed
            inverse = np.divide(1.0, total, out=total)
            shares[:terms] *= inverse
            shares[terms:] = inverse
            np.clip(residual, -delta, delta, out=psi)
            inside = (psi == residual).astype(float)
            if len(sums) > self.parts + count:
                # min(1, delta / |r|), and 1 at r = 0
                relax = np.fmax(np.divide(psi, residual, out=work), inside, out=work)
                if weights is not None:
                    relax *= weights
                self._products(stacked[self.parts + count :], relax, shares)
            residual -= np.multiply(psi, 0.5, out=work)
            if weights is not None:
                psi *= weights
                inside *= weights
            np.einsum("bn,bn->b", psi, residual, out=value)
            slopes, rest = stacked[: self.parts], stacked[self.parts :]
            np.multiply(shares, psi, out=slopes)
            inside -= psi
            self._products(rest[:count], inside, shares)
            for at, (j, k) in enumerate(self.pairs):
                if j == k < terms:
                    rest[at] += slopes[j]
            sums[:] = (stacked.reshape(-1, self.problem.y.size) @ self.columns).reshape(sums.shape)

    def _products(self, out: FloatArray, weight: FloatArray, shares: FloatArray) -> None:
        """Write weight times each pair of shares."""
        at = 0
        for j in range(self.parts):
            end = at + self.parts - j
            np.multiply(shares[j:], weight * shares[j], out=out[at:end])
            at = end

    def _square(self, sums: FloatArray) -> FloatArray:
        """Return the symmetric matrices (b, p, p) of which `sums` holds every entry."""
        flat = sums[self.entries[0], :, self.entries[1]] * self.signs
        return np.ascontiguousarray(flat.T).reshape(-1, self.problem.size, self.problem.size)

    def _room(self, batch: int, factors: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays to work in; fresh ones in every step would cost more than the sums."""
        size = batch * self.problem.y.size
        ends = np.cumsum([factors, self.parts, 3])
        if self.memory.size < ends[-1] * size:
            self.memory = np.empty(ends[-1] * size)
        shape = (-1, batch, self.problem.y.size)
        stacked, shares, work, _ = np.split(self.memory, ends * size)
        return stacked.reshape(shape), shares.reshape(shape), work.reshape(shape)
