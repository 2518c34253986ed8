"""The sweeps that the coverage benchmark forecasts: public, this project's own, and made ones.

Every sweep belongs to one of two halves, fixed before any recipe was scored on them:

choosing  the recipe may be changed after looking at these: both Chinchilla tables, the
          over-training sweeps on C4 and RefinedWeb, every second fine-tuning curve, every second
          CLIP task, and everything that is made from a known truth.
scoring   looked at once, when the recipe stands: the over-training sweep on RedPajama and all its
          task errors, data-constrained C4, Llama 3, routed experts, dense learning curves, the
          learning-rate grid, the other fine-tuning curves and CLIP tasks, the broken power law of
          addition, the base models' benchmarks, and this project's own sample runs.

The halves hold both kinds of law (of two inputs and of one), dense and sparse sweeps, and no curve
or task is in both. Curves and tasks alternate in alphabetical order, which knows nothing of their
shape.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TWO, ONE, REPEATED = ("params", "tokens"), ("x",), ("params", "tokens", "unique_tokens")
CHOOSING, SCORING = "choosing", "scoring"
SAMPLES = Path(__file__).parents[2] / "sample_runs"
Row = dict[str, str]


@dataclass(frozen=True)
class Sweep:
    """Runs to forecast, shape (inputs, n) and (n,).

    `held` marks runs that are never fitted, only forecast; `cuts` are the quantiles of scale among
    the others below which fits are made, 1 for all of them.
    """

    name: str
    half: str
    roles: tuple[str, ...]
    inputs: np.ndarray
    values: np.ndarray
    held: np.ndarray
    cuts: tuple[float, ...] = (0.4, 0.5, 0.6, 0.7, 0.8)
    kind: str = "loss"  # or `error`: it can be no more than 1

    @property
    def scale(self) -> np.ndarray:
        """Return what orders the runs: compute, or the single input."""
        return self.inputs[0] * self.inputs[1] if len(self.inputs) > 1 else self.inputs[0]


def read(path: Path) -> list[Row]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def sweep(
    name: str, half: str, roles: tuple[str, ...], rows: Iterable[Row], columns: tuple[str, ...],
    held: Iterable[Row] = (),
) -> Sweep:  # fmt: skip
    """Return a sweep from rows; the last column is the metric, `-column` for 1 - accuracy."""
    parts = []
    for some in (rows, held):
        found = []
        for row in some:
            cells = [row[c.lstrip("-")] for c in columns]
            if all(cell not in {"", None} for cell in cells):
                found.append([float(cell) for cell in cells])
        parts.append(np.array(found).reshape(-1, len(columns)).T)
    data = np.concatenate(parts, axis=1)
    only = np.arange(data.shape[1]) >= parts[0].shape[1]
    if columns[-1].startswith("-"):
        data[-1] = 1.0 - data[-1]
    kept = (data > 0.0).all(axis=0)
    kind = "error" if columns[-1].startswith(("-", "error")) else "loss"
    return Sweep(name, half, roles, data[:-1, kept], data[-1, kept], only[kept], kind=kind)


def best_of(rows: Iterable[Row], group: tuple[str, ...], metric: str) -> list[Row]:
    """Return the row with the lowest metric of each group."""
    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row[g] for g in group)
        if row[metric] and (key not in best or float(row[metric]) < float(best[key][metric])):
            best[key] = row
    return list(best.values())


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], list[Row]]:
    """Return the rows by the values of some columns, in alphabetical order."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[c] for c in columns), []).append(row)
    return dict(sorted(found.items()))


def half_of(position: int) -> str:
    return CHOOSING if position % 2 == 0 else SCORING


def public_sweeps(folder: Path) -> Iterator[Sweep]:
    """Yield every public sweep that can carry a forecast over scale."""
    yield from _language(folder)
    yield from _overtraining(folder)
    yield from _routed(folder)
    yield from _one_input(folder)


def _language(folder: Path) -> Iterator[Sweep]:
    rows, loss = read(folder / "chinchilla_runs.csv"), (*TWO, "loss")
    yield sweep("chinchilla, 245 runs", CHOOSING, TWO, rows, loss)
    kept = [r for r in rows if r["excluded_by_refit"] == "0"]
    yield sweep("chinchilla, 240 runs", CHOOSING, TWO, kept, loss)
    yield sweep("llama 3 isoflop", SCORING, TWO, read(folder / "llama3_isoflop.csv"), loss)
    rows = [r for r in read(folder / "data_constrained_c4.csv") if not r["seed"]]
    rows = [r for r in rows if r["deduplicated"] == "0"]
    once = [r for r in rows if float(r["epochs"]) <= 1.0]
    few = [r for r in rows if float(r["epochs"]) <= 4.0]
    yield sweep("C4, one epoch", SCORING, TWO, once, loss)
    yield sweep("C4, up to 4 epochs", SCORING, TWO, few, loss)
    rows = [r for r in rows if r["in_published_fit"] == "1"]
    yield sweep("C4, repeated", SCORING, REPEATED, rows, (*REPEATED, "loss"))
    rows = [r for r in read(folder / "lr_batch_grid.csv") if r["suspect_tokens"] == "0"]
    rows = best_of(rows, ("params_no_embed", "tokens"), "smoothed_loss")
    columns = ("params_no_embed", "tokens", "smoothed_loss")
    yield sweep("lr grid, best of group", SCORING, TWO, rows, columns)


def _overtraining(folder: Path) -> Iterator[Sweep]:
    rows = read(folder / "overtraining_runs.csv")
    losses = [c for c in rows[0] if c.startswith("loss_") and not c.endswith("95")]
    for (train_set,), mine in grouped(rows, "train_set").items():
        half = SCORING if train_set == "RedPajama" else CHOOSING
        for loss in losses:
            yield sweep(f"over-training, {train_set}", half, TWO, mine, (*TWO, loss))
        for error in ("error_46_tasks", "error_17_tasks"):
            name = f"over-training errors, {train_set}"
            yield sweep(name, SCORING, TWO, mine, (*TWO, error))


def _routed(folder: Path) -> Iterator[Sweep]:
    rows = read(folder / "routed_experts_final.csv")
    rows = [r for r in rows if r["k"] == "1" and r["routing_frequency"] == "0.5"]
    columns = ("dense_params", "loss_validation")
    for (router, _), mine in grouped(rows, "router", "experts").items():
        yield sweep(f"routed experts, {router}", SCORING, ONE, mine, columns)
    for mine in grouped(read(folder / "dense_learning_curves.csv"), "run").values():
        yield sweep("dense learning curves", SCORING, ONE, mine, ("step", "loss"))


def _one_input(folder: Path) -> Iterator[Sweep]:
    rows = read(folder / "finetune_data_scaling.csv")
    for i, ((task, _), mine) in enumerate(grouped(rows, "task", "model").items()):
        yield sweep(f"fine-tuning, {task}", half_of(i), ONE, mine, ("examples", "loss"))
    rows = [r for r in read(folder / "clip_zeroshot.csv") if r["train_set"] != "CLIP-WIT"]
    for i, mine in enumerate(grouped(rows, "task").values()):
        for (train_set,), some in grouped(mine, "train_set").items():
            columns = ("gmacs_total", "error")
            yield sweep(f"CLIP, {train_set}", half_of(i), ONE, some, columns)
        yield sweep("CLIP, all of LAION", half_of(i), ONE, mine, ("gmacs_total", "error"))
    rows = read(folder / "addition_broken_power_law.csv")
    yield sweep("addition", SCORING, ONE, rows, ("examples", "loss"))
    rows = [r for r in read(folder / "base_llm_benchmarks.csv") if r["flops"]]
    tasks = [c for c in rows[0] if c not in {"model", "family", "params", "tokens", "flops"}]
    for (family,), mine in grouped(rows, "family").items():
        for task in tasks if len(mine) >= 8 else ():
            name = f"benchmarks, {family}"
            yield sweep(name, SCORING, ONE, mine, ("flops", f"-{task}"))


def own_sweeps() -> Iterator[Sweep]:
    """Yield the sweeps that this project trained."""
    rows = read(SAMPLES / "language" / "runs.csv")
    larger = read(SAMPLES / "language" / "larger.csv")
    data = sweep("sample: language", SCORING, TWO, rows, (*TWO, "val_loss"), larger)
    yield Sweep(**{**vars(data), "cuts": (*data.cuts, 1.0)})
    rows = read(SAMPLES / "images" / "epochs.csv")
    last = best_of(rows, ("run",), "val_loss")
    yield sweep("sample: images", SCORING, TWO, last, ("params", "images", "val_loss"))
    yield sweep("sample: images", SCORING, TWO, last, ("params", "images", "-val_accuracy"))
    rows = read(SAMPLES / "recommender" / "runs.jsonl")
    columns = ("embedding_params", "interactions", "test_loss")
    yield sweep("sample: recommender", SCORING, TWO, rows, columns)


def _additive(n: np.ndarray, d: np.ndarray) -> np.ndarray:
    return 1.8172 + 482.01 / n**0.3478 + 2085.43 / d**0.3658  # Besiroglu et al. 2024


def _coupled(n: np.ndarray, d: np.ndarray) -> np.ndarray:
    return 1.5 + (9000.0 / n**0.65 + 30000.0 / d**0.65) ** 0.45  # an invented strong coupling


def _farseer(n: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return the law of Li et al. 2025 (Farseer), coefficients as its simulators ship them."""
    first = np.exp(-0.062465473 * n**0.13 + 0.1284880679)
    second = np.exp(230.73437 * n**-0.1729 - 1.544209554)
    return first + second * d ** -np.exp(-1.665630816 * n**0.0459 + 3.133347199)


def _floor(x: np.ndarray) -> np.ndarray:
    return 1.6 + 80.0 * x**-0.25


def _saturating(x: np.ndarray) -> np.ndarray:
    return 0.1 + 0.8 / (1.0 + (x / 3e7) ** 0.45)  # from chance to a floor


TRUTHS: dict[str, Callable[..., np.ndarray]] = {
    "additive": _additive, "coupled": _coupled, "farseer": _farseer,
    "floor": _floor, "saturating": _saturating,
}  # fmt: skip


def made_sweeps(seeds: int = 2) -> Iterator[Sweep]:
    """Yield sweeps of 12 to 80 runs drawn from known truths, with larger runs held back."""
    for number, (name, truth) in enumerate(TRUTHS.items()):
        for runs in (12, 20, 36, 80):
            for noise in (0.003, 0.02):
                for seed in range(seeds):
                    random = np.random.default_rng((number, runs, round(1000 * noise), seed))
                    size = "few" if runs <= 20 else "many"
                    yield _made(f"made: {name}, {size} runs", truth, runs, noise, random)


def _made(
    name: str, truth: Callable[..., np.ndarray], runs: int, noise: float,
    random: np.random.Generator,
) -> Sweep:  # fmt: skip
    steps = np.array([0.5, 1.0, 1.5, 2.0])
    if truth in {_floor, _saturating}:
        inputs = 10.0 ** np.append(np.linspace(6.0, 9.0, runs), 9.0 + steps)[None]
    else:  # three decades of compute, ratios from 5 to 160; larger runs at 20 tokens a parameter
        flops = np.append(10.0 ** random.uniform(18.0, 21.0, runs), 10.0 ** (21.0 + steps))
        ratio = np.append(5.0 * 2.0 ** random.uniform(0.0, 5.0, runs), np.full(4, 20.0))
        params = np.sqrt(flops / (6.0 * ratio))
        inputs = np.stack([params, ratio * params])
    values = truth(*inputs) * np.exp(noise * random.standard_normal(inputs.shape[1]))
    held = np.arange(inputs.shape[1]) >= runs
    roles = ONE if len(inputs) == 1 else TWO
    kind = "error" if truth is _saturating else "loss"
    return Sweep(name, CHOOSING, roles, inputs, values, held, (0.7, 1.0), kind)
