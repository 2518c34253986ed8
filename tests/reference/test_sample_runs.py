"""The project's own runs: enough of them, readable, and forecast honestly."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from scaleplan.fitting.api import fit
from scaleplan.planning.forecast import forecast
from scaleplan.runs.reading import load_runs

SAMPLES = Path(__file__).parents[2] / "sample_runs"


def test_language_runs_forecast_the_larger_ones():
    runs = load_runs([str(SAMPLES / "language" / "runs.csv")])
    assert len(runs) >= 25
    assert runs.metric.name == "val_loss"
    found = fit(runs, law="chinchilla")
    with (SAMPLES / "language" / "larger.csv").open(encoding="utf-8", newline="") as handle:
        larger = list(csv.DictReader(handle))
    assert len(larger) == 2
    for row in larger:
        point = forecast(
            found, params=[float(row["params"])], tokens=[float(row["tokens"])]
        ).points[0]
        assert point.low <= float(row["val_loss"]) <= point.high
        assert point.flops > max(r.high for r in found.ranges if r.role == "flops")


def test_image_runs_show_overfitting():
    path = SAMPLES / "images" / "epochs.csv"
    runs = load_runs([str(path)], metric="val_loss", input_column="images")
    assert len(runs) >= 30
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [r for r in csv.DictReader(handle) if r["run"] == "w1-n500"]
    losses = [float(r["val_loss"]) for r in rows]
    assert len(losses) == 25
    assert min(losses) < losses[-1]
    assert float(rows[-1]["train_loss"]) < 0.01


@pytest.mark.parametrize("metric", ["val_loss", "val_accuracy"])
def test_image_runs_improve_with_images(metric):
    runs = load_runs([str(SAMPLES / "images" / "epochs.csv")], metric=metric, input_column="images")
    found = fit(runs, law="power_floor")
    few, many = forecast(found, inputs=[200.0, 4000.0]).points
    assert (many.value < few.value) is (metric == "val_loss")


def test_recommender_runs_count_embeddings_apart():
    runs = load_runs([str(SAMPLES / "recommender" / "runs.jsonl")], metric="test_loss")
    assert len(runs) >= 20
    names = set(runs.columns) | set(runs.extra)
    assert {"embedding_params", "dense_params"} <= names
    found = fit(
        load_runs(
            [str(SAMPLES / "recommender" / "runs.jsonl")], metric="test_loss",
            input_column="interactions",
        ),
        law="power_floor",
    )  # fmt: skip
    few, many = forecast(found, inputs=[2500.0, 80000.0]).points
    assert many.value < few.value


@pytest.mark.parametrize(
    ("log", "minutes"),
    [("images/epochs.csv", 27), ("language/runs.csv", 57), ("language/larger.csv", 54),
     ("recommender/runs.jsonl", 3)],
)  # fmt: skip
def test_what_is_said_about_the_time_of_training_is_in_the_logs(log, minutes):
    path = SAMPLES / log
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle)) if path.suffix == ".csv" else map(json.loads, handle)
        # Of a curve the last row counts: its seconds are those since the run began.
        seconds = {row["run"]: float(row["seconds"]) for row in rows}
    assert sum(seconds.values()) / 60 == pytest.approx(minutes, abs=0.7)
    script = (path.parent / "train.py").read_text(encoding="utf-8")
    notes = script.split('"""')[1]
    assert re.search(rf"\b{minutes}\b", notes)
    assert "SEED" in notes
