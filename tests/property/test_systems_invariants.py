"""Systems side by side: what holds whatever the runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaleplan.planning.systems import compare_systems
from scaleplan.records import Cleaning, ColumnUse, Metric
from scaleplan.runs.table import Origins, Runs

A = (1.8, 480.0, 0.34, 2100.0, 0.37)


def runs_of(name, theta, seed, *, size=1.0, data=1.0, count=24):
    """Return runs of a law; then the same losses as if sizes and tokens were so many times as much.

    The fingerprint, which draws depend on, is that of the name.
    """
    rng = np.random.default_rng(seed)
    params = 10 ** rng.uniform(7, 9, count)
    tokens = params * 10 ** rng.uniform(0.7, 2.0, count)
    floor, a, alpha, b, beta = theta
    values = (floor + a / params**alpha + b / tokens**beta) * np.exp(
        0.004 * rng.standard_normal(count)
    )
    params, tokens = size * params, data * tokens
    columns = {"params": params, "tokens": tokens, "flops": 6.0 * params * tokens}
    return Runs(
        columns={**columns, "value": values}, labels={}, extra={}, metadata={}, units={}, notes=(),
        metric=Metric(name="loss", kind="loss", unit=""), assumptions=(), fingerprint=name,
        cleaning=Cleaning(
            files=(name,), rows_read=count, rows_used=count, dropped=(), changed=(),
            columns=tuple(ColumnUse(role=r, column=r, how="given") for r in columns),
        ),
        flops_per_param_token=6.0,
        origins=Origins((name,), np.zeros(count, np.int64), np.arange(1, count + 1)),
    )  # fmt: skip


def multipliers(one, two, **how):
    result, _ = compare_systems({"one": one, "two": two}, resamples=100, **how)
    rows = [row for row in result.multipliers if row.at == "common"]
    ratios = [r for row in rows for r in (row.answer, row.shared, row.free)]
    return np.array([[r.value, r.low, r.high] for r in ratios]), result


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000), size=st.floats(0.1, 10.0), data=st.floats(0.1, 10.0),
    form=st.sampled_from([A, (1.6, 700.0, 0.36, 2100.0, 0.35)]),
)  # fmt: skip
def test_scaling_the_compute_of_the_reference_scales_the_multiplier(seed, size, data, form):
    two = runs_of("two", form, seed + 1)
    before, plain = multipliers(runs_of("one", A, seed), two)
    after, scaled = multipliers(runs_of("one", A, seed, size=size, data=data), two)
    assert plain.form == scaled.form
    assert after == pytest.approx(size * data * before, rel=1e-3)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), form=st.sampled_from([A, (1.6, 700.0, 0.36, 2100.0, 0.35)]))
def test_swapping_systems_inverts_the_multiplier(seed, form):
    one, two = runs_of("one", A, seed), runs_of("two", form, seed + 1)
    before, plain = multipliers(one, two)
    after, swapped = multipliers(one, two, reference="two")
    assert (swapped.reference, plain.form) == ("two", swapped.form)
    assert after[:, 0] == pytest.approx(1.0 / before[:, 0], rel=1e-3)
    assert after[:, 1] == pytest.approx(1.0 / before[:, 2], rel=1e-3)
    assert after[:, 2] == pytest.approx(1.0 / before[:, 1], rel=1e-3)
