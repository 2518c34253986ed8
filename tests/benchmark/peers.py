"""Other tools that fit the five-parameter law, beside ours, on the same 240 runs.

Measures: processor seconds (of all processes a tool starts) of one fit, and what everyone's
parameters come to: the objective of Hoffmann et al. 2022 (sum of Huber losses of log residuals,
delta 1e-3) relative to the best known, and the tokens per parameter that they advise at 1e24 FLOP.
A tool that minimises something else is not wrong for a higher objective; its advice still differs.

Against: scipy from the constants of Hoffmann et al. and from 90 of their 4,500 starts, lmfit, and
the package `chinchilla` with 32 starts. One that is not installed is left out, with the command
that installs it. Other tools are not on the package index, or not for every version of Python that
this one runs on (simple-scaling-laws asks for 3.12).

    python tests/benchmark/peers.py

The runs are the public Chinchilla sweep where ../shared/data lies beside the project, else made.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import importlib
import importlib.util
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fit_speed import DELTA, five_parameters
from hoffmann_grid import TIGHT, from_theta, grid, objective
from scipy import optimize

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.problem import Problem
from scaleplan.fitting.recipe import Recipe
from scaleplan.laws.base import compute_optimal

# (E, A, alpha, B, beta) as printed by Hoffmann et al. 2022
PRINTED = np.array([1.69, 406.4, 0.34, 410.7, 0.28])
_SUBSET = 90
Fit = Callable[[Problem], np.ndarray]  # to (E, A, alpha, B, beta)


def ours(problem: Problem) -> np.ndarray:
    recipe = Recipe(delta=DELTA)
    return fit_law(problem.law, problem.inputs, problem.values, recipe=recipe).theta


def ours_chosen(problem: Problem) -> np.ndarray:
    return fit_law(problem.law, problem.inputs, problem.values).theta


def to_theta(v: np.ndarray) -> np.ndarray:
    """Return (E, A, alpha, B, beta) of (a, b, e, alpha, beta)."""
    return np.array([np.exp(v[2]), np.exp(v[0]), v[3], np.exp(v[1]), v[4]])


def scipy_default(problem: Problem) -> np.ndarray:
    start = from_theta(PRINTED)
    function = objective(problem, DELTA)
    return to_theta(optimize.minimize(function, start, jac=True, method="L-BFGS-B").x)


def scipy_grid(problem: Problem) -> np.ndarray:
    function = objective(problem, DELTA)
    starts = grid()[np.linspace(0, 4499, _SUBSET).astype(int)]
    ends = [
        optimize.minimize(function, s, jac=True, method="L-BFGS-B", options=TIGHT) for s in starts
    ]
    return to_theta(min(ends, key=lambda end: end.fun).x)


def scipy_curve_fit(problem: Problem) -> np.ndarray:
    def law(x: np.ndarray, e: float, a: float, alpha: float, b: float, beta: float) -> np.ndarray:
        return np.asarray(e + a * x[0] ** -alpha + b * x[1] ** -beta)

    with np.errstate(all="ignore"):
        found = optimize.curve_fit(law, problem.inputs, problem.values, p0=PRINTED, maxfev=20000)
    return np.asarray(found[0])


def lmfit_huber(problem: Problem) -> np.ndarray:
    import lmfit

    n, d = problem.inputs

    def residual(p: lmfit.Parameters) -> np.ndarray:
        v = p.valuesdict()
        fitted = v["E"] + np.exp(v["a"]) * n ** -v["alpha"] + np.exp(v["b"]) * d ** -v["beta"]
        return np.asarray(np.log(fitted / problem.values))

    parameters = lmfit.Parameters()
    a, b, _, alpha, beta = from_theta(PRINTED)
    for name, value in (("E", PRINTED[0]), ("a", a), ("alpha", alpha), ("b", b), ("beta", beta)):
        parameters.add(name, value=float(value), min=0.0)
    found = lmfit.minimize(
        residual, parameters, method="least_squares", loss="huber", f_scale=DELTA
    ).params.valuesdict()
    return np.array([found["E"], np.exp(found["a"]), found["alpha"], np.exp(found["b"]),
                     found["beta"]])  # fmt: skip


def chinchilla_package(loss: str) -> Fit:
    def fit(problem: Problem) -> np.ndarray:
        import functools

        import chinchilla
        from chinchilla import _metrics

        chosen = getattr(_metrics, loss)
        if loss == "log_huber":
            chosen = functools.partial(chosen, delta=DELTA)
        with tempfile.TemporaryDirectory() as folder:
            n, d = problem.inputs
            rows = [
                f"{6 * x * y!r},{x!r},{y!r},{v!r}"
                for x, y, v in zip(n.tolist(), d.tolist(), problem.values.tolist(), strict=True)
            ]
            (Path(folder) / "df.csv").write_text("C,N,D,loss\n" + "\n".join(rows) + "\n")
            # It reads the grid by position: the keys must come in this order.
            starts = {"e": [0.0, 1.0], "a": [3.0, 8.0], "b": [3.0, 8.0], "alpha": [0.2, 0.6],
                      "beta": [0.2, 0.6]}  # fmt: skip
            model = chinchilla.Chinchilla(folder, starts, loss_fn=chosen, log_level=50)
            model.fit()
            found = model.E, model.A, model.alpha, model.B, model.beta
        return np.array([float(v) for v in found])

    return fit


PEERS: dict[str, tuple[str | None, Fit]] = {
    "scaleplan, delta 1e-3": (None, ours),
    "scaleplan, delta from the data": (None, ours_chosen),
    "scipy L-BFGS-B, defaults, 1 start": (None, scipy_default),
    f"scipy L-BFGS-B, tight, {_SUBSET} starts": (None, scipy_grid),
    "scipy curve_fit (raw least squares)": (None, scipy_curve_fit),
    "lmfit least_squares, Huber": ("lmfit", lmfit_huber),
    "chinchilla, log_huber, 32 starts": ("chinchilla", chinchilla_package("log_huber")),
    "chinchilla, its default, 32 starts": ("chinchilla", chinchilla_package("asymmetric_mae")),
}


def processor_seconds() -> float:
    """Return the processor time of this process and of those it has started and seen end."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    name, problem = five_parameters()
    function = objective(problem, DELTA)
    best = function(from_theta(ours(problem)))[0]
    print(f"{problem.y.size} runs ({name}); objective relative to the best known, {best:.10g}")
    print(f"{'fit':36} {'cpu s':>8} {'above':>9} {'E':>7} {'A':>8} {'alpha':>7} {'B':>9} "
          f"{'beta':>7} {'tokens/param':>12}")  # fmt: skip
    for label, (package, fit) in PEERS.items():
        if package is not None and importlib.util.find_spec(package) is None:
            print(f"{label:36} not installed: pip install {package}")
            continue
        if package is not None:
            importlib.import_module(package)  # its import is not part of the fit
        began = processor_seconds()
        theta = fit(problem)
        seconds = processor_seconds() - began
        e, a, alpha, b, beta = (float(v) for v in theta)
        above = function(from_theta(theta))[0] / best - 1.0
        size, tokens = compute_optimal((a, alpha, b, beta), 1e24, 6.0)
        print(f"{label:36} {seconds:8.3f} {above:9.1e} {e:7.4f} {a:8.2f} {alpha:7.4f} {b:9.2f} "
              f"{beta:7.4f} {tokens / size:12.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
