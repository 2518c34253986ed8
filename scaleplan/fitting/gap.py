"""The gap between validation and training as a power law of size and data, G = c N^d D^e.

The article that this program grew from has G = c S^d. Errors are relative where every run has a
gap; where some have none they cannot be, and the law is fitted to the gaps as they stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError
from scaleplan.fitting.distributions import f_tail, t_quantile
from scaleplan.records import GapFit, Interval, Parameter
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

_SYMBOLS = {"params": "N", "active_params": "N_active", "unique_tokens": "U", "tokens": "D"}
_EXPONENTS = {"params": "d", "active_params": "d", "unique_tokens": "e", "tokens": "e"}
_LEAST_SPREAD = 0.05  # e-folds; an input that varies less is taken as constant
_SPARE = 2  # runs beyond the parameters, for an error that rests on something
# With gaps missing from more runs than this the average gap is noise about nothing.
_MOST_WITHOUT = 0.4


@dataclass(frozen=True, slots=True)
class _Solution:
    theta: FloatArray
    covariance: FloatArray
    squares: float
    dof: int


def gaps_of(runs: Runs) -> FloatArray:
    """Return by how much each run does worse on validation than on training data, shape (n,).

    Validation minus training for losses and errors, training minus validation for accuracies and
    scores; NaN where a run has not both.
    """
    if not runs.has("train_value"):
        return np.full(len(runs), np.nan)
    gap = runs.value - runs.column("train_value")
    return -gap if runs.metric.kind in {"accuracy", "score"} else gap


def fit_gap(runs: Runs, *, level: float = 0.9) -> GapFit:
    """Fit G = c N^d D^e to the gaps of runs; inputs that do not vary are left out.

    Args:
        runs: Cleaned runs with a training value beside the metric.
        level: Level of the intervals.

    Raises:
        FitError: If there is no training value, no gap, or too few runs.
    """
    gaps = gaps_of(runs)
    roles = _roles(runs)
    usable = np.isfinite(gaps)
    for role in roles:
        column = runs.column(role)
        usable &= np.isfinite(column) & (column > 0.0)
    _check(runs, gaps[usable], roles)
    logs = np.log(np.stack([runs.column(role)[usable] for role in roles]))
    varies = [i for i in range(len(roles)) if float(np.ptp(logs[i])) > _LEAST_SPREAD]
    if not varies:
        message = "no size and no amount of data varies, so that the gap depends on nothing"
        raise FitError(message, hint="Log runs of several sizes.")
    roles, logs, values = [roles[i] for i in varies], logs[varies], gaps[usable]
    relative = bool((values > 0.0).all())
    centre = logs.mean(axis=1)
    design = np.vstack([np.ones_like(values), logs - centre[:, None]]).T
    solution = _solve(design, values, relative=relative)
    theta, covariance = _uncentred(solution, centre)
    dof = solution.dof
    parameters = _parameters(theta, covariance, roles, dof=dof, level=level, unit=runs.metric.unit)
    columns = {use.role: use.column for use in runs.cleaning.columns}
    formula = f"G = {format_significant(math.exp(theta[0]))}" + "".join(
        f" * {_SYMBOLS[role]}^{format_significant(power)}"
        for role, power in zip(roles, theta[1:].tolist(), strict=True)
    )
    how = "log gap" if relative else "gap"
    return GapFit(
        formula=formula, inputs=tuple(roles),
        input_columns=tuple(columns.get(role, role) for role in roles), parameters=parameters,
        theta=tuple(theta.tolist()), covariance=tuple(tuple(row) for row in covariance.tolist()),
        dof=dof, scatter=math.sqrt(solution.squares / dof), relative=relative, runs=values.size,
        not_positive=int((values <= 0.0).sum()),
        curvature_p=_curvature(design, values, solution, relative=relative),
        interval=Interval(
            level=level, n=values.size,
            method=f"least squares of the {how}, t quantile with {dof} degrees of freedom",
        ),
    )  # fmt: skip


def predicted_gap(fit: GapFit, at: dict[str, float], *, level: float) -> tuple[float, float, float]:
    """Return the law's gap at a point with its interval: (gap, low, high), in metric units.

    Args:
        fit: The fitted law.
        at: Its inputs by role, raw units.
        level: Level of the interval of the law's own value; the scatter of a run is not in it.
    """
    gradient = np.array([1.0, *(math.log(at[role]) for role in fit.inputs)])
    centre = float(gradient @ np.array(fit.theta))
    variance = float(gradient @ np.array(fit.covariance) @ gradient)
    reach = t_quantile(0.5 + 0.5 * level, float(fit.dof)) * math.sqrt(max(0.0, variance))
    low, middle, high = (_exp(centre + move) for move in (-reach, 0.0, reach))
    return middle, low, high


def _exp(value: float) -> float:
    return math.exp(max(-700.0, min(value, 700.0)))


def _roles(runs: Runs) -> list[str]:
    size = "params" if runs.has("params") else "active_params"
    data = "unique_tokens" if runs.has("unique_tokens") else "tokens"
    found = [role for role in (size, data) if runs.has(role)]
    if not found:
        message = "no column of parameters or data was found to fit the gap against"
        raise FitError(message, hint="Name one with --columns params=COLUMN.")
    return found


def _check(runs: Runs, gaps: FloatArray, roles: list[str]) -> None:
    if not runs.has("train_value"):
        message = f"the log has no training value beside {runs.metric.name}, so there is no gap"
        hint = "Name it with --columns train_value=COLUMN."
        raise FitError(message, hint=hint)
    least = 1 + len(roles) + _SPARE
    if gaps.size < least:
        message = (
            f"{gaps.size} runs have both a training and a validation value; {least} are needed"
        )
        raise FitError(message, hint="Log both for more runs.")
    without = float((gaps <= 0.0).mean())
    if without > _MOST_WITHOUT:
        count = int((gaps <= 0.0).sum())
        message = (
            f"training lies at or above validation in {count} of {gaps.size} runs: there is no gap "
            "to fit"
        )
        raise FitError(
            message,
            hint="Dropout and averages over an epoch do that; log the training value in "
            "evaluation mode.",
        )  # fmt: skip


def _solve(design: FloatArray, values: FloatArray, *, relative: bool) -> _Solution:
    """Minimise the squares of ln G - X b, or of G - exp(X b), over b.

    Args:
        design: X, shape (n, p): ones and centred logs.
        values: Gaps, shape (n,).
        relative: Which of the two.
    """
    dof = values.size - design.shape[1]
    positive = values > 0.0
    start = np.linalg.lstsq(design[positive], np.log(values[positive]), rcond=None)[0]
    if relative:
        residuals, jacobian = np.log(values) - design @ start, design
    else:
        from scipy.optimize import least_squares

        def misses(b: FloatArray) -> FloatArray:
            return _law(design, b) - values

        def slopes(b: FloatArray) -> FloatArray:
            return np.asarray(_law(design, b)[:, None] * design)

        start = least_squares(
            misses, start, jac=slopes, x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12
        ).x
        fitted = _law(design, start)
        residuals, jacobian = values - fitted, fitted[:, None] * design
    squares = float(residuals @ residuals)
    inverse = np.linalg.pinv(jacobian.T @ jacobian)
    return _Solution(np.asarray(start), np.asarray(inverse * squares / dof), squares, dof)


def _law(design: FloatArray, theta: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.clip(design @ theta, -50.0, 50.0)))


def _uncentred(solution: _Solution, centre: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return parameters and covariance for logs that are not centred."""
    change = np.eye(centre.size + 1)
    change[0, 1:] = -centre
    return change @ solution.theta, change @ solution.covariance @ change.T


def _parameters(
    theta: FloatArray, covariance: FloatArray, roles: list[str], *, dof: int, level: float,
    unit: str,
) -> tuple[Parameter, ...]:  # fmt: skip
    reach = t_quantile(0.5 + 0.5 * level, float(dof)) * np.sqrt(np.diagonal(covariance))
    made = [
        Parameter(
            symbol="c", meaning="gap at N = 1 and D = 1", unit=unit, value=_exp(float(theta[0])),
            low=_exp(float(theta[0] - reach[0])), high=_exp(float(theta[0] + reach[0])),
        )
    ]  # fmt: skip
    for i, role in enumerate(roles, start=1):
        made.append(
            Parameter(
                symbol=_EXPONENTS[role], meaning=f"exponent of {_SYMBOLS[role]}", unit="",
                value=float(theta[i]), low=float(theta[i] - reach[i]),
                high=float(theta[i] + reach[i]),
            )
        )  # fmt: skip
    return tuple(made)


def _curvature(
    design: FloatArray, values: FloatArray, plain: _Solution, *, relative: bool
) -> float | None:
    """Return the p-value of squares of the logs added to the law, None if they cannot be tested."""
    logs = design[:, 1:]
    squares = [c**2 for c in logs.T if np.unique(np.round(c, 9)).size > 2]
    if not squares:
        return None
    full_design = np.column_stack([design, *squares])
    if values.size - full_design.shape[1] < 1:
        return None
    full = _solve(full_design, values, relative=relative)
    if full.squares <= 0.0 or not full.squares < plain.squares:
        return None
    gained = (plain.squares - full.squares) / len(squares)
    return f_tail(gained / (full.squares / full.dof), float(len(squares)), float(full.dof))
