"""Random surfaces of the five-parameter law, and scipy as an independent oracle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from scaleplan.fitting.problem import Problem
from scaleplan.laws import get_law


@dataclass(frozen=True)
class Surface:
    theta: tuple[float, ...]
    inputs: np.ndarray
    values: np.ndarray


def random_surface(seed: int) -> Surface:
    """Few or many runs, noise from none to 3%, outliers, floors of zero, close exponents."""
    rng = np.random.default_rng(seed)
    runs = int(rng.integers(8, 120))
    alpha = rng.uniform(0.15, 0.9)
    beta = alpha + rng.choice([0.0, 0.01, rng.uniform(-0.1, 0.3)])
    floor = rng.choice([0.0, rng.uniform(0.5, 2.5)])
    params = 10 ** rng.uniform(6, 10, runs)
    tokens = 10 ** rng.uniform(8, 12, runs)
    size, data = 10 ** (6 * alpha) * rng.uniform(0.5, 5), 10 ** (8 * beta) * rng.uniform(0.5, 5)
    values = floor + size / params**alpha + data / tokens**beta
    noise = rng.choice([0.0, 0.002, 0.01, 0.03])
    values = values * np.exp(noise * rng.standard_normal(runs))
    outliers = rng.random(runs) < rng.choice([0.0, 0.1])
    values = np.where(outliers, values * 1.3, values)
    return Surface((floor, size, alpha, data, beta), np.stack([params, tokens]), values)


def oracle(surface: Surface, *, delta: float, starts: int, seed: int) -> float:
    """Return the best objective of scipy's L-BFGS-B from random starts, polished by TRF."""
    problem = Problem.of(get_law("chinchilla"), surface.inputs, surface.values)
    rng = np.random.default_rng(seed)

    def residuals(phi):
        return problem.residuals(np.asarray(phi))

    def objective(phi):
        with np.errstate(all="ignore"):
            r = residuals(phi)
        psi = np.clip(r, -delta, delta)
        value = float(np.sum(psi * (r - 0.5 * psi)))
        jacobian = problem.jacobian(np.asarray(phi))
        if not np.isfinite(value):
            return 1e9, np.zeros(5)
        return 1e3 * value, 1e3 * (psi @ jacobian)

    bounds = [(-12, 4), (0.0, 3.0), (-12, 4), (0.0, 3.0), (0.0, 3.0)]
    best = np.inf
    for _ in range(starts):
        start = [
            rng.uniform(-3, 0), rng.uniform(0.05, 1.2), rng.uniform(-3, 0),
            rng.uniform(0.05, 1.2), rng.uniform(0.0, 1.0),
        ]  # fmt: skip
        end = optimize.minimize(
            objective, start, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 2000, "ftol": 1e-16, "gtol": 1e-12},
        )  # fmt: skip
        best = min(best, end.fun / 1e3)
    return best
