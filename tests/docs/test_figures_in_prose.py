"""Figures that the README states in a sentence are those that its commands give."""

from __future__ import annotations

import json
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
IMAGES = "sample_runs/images/epochs.csv"


def test_the_accuracy_that_a_loss_leads_to(invoke, tmp_path):
    loss, accuracy = str(tmp_path / "loss.yaml"), str(tmp_path / "accuracy.yaml")
    invoke("fit", IMAGES, "--metric", "val_loss", "--input", "images", "-o", loss, "-q")
    invoke("fit", IMAGES, "--metric", "val_accuracy", "--input", "val_loss", "-o", accuracy, "-q")
    result = invoke("predict", loss, "--at", "4000", "--then", accuracy, "--format", "json", "-q")
    then = json.loads(result.stdout)["points"][0]["then"]
    said = (
        f"For 4,000 images it says an accuracy of {then['value']:.3f} (90%: {then['low']:.3f} to "
        f"{then['high']:.3f})."
    )
    assert said in README.read_text(encoding="utf-8").replace("\n", " ")
