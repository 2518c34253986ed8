"""One fit and 4,000 resamples of the five-parameter law against scipy, on the same data.

    python tests/benchmark/fit_speed.py [STARTS] [RESAMPLES]

Baselines, one thread each: scipy's L-BFGS-B with the analytic gradient and tight tolerances from
the 4,500-start grid of Hoffmann et al. 2022 (STARTS of them are run, evenly spread, and the time
extrapolated), and scipy's BFGS, tight and warm-started, on RESAMPLES of the 4,000 resamples.
"""

from __future__ import annotations

import itertools
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from scipy import optimize

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.recipe import Recipe
from scaleplan.fitting.solver import refit, solve
from scaleplan.laws import get_law

DELTA = 1e-3
RUNS = 240


def data() -> Problem:
    rng = np.random.default_rng(0)
    params, tokens = 10 ** rng.uniform(7.7, 10.2, RUNS), 10 ** rng.uniform(8.9, 11.5, RUNS)
    loss = 1.8172 + 482.01 / params**0.3478 + 2085.43 / tokens**0.3658
    loss *= np.exp(0.007 * rng.standard_t(3, RUNS))
    return Problem.of(get_law("chinchilla"), np.stack([params, tokens]), loss)


def hoffmann_objective(problem: Problem, weights: np.ndarray):
    """Return value and gradient in (a, b, e, alpha, beta) with uncentred logs, as published."""
    log_n, log_d = np.log(problem.inputs)
    log_loss = np.log(problem.values)

    def function(v):
        parts = np.stack([
            v[0] - v[3] * log_n, v[1] - v[4] * log_d, np.full_like(log_n, v[2])
        ])  # fmt: skip
        top = parts.max(axis=0)
        shares = np.exp(parts - top)
        total = shares.sum(axis=0)
        r = top + np.log(total) - log_loss
        psi = np.clip(r, -DELTA, DELTA)
        shares = shares / total
        w = weights * psi
        gradient = np.array([
            w @ shares[0], w @ shares[1], w @ shares[2],
            -(w * log_n) @ shares[0], -(w * log_d) @ shares[1],
        ])  # fmt: skip
        return float(w @ (r - 0.5 * psi)), gradient

    return function


def grid() -> list[tuple[float, ...]]:
    a, b = np.arange(0, 26, 5.0), np.arange(0, 26, 5.0)
    e = np.arange(-1, 1.1, 0.5)
    alpha, beta = np.arange(0, 2.1, 0.5), np.arange(0, 2.1, 0.5)
    return [(p[0], p[1], p[2], p[3], p[4]) for p in itertools.product(a, b, e, alpha, beta)]


def main(starts: int, resamples: int) -> None:
    problem = data()
    solve(problem, delta=DELTA)  # the first call pays for page faults
    began = time.perf_counter()
    for _ in range(5):
        best = solve(problem, delta=DELTA)
    ours = (time.perf_counter() - began) / 5
    every = grid()
    chosen = [every[i] for i in np.linspace(0, len(every) - 1, starts).astype(int)]
    function = hoffmann_objective(problem, np.ones(RUNS))
    began = time.perf_counter()
    values = [
        optimize.minimize(
            function, start, jac=True, method="L-BFGS-B",
            options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-15, "gtol": 1e-12},
        ).fun
        for start in chosen
    ]  # fmt: skip
    theirs = (time.perf_counter() - began) * len(every) / len(chosen)
    print(f"one fit, {RUNS} runs: ours {1000 * ours:.1f} ms, objective {best.objective:.12g}")
    print(
        f"scipy L-BFGS-B, {len(every)} starts: {theirs:.1f} s (from {len(chosen)}), best "
        f"objective {min(values):.12g}; ratio {theirs / ours:.0f}"
    )
    rng = np.random.default_rng(1)
    draws = rng.integers(0, RUNS, (4000, RUNS))
    weights = np.stack([np.bincount(d, minlength=RUNS) for d in draws]).astype(float)
    began = time.perf_counter()
    ends = refit(problem, best, weights)
    ours = time.perf_counter() - began
    theta = problem.to_theta(ends.phi)
    warm = fit_law(problem.law, problem.inputs, problem.values, recipe=Recipe(delta=DELTA)).theta
    start = [np.log(warm[1]), np.log(warm[3]), np.log(warm[0]), warm[2], warm[4]]
    began = time.perf_counter()
    exponents = []
    for row in weights[:resamples]:
        end = optimize.minimize(
            hoffmann_objective(problem, row), start, jac=True, method="BFGS",
            options={"gtol": 1e-10, "maxiter": 5000},
        )  # fmt: skip
        exponents.append(end.x[3])
    theirs = (time.perf_counter() - began) * len(weights) / resamples
    low, high = np.percentile(theta[:resamples, 2], [5, 95])
    low2, high2 = np.percentile(exponents, [5, 95])
    print(f"4,000 resamples: ours {ours:.3f} s; scipy BFGS {theirs:.1f} s (from {resamples})")
    print(
        f"ratio {theirs / ours:.0f}; 90% interval of alpha ours [{low:.5f}, {high:.5f}], theirs "
        f"[{low2:.5f}, {high2:.5f}]"
    )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 90,
        int(sys.argv[2]) if len(sys.argv) > 2 else 200,
    )
