"""Scores that are shares of 1 are read as such where their values allow it."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.runs.reading import load_runs
from scaleplan.runs.shares import are_shares, is_share


def metric(tmp_path, column, values, **options):
    path = tmp_path / "runs.csv"
    rows = "".join(f"{10 ** (6 + k)},{value}\n" for k, value in enumerate(values))
    path.write_text(f"params,{column}\n{rows}", encoding="utf-8")
    runs = load_runs([str(path)], **options)
    return runs.metric, runs.column("value")


@pytest.mark.parametrize(
    "column", ["val_auc", "test/auroc", "macro_f1", "f1_score", "ndcg@10", "mAP50", "win_rate",
               "metrics/mAP50-95(B)", "hit_rate@10", "rougeL", "bleu"],
)  # fmt: skip
def test_a_share_by_its_name_and_values(tmp_path, column):
    found, values = metric(tmp_path, column, [0.61, 0.7, 0.74])
    assert (found.kind, found.unit) == ("accuracy", "fraction")
    assert values.tolist() == [0.61, 0.7, 0.74]


def test_percentages_that_are_said_to_be_such_are_shares(tmp_path):
    found, values = metric(tmp_path, "F1 (%)", [61, 70, 74.5])
    assert found.kind == "accuracy"
    assert values.tolist() == pytest.approx([0.61, 0.7, 0.745])


@pytest.mark.parametrize("values", [[21.5, 30.1, 38.0], [-0.1, 0.2, 0.3], [0.4, 0.9, 1.2]])
def test_values_that_are_no_shares_stay_a_score_as_logged(tmp_path, values):
    found, read = metric(tmp_path, "bleu", values)
    assert (found.kind, found.unit) == ("score", "as logged")
    assert read.tolist() == values


def test_other_scores_stay_scores(tmp_path):
    assert not is_share("reward")
    assert metric(tmp_path, "reward", [0.1, 0.2, 0.3])[0].kind == "score"


def test_whoever_calls_it_a_score_means_one(tmp_path):
    found, _ = metric(tmp_path, "auc", [0.61, 0.7, 0.74], columns={"score": "auc"})
    assert found.kind == "score"


def test_no_values_are_no_shares(tmp_path):
    assert not are_shares("auc", np.array([np.nan]))


def test_an_arrow_beside_a_name_is_no_unit(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("params,WER (↓)\n1e7,15.7\n1e8,11.7\n1e9,7.7\n", encoding="utf-8")
    runs = load_runs([str(path)])
    assert runs.metric.unit == "fraction"
    assert runs.value.tolist() == pytest.approx([0.157, 0.117, 0.077])
