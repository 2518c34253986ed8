"""Tables that stand on their side, one run or one step a column."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

QUANTITIES = "params,10M,50M,250M\ntokens,200M,1B,5B\nval loss,3.9,3.4,2.99\n"


@pytest.mark.parametrize("first", ["", "run", "quantity", "metric", "Model"])
def test_one_run_a_column_is_turned(load, note_ids, first):
    runs = load(f"{first},small,base,large\n{QUANTITIES}optimizer,adam,adam,lion\n")
    assert runs.value.tolist() == [3.9, 3.4, 2.99]
    assert runs.column("params").tolist() == [10e6, 50e6, 250e6]
    assert runs.labels["run"] == ("small", "base", "large")
    assert runs.labels["optimizer"] == ("adam", "adam", "lion")
    assert "TRANSPOSED_TABLE" in note_ids(runs)


def test_numbers_of_rows_that_pandas_turned_name_runs_with_sizes(load):
    assert load(f",0,1,2\n{QUANTITIES}").labels["run"] == ("0", "1", "2")


def test_sizes_above_the_columns_are_those_of_runs(load):
    runs = load("params,1e6,2e6,4e6\ntokens,1e8,2e8,4e8\nloss,4,3.5,3.2\n")
    assert runs.column("params").tolist() == [1e6, 2e6, 4e6]


@pytest.mark.parametrize("header", ["epoch,1,2,3,4", "metric,epoch 1,epoch 2,epoch 3,epoch 4"])
def test_one_epoch_a_column_is_a_curve(load, header):
    load(f"{header}\nloss,4,3,2.5,2.2\nval_loss,4.1,3.2,2.8,2.6\n")
    (curve,) = load_curves(["runs.csv"]).curves
    assert curve.axis == "epoch"
    assert curve.validation.at.tolist() == [1, 2, 3, 4]
    assert curve.validation.value.tolist() == [4.1, 3.2, 2.8, 2.6]


def test_columns_that_may_be_runs_or_steps_are_refused(load):
    with pytest.raises(InputError, match="may be runs or steps") as refused:
        load(",0,1,2,3\nloss,4,3,2.5,2.2\nval_loss,4.1,3.2,2.8,2.6\n")
    assert "df.T" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "objective,params,val_acc\nmse,1e6,0.7\ncross_entropy,1e6,0.72\nloss,1e6,0.74\n",
        "metric,value\nloss,3\nparams,1e6\n",
    ],
)
def test_other_tables_stay_as_they_are(load, note_ids, text):
    assert "TRANSPOSED_TABLE" not in note_ids(load(text))


def test_a_table_that_pandas_printed_with_names_of_rows(load):
    runs = load(
        "          params       loss\nrun-a  10000000.0   5.263\nrun-b  20000000.0   4.579\n"
        "run-c  40000000.0   4.027\nrun-d  80000000.0   3.581\n", "runs.txt",
    )  # fmt: skip
    assert runs.value.tolist() == [5.263, 4.579, 4.027, 3.581]
    assert "run-c" in {text for texts in runs.labels.values() for text in texts}
