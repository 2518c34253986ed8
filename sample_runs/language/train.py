"""Train the byte-level transformers whose log is sample_runs/language/runs.csv.

Text: the Python standard library's own sources (every *.py below the standard library folder,
site-packages left out), so any machine with Python has it. Files are assigned to training or
validation by a hash of their relative path, so no file is in both.

    pip install '.[samples]'
    python sample_runs/language/train.py grid      # the runs that are fitted
    python sample_runs/language/train.py larger    # the two larger runs kept out of every fit
    python sample_runs/language/train.py constant  # the smaller runs without decay of the rate

Each finished run is one appended line; runs that are in the log already are skipped. The 28 runs
of the grid took 57 minutes and the two larger ones 54 on one CPU core (the column `seconds`);
their seed is SEED. The seconds of constant.csv were measured on a busy machine.
"""

from __future__ import annotations

import csv
import hashlib
import math
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
SEED = 20261124
CONTEXT = 64  # bytes per sequence
BATCH = 16  # sequences per step
VALIDATION_SEQUENCES = 4096
VOCABULARY = 256
# (layers, width); non-embedding parameters are about 12 * layers * width^2.
SHAPES = ((2, 12), (2, 16), (2, 20), (2, 24), (2, 32), (3, 48), (3, 64))
# 2M to 16M bytes. Below about 1.5M bytes these models have not yet learned to copy from their
# context: the loss drops in a step there, and no smooth law of size and data holds across it.
TOKENS = tuple(2_000_000 * 2**k for k in range(4))
# About four times the compute of the largest fitted run, kept out of every fit.
LARGER = (((4, 112), 16_000_000), ((4, 80), 28_000_000))
LOGS = {"grid": "runs.csv", "larger": "larger.csv", "constant": "constant.csv"}
FIELDS = (
    "run", "layers", "width", "params", "non_embedding_params", "tokens", "flops",
    "train_loss", "val_loss", "learning_rate", "steps", "seed", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One run to train: a shape and a number of training bytes."""

    layers: int
    width: int
    tokens: int

    @property
    def name(self) -> str:
        """Return the run's name in the log."""
        return f"L{self.layers}-d{self.width}-{self.tokens}"


def corpus() -> tuple[np.ndarray, np.ndarray]:
    """Return (training bytes, validation bytes) of the standard library, in a fixed file order."""
    root = Path(sysconfig.get_paths()["stdlib"])
    parts: dict[bool, list[bytes]] = {True: [], False: []}
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        if "site-packages" in relative:
            continue
        held_out = hashlib.sha256(relative.encode()).digest()[0] < 10  # about 4% of files
        parts[held_out].append(path.read_bytes())
    # A fixed shuffle of whole files mixes packages, so that a short run sees the same mixture.
    for name, files in parts.items():
        np.random.default_rng(SEED + name).shuffle(files)
    return tuple(np.frombuffer(b"\n".join(parts[k]), dtype=np.uint8) for k in (False, True))


class Block(nn.Module):
    """A pre-norm transformer block with causal attention and a GELU MLP of ratio 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = max(1, width // 16)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        split = (batch, length, self.heads, width // self.heads)
        q, k, v = (t.view(split).transpose(1, 2) for t in (q, k, v))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class ByteModel(nn.Module):
    """A byte-level language model with learned positions and an untied output head."""

    def __init__(self, layers: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.positions = nn.Parameter(torch.zeros(CONTEXT, width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, VOCABULARY, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02 if module is self.embed else width**-0.5)
        for block in self.blocks:
            for linear in (block.out, block.down):
                linear.weight.data /= math.sqrt(2 * layers)
        self.head.weight.data.zero_()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.blocks(self.embed(tokens) + self.positions)))


def sequences(text: np.ndarray, starts: np.ndarray) -> torch.Tensor:
    """Return the (len(starts), CONTEXT + 1) windows of the text that begin at `starts`."""
    windows = text[starts[:, None] + np.arange(CONTEXT + 1)]
    return torch.from_numpy(windows.astype(np.int64))


def loss_of(model: nn.Module, windows: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy in nats per byte."""
    logits = model(windows[:, :-1])
    return nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), windows[:, 1:].reshape(-1))


def train(
    cell: Cell, text: np.ndarray, held_out: torch.Tensor, *, decay: bool = True
) -> dict[str, object]:
    """Train one cell on fresh bytes only (no window is seen twice) and return its log line.

    Without `decay` the learning rate stays at its peak after the warm-up.
    """
    began = time.perf_counter()
    torch.manual_seed(SEED)
    model = ByteModel(cell.layers, cell.width)
    params = sum(p.numel() for p in model.parameters())
    non_embedding = params - model.embed.weight.numel() - model.positions.numel()
    # Forward and backward: 6 per weight that multiplies, plus causal attention scores and sums.
    flops = cell.tokens * (6 * non_embedding + 6 * cell.layers * cell.width * CONTEXT)
    steps = cell.tokens // (CONTEXT * BATCH)
    peak = 0.004 * math.sqrt(64 / cell.width)
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.95), weight_decay=0.1)
    warmup = max(10, steps // 20)

    def schedule(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        if not decay:
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule)
    order = np.random.default_rng(SEED).permutation((len(text) - 1) // CONTEXT) * CONTEXT
    recent: list[float] = []
    for step in range(steps):
        loss = loss_of(model, sequences(text, order[step * BATCH : (step + 1) * BATCH]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        scheduler.step()
        recent.append(float(loss.detach()))
    with torch.no_grad():
        parts = [float(loss_of(model, part)) for part in held_out.split(256)]
    return {
        "run": cell.name, "layers": cell.layers, "width": cell.width, "params": params,
        "non_embedding_params": non_embedding, "tokens": steps * CONTEXT * BATCH, "flops": flops,
        "train_loss": round(float(np.mean(recent[-max(10, steps // 20) :])), 5),
        "val_loss": round(float(np.mean(parts)), 5), "learning_rate": round(peak, 6),
        "steps": steps, "seed": SEED, "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def cells_of(which: str) -> list[Cell]:
    """Return what is trained: every shape at every number of bytes, or a part of it."""
    if which == "larger":
        return [Cell(*shape, tokens) for shape, tokens in LARGER]
    cells = [Cell(layers, width, tokens) for tokens in TOKENS for layers, width in SHAPES]
    if which == "constant":  # enough for a fit, in a third of the time
        small = [cell for cell in cells if cell.layers == 2 and cell.tokens == TOKENS[2]]
        return [cell for cell in cells if cell.tokens < TOKENS[2]] + small
    return cells


def main(which: str) -> None:
    """Train every cell of `which` (a key of LOGS) that its log does not hold yet."""
    torch.set_num_threads(1)
    path = HERE / LOGS[which]
    cells = cells_of(which)
    done = set()
    if path.exists():
        with path.open(encoding="utf-8", newline="") as handle:
            done = {row["run"] for row in csv.DictReader(handle)}
    else:
        path.write_text(",".join(FIELDS) + "\n", encoding="utf-8")
    text, validation = corpus()
    picks = np.random.default_rng(1).permutation((len(validation) - 1) // CONTEXT)
    held_out = sequences(validation, picks[:VALIDATION_SEQUENCES] * CONTEXT)
    print(f"{len(cells)} runs, {len(text)} training bytes, {len(validation)} validation bytes")
    for cell in cells:
        if cell.name in done:
            continue
        row = train(cell, text, held_out, decay=which != "constant")
        print(row, flush=True)
        with path.open("a", encoding="utf-8", newline="") as handle:
            csv.DictWriter(handle, FIELDS, lineterminator="\n").writerow(row)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "grid")
