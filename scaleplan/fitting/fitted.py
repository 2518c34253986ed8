"""One law fitted to runs: parameters, covariance, noise, and refits on reweighted runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeGuard

import numpy as np

from scaleplan.errors import UsageError
from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.further_limit import further_limit
from scaleplan.fitting.linear_solver import least_squares
from scaleplan.fitting.noise import noise_scale
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.recipe import DEFAULT, Recipe
from scaleplan.fitting.solver import AnyProblem, Solution, refit, refit_from_pool, solve
from scaleplan.laws import CurvedLaw, Law, LinearLaw, PowerSumLaw
from scaleplan.records import LawFit

if TYPE_CHECKING:
    from scaleplan.laws.base import BoolArray, FloatArray


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
        recipe: How it was fitted.
        fixed: Shape (p,), which parameters were held and so have no uncertainty.
        groups: How many of them count as independent, where several belong together.
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
    recipe: Recipe
    fixed: BoolArray
    groups: int | None = None

    @property
    def free(self) -> int:
        """Return the number of parameters that were fitted."""
        return int((~self.fixed).sum())

    @property
    def dof(self) -> int:
        """Return the degrees of freedom, independent runs less fitted parameters."""
        return (self.values.size if self.groups is None else self.groups) - self.free

    def of_groups(self, groups: int) -> Fitted:
        """Return the fit with the uncertainty of so many independent groups of n points.

        The covariance is that of points that say the same within a group: n / groups times that of
        independent ones, the design effect 1 + (m - 1) rho of m points with rho = 1 (Kish 1965).

        Args:
            groups: How many there are.
        """
        known = self.covariance
        wider = None if known is None else known * (self.values.size / groups)
        return replace(self, covariance=wider, groups=groups)

    @property
    def residual(self) -> Literal["log", "raw"]:
        """Return whether residuals are logs or differences of the metric."""
        return residual_kind(self.law, self.recipe)

    @property
    def objective_name(self) -> str:
        """Return what was minimised, in words."""
        if self.residual == "raw":
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
        if self.residual == "log":
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

    def refit_values(self, values: FloatArray, weights: FloatArray | None = None) -> FloatArray:
        """Return theta for each row of other values of the metric at the same inputs.

        Args:
            values: Shape (batch, n), positive for log laws.
            weights: Shape (n,), how much each run counts; None counts all alike.

        Returns:
            Shape (batch, p).
        """
        each = np.ones_like(values) if weights is None else np.tile(weights, (len(values), 1))
        if self.problem is None or self.solution is None:
            if not _is_linear(self.law):
                return np.empty((len(values), 0))
            return least_squares(self.law, self.inputs, values, each)
        if self.residual == "raw":
            own = values / self.problem.unit
        else:
            own = self.problem.y + np.log(values / self.values)
        return self.problem.to_theta(refit(self.problem, self.solution, each, own).phi)

    def record(self) -> LawFit:
        """Return what a forecast needs, as a record."""
        covariance = self.covariance
        rows = (
            None if covariance is None
            else tuple(tuple(float(v) for v in row) for row in covariance)
        )  # fmt: skip
        return LawFit(
            law=self.law.name, theta=tuple(float(v) for v in self.theta), covariance=rows,
            noise=self.noise if self.dof > 0 else None, dof=max(0, self.dof),
            residual=self.residual, further=further_limit(self),
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


def residual_kind(law: Law, recipe: Recipe) -> Literal["log", "raw"]:
    """Return what a recipe makes of a law's residuals: laws of raw residuals keep them."""
    return "raw" if law.residual == "raw" or recipe.objective == "raw" else "log"


def fit_law(
    law: Law, inputs: FloatArray, values: FloatArray, *, recipe: Recipe = DEFAULT
) -> Fitted:
    """Fit one law.

    Args:
        law: The law.
        inputs: Shape (inputs, n), in the law's order, positive for log laws.
        values: Shape (n,), positive for log laws.
        recipe: What is minimised, and which parameters are held.

    Raises:
        UsageError: If the recipe limits a parameter that the law does not have.
    """
    recipe.check(law)
    if not law.parameters:
        return _definition(law, inputs, values, recipe)
    if _is_linear(law):
        return _line(law, inputs, values, recipe)
    if not isinstance(law, CurvedLaw):  # pragma: no cover - the contract suite forbids it
        raise TypeError(law.name)
    raw = residual_kind(law, recipe) == "raw"
    problem: AnyProblem
    if isinstance(law, PowerSumLaw) and not raw and not recipe.limits:
        problem = Problem.of(law, inputs, values)
    else:
        problem = CurvedProblem.of(law, inputs, values, raw=raw, limits=recipe.limits)
    solution = solve(problem, delta=math.inf if raw else recipe.threshold)
    residuals = problem.residuals(solution.phi)
    fixed = np.array(recipe.fixed(law))
    noise = noise_scale(residuals, int((~fixed).sum()))
    jacobian = problem.jacobian(solution.phi)
    # The columns of both Jacobians stand in the order of the problem's own coordinates.
    free = ~fixed if isinstance(problem, CurvedProblem) else np.ones(fixed.size, bool)
    covariance, condition, singular = _covariance(jacobian, noise, free)
    if covariance is not None:
        change = problem.theta_jacobian(solution.phi)
        with np.errstate(over="ignore", invalid="ignore"):
            covariance = change @ covariance @ change.T
        # Beyond the range of floats a coefficient is not known: no variance may be made of it.
        covariance = covariance if np.isfinite(covariance).all() else None
    # The solver halves squares; of raw residuals the plain sum is reported, as for a line.
    objective = solution.objective * (2.0 * problem.unit**2 if raw else 1.0)
    return Fitted(
        law, inputs, values, problem.to_theta(solution.phi), covariance, noise, objective,
        solution.delta, solution.starts, solution.agreeing, condition, singular, solution,
        problem, recipe, fixed,
    )  # fmt: skip


def _line(law: LinearLaw, inputs: FloatArray, values: FloatArray, recipe: Recipe) -> Fitted:
    """Fit a law that is linear in its parameters, in closed form."""
    if recipe.limits:
        raise UsageError(
            f"parameters of the {law.name} law cannot be fixed or bounded",
            hint="Its fit is a closed form; use --law power_floor, or leave the option out.",
        )
    theta = least_squares(law, inputs, values, np.ones((1, values.size)))[0]
    basis = law.basis(inputs[0])
    centre = basis.mean()
    jacobian = np.stack([basis - centre, np.ones_like(basis)], axis=1)
    residuals = theta[0] * basis + theta[1] - values
    noise = noise_scale(residuals, theta.size)
    covariance, condition, singular = _covariance(jacobian, noise, np.ones(2, bool))
    if covariance is not None:
        change = np.array([[1.0, 0.0], [-centre, 1.0]])
        covariance = change @ covariance @ change.T
    return Fitted(
        law, inputs, values, theta, covariance, noise, float(residuals @ residuals), math.inf,
        1, 1, condition, singular, None, None, recipe, np.zeros(2, bool),
    )  # fmt: skip


def _definition(law: Law, inputs: FloatArray, values: FloatArray, recipe: Recipe) -> Fitted:
    """Return a law without parameters next to the runs: nothing is fitted, only measured."""
    residuals = np.log(law.evaluate([], list(inputs)) / values)
    return Fitted(
        law, inputs, values, np.empty(0), np.empty((0, 0)), noise_scale(residuals, 0),
        0.5 * float(residuals @ residuals), math.inf, 0, 0, 1.0, np.empty(0), None, None,
        recipe, np.empty(0, bool),
    )  # fmt: skip


def _covariance(
    jacobian: FloatArray, noise: float, free: BoolArray
) -> tuple[FloatArray | None, float, FloatArray]:
    """Return s^2 (J^T J)^-1, the condition of the column-scaled J, and its null direction.

    Held parameters have no variance; the condition is that of the free ones.
    """
    size = jacobian.shape[1]
    jacobian = jacobian[:, free]
    weakest = np.zeros(size)
    scale = np.sqrt((jacobian**2).sum(axis=0))
    if (scale <= 0.0).any():
        weakest[free] = scale <= 0.0
        return None, math.inf, weakest
    _, values, directions = np.linalg.svd(jacobian / scale, full_matrices=False)
    weakest[free] = np.abs(directions[-1])
    if jacobian.shape[0] < jacobian.shape[1] or values[-1] <= 1e-14 * values[0]:
        return None, math.inf, weakest
    covariance = np.zeros((size, size))
    inverse = (directions.T / values**2) @ directions
    covariance[np.ix_(free, free)] = noise**2 * inverse / np.outer(scale, scale)
    return covariance, float(values[0] / values[-1]), weakest
