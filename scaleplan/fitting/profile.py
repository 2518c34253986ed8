"""Profile likelihood of single parameters: where the fit, with one value held, becomes too bad.

It needs no symmetry and no derivative at the optimum, so that it is the interval to use where a
parameter lies at an end of its range (a floor of zero), and it ends there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.problem import Problem

if TYPE_CHECKING:
    from scaleplan.fitting.curved_problem import CurvedProblem
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.solver import AnyProblem
    from scaleplan.laws.base import FloatArray, IndexArray

# First values that are looked at, in multiples of the half-width of the delta method.
_REACH = (0.6, 0.8, 1.0, 1.3, 1.7)
_FAR_REACH = (0.3, 0.6, 1.0, 1.7, 2.5, 4.0, 7.0, 15.0, 40.0)  # if the bound is not among those
_REFINEMENTS, _POINTS = 4, 6  # each round splits the bracket of the bound into seven
_FINE = 0.05  # share of the quantile below which a bracket is straight to five digits
_MOST_STEPS = 100
# With fewer runs inside Huber's threshold the objective is all but least absolute deviations: its
# curvature, and so the scale of its differences, is not known.
_FEWEST_INSIDE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The profile interval of one parameter.

    Args:
        low: Lower bound; None if no value in its range is too bad.
        high: Upper bound, likewise.
        method: How it was made.
        open_low: Whether `low` is the end of the parameter's range and not where the fit fails.
        open_high: Likewise for `high`.
    """

    low: float | None
    high: float | None
    method: str
    open_low: bool
    open_high: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """A problem in coordinates of which one is the parameter, and the scale of its objective."""

    problem: AnyProblem
    phi: FloatArray  # (p,), the optimum
    k: int  # the parameter's coordinate
    slope: float  # d parameter / d coordinate at the optimum
    log: bool  # whether the coordinate is the parameter's logarithm
    value: float  # the parameter at the optimum
    ends: tuple[float, float]  # of the coordinate
    objective: float
    delta: float
    unit: float  # 2 (F - F*) / unit is compared with a squared t quantile
    others: IndexArray  # the coordinates that follow

    def parameter(self, coordinate: float) -> float:
        """Return the parameter for a coordinate: both maps are exact."""
        if self.log:
            return self.value * math.exp(coordinate - self.phi[self.k])
        return self.value + self.slope * (coordinate - float(self.phi[self.k]))


def profile_interval(fitted: Fitted, k: int, *, level: float) -> Profile | None:
    """Return the profile interval of one parameter.

    The bounds solve 2 (F(v) - F*) m / (K s)^2 = t^2 with F(v) the least objective when the
    parameter is v, F* that of the fit, t the two-sided t quantile with n - p degrees of freedom
    (t^2 is the F quantile with 1 and n - p), m the share of runs inside Huber's threshold,
    s^2 = sum psi^2 / (n - p) and K = 1 + (p / n) (1 - m) / m the correction of Huber 1973 (Huber &
    Ronchetti 2009, Robust Statistics, section 7.6). For least squares m = K = 1 and it is the F
    test of v; for Huber's objective it is the tau test (Hampel et al. 1986, Robust Statistics,
    section 7.2). Where the estimate lies at an end of its range the interval is one-sided: from
    that end to the bound.

    Args:
        fitted: The fit.
        k: Index of the parameter.
        level: For example 0.9.

    Returns:
        The interval; None if the runs give no scale for it: no runs to spare, an exact fit, or
        fewer than half of the runs inside Huber's threshold.
    """
    if fitted.dof < 1:
        return None
    factor = t_quantile(0.5 + 0.5 * level, float(fitted.dof))
    method = f"profile likelihood, F quantile with 1 and {fitted.dof} degrees of freedom"
    if fitted.problem is None or fitted.solution is None:
        return _line_profile(fitted, k, factor, method)
    unit = _unit(fitted)
    if unit is None:
        return None
    axis = _axis(fitted, k, unit)
    step = factor * _error(axis)
    down, open_low = _bound(axis, -step, factor)
    up, open_high = _bound(axis, step, factor)
    if axis.slope < 0.0:
        down, up, open_low, open_high = up, down, open_high, open_low
    return Profile(down, up, method, open_low, open_high)


def profile_end(fitted: Fitted, k: int, *, level: float, down: bool) -> FloatArray | None:
    """Return the fit at one end of the profile interval of one parameter, shape (p,).

    Where no value is too bad that is the end of its range, or the farthest value looked at.

    Args:
        fitted: The fit, of a curved law.
        k: Index of the parameter, one whose coordinate is not its logarithm.
        level: For example 0.9.
        down: Whether it is the lower end.

    Returns:
        All parameters; None if the runs give no scale for it, or the estimate itself is the end.
    """
    unit = _unit(fitted) if fitted.dof > 0 else None
    if unit is None:
        return None
    axis = _axis(fitted, k, unit)
    factor = t_quantile(0.5 + 0.5 * level, float(fitted.dof))
    step = factor * _error(axis) * (-1.0 if down is (axis.slope > 0.0) else 1.0)
    bound, _ = _bound(axis, step, factor)
    start = float(axis.phi[axis.k])
    at = start + (_FAR_REACH[-1] * step if bound is None else (bound - axis.value) / axis.slope)
    if at == start:
        return None
    _, phi = _roots(axis, np.array([at]), axis.phi)
    return np.asarray(axis.problem.to_theta(phi)[0])


def _unit(fitted: Fitted) -> float | None:
    """Return what 2 (F - F*) is divided by: (K s)^2 / m, in the units of the fit's problem."""
    if fitted.problem is None or fitted.solution is None:
        return None
    residuals = fitted.problem.residuals(fitted.solution.phi) / fitted.problem.unit
    inside = float((np.abs(residuals) <= fitted.delta).mean())
    psi = np.clip(residuals, -fitted.delta, fitted.delta)
    variance = float(psi @ psi) / fitted.dof
    if inside < _FEWEST_INSIDE or not variance > 1e-24:
        return None
    correction = 1.0 + fitted.free / residuals.size * (1.0 - inside) / inside
    return variance * correction**2 / inside


def _line_profile(fitted: Fitted, k: int, factor: float, method: str) -> Profile | None:
    """Return the profile interval of a straight line, whose objective is a parabola."""
    if fitted.covariance is None or not fitted.noise > 0.0:
        return None
    # The covariance knows already of points that belong together.
    squares = fitted.objective / (fitted.values.size - fitted.free) / fitted.noise**2
    spread = factor * math.sqrt(float(fitted.covariance[k, k]) * squares)
    value = float(fitted.theta[k])
    return Profile(value - spread, value + spread, method, open_low=False, open_high=False)


def _axis(fitted: Fitted, k: int, unit: float) -> _Axis:
    """Return coordinates of which one depends on nothing but the parameter."""
    if fitted.problem is None or fitted.solution is None:  # pragma: no cover - asked before
        raise TypeError(fitted.law.name)
    problem, phi = fitted.problem, fitted.solution.phi
    row = problem.theta_jacobian(phi)[k]
    if np.count_nonzero(row) != 1:
        # A coefficient at centred inputs also holds its exponent; at inputs of 1 it does not.
        problem, phi = (
            _uncentred(problem, phi) if isinstance(problem, Problem)
            else _unscaled(problem, fitted.theta)
        )  # fmt: skip
        row = problem.theta_jacobian(phi)[k]
    spec = fitted.law.parameters[k]
    at = int(np.argmax(row != 0.0))
    slope, value, start = float(row[at]), float(fitted.theta[k]), float(phi[at])
    log = spec.scale == "log"
    ends = (-math.inf, math.inf)
    if isinstance(problem, Problem):
        if not log:
            # On the side where an estimate lies beyond its range there is no end to stop at.
            low = spec.low if value >= spec.low else -math.inf
            high = spec.high if value <= spec.high else math.inf
            one, other = (start + (end - value) / slope for end in (low, high))
            ends = (min(one, other), max(one, other))
    else:
        ends = (float(problem.low[at]), float(problem.high[at]))
    # An estimate outside the range where a law makes sense is looked at from both sides.
    ends = (min(ends[0], start), max(ends[1], start))
    free = np.arange(phi.size)
    if not isinstance(problem, Problem):
        free = free[problem.low < problem.high]  # the others are held by the user
    scale = (fitted.problem.unit / problem.unit) ** 2
    return _Axis(
        problem, phi, at, slope, log, value, ends, fitted.solution.objective * scale,
        fitted.delta, unit * scale, free[free != at],
    )  # fmt: skip


def _uncentred(problem: Problem, phi: FloatArray) -> tuple[Problem, FloatArray]:
    """Return the problem at uncentred inputs, and the same point there."""
    moved = phi.copy()
    for term, mean in enumerate(problem.x_mean):
        moved[2 * term] += moved[2 * term + 1] * mean
    plain = replace(
        problem, x=problem.x + problem.x_mean[:, None], x_mean=np.zeros_like(problem.x_mean)
    )
    return plain, moved


def _unscaled(problem: CurvedProblem, theta: FloatArray) -> tuple[CurvedProblem, FloatArray]:
    """Return the problem in base units, and the same point there: the law's own parameters."""
    plain = replace(
        problem, x=problem.inputs, y=problem.values if problem.raw else np.log(problem.values),
        input_scale=np.ones_like(problem.input_scale), metric_scale=1.0,
    )  # fmt: skip
    return plain, np.where(problem.logs, np.log(np.where(problem.logs, theta, 1.0)), theta)


def _error(axis: _Axis) -> float:
    """Return the standard error of the coordinate, to choose where to look first."""
    jacobian = axis.problem.jacobian(axis.phi) / axis.problem.unit
    others = jacobian[:, axis.others]
    scale = np.sqrt((others**2).sum(axis=0))
    others = others / np.where(scale > 0.0, scale, 1.0)
    column = jacobian[:, axis.k]
    left = column - others @ np.linalg.lstsq(others, column, rcond=1e-12)[0]
    alone = float(left @ left)
    smallest = 1e-12 * float(column @ column) + 1e-300
    return math.sqrt(axis.unit / max(alone, smallest))


def _bound(axis: _Axis, step: float, factor: float) -> tuple[float | None, bool]:
    """Return the parameter where its profile reaches the factor, and whether its range ended first.

    Args:
        axis: The problem.
        step: Half-width of the delta method in the coordinate; negative to look below.
        factor: The t quantile.
    """
    start = float(axis.phi[axis.k])
    end = axis.ends[0] if step < 0.0 else axis.ends[1]
    if start == end:
        return axis.value, True
    for reach in (_REACH, _FAR_REACH):
        at = np.unique(np.clip(start + step * np.array((0.0, *reach)), *axis.ends))
        at = at if step > 0.0 else at[::-1]
        heights, ends = _roots(axis, at, axis.phi)
        heights[0], ends[0] = 0.0, axis.phi  # the optimum itself, wherever its refit has ended
        if heights.max() >= factor:
            break
    else:
        return (axis.parameter(end) if math.isfinite(end) else None), True
    for _ in range(_REFINEMENTS):
        last = int(np.argmax(heights >= factor))
        if heights[last] - heights[last - 1] < _FINE * factor:
            break
        finer = np.linspace(at[last - 1], at[last], _POINTS + 2)
        found, made = _roots(axis, finer, ends[last - 1])
        # Refits of one point from other starts may end elsewhere: the bracket stays as it is known.
        found[[0, -1]], made[[0, -1]] = heights[last - 1 : last + 1], ends[last - 1 : last + 1]
        at, heights, ends = finer, found, made
    last = int(np.argmax(heights >= factor))
    coordinate = np.interp(factor, heights[last - 1 : last + 1], at[last - 1 : last + 1])
    return axis.parameter(float(coordinate)), False


def _roots(axis: _Axis, at: FloatArray, near: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the square root of the statistic at held coordinates, and the refits there.

    Args:
        axis: The problem.
        at: Shape (m,), the held coordinate.
        near: Shape (p,), a place to start from beside the tangent at the optimum.
    """
    jacobian = axis.problem.jacobian(axis.phi)
    others = axis.others
    scale = np.maximum(np.sqrt((jacobian**2).sum(axis=0)), 1e-300)
    scaled = jacobian / scale
    follow = np.linalg.lstsq(scaled[:, others], -scaled[:, axis.k], rcond=1e-10)[0]
    count = len(at)
    starts = np.concatenate([np.tile(axis.phi, (count, 1)), np.tile(near, (count, 1))])
    steps = (at - axis.phi[axis.k])[:, None] * follow * scale[axis.k] / scale[others]
    starts[:count, others] += steps
    starts[:, axis.k] = np.tile(at, 2)
    if isinstance(axis.problem, Problem) and axis.problem.law.floor:
        starts[:, -1] = np.maximum(starts[:, -1], 0.0)
    found = axis.problem.minimise(starts, delta=axis.delta, held=axis.k, max_steps=_MOST_STEPS)
    each = found.objective.reshape(2, count)
    best = np.argmin(each, axis=0) * count + np.arange(count)
    rise = np.maximum(each.min(axis=0) - axis.objective, 0.0)
    return np.sqrt(2.0 * rise / axis.unit), found.phi[best]
