from __future__ import annotations

import pytest

from scaleplan.render.axis_ticks import labels_of, power, tick, ticks_between


@pytest.mark.parametrize(
    ("low", "high", "log", "most", "expected"),
    [
        (1e18, 1e24, True, 8, [1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24]),
        (1e10, 1e30, True, 6, [1e10, 1e14, 1e18, 1e22, 1e26, 1e30]),
        (1.5, 60.0, True, 6, [2.0, 5.0, 10.0, 20.0, 50.0]),
        (1.0, 1000.0, True, 8, [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]),
        (2.9, 3.4, True, 6, [2.9, 3.0, 3.1, 3.2, 3.3, 3.4]),
        (-4.0, 9.0, False, 5, [0.0, 5.0]),
        (0.0, 1.0, False, 6, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.97, 1.03, False, 2, [1.0]),
    ],
)
def test_ticks_are_round_numbers_inside_the_axis(low, high, log, most, expected):
    found = ticks_between(low, high, log=log, most=most)
    assert found == pytest.approx(expected)


def test_an_axis_around_one_value_has_a_tick():
    assert len(ticks_between(5.0, 5.0 + 1e-9, log=False, most=4)) >= 1


def test_numbers_at_ticks_are_short():
    assert [tick(v) for v in (2e7, 1.5e9, 3e12, 1e21, 0.25, -5.0, 2500.0, -2e6)] == [
        "20M", "1.5B", "3T", "1e21", "0.25", "-5", "2.5K", "-2M"
    ]  # fmt: skip
    assert [power(v) for v in (1e21, 2e5, 300.0, 2.5e12)] == ["1e21", "2e5", "300", "2.5e12"]


def test_ticks_close_together_are_told_apart():
    assert list(labels_of([1.0, 2.0], powers=False).values()) == ["1", "2"]
    found = labels_of([0.99999, 1.0, 1.00001], powers=False)
    assert list(found.values()) == ["0.99999", "1", "1.00001"]
    assert labels_of([1.0], powers=True) == {1.0: "1"}
