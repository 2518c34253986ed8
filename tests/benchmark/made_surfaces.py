"""Random sweeps of the five-parameter law, of the kinds that fits fail on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

KINDS = (
    "plain",
    "few runs",
    "noise-free",
    "outliers",
    "E = 0",
    "close exponents",
    "exponents near bounds",
    "odd units",
    "iso-FLOP",
    "grid of sizes",
)


@dataclass(frozen=True)
class Surface:
    """Inputs of shape (2, n) and losses of shape (n,)."""

    kind: str
    inputs: np.ndarray
    values: np.ndarray


def made_surfaces(count: int, seed: int) -> Iterator[Surface]:
    """Yield `count` surfaces, the kinds in turn."""
    for index in range(count):
        yield _made(KINDS[index % len(KINDS)], np.random.default_rng([seed, index]))


def _made(kind: str, rng: np.random.Generator) -> Surface:
    runs = int(rng.integers(6, 25) if kind == "few runs" else 10 ** rng.uniform(1.1, 2.38))
    inputs = _design(kind, runs, rng)
    params, tokens = inputs
    alpha, beta = rng.uniform(0.1, 1.0, 2)
    if kind == "close exponents":
        beta = alpha + rng.choice([0.0, 1e-3, 0.02])
    if kind == "exponents near bounds":
        alpha, beta = (
            rng.uniform(0.01, 0.06) if rng.random() < 0.5 else rng.uniform(1.5, 2.9)
            for _ in range(2)
        )
    floor = 0.0 if kind == "E = 0" else rng.uniform(0.3, 2.5)
    # Each term is given its size at the geometric mean of its input.
    size, data = np.exp(rng.uniform(np.log(0.02), np.log(2.0), 2))
    values = floor + size * _relative(params) ** -alpha + data * _relative(tokens) ** -beta
    if kind != "noise-free":
        noise = rng.choice([1e-4, 2e-3, 1e-2, 3e-2])
        values = values * np.exp(noise * rng.standard_normal(params.size))
    if kind == "outliers":
        bad = rng.random(params.size) < rng.uniform(0.03, 0.2)
        values = np.where(bad, values * np.exp(rng.normal(0.1, 0.2, params.size)), values)
    if kind == "odd units":
        inputs = np.stack([_relative(x) * 10.0 ** rng.uniform(0, 15) for x in inputs])
        values = values * 10.0 ** rng.uniform(-9, 9)
    return Surface(kind, inputs, values)


def _design(kind: str, runs: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "iso-FLOP":
        budgets = np.geomspace(1e18, 10 ** rng.uniform(19.5, 22), int(rng.integers(3, 9)))
        steps = int(rng.integers(4, 12))
        ratio = np.exp(np.linspace(-1.2, 1.2, steps))
        params = (np.sqrt(budgets / 120)[:, None] * ratio).ravel()
        return np.stack([params, np.repeat(budgets, steps) / (6 * params)])
    if kind == "grid of sizes":
        sizes = np.geomspace(1e7, 10 ** rng.uniform(8.5, 10.5), int(rng.integers(3, 9)))
        tokens = np.geomspace(1e9, 10 ** rng.uniform(10, 12), int(rng.integers(3, 9)))
        every = np.stack(np.meshgrid(sizes, tokens)).reshape(2, -1)
        return np.repeat(every, int(rng.integers(1, 3)), axis=1)
    reach = rng.uniform(1.0, 4.0, 2)
    return 10 ** (np.array([[7.0], [9.0]]) + reach[:, None] * rng.random((2, runs)))


def _relative(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / np.exp(np.log(x).mean()))
