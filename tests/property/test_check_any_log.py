"""Whatever a per-step log holds, `check` gives verdicts or an error with a hint, nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest

from scaleplan.advice.curves import check_curves
from scaleplan.errors import ScaleplanError
from scaleplan.runs.series import load_curves

LOST = ["", "nan", "inf", "-inf", "1e400", "0"]


def steps(draw, n):
    """Return steps as logs have them: even, shuffled, repeated, negative, huge, restarted."""
    return [
        np.arange(n), 10.0 * np.arange(n) + 1.0, draw.permutation(n),
        np.sort(draw.integers(0, n, n)), draw.integers(-5, 5, n), np.zeros(n),
        np.cumsum(draw.exponential(size=n)),
        1e15 * np.arange(n), -np.arange(n), np.r_[np.arange(n // 2), np.arange(n // 4, n)],
    ][int(draw.integers(10))].astype(float)  # fmt: skip


def cells(draw, n):
    """Return one column: falling, constant, wild, of absurd size; some of it lost."""
    x = np.arange(1.0, n + 1.0)
    value = [
        x**-0.5, np.exp(-x / 9.0), np.ones(n), np.zeros(n), draw.standard_normal(n), -x, 1e300 / x,
        1e-300 / x, x, 1e8 * draw.exponential(size=n),
    ][int(draw.integers(10))]  # fmt: skip
    if draw.random() < 0.5:
        value = value + 0.01 * draw.standard_normal(n)
    told = [repr(float(one)) for one in value]
    if draw.random() < 0.4:
        told = [str(draw.choice(LOST)) if draw.random() < 0.2 else one for one in told]
    if draw.random() < 0.1:
        told[-(n // 5) - 1 :] = ["nan"] * (n // 5 + 1)
    return told


def log(draw):
    at = steps(draw, int(draw.integers(1, 120)))
    columns = {"step": [repr(float(one)) for one in at]}
    columns["val_loss" if draw.random() < 0.7 else "val_accuracy"] = cells(draw, at.size)
    for name in ("train_loss", "lr"):
        if draw.random() < 0.5:
            columns[name] = cells(draw, at.size)
    if draw.random() < 0.3:
        columns["run"] = [str(one) for one in draw.integers(0, 3, at.size)]
    rows = [",".join(row) for row in zip(*columns.values(), strict=True)]
    return "\n".join([",".join(columns), *rows]) + "\n"


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_any_log_is_judged_or_refused_with_a_hint(first):
    for seed in range(first, first + 50):
        draw = np.random.default_rng(seed)
        content = log(draw).encode()
        refused = None
        try:
            check = check_curves(load_curves(["-"], stdin=io.BytesIO(content)), total=1e4)
        except ScaleplanError as error:
            refused = error
        if refused is not None:
            assert refused.hint, content
            continue
        assert check.runs
        for run in check.runs:
            assert run.reason
            for found in (run.doubling, run.final):
                assert found is None or found.low <= found.value <= found.high, content
