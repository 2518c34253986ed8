"""A curved law and its runs in the coordinates that the solver works in.

Inputs and metric are divided by a size of theirs (`curved_units`), coefficients are logarithms, and
everything else (exponents, floors, shifts) stays linear inside its bounds: in logarithms a floor
whose true value is zero runs away to minus infinity. A parameter that is fixed has equal bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from scaleplan.fitting.curved_solver import minimise_curved
from scaleplan.fitting.curved_units import (
    bounds_carry_over,
    log_bound,
    metric_units,
    scales,
    unitless,
)
from scaleplan.fitting.starts import spread_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.newton import Minima
    from scaleplan.fitting.recipe import Limit
    from scaleplan.laws import CurvedLaw
    from scaleplan.laws.base import BoolArray, FloatArray, IndexArray

# Of the law's starts so many are polished for a few steps, the best of those to convergence.
_TRIED, _FIRST_STEPS, _POLISHED = 32, 12, 8
_APART = 0.5  # two starts nearer than this in all coordinates lead to the same valley
_RANKED = 400  # starts looked at, best first, while picking distinct ones
_SPREAD_STARTS = 4
_SAME = 0.1  # two ends nearer than this are one valley
_FIRST_RUNS = 2000  # the valleys show on so many runs; only the best starts see all of them
_RANKING_RUNS = 120  # starts are ranked on so many runs
_NEAR_BOUND = 1e-6
_STEP = 1e-20  # of the complex-step derivative: no difference is formed, so it can be this small


@dataclass(frozen=True, slots=True, eq=False)
class CurvedProblem:
    """A fit of a curved law in scaled coordinates phi.

    Args:
        law: The law that is fitted.
        inputs: Shape (inputs, n), raw values.
        values: Shape (n,), the metric, positive.
        x: Shape (inputs, n), scaled.
        y: Shape (n,), log of the scaled metric; the scaled metric itself if `raw`.
        input_scale: Shape (inputs,), what each input was divided by.
        metric_scale: What the metric was divided by.
        low: Shape (p,), lower bounds of phi.
        high: Shape (p,), upper bounds.
        logs: Shape (p,), which coordinates are logarithms.
        raw: Whether residuals are differences of the metric instead of its logarithm.
    """

    law: CurvedLaw
    inputs: FloatArray
    values: FloatArray
    x: FloatArray
    y: FloatArray
    input_scale: FloatArray
    metric_scale: float
    low: FloatArray
    high: FloatArray
    logs: BoolArray
    raw: bool

    @classmethod
    def of(
        cls, law: CurvedLaw, inputs: FloatArray, values: FloatArray,
        *, raw: bool = False, limits: Sequence[Limit] = (),
    ) -> CurvedProblem:  # fmt: skip
        """Scale a law's runs.

        Args:
            law: The law.
            inputs: Shape (inputs, n), positive.
            values: Shape (n,), positive unless `raw`.
            raw: Whether to fit differences of the metric instead of its logarithm.
            limits: Parameters that are held or kept in a range, in base units.
        """
        logs = np.array([spec.scale == "log" for spec in law.parameters])
        limited = {limit.symbol: limit for limit in limits}
        input_scale, metric_scale = scales(law, inputs, values, raw=raw)
        of_metric = metric_units(law)
        if limited and not bounds_carry_over(law, limits):
            # What is limited has units: the solver works in base units, so that a bound stays one.
            input_scale, metric_scale = np.ones(len(inputs)), 1.0
        bounds = []
        for k, spec in enumerate(law.parameters):
            kept = limited.get(spec.symbol, spec)
            unit = metric_scale if of_metric[k] and spec.symbol in limited else 1.0
            ends = (kept.low / unit, kept.high / unit)
            bounds.append((log_bound(ends[0]), log_bound(ends[1])) if spec.scale == "log" else ends)
        low, high = np.array(bounds).T
        scaled = values / metric_scale
        return cls(
            law, inputs, values, inputs / input_scale[:, None], scaled if raw else np.log(scaled),
            input_scale, metric_scale, low, high, logs, raw,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Return the number of parameters."""
        return self.low.size

    def subset(self, rows: IndexArray) -> CurvedProblem:
        """Return the same problem on some rows (an index array), in the same coordinates."""
        return CurvedProblem(
            self.law, self.inputs[:, rows], self.values[rows], self.x[:, rows], self.y[rows],
            self.input_scale, self.metric_scale, self.low, self.high, self.logs, self.raw,
        )  # fmt: skip

    def scaled_theta(self, phi: FloatArray) -> FloatArray:
        """Return the parameters that hold for scaled inputs and metric, same shape as phi."""
        return np.where(self.logs, np.exp(np.where(self.logs, phi, 0.0)), phi)

    def model(
        self, phi: FloatArray, x: Sequence[FloatArray] | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return predictions (b, n) as `y` is written and slopes (b, p, n), for phi (b, p).

        Args:
            phi: Shape (b, p).
            x: Scaled inputs, each of shape (n,) or (b, n); None for those of all runs.
        """
        theta = self.scaled_theta(phi)
        value, gradient = self.law.value_and_gradient(
            [theta[:, k, None] for k in range(self.size)], list(self.x if x is None else x)
        )
        derivatives = np.empty((len(phi), self.size, value.shape[1]))
        inverse = np.ones_like(value) if self.raw else 1.0 / value
        for k, column in enumerate(gradient):
            factor = inverse * theta[:, k, None] if self.logs[k] else inverse
            np.multiply(column, factor, out=derivatives[:, k])
        return (value if self.raw else np.log(value)), derivatives

    def predictions(self, phi: FloatArray, x: Sequence[FloatArray] | None = None) -> FloatArray:
        """Return the prediction alone as `y` is written, shape (b, n), for phi and x as above."""
        theta = self.scaled_theta(phi)
        value = self.law.evaluate(
            [theta[:, k, None] for k in range(self.size)], list(self.x if x is None else x)
        )
        return np.asarray(value if self.raw else np.log(value))

    @property
    def unit(self) -> float:
        """Return what a residual of 1 is: 1 in logarithms, the metric's scale if `raw`."""
        return self.metric_scale if self.raw else 1.0

    def residuals(self, phi: FloatArray) -> FloatArray:
        """Return predicted less observed, logs or metric units, shape (n,), at one phi."""
        return np.asarray(self.unit * (self.predictions(phi[None])[0] - self.y))

    def jacobian(self, phi: FloatArray) -> FloatArray:
        """Return d residuals / d phi, shape (n, p), at one phi."""
        return np.asarray(self.unit * self.model(phi[None])[1][0].T)

    def to_theta(self, phi: FloatArray) -> FloatArray:
        """Return the law's own parameters, shape (..., p), for phi of the same shape."""
        scaled = self.scaled_theta(phi)
        parts = [scaled[..., k] for k in range(self.size)]
        with np.errstate(over="ignore"):  # an absurd exponent of a resample may overflow to inf
            theta = self.law.rescale(parts, [float(s) for s in self.input_scale], self.metric_scale)
        return np.stack(np.broadcast_arrays(*theta), axis=-1)

    def from_theta(self, theta: FloatArray) -> FloatArray:
        """Return phi for the law's own parameters, shape (..., p); the inverse of `to_theta`."""
        with np.errstate(all="ignore"):  # a coefficient of 0 or infinity is no start
            parts = self.law.rescale(
                [theta[..., k] for k in range(self.size)],
                [1.0 / float(s) for s in self.input_scale], 1.0 / self.metric_scale,
            )  # fmt: skip
            scaled = np.stack(np.broadcast_arrays(*parts), axis=-1)
            phi = np.where(self.logs, np.log(np.where(self.logs, scaled, 1.0)), scaled)
        return np.clip(phi, self.low, self.high)

    def theta_jacobian(self, phi: FloatArray) -> FloatArray:
        """Return d theta / d phi at one phi, shape (p, p), by complex steps: exact to rounding."""
        moved = phi.astype(complex)[None] + 1j * _STEP * np.eye(self.size)
        scaled = np.where(self.logs, np.exp(np.where(self.logs, moved, 0.0)), moved)
        # The law's arithmetic is the same for complex numbers; its types do not say so.
        parts = cast("list[FloatArray]", [scaled[:, k] for k in range(self.size)])
        theta = self.law.rescale(parts, [float(s) for s in self.input_scale], self.metric_scale)
        return np.stack([np.broadcast_to(np.imag(t) / _STEP, (self.size,)) for t in theta])

    def grid_starts(self, *, delta: float) -> FloatArray:
        """Return the most promising starts, shape (starts, p), best first.

        Args:
            delta: Where Huber's loss turns linear, in log units.
        """
        many = self.y.size > _FIRST_RUNS
        seen = self.subset(spread_rows(self.y, _FIRST_RUNS)) if many else self
        ends = seen.minimise(self._ranked_starts(delta), delta=delta, max_steps=_FIRST_STEPS)
        return ends.phi[np.argsort(ends.objective, kind="stable")[:_POLISHED]]

    def _ranked_starts(self, delta: float) -> FloatArray:
        """Return the best of the law's starts that lie apart, before any polish."""
        if self.y.size > _RANKING_RUNS:
            return self.subset(spread_rows(self.y, _RANKING_RUNS))._ranked_starts(delta)
        with np.errstate(all="ignore"):
            theta = self._starts()
            phi = np.where(self.logs, np.log(np.where(self.logs, theta, 1.0)), theta)
            phi = np.clip(phi, self.low, self.high)
            residual = self.predictions(phi) - self.y
        psi = np.clip(residual, -delta, delta)
        objective = (psi * (residual - 0.5 * psi)).sum(axis=1)
        order = np.argsort(np.where(np.isfinite(objective), objective, np.inf), kind="stable")
        return _distinct(phi[order[:_RANKED]], _APART, _TRIED)

    def _starts(self) -> FloatArray:
        """Return the law's own starts in this problem's units, shape (starts, p)."""
        values = self.y if self.raw else np.exp(self.y)
        input_scale, metric_scale = scales(self.law, self.x, values, raw=self.raw)
        theta = self.law.starts(list(self.x / input_scale[:, None]), values / metric_scale)
        # What has no unit is held before the rest is carried over: coefficients that were solved
        # at the centre of the runs then stay right there.
        free = unitless(self.law)
        low = np.where(self.logs, np.exp(self.low), self.low)
        high = np.where(self.logs, np.exp(self.high), self.high)
        theta = np.where(free, np.clip(theta, low, high), theta)
        parts = self.law.rescale(list(theta.T), [float(s) for s in input_scale], metric_scale)
        return np.stack(np.broadcast_arrays(*parts), axis=-1)

    def nearby(self, phi: FloatArray, pool: FloatArray, *, delta: float) -> FloatArray:
        """Return starts around and away from an optimum, shape (m, p).

        Args:
            phi: Shape (p,), the optimum.
            pool: Shape (starts, p), where the starts of the fit to all runs ended.
            delta: Where Huber's loss turns linear.
        """
        far = self._ranked_starts(delta)[:_SPREAD_STARTS]
        kept = list(_distinct(np.concatenate([phi[None], pool, far]), _SAME, 2 * _POLISHED))
        floors = [k for k, spec in enumerate(self.law.parameters) if spec.is_floor]
        for k in floors:
            for share in (0.0, 0.5):
                moved = phi.copy()
                moved[k] *= share
                kept.append(moved)
        return np.array(kept)

    def minimise(
        self, starts: FloatArray, *, delta: float, weights: FloatArray | None = None,
        values: FloatArray | None = None, held: int | None = None, max_steps: int = 400,
    ) -> Minima:  # fmt: skip
        """Minimise the weighted Huber objective from each start; see `minimise_curved`."""
        return minimise_curved(
            self, starts, delta=delta, weights=weights, values=values, held=held,
            max_steps=max_steps,
        )  # fmt: skip

    def left_the_valley(self, phi: FloatArray) -> BoolArray:
        """Tell which ends (batch, p) lie at a bound: those deserve a second look."""
        odd = (phi <= self.low + _NEAR_BOUND) | (phi >= self.high - _NEAR_BOUND)
        return np.asarray((odd & (self.low < self.high)).any(axis=1))


def _distinct(points: FloatArray, apart: float, count: int) -> FloatArray:
    """Return the first `count` points that differ by more than `apart` in some coordinate."""
    left = np.ones(len(points), bool)
    chosen: list[int] = []
    while left.any() and len(chosen) < count:
        chosen.append(int(np.argmax(left)))
        left &= np.abs(points - points[chosen[-1]]).max(axis=1) > apart
    return points[chosen]
