"""Runs in several files: a file a point, or a folder for each set of data."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

EPOCHS = range(6)


def loss(epoch, more=0.0):
    return round(3.0 * (epoch + 1) ** -0.4 + more, 4)


@pytest.fixture
def write(tmp_path):
    def write(name, document):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, encoding="utf-8")
        return str(tmp_path)

    return write


def metrics(epoch):
    return {"epoch": epoch, "training_loss": loss(epoch), "validation_loss": loss(epoch, 0.2)}


@pytest.mark.parametrize("first", [0, 1])
def test_files_that_count_epochs_in_their_names_are_one_run(write, first):
    for epoch in EPOCHS:
        folder = write(f"out/metrics_epoch_{epoch + first}.json", metrics(epoch))
    [curve] = load_curves([folder]).curves
    assert curve.validation.at.tolist() == [*EPOCHS]
    assert curve.validation.value.tolist() == [loss(e, 0.2) for e in EPOCHS]
    assert curve.training.value.tolist() == [loss(e) for e in EPOCHS]
    runs = load_runs([folder])
    assert runs.value.tolist() == [loss(5, 0.2)]
    said = [note.id for note in runs.notes]
    assert "POINTS_OF_FILES" in said
    assert "RUN_IN_SEVERAL_FILES" not in said


def test_results_of_several_runs_stay_apart(write):
    for seed, epoch in ((1, 7), (2, 9), (3, 5)):
        folder = write(f"seed_{seed}.json", metrics(epoch))
    assert len(load_runs([folder]).value) == 3


def test_files_of_two_folders_are_two_runs(write):
    for epoch in EPOCHS:
        write(f"small/metrics_epoch_{epoch}.json", metrics(epoch))
        folder = write(f"large/metrics_epoch_{epoch}.json", metrics(epoch))
    assert len(load_curves([folder]).curves) == 2


def test_a_folder_may_say_what_was_measured_on(write):
    for name, more in (("train", 0.0), ("val", 0.2)):
        rows = "".join(f"{e}\t{loss(e, more)}\n" for e in EPOCHS)
        folder = write(f"plots/{name}/loss.tsv", f"step\tloss\n{rows}")
    log = load_curves([folder])
    [curve] = log.curves
    assert curve.validation.value.tolist() == [loss(e, 0.2) for e in EPOCHS]
    assert curve.training.value.tolist() == [loss(e) for e in EPOCHS]
    [note] = [note for note in log.notes if note.id == "SPLITS_OF_FILES"]
    assert "train/loss.tsv" in note.text
