"""How much faster than scipy is one fit, and a fit of every resample, at the same answer?

Measures, on one thread and 240 runs (the public Chinchilla sweep where ../shared/data lies beside
the project, else runs made from the law of Besiroglu et al. 2024 with heavy-tailed noise):

1. one fit of the five-parameter law against scipy's L-BFGS-B, analytic gradient, ftol 1e-15 and
   gtol 1e-12, from the 4,500 starts of Hoffmann et al. 2022. Bound: 2,000 times, at an objective
   that is equal or better;
2. 4,000 bootstrap refits against scipy's BFGS, analytic gradient, gtol 1e-10, started at our
   optimum, on each resample. Bound: 100 times, percentiles within 1% of the interval's width. A row
   shows the trap: L-BFGS-B with default tolerances reports success and a far too small spread;
3. the same for the other laws, on runs made from each: L-BFGS-B inside the law's bounds from 4,500
   starts over its range, and BFGS from our optimum on each resample, through the same derivatives
   of the law that ours uses. Bounds: 500 and 25 times.

    python tests/benchmark/fit_speed.py [--starts 90] [--resamples 100] [--full] [--law NAME]

Only --starts of the starts and --resamples of the resamples are run by scipy, evenly spread, and
its time is extrapolated; --full runs them all. Times are of the processor, so that other work on
the machine counts for neither side. Exit code: 1 if a bound is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from hoffmann_grid import TIGHT, from_theta, grid, objective
from made_laws import RANGES, made_problem, many_starts
from public_sweeps import chinchilla_240, find_folder
from scipy import optimize

from scaleplan.fitting.problem import Problem
from scaleplan.fitting.solver import AnyProblem, refit, solve
from scaleplan.laws import get_law

DELTA, RUNS, REFITS = 1e-3, 240, 4000
BOUNDS_MAIN, BOUNDS_OTHER = (2000, 100), (500, 25)
WIDTH = 0.01  # of the interval, by which percentiles may differ


@dataclass(frozen=True)
class Peer:
    """A fit by scipy: its objective, ends, seconds for all, and how many it calls successful."""

    values: np.ndarray
    ends: np.ndarray
    seconds: float
    successes: int


def five_parameters() -> tuple[str, Problem]:
    law, folder = get_law("chinchilla"), find_folder()
    if folder is not None:
        return "public Chinchilla sweep", Problem.of(law, *chinchilla_240(folder))
    rng = np.random.default_rng(0)
    params, tokens = 10 ** rng.uniform(7.7, 10.2, RUNS), 10 ** rng.uniform(8.9, 11.5, RUNS)
    loss = 1.8172 + 482.01 / params**0.3478 + 2085.43 / tokens**0.3658
    loss *= np.exp(0.007 * rng.standard_t(3, RUNS))
    return "made runs", Problem.of(law, np.stack([params, tokens]), loss)


def timed(work: Callable, rounds: int) -> tuple:
    """Return the median processor seconds of some rounds, and the last result."""
    work()  # the first call pays for page faults
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        result = work()
        seconds.append(time.process_time() - began)
    return float(np.median(seconds)), result


def by_scipy(
    functions: list[Callable], starts: np.ndarray, every: int, method: str,
    options: dict[str, float], bounds: list[tuple[float, float]] | None = None,
) -> Peer:  # fmt: skip
    """Minimise each function from its start; seconds are extrapolated to `every` fits."""
    began = time.process_time()
    with np.errstate(all="ignore"):
        found = [
            optimize.minimize(f, s, jac=True, method=method, options=options, bounds=bounds)
            for f, s in zip(functions, starts, strict=True)
        ]
    seconds = (time.process_time() - began) * every / len(found)
    return Peer(
        np.array([f.fun for f in found]), np.array([f.x for f in found]), seconds,
        sum(bool(f.success) for f in found),
    )  # fmt: skip


def bootstrap_weights(runs: int) -> np.ndarray:
    draws = np.random.default_rng(1).integers(0, runs, (REFITS, runs))
    return np.stack([np.bincount(d, minlength=runs) for d in draws]).astype(float)


def spread(count: int, every: int) -> np.ndarray:
    return np.linspace(0, every - 1, min(count, every)).astype(int)


def line(what: str, ours: float, theirs: float, bound: int, rest: str, *, met: bool = True) -> bool:
    ratio = theirs / ours
    good = ratio >= bound and met
    print(
        f"{what:34} ours {1000 * ours:9.1f} ms  scipy {theirs:8.1f} s  ratio {ratio:8.0f} "
        f"(at least {bound}){'' if good else '  MISSED'}  {rest}", flush=True,
    )  # fmt: skip
    return good


def percentiles_differ(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference of 5% and 95% points, as a share of the interval's width."""
    one, other = (np.percentile(v, [5, 95], axis=0) for v in (ours, theirs))
    return float((np.abs(one - other) / np.maximum(other[1] - other[0], 1e-12)).max())


def compare_main(options: argparse.Namespace) -> bool:
    name, problem = five_parameters()
    print(
        f"five-parameter law, {problem.y.size} runs ({name}), delta {DELTA:g}; scipy runs "
        f"{options.starts} of 4500 starts, {options.resamples} of {REFITS} resamples"
    )
    starts = grid()[spread(options.starts, 4500)]
    ours, best = timed(lambda: solve(problem, delta=DELTA), 15)
    full = objective(problem, DELTA)
    peer = by_scipy([full] * len(starts), starts, 4500, "L-BFGS-B", TIGHT)
    equal = best.objective <= peer.values.min() * (1 + 1e-9)
    reached = f"objective {best.objective:.13g}, scipy {peer.values.min():.13g}"
    good = line("one fit", ours, peer.seconds, BOUNDS_MAIN[0], reached, met=equal)
    weights = bootstrap_weights(problem.y.size)
    ours, ends = timed(lambda: refit(problem, best, weights), 3)
    rows = spread(options.resamples, REFITS)
    warm = np.tile(from_theta(problem.to_theta(best.phi)), (rows.size, 1))
    functions = [objective(problem, DELTA, weights[row]) for row in rows]
    peer = by_scipy(functions, warm, REFITS, "BFGS", {"gtol": 1e-10, "maxiter": 5000})
    mine = np.array([from_theta(theta) for theta in problem.to_theta(ends.phi[rows])])
    mine[:, 2], theirs = np.exp(mine[:, 2]), peer.ends.copy()
    theirs[:, 2] = np.exp(theirs[:, 2])
    apart = percentiles_differ(mine, theirs)
    told = f"percentiles differ by {apart:.1e} of the width, sd(alpha) {mine[:, 3].std():.5f}"
    good &= line("4,000 refits", ours, peer.seconds, BOUNDS_MAIN[1], told, met=apart <= WIDTH)
    trap = by_scipy(functions, warm, REFITS, "L-BFGS-B", {})
    print(
        f"the trap: warm L-BFGS-B with default tolerances, {trap.seconds:.1f} s, reports success "
        f"on {trap.successes} of {rows.size}, sd(alpha) {trap.ends[:, 3].std():.5f} where "
        f"{mine[:, 3].std():.5f} is right"
    )
    return good


def own_objective(problem: AnyProblem, weights: np.ndarray | None) -> Callable:
    """Return the objective in our coordinates, from the law's own derivatives, for scipy."""
    each = np.ones(problem.y.size) if weights is None else weights

    def function(phi: np.ndarray) -> tuple[float, np.ndarray]:
        if isinstance(problem, Problem):
            r, j = problem.residuals(phi), problem.jacobian(phi).T
        else:
            predicted, derivatives = problem.model(phi[None])
            r, j = predicted[0] - problem.y, derivatives[0]
        psi = np.clip(r, -DELTA, DELTA)
        value, slope = float((each * psi) @ (r - 0.5 * psi)), j @ (each * psi)
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            return 1e6, np.zeros(phi.size)
        # Times 1,000: scipy's absolute tolerance on the gradient would stop too early.
        return 1e3 * value, 1e3 * slope

    return function


def compare_other(name: str, options: argparse.Namespace) -> bool:
    rng = np.random.default_rng(2)
    problem = made_problem(name, rng, runs=RUNS, noise=0.01)
    if isinstance(problem, Problem):
        bounds = [(None, None)] * (problem.size - 1) + [(0.0, None)]
    else:
        bounds = list(zip(problem.low, problem.high, strict=True))
    ours, best = timed(lambda: solve(problem, delta=DELTA), 3)
    starts = many_starts(problem, rng, 4500)[spread(options.starts, 4500)]
    functions = [own_objective(problem, None)] * len(starts)
    peer = by_scipy(functions, starts, 4500, "L-BFGS-B", TIGHT, bounds)
    theirs = peer.values.min() / 1e3
    equal = best.objective <= theirs * (1 + 1e-9)
    reached = f"objective {best.objective:.10g}, scipy {theirs:.10g}"
    good = line(name, ours, peer.seconds, BOUNDS_OTHER[0], reached, met=equal)
    weights = bootstrap_weights(RUNS)
    ours, ends = timed(lambda: refit(problem, best, weights), 1)
    rows = spread(options.resamples, REFITS)
    functions = [own_objective(problem, weights[row]) for row in rows]
    warm = np.tile(best.phi, (rows.size, 1))
    peer = by_scipy(functions, warm, REFITS, "BFGS", {"gtol": 1e-7, "maxiter": 5000})
    # BFGS knows no bounds: its ends outside them are no standard.
    held = np.array([[-np.inf if b is None else b for b in pair] for pair in bounds])
    held[:, 1] = [np.inf if pair[1] is None else pair[1] for pair in bounds]
    fair = ((peer.ends >= held[:, 0]) & (peer.ends <= held[:, 1])).all(axis=1)
    higher = fair & (ends.objective[rows] > peer.values / 1e3 * (1 + 1e-6))
    told = f"refits above scipy's {higher.sum()} of {fair.sum()}"
    return line(f"{name}, refits", ours, peer.seconds, BOUNDS_OTHER[1], told) and good


def main(options: argparse.Namespace) -> int:
    if options.full:
        options.starts, options.resamples = 4500, REFITS
    good = options.law is not None or compare_main(options)
    if options.law is None:
        print(f"other laws, {RUNS} runs made from each, noise 1%, delta {DELTA:g}")
    for name in [options.law] if options.law else RANGES:
        good &= compare_other(name, options)
    return 0 if good else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=90, help="starts that scipy runs")
    parser.add_argument("--resamples", type=int, default=100, help="resamples that scipy runs")
    parser.add_argument("--full", action="store_true", help="scipy runs every start and resample")
    parser.add_argument("--law", choices=sorted(RANGES), help="this law only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments()))
