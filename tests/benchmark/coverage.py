"""Do 90% intervals hold on larger runs that the fit has not seen, no wider than needed?

For every sweep and several cuts of scale: fit the runs below the cut as `fit` does (its own
back-test included), forecast every run above it, and compare with what that run reached.

    python tests/benchmark/coverage.py [FOLDER] [--quick] [--half choosing|scoring] [--only TEXT]

FOLDER holds the public sweeps (default ../shared/data); without it the sweeps that need none are
measured: made ones and this project's own. `--quick` takes two cuts and every fourth sweep of a
set; `--only` the sets whose name holds a text; `--as-loss` fits errors as if they had no bound.

Columns, for each set: sweeps; cuts that were fitted; cuts that `fit` refused; forecasts; coverage;
median half-width; median error; and the interval score (Gneiting & Raftery 2007, equation 43: width
plus 2/0.1 times the miss, on the log scale), over that of the one width which, known beforehand,
would be best for all forecasts of the set. Wider than needed and too narrow both raise it.

`sweeps.py` says which sweeps the recipe was chosen on and which it was only scored on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from sweeps import CHOOSING, ONE, REPEATED, SCORING, Sweep, made_sweeps, own_sweeps, public_sweeps

from scaleplan import __version__
from scaleplan.errors import ScaleplanError
from scaleplan.fitting.choice import choose
from scaleplan.fitting.interval import decades_beyond, edge_of, predict
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.fitting.widening import widening_of
from scaleplan.records import Cleaning, ColumnUse, LawFit, Metric, Range, Widening
from scaleplan.runs.table import Origins, Runs

LEVEL = 0.9
QUICK_CUTS, QUICK_STEP = (0.5, 0.8), 4
# A set counts as one with enough runs where the median fit rests on this many.
ENOUGH_RUNS = 20
_WIDTHS = 200  # half-widths tried for the best constant one


@dataclass
class Forecasts:
    """What was forecast in one set: one entry a run, in log units."""

    half: str
    sweeps: int = 0
    fits: int = 0
    refused: int = 0
    runs: list[int] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    decades: list[float] = field(default_factory=list)


def runs_of(data: Sweep, rows: np.ndarray) -> Runs:
    """Return some rows of a sweep as the runs that `fit` takes."""
    roles = ("input",) if data.roles == ONE else data.roles
    columns = dict(zip(roles, data.inputs[:, rows], strict=True))
    if "tokens" in columns:
        columns["flops"] = 6.0 * columns["params"] * columns["tokens"]
    count = int(rows.sum())
    uses = tuple(ColumnUse(role=role, column=role, how="given") for role in columns)
    return Runs(
        columns={**columns, "value": data.values[rows]}, labels={}, extra={},
        metric=Metric(name=data.kind, kind=data.kind, unit=""), metadata={}, units={}, notes=(),
        cleaning=Cleaning(
            files=(data.name,), rows_read=count, rows_used=count, dropped=(), changed=(),
            columns=uses,
        ),
        fingerprint=data.name, assumptions=(), flops_per_param_token=6.0,
        origins=Origins((data.name,), np.zeros(count, np.int64), np.arange(1, count + 1)),
    )  # fmt: skip


def measure(data: Sweep, cuts: Iterable[float], found: Forecasts) -> None:
    """Fit below each cut, forecast above it, and add what came out."""
    found.sweeps += 1
    scale = np.log10(data.scale)
    tops = [float(np.quantile(scale[~data.held], cut, method="lower")) for cut in cuts]
    for top in dict.fromkeys(tops):
        below = (scale <= top) & ~data.held
        if below.all():
            continue
        try:
            law = "data_constrained" if data.roles == REPEATED else "auto"
            basis = basis_of(runs_of(data, below), law)
        except ScaleplanError:
            found.refused += 1
            continue
        if basis.fits[0].covariance is None or basis.fits[0].dof < 1:
            found.refused += 1
            continue
        found.fits += 1
        for i in np.flatnonzero(~below):
            add(basis, sizes(data, int(i)), float(data.values[i]), found)


@dataclass(frozen=True)
class Basis:
    """What `predict` reads of a fit: laws, their inputs, widening, and the fitted ranges."""

    fits: tuple[LawFit, ...]
    roles: tuple[str, ...]
    widening: Widening
    ranges: tuple[Range, ...]
    runs: int


def basis_of(runs: Runs, law: str) -> Basis:
    """Return what `fit` would forecast with: the same choice, without bootstrap and advice."""
    choice = choose(runs, law, DEFAULT)
    together = choice.together
    rows = choice.axes.rows
    return Basis(
        fits=tuple(t.fitted.record() for t in together), roles=choice.axes.roles,
        widening=widening_of(together, choice.axes.scale),
        ranges=tuple(
            Range(role=role, low=float(column[rows].min()), high=float(column[rows].max()))
            for role, column in runs.columns.items() if role != "value"
        ),
        runs=int(rows.size),
    )  # fmt: skip


def sizes(data: Sweep, i: int) -> dict[str, float]:
    """Return the inputs of one run by role, compute among them where it follows."""
    roles = ("input",) if data.roles == ONE else data.roles
    at = {role: float(data.inputs[k, i]) for k, role in enumerate(roles)}
    if "tokens" in at:
        at["flops"] = 6.0 * at["params"] * at["tokens"]
    return at


def add(basis: Basis, at: dict[str, float], truth: float, found: Forecasts) -> None:
    """Forecast one run and add its error and bounds."""
    decades = decades_beyond(basis.ranges, at)
    inputs = [at[role] for role in basis.roles]
    point = predict(
        basis.fits, [inputs] * len(basis.fits), widening=basis.widening, decades=decades,
        level=LEVEL, edge=edge_of(basis.ranges, basis.roles, at),
    )  # fmt: skip
    if point.low is None or point.high is None:
        return
    found.runs.append(basis.runs)
    found.decades.append(decades)
    # A straight line can leave the positive numbers; a millionth of the truth stands for zero.
    for numbers_, value in (
        (found.error, point.value), (found.low, point.low), (found.high, point.high),
    ):  # fmt: skip
        numbers_.append(float(np.log(max(value / truth, 1e-6))))


def summary(found: Forecasts) -> tuple[float, float, float, float]:
    """Return coverage, median half-width, median error, and score over that of the best width."""
    error, low, high = map(np.array, (found.error, found.low, found.high))
    covered = (low <= 0.0) & (high >= 0.0)
    miss = np.maximum(low, 0.0) + np.maximum(-high, 0.0)
    penalty = 2.0 / (1.0 - LEVEL)
    score = float(np.mean(high - low + penalty * miss))
    size = np.abs(error)
    widths = np.quantile(size, np.linspace(0.0, 1.0, _WIDTHS))
    best = min(float(np.mean(2.0 * w + penalty * np.maximum(size - w, 0.0))) for w in widths)
    return (
        float(covered.mean()), float(np.median(0.5 * (high - low))), float(np.median(size)),
        score / best if best > 0.0 else float("inf"),
    )  # fmt: skip


def collect(
    folder: Path, half: str, quick: bool, only: str = "", *, as_loss: bool = False
) -> dict[str, Forecasts]:
    """Forecast every set of a half (empty for both), with progress on standard error."""
    public = public_sweeps(folder) if (folder / "chinchilla_runs.csv").exists() else iter(())
    every = [*public, *own_sweeps(), *made_sweeps()]
    every = [data for data in every if half in {"", data.half} and only in data.name]
    if as_loss:
        every = [replace(data, kind="loss") for data in every]
    sets: dict[str, Forecasts] = {}
    seen: dict[str, int] = defaultdict(int)
    began = time.monotonic()
    for done, data in enumerate(every):
        name = f"{data.name} *" if data.half == SCORING else data.name
        seen[name] += 1
        if quick and seen[name] % QUICK_STEP != 1:
            continue
        cuts = QUICK_CUTS if quick and len(data.cuts) > 2 else data.cuts
        measure(data, cuts, sets.setdefault(name, Forecasts(data.half)))
        note = f"\r{done + 1}/{len(every)} sweeps, {time.monotonic() - began:.0f} s"
        print(note, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {name: found for name, found in sets.items() if found.error or found.refused}


def table(sets: dict[str, Forecasts]) -> Iterator[str]:
    """Yield the lines of the table: one a set, and the pooled ones of each half."""
    yield (
        f"{'set':36} {'sweeps':>6} {'fits':>5} {'refused':>7} {'forecasts':>9} {'coverage':>8} "
        f"{'half-width':>10} {'error':>7} {'score':>6}"
    )
    for half in (CHOOSING, SCORING):
        mine = {n: f for n, f in sets.items() if f.half == half}
        if not mine:
            continue
        for name, found in mine.items():
            yield line(name, found)
        enough = {n: f for n, f in mine.items() if f.runs and np.median(f.runs) >= ENOUGH_RUNS}
        for what, some in (("", mine), (f", {ENOUGH_RUNS} runs or more", enough)):
            yield from pooled(f"{half}{what}", [f for f in some.values() if f.error])
        yield ""


def line(name: str, found: Forecasts) -> str:
    counts = f"{name:36} {found.sweeps:6} {found.fits:5} {found.refused:7} {len(found.error):9}"
    return f"{counts} {numbers(summary(found))}" if found.error else counts


def numbers(values: Iterable[float]) -> str:
    coverage, half, error, score = values
    return f"{coverage:8.3f} {100 * half:9.2f}% {100 * error:6.2f}% {score:6.2f}"


def pooled(name: str, some: list[Forecasts]) -> Iterator[str]:
    """Yield the row where every forecast weighs the same, and the one where every set does."""
    if not some:
        return
    whole = Forecasts("")
    for found in some:
        whole.sweeps, whole.fits = whole.sweeps + found.sweeps, whole.fits + found.fits
        whole.refused += found.refused
        for key in ("error", "low", "high"):
            getattr(whole, key).extend(getattr(found, key))
    yield line(f"= {name}, by forecast", whole)
    each = np.array([summary(found) for found in some])
    middle = [each[:, 0].mean(), *np.exp(np.log(np.maximum(each[:, 1:], 1e-12)).mean(axis=0))]
    yield f"{f'= {name}, by set':36} {'':30} {numbers(middle)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--half", choices=(CHOOSING, SCORING), default="")
    parser.add_argument("--only", default="", help="sets whose name holds this text")
    parser.add_argument("--as-loss", action="store_true", help="errors without their bound of 1")
    given = parser.parse_args()
    if not (given.folder / "chinchilla_runs.csv").exists():
        print(f"no public sweeps in {given.folder}: only this project's own and made ones")
    print(f"scaleplan {__version__}; * marks sets that no recipe was chosen on")
    found = collect(given.folder, given.half, given.quick, given.only, as_loss=given.as_loss)
    for text in table(found):
        print(text)


if __name__ == "__main__":
    main()
