"""Systems side by side on public runs, against published laws and independent calculations.

Skipped where the data are absent.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from public_data import PUBLIC_DATA_IS_HERE, columns
from scipy.optimize import brentq, least_squares, minimize_scalar

from scaleplan.planning.systems import compare_systems
from scaleplan.records import Cleaning, ColumnUse, Metric
from scaleplan.runs.table import Origins, Runs

pytestmark = pytest.mark.skipif(not PUBLIC_DATA_IS_HERE, reason="public sweeps are not here")


def runs_of(name, values, **inputs):
    count = len(values)
    return Runs(
        columns={**inputs, "value": values}, labels={}, extra={}, metadata={}, units={}, notes=(),
        metric=Metric(name="loss", kind="loss", unit="nats/token"), assumptions=(),
        cleaning=Cleaning(
            files=(name,), rows_read=count, rows_used=count, dropped=(), changed=(),
            columns=tuple(ColumnUse(role=r, column=r, how="given") for r in inputs),
        ),
        fingerprint=name, flops_per_param_token=6.0,
        origins=Origins((name,), np.zeros(count, np.int64), np.arange(1, count + 1)),
    )  # fmt: skip


def clark(router, experts):
    """Return dense sizes and validation losses of one router and number of experts."""
    return columns(
        "routed_experts_final.csv", "dense_params", "loss_validation",
        where=lambda row: row["router"] == router and row["k"] == "1"
        and row["routing_frequency"] == "0.5" and float(row["experts"]) == experts,
    )  # fmt: skip


def against_dense(router, experts):
    sizes, losses = clark("Dense", 1)
    routed_sizes, routed_losses = clark(router, experts)
    return compare_systems(
        {
            "dense": runs_of("dense", losses, input=sizes),
            "routed": runs_of(router, routed_losses, input=routed_sizes),
        }
    )[0]


@pytest.mark.parametrize("router", ["S-Base", "RL-R", "Hash"])
@pytest.mark.parametrize("experts", [64, 512])
def test_what_experts_are_worth_in_dense_parameters(router, experts):
    # Clark et al. 2022: all runs on 130B tokens, so that size is all that differs. Without any law:
    # the dense size of the same loss, between the dense runs on both sides of it.
    sizes, losses = clark("Dense", 1)
    order = np.argsort(losses)
    routed_sizes, routed_losses = clark(router, experts)
    found = against_dense(router, experts)
    by_size = np.argsort(routed_losses)
    for row in found.multipliers:
        if not losses.min() < row.value < min(losses.max(), routed_losses.max()):
            continue
        dense = np.exp(np.interp(row.value, losses[order], np.log(sizes[order])))
        routed = np.exp(np.interp(row.value, routed_losses[by_size], np.log(routed_sizes[by_size])))
        assert row.answer.value == pytest.approx(dense / routed, rel=0.12)
        assert 0.9 * row.answer.low < dense / routed < 1.1 * row.answer.high


def test_what_experts_are_worth_by_the_published_law():
    # Refit of table 3 for S-Base, log10 L = a log10 N + b log10 Ê + c log10 N log10 Ê + d, with the
    # published saturation 1.847 and 314.478. Its rms error of 0.0032 in log10 L is 0.04 to 0.05 in
    # log10 N, for dense and for routed runs; two of them are allowed.
    a, b, c, d, start, most = -0.083, -0.118, 0.0099, 1.114, 1.847, 314.478

    def of_experts(experts):
        effective = 1.0 / (1.0 / (experts - 1.0 + 1.0 / (1.0 / start - 1.0 / most)) + 1.0 / most)
        return b * math.log10(effective) + d, a + c * math.log10(effective)

    for experts in (8, 64, 512):
        row = against_dense("S-Base", experts).multipliers[1]
        ends = [of_experts(1.0), of_experts(experts)]
        sizes = [(math.log10(row.value) - at) / slope for at, slope in ends]
        error = math.hypot(*(0.0032 / slope for _, slope in ends))
        assert abs(math.log10(row.answer.value) - (sizes[0] - sizes[1])) < 2.0 * error


def frontier_compute(theta, loss):
    """Return the compute of a loss at the best split, all by search."""
    floor, size, alpha, data, beta = theta

    def best(log_flops):
        def at(log_params):
            tokens = log_flops - math.log(6.0) - log_params
            return size * math.exp(-alpha * log_params) + data * math.exp(-beta * tokens)

        return floor + minimize_scalar(at, bounds=(5.0, 40.0), method="bounded").fun

    return math.exp(brentq(lambda c: best(c) - loss, math.log(1e14), math.log(1e27)))


def independent_fit(params, tokens, loss):
    """Return the five parameters by scipy's soft-L1 least squares of logs, from several starts."""

    def residuals(theta):
        a, alpha, b, beta, e = theta
        return np.log(
            math.exp(e) + np.exp(a - alpha * np.log(params)) + np.exp(b - beta * np.log(tokens))
        ) - np.log(loss)

    starts = [(5.0, s, 6.0, t, 0.4) for s in (0.2, 0.35) for t in (0.2, 0.35)]
    ends = [least_squares(residuals, start, max_nfev=5000) for start in starts]
    a, alpha, b, beta, e = min(ends, key=lambda end: end.cost).x
    return math.exp(e), math.exp(a), alpha, math.exp(b), beta


def test_data_sets_of_the_over_training_runs():
    # Gadre et al. 2024: three training sets, one validation loss on C4.
    systems, thetas = {}, {}
    for name in ("C4", "RedPajama", "RefinedWeb"):
        params, tokens, loss = columns(
            "overtraining_runs.csv", "params", "tokens", "loss_c4_val",
            where=lambda row, name=name: row["train_set"] == name,
        )  # fmt: skip
        flops = 6.0 * params * tokens
        systems[name] = runs_of(name, loss, params=params, tokens=tokens, flops=flops)
        thetas[name] = independent_fit(params, tokens, loss)
    found, _ = compare_systems(systems)
    assert found.law == "chinchilla"
    for row in found.multipliers:
        exact = frontier_compute(thetas["C4"], row.value) / frontier_compute(
            thetas[row.system], row.value
        )
        # Huber here, least squares there: near, and well inside the interval.
        assert row.free.value == pytest.approx(exact, rel=0.1)
        assert row.free.low < exact < row.free.high
    # Trained on what they are tested on, models need less.
    inside = [row for row in found.multipliers if row.decades_beyond_data == 0.0]
    assert inside
    assert all(row.verdict == "worse" for row in inside)
