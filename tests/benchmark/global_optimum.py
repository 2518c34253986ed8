"""Does one fit reach the global optimum, every time?

Measures: the objective that `solve` reaches for the five-parameter law on random surfaces (few
runs, noise-free, outliers, E = 0, exponents near each other and near their bounds, odd units,
iso-FLOP sweeps, grids of sizes) and, where ../shared/data lies beside the project, on the public
sweeps. Half of them with Huber's delta at 1e-3, half with the delta that the fit chooses.

Against: the best end, inside the law's own bounds, of the 4,500-start grid of Hoffmann et al. 2022
(arXiv 2203.15556, appendix D.3). All starts are polished by the package's batched Newton method in
rounds (25 steps all, 60 more the best 500, the best 50 to convergence; --full takes all of them to
convergence), and on --scipy of the surfaces, so that the reference does not rest on our own solver,
all 4,500 starts by scipy's L-BFGS-B with tight tolerances, its best ends by least_squares.

    python tests/benchmark/global_optimum.py [--surfaces 500] [--seed 0] [--scipy 0] [--full]

Surfaces that scipy sees too take about a minute each: they are judged first and each is printed as
it is finished, so that a run that is cut short (Ctrl-C prints the table of what was judged) still
tells something.

A failure is an objective more than 1e-9 (relative) above the reference, and above the rounding of
noise-free data (residuals of 1e-12). Exit code: 1 if there is one.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from hoffmann_grid import TIGHT, grid, in_usual_units, objective, to_phi
from made_surfaces import KINDS, made_surfaces
from public_sweeps import find_folder, two_input_sweeps
from scipy import optimize

from scaleplan.fitting.problem import Problem
from scaleplan.fitting.solver import SMALLEST_DELTA, Solution, solve
from scaleplan.laws import get_law

LAW = get_law("chinchilla")
TOLERANCE = 1e-9
ROUNDING = 1e-12  # residuals this small are those of an exact fit
ROUNDS = ((25, 500), (60, 50), (500, 1))  # (steps, how many go on)
TO_THE_END = ((1000, 1),)
HIGHEST = np.array([LAW.parameters[2].high, LAW.parameters[4].high])


@dataclass(frozen=True)
class Found:
    """What one surface showed."""

    kind: str
    difference: float  # (ours - reference) / reference, beyond rounding
    against_scipy: float | None  # the same against the ends of scipy alone
    seconds: float
    outside: bool  # whether ours lies outside the law's bounds
    failed: bool


def surfaces(count: int, seed: int) -> Iterator[tuple[str, Problem]]:
    folder = find_folder()
    for name, inputs, values in two_input_sweeps(folder) if folder else ():
        yield f"public: {name}", Problem.of(LAW, *in_usual_units(inputs, values))
    for surface in made_surfaces(count, seed):
        if surface.kind == "odd units":  # ours sees them as they are, the grid in its own units
            yield surface.kind, Problem.of(LAW, surface.inputs, surface.values)
        else:
            usual = in_usual_units(surface.inputs, surface.values)
            yield surface.kind, Problem.of(LAW, *usual)


def inside(phi: np.ndarray) -> np.ndarray:
    """Tell which ends, shape (m, 5), lie in the bounds of the law."""
    exponents = phi[:, [1, 3]]
    return np.asarray(((exponents >= 0.0) & (exponents <= HIGHEST)).all(axis=1))


def by_newton(problem: Problem, delta: float, starts: np.ndarray, *, full: bool) -> float:
    """Return the best objective that the package's own solver reaches from all starts."""
    phi, best = starts, np.inf
    for steps, kept in TO_THE_END if full else ROUNDS:
        ends = problem.minimise(phi, delta=delta, max_steps=steps)
        values = np.where(inside(ends.phi), ends.objective, np.inf)
        best = min(best, float(values.min()))
        phi = ends.phi[np.argsort(values, kind="stable")[:kept]]
    return best


def by_scipy(problem: Problem, delta: float) -> float:
    """Return the best objective that scipy alone reaches from all starts."""
    function = objective(problem, delta)
    with np.errstate(all="ignore"):
        ends = [
            optimize.minimize(function, start, jac=True, method="L-BFGS-B", options=TIGHT)
            for start in grid()
        ]
    ends = sorted((e for e in ends if np.isfinite(e.fun)), key=lambda e: e.fun)
    best = np.inf
    for end in ends[:20]:
        a, b, e, alpha, beta = end.x
        if not (0.0 <= alpha <= HIGHEST[0] and 0.0 <= beta <= HIGHEST[1]):
            continue
        start = to_phi(problem, np.array([[a, b, e, alpha, beta]]))[0]
        polished = optimize.least_squares(
            problem.residuals, start, jac=problem.jacobian, loss="huber", f_scale=delta,
            xtol=1e-15, ftol=1e-15, gtol=1e-15,
            bounds=([-np.inf, 0.0, -np.inf, 0.0, 0.0], [np.inf, 3.0, np.inf, 3.0, np.inf]),
        ) if np.isfinite(delta) else None  # fmt: skip
        best = min(best, end.fun, np.inf if polished is None else polished.cost)
    return best


def judge(kind: str, problem: Problem, delta: float | None, *, scipy: bool, full: bool) -> Found:
    began = time.perf_counter()
    ours: Solution = solve(problem, delta=delta)
    seconds = time.perf_counter() - began
    usual = problem
    if kind == "odd units":
        usual = Problem.of(LAW, *in_usual_units(problem.inputs, problem.values))
    starts = to_phi(usual, grid())
    rounding = 0.5 * problem.y.size * ROUNDING**2

    def above(best: float) -> float:
        left = ours.objective - best
        return (left - rounding) / best if left > rounding else min(0.0, left / (best + rounding))

    theirs = by_scipy(usual, ours.delta) if scipy else np.inf
    best = min(by_newton(usual, ours.delta, starts, full=full), theirs)
    outside = not bool(inside(ours.phi[None])[0])
    return Found(
        kind, above(best), above(theirs) if scipy else None, seconds, outside,
        above(best) > TOLERANCE,
    )  # fmt: skip


def main(options: argparse.Namespace) -> int:
    every = list(surfaces(options.surfaces, options.seed))
    by_scipy_too = set(np.linspace(0, len(every) - 1, options.scipy).astype(int).tolist())
    order = sorted(range(len(every)), key=lambda index: (index not in by_scipy_too, index))
    how = "all to convergence" if options.full else "in rounds"
    print(f"reference: 4,500 starts by our Newton method, {how}; also by scipy: {options.scipy}")
    found: list[Found] = []
    try:
        for index in order:
            kind, problem = every[index]
            delta = None if (index // len(KINDS)) % 2 else SMALLEST_DELTA
            scipy = index in by_scipy_too
            found.append(judge(kind, problem, delta, scipy=scipy, full=options.full))
            told(index, problem, found)
            if sys.stderr.isatty():
                note = f"\r{len(found)} of {len(every)} surfaces"
                print(note, end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"cut short after {len(found)} of {len(every)} surfaces")
    if not found:
        return 1
    print(f"{'surface':44} {'count':>5} {'failed':>6} {'worst difference':>16} {'ms a fit':>8}")
    for kind in dict.fromkeys(f.kind for f in found):
        mine = [f for f in found if f.kind == kind]
        line(kind, mine)
    line("all", found)
    print(f"fits that end outside the bounds of the law: {sum(f.outside for f in found)}")
    return 1 if any(f.failed for f in found) else 0


def told(index: int, problem: Problem, found: list[Found]) -> None:
    """Print the last surface if scipy saw it or it failed, with the worst of all so far."""
    last = found[-1]
    if last.against_scipy is not None:
        worst = max(f.against_scipy for f in found if f.against_scipy is not None)
        print(
            f"surface {index}: {last.kind}, {problem.y.size} runs: {last.against_scipy:+.1e} "
            f"against scipy alone, {last.difference:+.1e} against the better of both; worst "
            f"against scipy so far {worst:+.1e}", flush=True,
        )  # fmt: skip
    if last.failed:
        print(f"surface {index} ({last.kind}, {problem.y.size} runs) failed: {last}", flush=True)


def line(kind: str, found: list[Found]) -> None:
    worst = max(f.difference for f in found)
    milliseconds = 1000 * float(np.median([f.seconds for f in found]))
    failed = sum(f.failed for f in found)
    print(f"{kind:44} {len(found):5} {failed:6} {worst:16.1e} {milliseconds:8.1f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--surfaces", type=int, default=500, help="how many random surfaces")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scipy", type=int, default=0, help="on so many of them scipy as well")
    parser.add_argument("--full", action="store_true", help="take all starts to convergence")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments()))
