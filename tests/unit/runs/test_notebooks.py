"""Jupyter notebooks: what their cells printed or show as a table is a log."""

from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

EPOCHS = range(1, 7)


def loss(epoch, more=0.0):
    return round(3.0 * epoch**-0.4 + more, 4)


KERAS = [
    line
    for e in EPOCHS
    for line in (
        f"Epoch {e}/6\n",
        f"1875/1875 [====] - 3s 1ms/step - loss: {loss(e)} - val_loss: {loss(e, 0.2)}\n",
    )
]
ROWS = "".join(
    f"<tr>\n<td>{10 * e}</td><td>{loss(e)}</td>\n<td>{loss(e, 0.3)}</td></tr>" for e in EPOCHS
)
SHOWN = (
    "<div> [60/60 09:26, Epoch 1/2]</div><table border='1'>\n<thead><tr style='text-align: left;'>"
    f"<th>Step</th><th>Training Loss</th><th>Validation Loss</th></tr></thead>{ROWS}</table>"
)
STREAM = {"output_type": "stream", "name": "stdout", "text": KERAS}
TABLE = {"output_type": "display_data", "data": {"text/html": [SHOWN], "text/plain": ["<HTML>"]}}


@pytest.fixture
def notebook(tmp_path):
    def write(*outputs):
        cells = [{"cell_type": "markdown", "source": ["loss: 9.9 at step 5"]}]
        cells += [{"cell_type": "code", "source": [], "outputs": each} for each in outputs]
        path = tmp_path / "train.ipynb"
        path.write_text(json.dumps({"cells": cells, "nbformat": 4}), encoding="utf-8")
        return str(path)

    return write


def test_what_a_cell_printed_is_a_log(notebook):
    [curve] = load_curves([notebook([STREAM])]).curves
    assert curve.axis == "epoch"
    assert curve.validation.at.tolist() == [*EPOCHS]
    assert curve.validation.value.tolist() == [loss(e, 0.2) for e in EPOCHS]
    assert curve.training.value.tolist() == [loss(e) for e in EPOCHS]


def test_the_table_that_a_trainer_shows_is_a_log(notebook):
    [curve] = load_curves([notebook([TABLE])]).curves
    assert curve.axis == "step"
    assert curve.validation.at.tolist() == [10 * e for e in EPOCHS]
    assert curve.validation.value.tolist() == [loss(e, 0.3) for e in EPOCHS]
    assert curve.training.value.tolist() == [loss(e) for e in EPOCHS]


def test_each_cell_is_a_run_however_it_spells_its_metric(notebook):
    runs = load_runs([notebook([STREAM], [TABLE])])
    assert sorted(zip(runs.labels["run"], runs.value.tolist(), strict=True)) == [
        ("cell 2", loss(6, 0.2)), ("cell 3", loss(6, 0.3))
    ]  # fmt: skip


@pytest.mark.parametrize("outputs", [(), ([],)])
def test_a_notebook_without_outputs_says_so(notebook, outputs):
    with pytest.raises(InputError, match="without outputs"):
        load_runs([notebook(*outputs)])


def test_what_is_no_notebook_says_so(tmp_path):
    path = tmp_path / "train.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="is no notebook"):
        load_runs([str(path)])
