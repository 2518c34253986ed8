"""Files whose names say what they were measured on are one run's training and validation."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves


def folder(tmp_path, files, heading="iter\tLogloss"):
    place = tmp_path / "made"
    place.mkdir()
    for name, (scale, start) in files.items():
        rows = "".join(f"{start + k}\t{scale + 1 / (k + 1):.4f}\n" for k in range(12))
        (place / name).write_text(f"{heading}\n{rows}", encoding="utf-8")
    return load_curves([str(place)])


def ids(log):
    return {note.id for note in log.notes}


@pytest.mark.parametrize(
    ("train", "other"),
    [("learn_error.tsv", "test_error.tsv"), ("train.tsv", "val.tsv"),
     ("loss-training.tsv", "loss-validation.tsv")],
)  # fmt: skip
def test_names_that_differ_in_the_data_are_one_run(tmp_path, train, other):
    log = folder(tmp_path, {train: (0.1, 0), other: (0.5, 0)})
    [curve] = log.curves
    assert curve.main.value[-1] == pytest.approx(0.5 + 1 / 12, abs=1e-4)
    assert curve.training.value[-1] == pytest.approx(0.1 + 1 / 12, abs=1e-4)
    assert curve.run.endswith("made")
    [note] = [note for note in log.notes if note.id == "SPLITS_OF_FILES"]
    assert train in note.text
    assert other in note.text


def test_two_runs_of_two_files_each_keep_apart(tmp_path):
    names = ("a_train.tsv", "a_val.tsv", "b_train.tsv", "b_val.tsv")
    log = folder(tmp_path, {name: (0.1 * k, 0) for k, name in enumerate(names, 1)})
    assert sorted(curve.run[-6:] for curve in log.curves) == ["made/a", "made/b"]
    assert [len(curve.training) for curve in log.curves] == [12, 12]


@pytest.mark.parametrize(
    ("files", "heading"),
    [({"test_1.tsv": (0.1, 0), "test_2.tsv": (0.5, 0)}, "iter\tLogloss"),
     ({"train.tsv": (0.1, 0), "val.tsv": (0.5, 100)}, "iter\tLogloss"),
     ({"test.tsv": (0.1, 0), "val.tsv": (0.5, 0)}, "iter\tLogloss"),
     ({"train.tsv": (0.1, 0), "val.tsv": (0.5, 0)}, "iter\tval_loss")],
)  # fmt: skip
def test_other_files_stay_runs_of_their_own(tmp_path, files, heading):
    log = folder(tmp_path, files, heading)
    assert len(log.curves) == 2
    assert "SPLITS_OF_FILES" not in ids(log)
