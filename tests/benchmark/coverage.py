"""Do 90% intervals hold on larger runs that the fit has not seen?

For every public sweep and several cuts of scale: fit below the cut with everything that `fit` does
(its own back-test included), forecast every run above it, and count how often the interval holds
what the run really reached. Prints coverage, median half-width and median error for each set.

    python tests/benchmark/coverage.py [FOLDER]

FOLDER holds the public sweeps (default ../shared/data); without it nothing is printed but that.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scaleplan.fitting.backtest import widening_of
from scaleplan.fitting.forms import ADDITIVE, COUPLED, choose_form
from scaleplan.fitting.interval import predict
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.fitting.selection import Tried, try_law
from scaleplan.laws import get_law

CUTS = (0.4, 0.5, 0.6, 0.7, 0.8)
LEVEL = 0.9


@dataclass(frozen=True)
class Sweep:
    name: str
    law: str
    inputs: np.ndarray
    values: np.ndarray


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def sweep(name: str, law: str, rows: list[dict[str, str]], columns: tuple[str, ...]) -> Sweep:
    kept = [r for r in rows if all(r[c] for c in columns) and float(r[columns[-1]]) > 0]
    data = np.array([[float(r[c]) for c in columns] for r in kept]).T
    return Sweep(name, law, data[:-1], data[-1])


def sweeps(folder: Path) -> Iterator[Sweep]:
    rows = read(folder / "chinchilla_runs.csv")
    two = ("params", "tokens", "loss")
    yield sweep("chinchilla 245", "chinchilla", rows, two)
    kept = [r for r in rows if r["excluded_by_refit"] == "0"]
    yield sweep("chinchilla 240", "chinchilla", kept, two)
    yield sweep("llama3 isoflop", "chinchilla", read(folder / "llama3_isoflop.csv"), two)
    rows = read(folder / "overtraining_runs.csv")
    for train_set in ("C4", "RedPajama", "RefinedWeb"):
        mine = [r for r in rows if r["train_set"] == train_set]
        for loss in ("loss_c4_val", "loss_openlm", "loss_paloma_ptb"):
            columns = ("params", "tokens", loss)
            yield sweep(f"gadre {train_set} {loss[5:]}", "chinchilla", mine, columns)
    rows = [r for r in read(folder / "data_constrained_c4.csv") if float(r["epochs"]) <= 1.0]
    rows = [r for r in rows if not r["seed"] and r["deduplicated"] == "0"]
    yield sweep("muennighoff one epoch", "chinchilla", rows, two)
    best: dict[tuple[str, str], dict[str, str]] = {}
    for r in read(folder / "lr_batch_grid.csv"):
        key = (r["params_no_embed"], r["tokens"])
        if r["suspect_tokens"] == "0" and (
            key not in best or float(r["smoothed_loss"]) < float(best[key]["smoothed_loss"])
        ):
            best[key] = r
    columns = ("params_no_embed", "tokens", "smoothed_loss")
    yield sweep("step law, best of group", "chinchilla", list(best.values()), columns)
    rows = read(folder / "finetune_data_scaling.csv")
    for task in ("flan", "gigaword", "wikiword"):
        for model in sorted({r["model"] for r in rows}):
            mine = [r for r in rows if r["task"] == task and r["model"] == model]
            mine = [r for r in mine if float(r["examples"]) > 0]
            yield sweep(f"finetune {task}", "power_floor", mine, ("examples", "loss"))
    rows = read(folder / "routed_experts_final.csv")
    for router in ("Dense", "S-Base", "RL-R", "Hash"):
        mine = [r for r in rows if r["router"] == router and r["experts"] in {"1", "64"}]
        columns = ("dense_params", "loss_validation")
        yield sweep(f"routed {router}", "power_floor", mine, columns)
    rows = read(folder / "clip_zeroshot.csv")
    for task in ("imagenet1k", "mscoco_captions"):
        mine = [r for r in rows if r["task"] == task and r["train_set"] != "CLIP-WIT"]
        yield sweep(f"clip {task}", "power_floor", mine, ("gmacs_total", "error"))
    yield sweep(
        "addition", "power_floor", read(folder / "addition_broken_power_law.csv"),
        ("examples", "loss"),
    )  # fmt: skip


def forecasts(data: Sweep) -> Iterator[tuple[float, float, bool]]:
    """Yield (log error, relative half-width, covered) of each run above each cut."""
    scale = np.log10(data.inputs).sum(axis=0)
    for cut in np.quantile(scale, CUTS, method="lower"):
        below, above = scale <= cut, scale > cut
        used = tried(data, below, 10 ** scale[below])
        if not used or used[0].fitted is None or used[0].test is None:
            continue
        widening = widening_of(used[0].test)
        fits = [t.fitted.record() for t in used if t.fitted is not None]
        for i in np.flatnonzero(above):
            at = [float(v) for v in data.inputs[:, i]]
            decades = max(0.0, float(scale[i] - scale[below].max()))
            found = predict(fits, [at] * len(fits), widening=widening, decades=decades, level=LEVEL)
            if found.low is None or found.high is None:
                continue
            truth = float(data.values[i])
            half = 0.5 * (found.high - found.low) / found.value
            yield abs(np.log(found.value / truth)), half, found.low <= truth <= found.high


def tried(data: Sweep, rows: np.ndarray, scale: np.ndarray) -> list[Tried]:
    """Return the laws that `fit` would forecast these rows' larger runs with, main one first."""

    def one(name: str) -> Tried:
        law = get_law(name)
        return try_law(
            law, tuple(law.inputs), data.inputs[:, rows], data.values[rows], scale=scale,
            recipe=DEFAULT, falling=True,
        )  # fmt: skip

    main = one(data.law)
    if main.fitted is None or data.law != ADDITIVE:
        return [main]
    forms = choose_form(main, one(COUPLED))
    return [forms.main] if forms.other is None else [forms.main, forms.other]


def main(folder: Path) -> None:
    if not (folder / "chinchilla_runs.csv").exists():
        print(f"no public sweeps in {folder}: nothing to measure")
        return
    print(f"{'set':32} {'forecasts':>9} {'coverage':>8} {'half-width':>10} {'error':>7}")
    by_name: dict[str, list[tuple[float, float, bool]]] = {}
    for data in sweeps(folder):
        by_name.setdefault(data.name, []).extend(forecasts(data))
    everything: list[tuple[float, float, bool]] = []
    for name, found in by_name.items():
        if found:
            line(name, found)
            everything += found
    line("all forecasts together", everything)
    shares = [np.mean([c for _, _, c in found]) for found in by_name.values() if found]
    print(f"mean coverage over sets: {np.mean(shares):.3f}")


def line(name: str, found: list[tuple[float, float, bool]]) -> None:
    errors, widths, covered = zip(*found, strict=True)
    print(
        f"{name:32} {len(found):9} {np.mean(covered):8.3f} "
        f"{100 * np.median(widths):9.2f}% {100 * np.median(errors):6.2f}%"
    )


if __name__ == "__main__":
    default = Path(__file__).parents[3] / "shared" / "data"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
