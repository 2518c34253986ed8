"""Simulated training curves of five kinds, in the variety that logs have.

Half of the seeds chose the rules' thresholds, the other half only scores them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaleplan.records import Metric
from scaleplan.runs.series import Curve, Series

KINDS = ("healthy", "overfitting", "underfitting", "diverged", "plateau")
# Validation noise other than independent readings of equal scatter: a slow wander, as a small
# validation set used again and again shows it; noise that shrinks with the loss; averages shown by
# a logger; and a level shift of both losses, as another data mixture or context length brings.
VARIANTS = ("wander", "shrinking", "averaged", "shifted")
# Curves that only forecasts are scored on: a fall that ends, and logged learning rates with warm-up
# that follow a cosine over the run, or stay and come down at its end.
COURSES = ("exponential", "cosine", "wsd")


@dataclass(frozen=True)
class Made:
    """A curve with its kind, the noise-free validation values behind it, and the scatter of one."""

    curve: Curve
    kind: str
    truth: np.ndarray
    noise: float


def make(kind: str, seed: int, variant: str = "") -> Made:
    """Return one curve of a kind; everything about it is drawn from the seed."""
    own = [KINDS.index(kind), seed]
    draw = np.random.default_rng([10 + VARIANTS.index(variant), *own] if variant else own)
    steps, at = _positions(draw)
    start = draw.uniform(1.5, 11.0)
    floor = start * draw.uniform(0.1, 0.6)
    x = at / steps
    base = _fall(draw, kind, x)  # 1 at the start, towards 0
    train = floor + (start - floor) * base
    validation = train + _offset(draw, start, floor)
    if kind == "overfitting":
        train, validation = _overfit(draw, x, train, validation, start - floor)
    elif kind == "diverged":
        train, validation = _diverge(draw, x, train, validation, start)
    else:
        validation = validation + draw.uniform(0.0, 0.05) * (validation - train.min()) * x
    if variant == "shifted":
        shift = draw.uniform(0.05, 0.3) * (start - floor) * (x > draw.uniform(0.3, 0.8))
        train, validation = train + shift, validation + shift
    truth = validation.copy()
    noise = draw.choice([0.0005, 0.002, 0.005, 0.01]) * start * draw.uniform(0.3, 1.0)
    if variant in {"wander", "shrinking", "averaged"}:  # up to a twentieth of what the run gains
        noise = draw.choice([0.005, 0.01, 0.02, 0.05]) * (start - floor)
    elif kind == "healthy":
        # A curve whose progress drowns in noise is a plateau to anyone who looks at it.
        noise = min(noise, 0.5 * float(np.interp(0.5, x, validation) - validation[-1]))
    seen = _noisy(draw, variant, validation, noise)
    loud = draw.choice([1.0, 2.0, 6.0])  # training loss of single batches scatters more
    shown = train + loud * noise * draw.standard_normal(at.size)
    if draw.random() < 0.3:  # a logger that smooths
        shown = _smoothed(shown, draw.uniform(0.6, 0.95))
    if draw.random() < 0.3:  # dropout or augmentation: training lies above validation
        shown = shown + draw.uniform(0.02, 0.15) * start * (0.3 + 0.7 * base)
    if kind == "healthy" and at.size > 30 and draw.random() < 0.2:  # one spike that comes back
        seen[draw.integers(5, at.size - 5)] += draw.uniform(0.2, 0.6) * start
    if kind == "diverged" and draw.random() < 0.3:
        seen[-max(1, at.size // 10) :] = np.nan
    without = draw.random() < 0.25
    nothing = Series(np.empty(0), np.empty(0))
    if draw.random() < 0.15:  # accuracy instead of loss
        top = draw.uniform(0.6, 0.97)
        seen, shown = (top * (1.0 - v / start) for v in (seen, shown))
        truth, noise = top * (1.0 - truth / start), top * noise / start
        metric = Metric(name="val_accuracy", kind="accuracy", unit="fraction")
    else:
        metric = Metric(name="val_loss", kind="loss", unit="nats/token")
    curve = Curve(
        run=f"{kind}-{seed}", file="made", axis="step", metric=metric, validation=Series(at, seen),
        training=nothing if without else Series(at, shown), accuracy=nothing, learning_rate=nothing,
        sizes={}, sorted_rows=0, replaced=0, gap=1.0,
    )  # fmt: skip
    return Made(curve, kind, truth, noise)


def make_course(kind: str, seed: int) -> Made:
    """Return a curve whose whole course is of one kind; everything is drawn from the seed.

    Under a schedule loss = floor + A (1 + S1 / s)^-alpha - C S2, of the area S1 under the learning
    rate and of what annealing brings, S2: every drop of the rate counts fully once a memory has
    passed (Tissue et al. 2024, arXiv 2408.11029, equation 1).
    """
    draw = np.random.default_rng([50 + COURSES.index(kind), seed])
    steps, at = _positions(draw)
    start = draw.uniform(1.5, 11.0)
    height = start * draw.uniform(0.4, 0.9)
    rate = Series(np.empty(0), np.empty(0))
    if kind == "exponential":
        truth = start - height + height * np.exp(-at / steps / draw.uniform(0.1, 0.6))
    else:
        fine = np.linspace(0.0, 1.0, 4001)
        shares = _cosine(draw, fine) if kind == "cosine" else _stays_then_decays(draw, fine)
        area = np.r_[0.0, np.cumsum(0.5 * (shares[1:] + shares[:-1]))]
        area /= area[-1]
        scale, alpha = 10.0 ** draw.uniform(-2.5, -0.7), draw.uniform(0.3, 0.9)
        fall = height * (1.0 + area / scale) ** -alpha
        annealed = _annealed(shares, 10.0 ** draw.uniform(-2.5, -0.8) * fine.size)
        loss = start - height + fall - height * 10.0 ** draw.uniform(-2.0, -1.1) * annealed
        truth = np.interp(at / steps, fine, loss)
        rate = Series(at, 10.0 ** draw.uniform(-4.5, -2.5) * np.interp(at / steps, fine, shares))
    noise = draw.choice([0.0005, 0.002, 0.005]) * start * draw.uniform(0.3, 1.0)
    nothing = Series(np.empty(0), np.empty(0))
    curve = Curve(
        run=f"{kind}-{seed}", file="made", axis="step",
        metric=Metric(name="val_loss", kind="loss", unit="nats/token"),
        validation=Series(at, truth + noise * draw.standard_normal(at.size)), training=nothing,
        accuracy=nothing, learning_rate=rate, sizes={}, sorted_rows=0, replaced=0, gap=1.0,
    )  # fmt: skip
    return Made(curve, kind, truth, noise)


def _cosine(draw: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Return a learning rate over its peak: warm-up, then half a cosine to the end of the run."""
    warm, end = draw.uniform(0.005, 0.05), draw.choice([0.0, 0.01, 0.1])
    left = 0.5 * (1.0 + np.cos(np.pi * np.clip((x - warm) / (1.0 - warm), 0.0, 1.0)))
    return np.where(x < warm, x / warm, end + (1.0 - end) * left)


def _stays_then_decays(draw: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Return a learning rate over its peak: warm-up, a long stay, and a decay at the end."""
    warm, decay = draw.uniform(0.005, 0.05), draw.uniform(0.1, 0.3)
    left = np.clip((1.0 - x) / decay, 0.0, 1.0)
    if draw.random() < 0.3:
        left = 1.0 - np.sqrt(1.0 - left)
    return np.where(x < warm, x / warm, left)


def _annealed(shares: np.ndarray, memory: float) -> np.ndarray:
    """Return the annealing so far, of a rate over its peak; 1 where it has come to 0 long ago."""
    momentum, total = np.zeros(shares.size), np.zeros(shares.size)
    keep = 1.0 - 1.0 / max(memory, 1.0)
    for i in range(1, shares.size):
        momentum[i] = keep * momentum[i - 1] + max(shares[i - 1] - shares[i], 0.0)
        total[i] = total[i - 1] + momentum[i] * (1.0 - keep)
    return total


def _noisy(
    draw: np.random.Generator, variant: str, validation: np.ndarray, noise: float
) -> np.ndarray:
    """Return validation readings: with independent noise, or that of a variant."""
    independent = draw.standard_normal(validation.size)
    if variant == "wander":
        rho = draw.uniform(0.5, 0.95)
        wander = independent.copy()
        for i in range(1, wander.size):
            wander[i] = rho * wander[i - 1] + math.sqrt(1.0 - rho * rho) * independent[i]
        return validation + noise * wander
    if variant == "shrinking":
        return validation + noise * independent * validation / validation[-1]
    if variant == "averaged":
        return _smoothed(validation + noise * independent, draw.uniform(0.5, 0.95))
    return validation + noise * independent


def _positions(draw: np.random.Generator) -> tuple[float, np.ndarray]:
    """Return the length of a run and where it was evaluated: epochs, evaluations or every step."""
    count = int(draw.choice([10, 15, 20, 30, 50, 100, 200, 1000, 5000]))
    steps = float(draw.choice([1, 10, 100, 1000])) * count
    return steps, np.linspace(steps / count, steps, count)


def _fall(draw: np.random.Generator, kind: str, x: np.ndarray) -> np.ndarray:
    """Return a curve from 1 towards 0: power laws, exponentials, and schedules that decay."""
    if kind == "plateau":
        # A fast fall in the first third, and then nothing.
        return np.exp(-x / draw.uniform(0.02, 0.08))
    if kind == "underfitting" and draw.random() < 0.5:
        return np.exp(-x / draw.uniform(0.5, 1.5))
    # By definition here: twice the steps would bring 8% of the fall or more to an underfitted
    # curve, and 3% or less to a healthy one.
    while True:
        alpha, scale = draw.uniform(0.3, 0.9), 10.0 ** draw.uniform(-2.5, -0.7)
        now, later = (1.0 + 1.0 / scale) ** -alpha, (1.0 + 2.0 / scale) ** -alpha
        gain = (now - later) / (1.0 - now)
        if gain >= 0.08 if kind == "underfitting" else gain <= 0.03:
            break
    fall = (1.0 + x / scale) ** -alpha
    if kind == "underfitting":
        return fall
    shape = draw.random()
    if shape < 0.25:  # the rate decays to zero: the last part falls faster and ends
        fall = fall * (1.0 - draw.uniform(0.1, 0.4) * np.clip((x - 0.7) / 0.3, 0.0, 1.0))
    elif shape < 0.4:  # steps of the learning rate
        for drop in (0.5, 0.75):
            fall = fall * np.where(x > drop, draw.uniform(0.6, 0.85), 1.0)
    elif shape < 0.5:  # a bump on the way, as in double descent
        fall = fall + draw.uniform(0.02, 0.06) * np.exp(-(((x - 0.3) / 0.07) ** 2))
    return fall


def _offset(draw: np.random.Generator, start: float, floor: float) -> float:
    """Return how far validation lies above training throughout: other data, or none."""
    return float(draw.choice([0.0, 0.01, 0.05]) * (start - floor) * draw.uniform(0.0, 1.0))


def _overfit(
    draw: np.random.Generator, x: np.ndarray, train: np.ndarray, validation: np.ndarray,
    height: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Let validation turn upwards while training goes on."""
    turn = draw.uniform(0.15, 0.7)
    after = np.clip(x - turn, 0.0, None) / (1.0 - turn)
    rise = draw.uniform(0.06, 0.6) * height * after ** draw.uniform(0.9, 1.6)
    falls = np.where(x > turn, np.interp(turn, x, validation), validation)
    return train * (1.0 - 0.3 * after), falls + rise


def _diverge(
    draw: np.random.Generator, x: np.ndarray, train: np.ndarray, validation: np.ndarray,
    start: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Let both jump up and stay there."""
    turn = draw.uniform(0.2, 0.85)
    jump = np.clip((x - turn) / 0.02, 0.0, 1.0)
    level = start * draw.uniform(0.7, 1.5)
    return train + (level - train) * jump, validation + (level - validation) * jump


def _smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """Return the exponential average that loggers show."""
    result = values.copy()
    for i in range(1, result.size):
        result[i] = weight * result[i - 1] + (1.0 - weight) * values[i]
    return result
