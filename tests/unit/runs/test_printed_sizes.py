"""Printed logs of several trainings, each below the parameters of its model."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves


def _training(size: str, losses: str) -> str:
    lines = "".join(f"[iter {100 * i}] val_loss={loss}.5\n" for i, loss in enumerate(losses, 1))
    return f"Model parameters: {size}\nDevice: cuda\n{lines}"


def test_each_training_has_the_size_above_it(load):
    text = _training("801,152", "4321") + _training("4.2M", "3211") + _training("18.6M", "2111")
    runs = load(text, name="train.log")
    assert runs.columns["params"].tolist() == [801152.0, 4.2e6, 18.6e6]
    assert runs.value.tolist() == [1.5, 1.5, 1.5]
    curves = load_curves(["train.log"]).curves
    assert [len(curve.main) for curve in curves] == [4, 4, 4]


def test_results_without_steps_have_the_size_above_them(load):
    text = "".join(
        f"Number of parameters: {size}M\nfinal val_loss: {loss}\n"
        for size, loss in ((1, 3.5), (4, 3.1), (16, 2.8))
    )
    runs = load(text, name="train.log")
    assert runs.columns["params"].tolist() == [1e6, 4e6, 16e6]
    assert runs.value.tolist() == [3.5, 3.1, 2.8]


def test_a_size_said_again_along_a_run_divides_nothing(load):
    first = _training("10.65M", "432")
    again = first + "Model parameters: 10,646,784\n[iter 400] val_loss=1.5\n"
    assert load(again, name="a.log").columns["params"].tolist() == [10.65e6]
    unfrozen = first + "Model parameters: 85M\n[iter 400] val_loss=1.5\n"
    assert load(unfrozen, name="b.log").value.tolist() == [1.5]


@pytest.mark.parametrize("sizes", [("3M", "2M"), ("3M",)])
def test_models_said_before_the_first_line_are_of_one_run(load, sizes):
    said = "".join(f"Model parameters: {size}\n" for size in sizes)
    runs = load(said + "".join(f"iter {i} loss {5 - i}\n" for i in (1, 2, 3)), name="gan.log")
    assert runs.columns["params"].tolist() == [3e6]
