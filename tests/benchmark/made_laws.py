"""Runs made from each law but the five-parameter one, and starts to search them from."""

from __future__ import annotations

import numpy as np

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.solver import AnyProblem
from scaleplan.laws import CurvedLaw, PowerSumLaw, get_law

# Ranges of each parameter, for inputs with a geometric mean near 1; those marked are powers of 10.
_LOG = "log"
RANGES: dict[str, tuple[tuple[float, float] | tuple[float, float, str], ...]] = {
    "power_floor": ((0.2, 1.0), (0.1, 1.0), (0.1, 1.0)),
    "shifted": ((0.2, 1.0), (0.1, 1.0), (0.2, 1.5), (-1.5, 0.5, _LOG)),
    "m3": ((0.5, 2.0), (-1.5, 0.5, _LOG), (0.1, 1.0)),
    "sigmoid": ((0.05, 0.3), (0.7, 1.0), (-0.7, 0.7, _LOG), (0.3, 1.5)),
    "saturating": ((0.05, 0.3), (0.7, 1.0), (-0.3, 0.5, _LOG), (-0.4, 0.4, _LOG), (-1.5, -0.3)),
    "broken": (
        (0.0, 0.3), (0.8, 1.2), (0.05, 0.4), (0.1, 0.8), (-0.7, 0.7, _LOG), (0.1, 0.6),
    ),
    "coupled": ((0.3, 2.0), (0.2, 1.0), (0.2, 1.0), (0.2, 1.0), (0.2, 1.0), (0.4, 1.5)),
    "kaplan": ((-1.0, 1.0, _LOG), (0.05, 0.2), (-1.0, 1.0, _LOG), (0.05, 0.2)),
    "data_constrained": (
        (0.5, 2.0), (0.1, 0.6), (0.2, 0.7), (0.1, 0.6), (0.2, 0.7), (0.3, 1.5, _LOG),
        (0.3, 1.5, _LOG),
    ),
    "overtraining": ((0.5, 2.0), (0.1, 1.0), (0.1, 1.0), (0.2, 0.8)),
    "rectified": ((0.2, 1.0), (0.1, 1.0), (0.3, 1.2), (-1.0, 0.7, _LOG)),
}  # fmt: skip
_SIZE = 1e9
_MOST_EPOCHS = 1.7  # log10


def made_problem(name: str, rng: np.random.Generator, *, runs: int, noise: float) -> AnyProblem:
    """Return one law and random runs of it, with noise of the given standard deviation in logs."""
    law = get_law(name)
    theta = [
        10 ** rng.uniform(r[0], r[1]) if len(r) == 3 else rng.uniform(r[0], r[1])
        for r in RANGES[name]
    ]
    x = 10 ** rng.uniform(-1.5, 1.5, (min(2, len(law.inputs)), runs))
    if len(law.inputs) == 3:  # the third is what was unique of the second
        x = np.concatenate([x, x[1:] / 10 ** rng.uniform(0.0, _MOST_EPOCHS, runs)])
    values = law.evaluate([np.asarray(t) for t in theta], list(x))
    values = values * np.exp(noise * rng.standard_normal(runs))
    if isinstance(law, PowerSumLaw):
        return Problem.of(law, _SIZE * x, values)
    if isinstance(law, CurvedLaw):
        return CurvedProblem.of(law, _SIZE * x, values)
    raise TypeError(name)


def many_starts(problem: AnyProblem, rng: np.random.Generator, count: int) -> np.ndarray:
    """Return starts all over the range of the law, shape (count, p), in our solver's coordinates.

    Of a curved law: points of its own grid, half of them moved far. Of a power sum: at random.
    """
    if isinstance(problem, Problem):
        parts = []
        for _ in problem.x:
            parts += [rng.uniform(-4, 1, count), 10 ** rng.uniform(-2, 0.5, count)]
        return np.stack([*parts, rng.uniform(0.0, 1.0, count)], axis=1)
    with np.errstate(all="ignore"):
        theta = problem.law.starts(list(problem.x), np.exp(problem.y))
        own = np.where(problem.logs, np.log(np.where(problem.logs, theta, 1.0)), theta)
    own = own[np.isfinite(own).all(axis=1)]
    phi = own[rng.integers(0, len(own), count)]
    moved = rng.standard_normal(phi.shape) * np.where(problem.logs, 1.0, 0.5 * np.abs(phi))
    phi[::2] += moved[::2]
    return np.clip(phi, problem.low, problem.high)
