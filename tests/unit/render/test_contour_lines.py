"""Lines of equal value run where the values are."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.records import Contours, Panel, Picture
from scaleplan.render.contour_lines import crossings, levels_of


def grid(function, count=40):
    xs, ys = np.geomspace(1e6, 1e9, count), np.geomspace(1e8, 1e11, count)
    values = tuple(tuple(float(function(x, y)) for x in xs) for y in ys)
    return Contours(name="loss", x=tuple(xs), y=tuple(ys), values=values)


def loss(params, tokens):
    return 1.7 + 400 * params**-0.34 + 410 * tokens**-0.28


@pytest.mark.parametrize("which", [0, 3, -1])
def test_crossings_lie_on_their_line(which):
    found = grid(loss)
    level = levels_of(found)[which]
    points = crossings(found, level)
    assert len(points) >= 10
    assert [loss(*point) for point in points] == pytest.approx([level] * len(points), rel=2e-3)


def test_levels_divide_the_grid():
    found = grid(loss)
    values = np.array(found.values).ravel()
    below = [float((values < level).mean()) for level in levels_of(found)]
    assert below == pytest.approx([0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9], abs=0.01)


def test_what_is_not_finite_has_no_line():
    found = grid(lambda x, y: float("nan") if y > 1e10 else loss(x, y))
    points = crossings(found, levels_of(found)[-2])
    assert points
    assert all(y < 1.01e10 for _, y in points)
    assert levels_of(grid(lambda *_: float("nan"))) == []


def test_a_terminal_shows_lines_by_digits_with_their_values(capsys):
    pytest.importorskip("uniplot")
    import sys

    from scaleplan.render.terminal_plot import draw_picture

    found = grid(loss)
    panel = Panel(
        title="Contours of loss", x_label="parameters", y_label="tokens", x_scale="log",
        y_scale="log", traces=(), contours=found,
    )  # fmt: skip
    drawn = draw_picture(Picture(title="", panels=(panel,)), sys.stdout)
    body, legend = drawn.split("parameters")
    for number, level in enumerate(levels_of(found), start=1):
        assert str(number) in body
        assert f"{number} loss {level:.3g}" in legend
