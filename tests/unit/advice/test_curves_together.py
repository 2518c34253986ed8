from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from scaleplan.advice.curves.ahead import Ask, forecasts_at
from scaleplan.advice.curves.factors import Factors
from scaleplan.advice.curves.trend import medians, noise_of, noises_of, trend_of, trends_of
from scaleplan.advice.curves.verdict import judge, judge_all
from scaleplan.records import Metric
from scaleplan.runs.series import Curve, Series

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmark"))

from made_curves import KINDS, make

LOSS = Metric(name="val_loss", kind="loss", unit="nats/token")
NOTHING = Series(np.empty(0), np.empty(0))


def as_many_kinds(size, count=40, seed=7):
    """Make curves with one clock: noisy, turning, lost; with training and rates and without."""
    draw = np.random.default_rng(seed)
    at = np.arange(1.0, size + 1.0)
    found = []
    for i in range(count):
        value = 1.5 + 3.0 * at**-0.4 + 10.0 ** -draw.uniform(1, 4) * draw.standard_normal(size)
        if i % 4 == 1:
            value += 2.0 * np.maximum(0.0, at / size - 0.6)
        if i % 5 == 2:
            value[draw.integers(size)] = np.nan
        if i % 6 == 3:
            value[draw.integers(size)] *= 20.0
        rates = (np.full(size, 3e-4), 3e-4 * np.cos(at / size), None)[i // 3 % 3]
        found.append(
            Curve(
                run=f"r{i}", file="f", axis="step", metric=LOSS, validation=Series(at, value),
                training=Series(at, value - 0.1) if i % 2 else NOTHING, accuracy=NOTHING,
                learning_rate=NOTHING if rates is None else Series(at, rates),
                sizes={}, sorted_rows=0, replaced=0, gap=1.0,
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("size", [3, 4, 7, 11, 30, 150, 151, 700, 1201, 5000])
def test_no_number_of_a_curve_depends_on_those_that_are_judged_with_it(size):
    curves = as_many_kinds(size)
    together = judge_all(curves, total=1e5)
    assert [repr(one) for one in together] == [repr(judge(one, total=1e5)) for one in curves]
    assert len({one.verdict for one in together}) > (1 if size > 3 else 0)
    backwards = judge_all(curves[::-1], total=1e5)[::-1]
    assert [repr(one) for one in backwards] == [repr(one) for one in together]


def test_curves_with_other_clocks_are_told_apart():
    curves = [make(kind, 3_000_000 + i).curve for i in range(3) for kind in KINDS]
    assert len({one.main.at.size for one in curves}) > 1
    assert [repr(one) for one in judge_all(curves)] == [repr(judge(one)) for one in curves]


def test_forecasts_together_follow_each_its_own_rate():
    at = np.arange(1.0, 101.0)
    trend = trend_of(at, 1.5 + 3.0 * at**-0.4)
    stays, comes_down = np.full(100, 3e-4), 3e-4 * 0.5 * (1.0 + np.cos(np.pi * at / 200.0))
    asks = [
        Ask(trend=trend, where=200.0, lowest=0.0, rate=rate)
        for rate in (NOTHING, Series(at, stays), Series(at, comes_down), Series(at, stays))
    ]
    found = forecasts_at(asks, level=0.9)
    assert found[1] == found[3]
    assert len({one.value for one in found}) == 3
    assert found == [forecasts_at([ask], level=0.9)[0] for ask in asks]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_factors_solve_what_lapack_solves(width):
    draw = np.random.default_rng(width)
    half = draw.standard_normal((5, 6, 7, width, width))
    matrix = half @ np.swapaxes(half, -1, -2) + 0.1 * np.eye(width)
    right = draw.standard_normal((5, 6, 7, width))
    columns = [[matrix[..., i, j] for j in range(width)] for i in range(width)]
    factors = Factors.of(columns)
    wanted = np.linalg.solve(matrix, right[..., None])[..., 0]
    rows = [right[..., i] for i in range(width)]
    assert np.allclose(np.stack(factors.solved(rows), axis=-1), wanted, rtol=1e-9)
    assert np.allclose(factors.inverse_form(rows), (right * wanted).sum(axis=-1), rtol=1e-9)
    last = Factors.of([[one[:, -1:] for one in row] for row in columns])
    ends = [one[:, -1:] for one in rows]
    assert np.array_equal(factors.last_fit().inverse_form(ends), last.inverse_form(ends))


def test_trends_and_noises_of_many_are_those_of_each():
    draw = np.random.default_rng(3)
    at = np.arange(1.0, 121.0)
    many = 2.0 + at**-0.5 + np.array([[0.0], [1e-3], [0.1]]) * draw.standard_normal((3, 120))
    assert noises_of(many)[0].tolist() == [noise_of(one)[0] for one in many]
    for trend, values in zip(trends_of(at, list(many)), many, strict=True):
        alone = trend_of(at, values)
        assert np.array_equal(trend.smooth, alone.smooth)
        assert trend.noise == alone.noise
    assert np.array_equal(medians(many), np.median(many, axis=1))
    assert np.array_equal(medians(many[:, 1:]), np.median(many[:, 1:], axis=1))


@pytest.mark.parametrize("size", [20, 28, 29, 36, 50, 80, 150])
def test_the_error_of_independent_readings_grows_with_none_of_their_numbers(size):
    many = np.random.default_rng(5).standard_normal((400, size))
    deviation, correlation = noises_of(many)
    error = deviation * np.sqrt((1.0 + correlation) / (1.0 - correlation))  # of a mean; true is 1
    assert 0.9 < np.median(error) < 1.3


@pytest.mark.parametrize("size", [28, 29, 40])
def test_one_more_reading_does_not_hide_what_a_run_has_gained(size):
    draw, at = np.random.default_rng(11), np.arange(1.0, size + 1.0)
    curves = [
        Curve(
            run=f"r{i}", file="f", axis="epoch", metric=LOSS,
            validation=Series(at, 0.2 + 0.9 * at**-0.5 + 0.007 * draw.standard_normal(size)),
            training=NOTHING, accuracy=NOTHING, learning_rate=NOTHING, sizes={}, sorted_rows=0,
            replaced=0, gap=1.0,
        )
        for i in range(40)
    ]  # fmt: skip
    called = [each.verdict for each in judge_all(curves)]
    assert called.count("plateau") <= 2  # the last half falls by 5 to 8 errors of its slope
