"""Batches that printed lines count without saying of how many."""

from __future__ import annotations

import pytest

from scaleplan.runs.formats.printed_batches import batch_of
from scaleplan.runs.series import load_curves


def lines(epochs, form="ep: {e}, batch: {b}, time: 9.1, ntokens: {n}/513, loss: {loss:.4f}"):
    return "".join(
        form.format(e=e, b=20 * i, n=400.25 + (7 * i) % 5, loss=9 - 2 * e - i / 10) + "\n"
        for e in range(epochs) for i in range(1, 6)
    )  # fmt: skip


def test_batches_are_the_steps_of_an_epoch(log):
    (curve,) = load_curves([log(lines(1))]).curves
    assert curve.axis == "step"
    assert curve.training.at.tolist() == [20.0, 40.0, 60.0, 80.0, 100.0]
    assert "tokens" not in curve.sizes


@pytest.mark.parametrize(
    "form",
    [
        "ep: {e}, batch: {b}, ntokens: {n}/513, loss: {loss:.4f}",
        "Epoch {e} | batch {b} | loss {loss:.4f}",
    ],
)
def test_batches_that_begin_again_go_on_in_the_next_epoch(log, form):
    (curve,) = load_curves([log(lines(3, form))]).curves
    assert curve.training.at.tolist() == [100.0 * e + 20 * i for e in range(3)
                                            for i in range(1, 6)]  # fmt: skip


def test_a_batch_beside_a_step_is_its_size(log):
    text = "".join(f"step {i} batch 64 loss {4 - i / 10}\n" for i in range(1, 6))
    (curve,) = load_curves([log(text)]).curves
    assert curve.training.at.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_batch_that_stays_is_its_size(log):
    text = "".join(f"Epoch {i}, batch 64, loss {4 - i / 10}\n" for i in range(1, 6))
    (curve,) = load_curves([log(text)]).curves
    assert curve.axis == "epoch"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Batch #3 loss 2", {"batch": "3"}),
        ("ep 2 batch 3: loss 2", {"epoch": "2", "batch": "3"}),
        ("batch size: 20 loss 2", {}),
        ("time per batch 3 loss 2", {}),
        ("batch 0.25 s loss 2", {}),
        ("batch 5: 10%|# | 5/50 [00:01<00:09, 5.0it/s, loss=2]", {}),
    ],
)
def test_what_counts_batches(line, said):
    assert batch_of(line) == said
