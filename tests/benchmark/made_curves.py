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
