"""One law fitted to runs: parameters, covariance, noise, and refits on reweighted runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.linear_solver import least_squares
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.solver import AnyProblem, Solution, refit, refit_from_pool, solve
from scaleplan.laws import CurvedLaw, Law, LinearLaw, PowerSumLaw
from scaleplan.records import LawFit

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

# Residuals beyond five robust sigmas are clipped for the noise estimate: the plain root mean square
# follows single bad runs, the MAD alone covered 35-63% where 90% was asked (own simulation on 240
# public runs, 2026).
_CLIP_SIGMAS = 5.0
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A law fitted to runs.

    Args:
        law: The law.
        inputs: Shape (inputs, n).
        values: Shape (n,), what was fitted (for accuracies and log laws: 1 - accuracy).
        theta: Shape (p,), the law's own parameters.
        covariance: Shape (p, p), s^2 (J^T J)^-1 carried to theta; None if singular.
        noise: Residual standard deviation of one run: log units for log laws, else metric units.
        objective: The objective's value.
        delta: Huber's threshold, infinity for least squares.
        starts: Starts polished; `agreeing` of them ended at the optimum.
        condition: Condition number of the column-scaled Jacobian.
        solution: The solver's own end, for refits; None for closed forms.
        problem: The centred problem; None for closed forms.
    """

    law: Law
    inputs: FloatArray
    values: FloatArray
    theta: FloatArray
    covariance: FloatArray | None
    noise: float
    objective: float
    delta: float
    starts: int
    agreeing: int
    condition: float
    singular: FloatArray
    solution: Solution | None
    problem: AnyProblem | None

    @property
    def dof(self) -> int:
        """Return the degrees of freedom, runs less parameters."""
        return self.values.size - self.theta.size

    @property
    def objective_name(self) -> str:
        """Return what was minimised, in words."""
        if self.law.residual == "raw":
            return "sum of squared residuals"
        if math.isinf(self.delta):
            return "half the sum of squared log residuals"
        return f"sum of Huber(delta={self.delta:g}) of log residuals"

    def predict(self, inputs: FloatArray) -> FloatArray:
        """Return the fitted law at inputs, shape (inputs, m) to (m,)."""
        return _evaluate(self.law, self.theta, inputs)

    def residuals(self) -> FloatArray:
        """Return predicted less observed, in logs for log laws, shape (n,)."""
        fitted = self.predict(self.inputs)
        if self.law.residual == "log":
            return np.log(fitted / self.values)
        return fitted - self.values

    def log_residuals(self) -> FloatArray | None:
        """Return ln(predicted / observed), or None if a prediction or value is not positive."""
        fitted = self.predict(self.inputs)
        if fitted.min() <= 0.0 or self.values.min() <= 0.0:
            return None
        return np.log(fitted / self.values)

    def refit(self, weights: FloatArray, *, careful: bool = False) -> FloatArray:
        """Return theta for each row of weights, shapes (batch, n) to (batch, p).

        Args:
            weights: How often each run counts.
            careful: Start each from everywhere instead of from this optimum.
        """
        if not self.law.parameters:
            return np.empty((len(weights), 0))
        if self.problem is None or self.solution is None:
            if not _is_linear(self.law):  # pragma: no cover - a law is of one family or the other
                raise TypeError(self.law.name)
            return least_squares(self.law, self.inputs, self.values, weights)
        again = refit_from_pool if careful else refit
        return self.problem.to_theta(again(self.problem, self.solution, weights).phi)

    def refit_values(self, values: FloatArray) -> FloatArray:
        """Return theta for each row of other values of the metric at the same inputs.

        Args:
            values: Shape (batch, n), positive for log laws.

        Returns:
            Shape (batch, p).
        """
        weights = np.ones_like(values)
        if self.problem is None or self.solution is None:
            if not _is_linear(self.law):
                return np.empty((len(values), 0))
            return least_squares(self.law, self.inputs, values, weights)
        own = self.problem.y + np.log(values / self.values)
        return self.problem.to_theta(refit(self.problem, self.solution, weights, own).phi)

    def record(self) -> LawFit:
        """Return what a forecast needs, as a record."""
        covariance = self.covariance
        rows = (
            None if covariance is None
            else tuple(tuple(float(v) for v in row) for row in covariance)
        )  # fmt: skip
        return LawFit(
            law=self.law.name, theta=tuple(float(v) for v in self.theta), covariance=rows,
            noise=self.noise if self.dof > 0 else None, dof=self.dof,
        )  # fmt: skip


def _is_linear(law: Law) -> TypeGuard[LinearLaw]:
    return isinstance(law, LinearLaw)


def _evaluate(law: Law, theta: FloatArray, inputs: FloatArray) -> FloatArray:
    """Evaluate at one theta (p,) or, with theta (batch, p), at each: (m,) or (batch, m)."""
    parts = [np.asarray(theta[..., k, None]) for k in range(theta.shape[-1])]
    with np.errstate(over="ignore", invalid="ignore"):
        return law.evaluate(parts, list(inputs))


def evaluate_batch(law: Law, thetas: FloatArray, inputs: FloatArray) -> FloatArray:
    """Return the law at inputs (inputs, m) for each theta (batch, p): shape (batch, m)."""
    return _evaluate(law, thetas, inputs)


def fit_law(
    law: Law, inputs: FloatArray, values: FloatArray, *, delta: float | None = None
) -> Fitted:
    """Fit one law.

    Args:
        law: The law.
        inputs: Shape (inputs, n), in the law's order, positive for log laws.
        values: Shape (n,), positive for log laws.
        delta: Huber's threshold in log units; None chooses it from the data.
    """
    problem: AnyProblem | None
    solution: Solution | None
    if isinstance(law, PowerSumLaw | CurvedLaw):
        problem = (
            Problem.of(law, inputs, values) if isinstance(law, PowerSumLaw)
            else CurvedProblem.of(law, inputs, values)
        )  # fmt: skip
        solution = solve(problem, delta=delta)
        jacobian = problem.jacobian(solution.phi)
        residuals = problem.residuals(solution.phi)
        theta = problem.to_theta(solution.phi)
        change = problem.theta_jacobian(solution.phi)
        objective, used_delta = solution.objective, solution.delta
        starts, agreeing = solution.starts, solution.agreeing
    elif _is_linear(law):
        problem, solution = None, None
        theta = least_squares(law, inputs, values, np.ones((1, values.size)))[0]
        basis = law.basis(inputs[0])
        centre = basis.mean()
        jacobian = np.stack([basis - centre, np.ones_like(basis)], axis=1)
        change = np.array([[1.0, 0.0], [-centre, 1.0]])
        residuals = theta[0] * basis + theta[1] - values
        objective, used_delta = float(residuals @ residuals), math.inf
        starts = agreeing = 1
    elif not law.parameters:
        return _definition(law, inputs, values)
    else:  # pragma: no cover - the contract suite forbids another family
        raise TypeError(law.name)
    noise = noise_scale(residuals, theta.size)
    covariance, condition, singular = _covariance(jacobian, noise)
    if covariance is not None:
        covariance = change @ covariance @ change.T
    return Fitted(
        law, inputs, values, theta, covariance, noise, objective, used_delta, starts, agreeing,
        condition, singular, solution, problem,
    )  # fmt: skip


def _definition(law: Law, inputs: FloatArray, values: FloatArray) -> Fitted:
    """Return a law without parameters next to the runs: nothing is fitted, only measured."""
    residuals = np.log(law.evaluate([], list(inputs)) / values)
    return Fitted(
        law, inputs, values, np.empty(0), np.empty((0, 0)), noise_scale(residuals, 0),
        0.5 * float(residuals @ residuals), math.inf, 0, 0, 1.0, np.empty(0), None, None,
    )  # fmt: skip


def noise_scale(residuals: FloatArray, params: int) -> float:
    """Return the residual standard deviation, residuals clipped at five robust sigmas.

    Args:
        residuals: Shape (n,).
        params: Number of fitted parameters.
    """
    freedom = max(1, residuals.size - params)
    robust = _MAD_TO_SIGMA * float(np.median(np.abs(residuals)))
    limit = _CLIP_SIGMAS * robust
    clipped = np.clip(residuals, -limit, limit) if robust > 0.0 else residuals
    return math.sqrt(float(clipped @ clipped) / freedom)


def _covariance(jacobian: FloatArray, noise: float) -> tuple[FloatArray | None, float, FloatArray]:
    """Return s^2 (J^T J)^-1, the condition of the column-scaled J, and its null direction."""
    scale = np.sqrt((jacobian**2).sum(axis=0))
    if (scale <= 0.0).any():
        return None, math.inf, np.where(scale <= 0.0, 1.0, 0.0)
    _, values, directions = np.linalg.svd(jacobian / scale, full_matrices=False)
    weakest = np.abs(directions[-1])
    if jacobian.shape[0] < jacobian.shape[1] or values[-1] <= 1e-14 * values[0]:
        return None, math.inf, weakest
    inverse = (directions.T / values**2) @ directions
    return noise**2 * inverse / np.outer(scale, scale), float(values[0] / values[-1]), weakest
