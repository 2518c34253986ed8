"""A role's column is the one that is filled where the metric stands; names in the plural."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.metrics import describe
from scaleplan.runs.series import load_curves

HEADED = (
    "Params,N,D,C,loss\n12M,12047168,,,\n,12047168,2e8,4.5e16,5.2\n,12047168,1e9,2.2e17,3.97\n"
    "17M,16865856,,,\n,16865856,2e8,5.5e16,5.1\n,16865856,1e9,2.77e17,3.8\n"
)


def test_a_size_that_only_heads_a_group_gives_way_to_the_exact_one(load, note_ids):
    runs = load(HEADED)
    assert runs.column("params").tolist() == [12047168.0] * 2 + [16865856.0] * 2
    assert [use.column for use in runs.cleaning.columns if use.role == "params"] == ["N"]
    assert "SPARSE_COLUMN" in note_ids(runs)
    given = load(HEADED.replace(",5.2", ",5.2").replace("\n,1204", "\n12M,1204"))
    assert given.column("params").tolist()[:2] == [12e6] * 2, "filled, the better name counts"


def test_each_file_has_its_own_filled_column(load):
    exact = "params,N,D,loss\n12M,1.1e7,1e9,4\n17M,1.6e7,2e9,3\n"
    runs = load({"a.csv": HEADED, "b.csv": exact.replace("params", "Params")})
    assert runs.column("params").tolist() == [12047168.0] * 2 + [16865856.0] * 2 + [12e6, 17e6]


def test_a_metric_that_was_named_stands_however_few_rows_have_it(load):
    text = "params,val_loss,eval_loss\n1e6,4,4.5\n2e6,,3.5\n3e6,,3.2\n4e6,,3.1\n"
    assert load(text, metric="val_loss").value.tolist() == [4.0]


def test_sizes_in_the_first_row_of_a_run_are_those_of_the_run(load):
    rows = [f"{run},{'1e6' if step == 0 else ''},{step},{4 - 0.1 * step}"
            for run in "ab" for step in range(4)]  # fmt: skip
    runs = load("run,params,step,val_loss\n" + "\n".join(rows) + "\n")
    assert runs.column("params").tolist() == [1e6, 1e6]


@pytest.mark.parametrize(
    ("column", "kind", "split"),
    [
        ("train_losses", "loss", "train"), ("losses", "loss", "plain"),
        ("valLosses", "loss", "validation"), ("trainlosses", "loss", "train"),
        ("test_accuracies", "accuracy", "test"), ("errors", "error", "plain"),
        ("val_perplexities", "loss", "validation"),
    ],
)  # fmt: skip
def test_names_in_the_plural(column, kind, split):
    found = describe(column)
    assert found is not None
    assert (found.kind, found.split) == (kind, split)


def test_a_list_of_losses_falls(tmp_path):
    values = [3.0, 2.5, 2.2, 2.0, 1.9, 1.8, 1.75]
    file = tmp_path / "tl.json"
    file.write_text(json.dumps([{"train_losses": v} for v in values]), encoding="utf-8")
    [curve] = load_curves([str(file)], metric="train_losses").curves
    assert curve.metric.kind == "loss"
