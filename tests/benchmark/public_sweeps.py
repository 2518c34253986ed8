"""The public sweeps of parameters and tokens, where ../shared/data lies beside the project."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def find_folder() -> Path | None:
    """Return the folder of the public sweeps, here or beside another checkout, or None."""
    for parent in Path(__file__).resolve().parents:
        folder = parent / "shared" / "data"
        if (folder / "chinchilla_runs.csv").is_file():
            return folder
    return None


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def columns(rows: list[dict[str, str]], names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (inputs, n) and the last column (n,) of the rows that have them all."""
    kept = [r for r in rows if all(r[c] for c in names) and float(r[names[-1]]) > 0]
    data = np.array([[float(r[c]) for c in names] for r in kept]).T
    return data[:-1], data[-1]


def chinchilla_240(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the 240 runs that Besiroglu et al. 2024 fit."""
    rows = rows_of(folder / "chinchilla_runs.csv")
    kept = [r for r in rows if r["excluded_by_refit"] == "0"]
    return columns(kept, ("params", "tokens", "loss"))


def two_input_sweeps(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield (name, inputs, losses) of every sweep that the five-parameter law is fitted to."""
    names = ("params", "tokens", "loss")
    yield "chinchilla, 240 runs", *chinchilla_240(folder)
    yield "chinchilla, 245 runs", *columns(rows_of(folder / "chinchilla_runs.csv"), names)
    yield "llama 3 iso-FLOP", *columns(rows_of(folder / "llama3_isoflop.csv"), names)
    rows = rows_of(folder / "overtraining_runs.csv")
    for train_set in ("C4", "RedPajama", "RefinedWeb"):
        mine = [r for r in rows if r["train_set"] == train_set]
        for loss in ("loss_c4_val", "loss_openlm", "loss_paloma_ptb"):
            swept = columns(mine, ("params", "tokens", loss))
            yield f"overtraining {train_set} {loss[5:]}", *swept
    rows = rows_of(folder / "data_constrained_c4.csv")
    fresh = [r for r in rows if float(r["epochs"]) <= 1.0 and r["deduplicated"] == "0"]
    yield "data-constrained, one epoch", *columns(fresh, names)
    few = [r for r in rows if float(r["epochs"]) <= 4.0 and r["deduplicated"] == "0"]
    yield "data-constrained, to 4 epochs", *columns(few, names)
    best: dict[tuple[str, str], dict[str, str]] = {}
    for r in rows_of(folder / "lr_batch_grid.csv"):
        key = (r["params_no_embed"], r["tokens"])
        known = best.get(key)
        if r["suspect_tokens"] == "0" and (
            known is None or float(r["smoothed_loss"]) < float(known["smoothed_loss"])
        ):
            best[key] = r
    chosen = ("params_no_embed", "tokens", "smoothed_loss")
    yield "learning-rate grid, best of group", *columns(list(best.values()), chosen)
