"""Train the grid of learning rates whose log is sample_runs/recommender/grid.jsonl.

Data and model are those of train.py. Each model is trained for EPOCHS passes, with no choice of an
epoch and no decay of the learning rate, and scored on the validation set.

    pip install '.[samples]'
    python sample_runs/recommender/tune.py

One line per run; runs that are in the log already are skipped; the seed is that of train.py.
"""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import numpy as np
import torch
from train import BATCH, SEED, Rater, load, parts, passes, score

LOG = Path(__file__).parent / "grid.jsonl"
WIDTHS = (2, 4, 8, 16, 32, 64)
KEPT = 3000
INTERACTIONS = (20_000, 80_000)
LEARNING_RATES = tuple(round(0.0005 * 2.0**k, 4) for k in range(9))
EPOCHS = 2


def train(width: int, count: int, learning_rate: float, data: tuple) -> dict[str, object]:
    """Train one model and return its log line."""
    users, films, labels = data
    began = time.perf_counter()
    torch.manual_seed(SEED)
    _, validation, chosen = parts(count, labels)
    inputs = (
        torch.tensor(users), torch.tensor(np.minimum(films, KEPT)), torch.tensor(labels),
    )  # fmt: skip
    model = Rater(int(users.max()) + 1, KEPT + 1, width)
    for _ in passes(model, inputs, chosen, learning_rate=learning_rate, epochs=EPOCHS):
        pass
    value = score(model, inputs, validation)
    return {
        "run": f"d{width}-n{count}-lr{learning_rate:g}", "params": sum(model.counts()),
        "interactions": count * EPOCHS, "learning_rate": learning_rate, "batch_size": BATCH,
        "val_loss": round(value, 5), "seed": SEED,
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def main() -> None:
    """Train every cell that the log does not hold yet."""
    torch.set_num_threads(1)
    done = set()
    if LOG.exists():
        done = {json.loads(line)["run"] for line in LOG.read_text(encoding="utf-8").splitlines()}
    data = load()
    for width, count, rate in itertools.product(WIDTHS, INTERACTIONS, LEARNING_RATES):
        if f"d{width}-n{count}-lr{rate:g}" in done:
            continue
        row = train(width, count, rate, data)
        print(row, flush=True)
        with LOG.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
