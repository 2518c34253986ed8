"""The fit of Hoffmann et al. 2022 as they published it: their 4,500 starts and their objective.

Starts: arXiv 2203.15556, appendix D.3. Objective: sum of Huber losses of
log(loss) - logsumexp(a - alpha ln N, b - beta ln D, e), with its analytic gradient, for scipy.
This is the baseline of the benchmarks beside it; nothing in the package uses it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from scaleplan.fitting.problem import Problem

# Sizes and losses for which the grid was made: a sweep in other units is brought to these first,
# or the grid would start nowhere near it and be no reference at all.
_PARAMS, _TOKENS, _LOSS = 1e9, 2e10, 2.8
TIGHT = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-12}


def grid() -> np.ndarray:
    """Return the starts (a, b, e, alpha, beta), shape (4500, 5)."""
    sizes, floors = np.arange(0, 26, 5.0), np.arange(-1, 1.1, 0.5)
    exponents = np.arange(0, 2.1, 0.5)
    return np.array(list(itertools.product(sizes, sizes, floors, exponents, exponents)))


def in_usual_units(inputs: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and losses whose geometric means are those of a usual sweep."""
    wanted = np.array([[_PARAMS], [_TOKENS]])
    means = np.exp(np.log(inputs).mean(axis=1, keepdims=True))
    return inputs / means * wanted, values / np.exp(np.log(values).mean()) * _LOSS


def to_phi(problem: Problem, start: np.ndarray) -> np.ndarray:
    """Return starts (a, b, e, alpha, beta), shape (m, 5), in the coordinates of our solver."""
    a, b, e, alpha, beta = start.T
    n_mean, d_mean = problem.x_mean
    return np.stack(
        [
            a - alpha * n_mean - problem.y_mean, alpha,
            b - beta * d_mean - problem.y_mean, beta,
            np.exp(e - problem.y_mean),
        ],
        axis=1,
    )  # fmt: skip


def from_theta(theta: np.ndarray) -> np.ndarray:
    """Return (a, b, e, alpha, beta) of our (E, A, alpha, B, beta)."""
    return np.array([np.log(theta[1]), np.log(theta[3]), np.log(theta[0]), theta[2], theta[4]])


def objective(
    problem: Problem, delta: float, weights: np.ndarray | None = None
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return a function of (a, b, e, alpha, beta) that gives the objective and its gradient."""
    log_n, log_d = np.log(problem.inputs)
    log_loss = np.log(problem.values)
    each = np.ones_like(log_n) if weights is None else weights
    parts = np.empty((3, log_n.size))

    def function(v: np.ndarray) -> tuple[float, np.ndarray]:
        parts[0] = v[0] - v[3] * log_n
        parts[1] = v[1] - v[4] * log_d
        parts[2] = v[2]
        top = parts.max(axis=0)
        shares = np.exp(parts - top)
        total = shares.sum(axis=0)
        r = top + np.log(total) - log_loss
        psi = np.clip(r, -delta, delta)
        w = each * psi
        pulled = shares * (w / total)
        sums = pulled.sum(axis=1)
        slopes = -(pulled[0] @ log_n), -(pulled[1] @ log_d)
        return float(w @ (r - 0.5 * psi)), np.array([*sums, *slopes])

    return function
