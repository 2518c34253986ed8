"""How often a chained forecast, params and tokens to loss to accuracy, holds the next run.

    python tests/benchmark/chained_forecasts.py [--reps 200] [--seed 0]

A sweep of a known law is made (noise of the loss 1%, of the accuracy one point), both fits are made
of it, and a run with several times the compute of the largest is forecast through both: its own
loss scatters about the law, and its accuracy about the link at that loss. The laws fitted are
the true ones, while intervals also allow for a wrong form,
once in each fit: they hold more than their 90%. `from loss` and `from link` are how often one part
alone would have held the truth.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from scaleplan.errors import ScaleplanError
from scaleplan.fitting.api import fit
from scaleplan.planning.forecast import forecast
from scaleplan.records import Cleaning, ColumnUse, Metric
from scaleplan.runs.table import Origins, Runs

LOSS = (1.7, 480.0, 0.35, 2100.0, 0.37)
LINKS = {"sigmoid": "loss_to_accuracy", "exponential": "loss_to_error"}
LOSS_NOISE, SCATTER = 0.01, 0.01


@dataclass(frozen=True)
class Held:
    """How many truths each interval held, of those that had one."""

    forecasts: int
    joint: float
    from_loss: float
    from_link: float
    half_width: float


def loss_at(params, tokens):
    floor, size, alpha, data, beta = LOSS
    return floor + size * params**-alpha + data * tokens**-beta


def accuracy_at(loss, link):
    if link == "sigmoid":
        return 0.25 + 0.65 / (1.0 + np.exp(2.2 * (loss - 2.6)))
    return 0.15 + 2.2 * np.exp(-0.6 * loss)


def runs_of(metric, values, columns, names):
    """Return made numbers as the runs that `fit` takes; names of columns by role."""
    count = len(values)
    uses = tuple(
        ColumnUse(role=role, column=names.get(role, role), how="given") for role in columns
    )
    return Runs(
        columns={**columns, "value": values}, labels={}, extra={}, metric=metric, metadata={},
        units={}, notes=(),
        cleaning=Cleaning(
            files=("made",), rows_read=count, rows_used=count, dropped=(), changed=(), columns=uses
        ),
        fingerprint="made", assumptions=(), flops_per_param_token=6.0,
        origins=Origins(("made",), np.zeros(count, np.int64), np.arange(1, count + 1)),
    )  # fmt: skip


def one(rng, link, factor, runs):
    """Return the chained point of one repetition and the accuracy that the run reached."""
    side = round(runs**0.5)
    params, tokens = (
        axis.ravel() for axis in np.meshgrid(
            np.geomspace(2e7, 1e9, side), np.geomspace(1e9, 3e10, side)
        )
    )  # fmt: skip
    far = (params.max() * factor**0.5, tokens.max() * factor**0.5)
    params, tokens = np.append(params, far[0]), np.append(tokens, far[1])
    loss = loss_at(params, tokens) * np.exp(LOSS_NOISE * rng.standard_normal(params.size))
    reached = accuracy_at(loss, link) + SCATTER * rng.standard_normal(params.size)
    sizes = {
        "params": params[:-1], "tokens": tokens[:-1], "flops": 6.0 * params[:-1] * tokens[:-1],
    }  # fmt: skip
    first = fit(
        runs_of(Metric(name="loss", kind="loss", unit="nats/token"), loss[:-1], sizes, {}),
        law="chinchilla", resamples=0,
    )  # fmt: skip
    second = fit(
        runs_of(
            Metric(name="accuracy", kind="accuracy", unit="fraction"), reached[:-1],
            {"input": loss[:-1]}, {"input": "loss"},
        ),
        law=LINKS[link], resamples=0,
    )  # fmt: skip
    point = forecast(first, params=[far[0]], tokens=[far[1]], then=second).points[0].then
    return point, float(reached[-1])


def coverage(reps, *, link="sigmoid", factor=10.0, runs=36, seed=0):
    """Return how often truths were held; repetitions that a fit refuses are not counted."""
    rng = np.random.default_rng(seed)
    joint, alone, linked, widths = [], [], [], []
    for _ in range(reps):
        try:
            point, truth = one(rng, link, factor, runs)
        except ScaleplanError:
            continue
        if point.low is None:
            continue
        joint.append(point.low <= truth <= point.high)
        alone.append(point.first_low <= truth <= point.first_high)
        linked.append(point.second_low <= truth <= point.second_high)
        widths.append(0.5 * (point.high - point.low))
    return Held(
        forecasts=len(joint), joint=float(np.mean(joint)), from_loss=float(np.mean(alone)),
        from_link=float(np.mean(linked)), half_width=float(np.median(widths)),
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("link         runs  compute  forecasts   joint  from loss  from the link  half-width")
    for link in LINKS:
        for runs, factor in ((36, 3.0), (36, 10.0), (16, 3.0), (16, 10.0)):
            held = coverage(given.reps, link=link, factor=factor, runs=runs, seed=given.seed)
            print(
                f"{link:12} {runs:4} {factor:7g}x {held.forecasts:10} {held.joint:7.1%} "
                f"{held.from_loss:10.1%} {held.from_link:14.1%} {held.half_width:11.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
