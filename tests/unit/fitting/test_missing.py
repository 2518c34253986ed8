"""What a design lacks is named: runs, sizes, numbers of tokens, ratios or budgets."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.missing import to_sharpen, to_train

TWO = ("params", "tokens")


def grid(sizes, tokens):
    return np.stack([one.ravel() for one in np.meshgrid(sizes, tokens)])


def ray(count, ratio=20.0):
    sizes = np.geomspace(1e7, 1e10, count)
    return np.stack([sizes, ratio * sizes])


@pytest.mark.parametrize(("inputs", "said"), [
    (grid([1e8, 1e9], np.geomspace(1e9, 1e11, 6)), "Train runs of a third model size."),
    (grid(np.geomspace(1e7, 1e9, 6), [1e9, 1e10]), "Train runs of a third number of tokens."),
    (grid([1e8], np.geomspace(1e9, 1e11, 6)), "Train runs of a second and a third model size."),
    (np.tile(grid([1e8, 1e9], [1e9, 1e10]), 2),
     "Train runs of a third model size and of a third number of tokens."),
    (ray(10), "Train runs at other ratios of tokens to parameters."),
    (np.stack([ray(10)[0], 1e19 / ray(10)[0]]), "Train runs at other budgets."),
    (ray(4), "Train at least 2 more runs, some of them at other ratios of tokens to parameters."),
    (grid([1e7, 1e8, 1e9], [1e9, 1e10])[:, :5],
     "Train at least 1 more run of a third number of tokens."),
    (grid([1e7, 1e8, 1e9], [1e9, 1e10, 1e11])[:, 2:7], "Train at least 1 more run."),
    (grid([1e7, 1e8, 1e9], [1e9, 1e10, 1e11]), ""),
])  # fmt: skip
def test_what_is_missing_is_named(inputs, said):
    assert to_train(TWO, ("n", "d"), inputs, runs=6, values=3) == said


def test_a_single_column_is_called_by_its_name():
    inputs = np.array([[1.0, 1.0, 2.0, 2.0]])
    said = to_train(("x",), ("width",), inputs, runs=4, values=3)
    assert said == "Train runs of a third value of width."


@pytest.mark.parametrize(("inputs", "said"), [
    (grid(np.geomspace(1e8, 5e8, 5), np.geomspace(1e9, 1e11, 5)),
     "over a wider range of the model size"),
    (grid(np.geomspace(1e7, 1e9, 3), np.geomspace(1e9, 1e11, 5)), "at a fourth model size"),
    (ray(6), "at other ratios of tokens to parameters"),
    (grid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)),
     "at both ends of the ratios of tokens to parameters"),
])  # fmt: skip
def test_what_would_sharpen_the_split_is_named(inputs, said):
    assert to_sharpen(*inputs) == said
