"""A power-sum law and its runs in the coordinates that the solver works in.

Logarithms are centred, because uncentred the coefficient and the exponent of a term correlate
above 0.99; the floor E stays linear, because in ln E data whose true floor is zero run away to
minus infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.newton import Minima, minimise
from scaleplan.fitting.starts import along_valleys, grid_starts, without_floor

if TYPE_CHECKING:
    from scaleplan.laws import PowerSumLaw
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

_SANE_EXPONENTS = (0.02, 2.0)
_SPREAD_STARTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A fit in centred coordinates phi = (a_1, b_1, ..., E').

    The model is S = sum exp(a_k - b_k x_k) + E' with x_k the centred log input of term k and the
    metric divided by its geometric mean.

    Args:
        law: The law that is fitted.
        inputs: Shape (inputs, n), raw values.
        values: Shape (n,), the metric, positive.
        x: Shape (terms, n), centred logs.
        y: Shape (n,), centred log metric.
        x_mean: Shape (terms,), what was subtracted from each log input.
        y_mean: What was subtracted from the log metric.
        brief: Whether refits that look suspicious are repeated from two starts instead of ten.
    """

    law: PowerSumLaw
    inputs: FloatArray
    values: FloatArray
    x: FloatArray
    y: FloatArray
    x_mean: FloatArray
    y_mean: float
    brief: bool = False

    @classmethod
    def of(cls, law: PowerSumLaw, inputs: FloatArray, values: FloatArray) -> Problem:
        """Centre the logs of inputs (shape (inputs, n)) and values (shape (n,))."""
        logs = np.log(inputs[list(law.columns)])
        x_mean = logs.mean(axis=1)
        log_values = np.log(values)
        y_mean = float(log_values.mean())
        return cls(law, inputs, values, logs - x_mean[:, None], log_values - y_mean, x_mean, y_mean)

    @property
    def size(self) -> int:
        """Return the number of parameters."""
        return 2 * len(self.x) + int(self.law.floor)

    def subset(self, rows: IndexArray) -> Problem:
        """Return the same problem on some rows (an index array), in the same coordinates."""
        return Problem(
            self.law, self.inputs[:, rows], self.values[rows], self.x[:, rows], self.y[rows],
            self.x_mean, self.y_mean,
        )  # fmt: skip

    def to_theta(self, phi: FloatArray) -> FloatArray:
        """Return the law's own parameters, shape (..., p), for phi of the same shape."""
        theta = np.empty_like(phi)
        first = int(self.law.floor)
        if first:
            theta[..., 0] = phi[..., -1] * np.exp(self.y_mean)
        for k, mean in enumerate(self.x_mean):
            a, b = phi[..., 2 * k], phi[..., 2 * k + 1]
            with np.errstate(over="ignore"):  # an absurd exponent of a resample may overflow to inf
                theta[..., first + 2 * k] = np.exp(a + b * mean + self.y_mean)
            theta[..., first + 2 * k + 1] = -self.law.sign * b
        return theta

    def from_theta(self, theta: FloatArray) -> FloatArray:
        """Return phi for the law's own parameters, shape (..., p); the inverse of `to_theta`."""
        phi = np.empty_like(theta)
        first = int(self.law.floor)
        if first:
            phi[..., -1] = theta[..., 0] * np.exp(-self.y_mean)
        with np.errstate(all="ignore"):  # a coefficient of 0 or infinity is no start
            for k, mean in enumerate(self.x_mean):
                b = -self.law.sign * theta[..., first + 2 * k + 1]
                phi[..., 2 * k] = np.log(theta[..., first + 2 * k]) - b * mean - self.y_mean
                phi[..., 2 * k + 1] = b
        return phi

    def theta_jacobian(self, phi: FloatArray) -> FloatArray:
        """Return d theta / d phi at one phi, shape (p, p)."""
        first = int(self.law.floor)
        theta = self.to_theta(phi)
        jacobian = np.zeros((self.size, self.size))
        if first:
            jacobian[0, -1] = np.exp(self.y_mean)
        for k, mean in enumerate(self.x_mean):
            size = theta[first + 2 * k]
            jacobian[first + 2 * k, 2 * k] = size
            jacobian[first + 2 * k, 2 * k + 1] = size * mean
            jacobian[first + 2 * k + 1, 2 * k + 1] = -self.law.sign
        return jacobian

    @property
    def unit(self) -> float:
        """Return what a residual of 1 is: residuals are logarithms."""
        return 1.0

    def residuals(self, phi: FloatArray) -> FloatArray:
        """Return ln(predicted) - ln(observed), shape (n,), at one phi."""
        return np.log(self._sum(phi)) - self.y

    def jacobian(self, phi: FloatArray) -> FloatArray:
        """Return d residuals / d phi, shape (n, p), at one phi."""
        total = self._sum(phi)
        columns = []
        for k, x in enumerate(self.x):
            share = np.exp(phi[2 * k] - phi[2 * k + 1] * x) / total
            columns += [share, -share * x]
        if self.law.floor:
            columns.append(1.0 / total)
        return np.stack(columns, axis=1)

    def _sum(self, phi: FloatArray) -> FloatArray:
        total: FloatArray = np.exp(phi[0] - phi[1] * self.x[0])
        for k in range(1, len(self.x)):
            total = total + np.exp(phi[2 * k] - phi[2 * k + 1] * self.x[k])
        return total + phi[-1] if self.law.floor else total

    def grid_starts(self, *, delta: float) -> FloatArray:
        """Return the most promising starts, shape (starts, p), best first; see `starts`."""
        return grid_starts(self, delta=delta)

    def nearby(self, phi: FloatArray, pool: FloatArray, *, delta: float) -> FloatArray:
        """Return starts around and away from an optimum, shape (m, p).

        Args:
            phi: Shape (p,), the optimum.
            pool: Shape (starts, p), where the starts of the fit to all runs ended; not needed here.
            delta: Where Huber's loss turns linear.
        """
        del pool
        if self.brief:
            return np.concatenate([phi[None], self.grid_starts(delta=delta)[:1]])
        halved, doubled = phi.copy(), phi.copy()
        for k in range(len(self.x)):
            halved[2 * k + 1] *= 0.5
            doubled[2 * k + 1] *= 2.0
        extra = [halved, doubled]
        if self.law.floor:
            extra += [without_floor(phi, k) for k in range(len(self.x))]
        grid = self.grid_starts(delta=delta)[:_SPREAD_STARTS]
        return np.concatenate([phi[None], grid, np.array(extra)])

    def further_starts(self, phi: FloatArray) -> FloatArray:
        """Return starts from which to try again where a fit did not converge, shape (m, p)."""
        return along_valleys(phi) if self.law.floor else np.empty((0, self.size))

    def minimise(
        self, starts: FloatArray, *, delta: float, weights: FloatArray | None = None,
        values: FloatArray | None = None, held: int | None = None, max_steps: int = 200,
    ) -> Minima:  # fmt: skip
        """Minimise the weighted Huber objective from each start; see `newton.minimise`."""
        return minimise(
            self, starts, delta=delta, weights=weights, values=values, held=held,
            max_steps=max_steps,
        )  # fmt: skip

    def left_the_valley(self, phi: FloatArray) -> BoolArray:
        """Tell which ends (batch, p) have a floor at zero or an exponent out of range."""
        sizes = np.abs(phi[:, 1 : 2 * len(self.x) : 2])
        odd = ((sizes < _SANE_EXPONENTS[0]) | (sizes > _SANE_EXPONENTS[1])).any(axis=1)
        return np.asarray(odd | (phi[:, -1] <= 0.0) if self.law.floor else odd)
