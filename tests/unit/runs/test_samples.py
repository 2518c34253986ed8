"""The sample runs that ship with the project are read as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaleplan.runs.reading import load_runs

SAMPLES = Path(__file__).parents[3] / "sample_runs"


def test_the_worked_case_of_the_article():
    runs = load_runs([str(SAMPLES / "article" / "worked_case.yaml")])
    assert len(runs) == 7
    assert runs.metric.name == "P"
    assert runs.units["input"] == "1e8 parameters"
    assert runs.value.tolist() == pytest.approx((0.1 * runs.column("input") + 0.5).tolist())


def test_image_curves_become_one_run_each():
    runs = load_runs([str(SAMPLES / "images" / "epochs.csv")])
    assert runs.metric.name == "val_loss"
    assert len(runs) == len(set(runs.labels["run"])) >= 30
    assert not runs.cleaning.dropped
    assert runs.has("unique_tokens")


def test_language_runs_have_their_own_compute():
    runs = load_runs([str(SAMPLES / "language" / "runs.csv")])
    assert runs.metric.name == "val_loss"
    assert not runs.cleaning.dropped
    assert runs.flops_per_param_token == pytest.approx(5.0, abs=0.5)


def test_recommender_runs_count_interactions_and_both_kinds_of_parameters():
    runs = load_runs([str(SAMPLES / "recommender" / "runs.jsonl")])
    assert len(runs) >= 20
    parts = runs.column("embedding_params") + runs.column("dense_params")
    assert runs.column("params").tolist() == parts.tolist()
    [tokens] = [use.column for use in runs.cleaning.columns if use.role == "tokens"]
    assert tokens == "interactions"
