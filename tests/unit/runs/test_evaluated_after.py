"""An evaluation after training does not stand for the last epoch."""

from __future__ import annotations

import pytest

from scaleplan.advice.curves import check_curves
from scaleplan.runs.series import load_curves

VALIDATION = [0.62, 0.48, 0.41, 0.44, 0.49, 0.55, 0.60, 0.66]
TRAINING = [0.7, 0.52, 0.4, 0.31, 0.22, 0.15, 0.1, 0.07]
EPOCHS = "".join(
    f"Epoch {i + 1}/8 | Train Loss: {t:.4f} | Val Loss: {v:.4f}\n"
    for i, (t, v) in enumerate(zip(TRAINING, VALIDATION, strict=True))
)
TABLE = ["epoch,train_loss,val_loss"] + [
    f"{i + 1},{t},{v}" for i, (t, v) in enumerate(zip(TRAINING, VALIDATION, strict=True))
]


def checked(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = check_curves(load_curves([str(path)]))
    return found.runs[0], {note.id: note for note in found.notes}


@pytest.mark.parametrize(
    "tail",
    [
        "Best epoch: 3, Val Loss: 0.4100\n",
        "Restored best weights, Val Loss: 0.4100\n",
        "Evaluating best checkpoint (Epoch 3)\nVal Loss: 0.4100\n",
    ],
)
def test_the_best_checkpoint_said_again_hides_no_overfitting(tmp_path, tail):
    run, notes = checked(tmp_path, EPOCHS + tail, "run.log")
    assert (run.verdict, run.points, run.best_at) == ("overfitting", 8, 3.0)
    assert run.last == pytest.approx(0.66)
    assert "0.4100 at epoch 8" in notes["EVALUATED_AFTERWARDS"].text
    assert "STEPS_REPEATED" not in notes


@pytest.mark.parametrize("rows", [["8,,0.41"], ["8,,", "8,,0.41"], ["8,,0.41", "8,,0.43"]])
def test_rows_of_validation_alone_after_the_last_epoch(tmp_path, rows):
    run, notes = checked(tmp_path, "\n".join(TABLE + rows) + "\n", "run.csv")
    assert run.verdict == "overfitting"
    assert "EVALUATED_AFTERWARDS" in notes


def test_a_test_loss_printed_like_that_of_training_is_not_that_of_the_last_epoch(tmp_path):
    lines = [
        f"Epoch {i + 1}/8\n625/625 - 32s 50ms/step - loss: {t:.4f} - val_loss: {v:.4f}\n"
        for i, (t, v) in enumerate(zip(TRAINING, VALIDATION, strict=True))
    ]
    text = "".join(lines) + "782/782 - 9s 11ms/step - loss: 0.4954\n"
    run, notes = checked(tmp_path, text, "keras.log")
    assert run.verdict == "overfitting"
    assert "0.4954 at epoch 8" in notes["EVALUATED_AFTERWARDS"].text


@pytest.mark.parametrize("rows", [["8,0.06,0.41"], ["7,0.1,0.5", "8,0.08,0.41"]])
def test_a_resumed_run_counts_as_it_went_on(tmp_path, rows):
    run, notes = checked(tmp_path, "\n".join(TABLE + rows) + "\n", "run.csv")
    assert run.last == pytest.approx(0.41)
    assert "EVALUATED_AFTERWARDS" not in notes


def test_a_last_step_logged_twice_with_equal_values_says_nothing_of_evaluations(tmp_path):
    run, notes = checked(tmp_path, "\n".join([*TABLE, "8,,0.66"]) + "\n", "run.csv")
    assert run.verdict == "overfitting"
    assert "EVALUATED_AFTERWARDS" not in notes


def test_validation_written_several_times_a_step_is_none(tmp_path):
    rows = [*TABLE[:4], "3,,0.40", *TABLE[4:], "8,,0.41"]
    _, notes = checked(tmp_path, "\n".join(rows) + "\n", "run.csv")
    assert "EVALUATED_AFTERWARDS" not in notes
    assert "STEPS_REPEATED" in notes


HEAD = "epoch,train/box_loss,metrics/mAP50-95(B),val/box_loss,val/cls_loss"


def test_zeros_of_epochs_without_validation_are_no_scores(tmp_path):
    rows = [f"{i},{2 - 0.05 * i:.2f},0,0,0" for i in range(1, 12)]
    rows += [f"{i},{2 - 0.05 * i:.2f},{0.6 + 0.01 * i:.2f},1.2,0.5" for i in range(12, 18)]
    run, _ = checked(tmp_path, "\n".join([HEAD, *rows]) + "\n", "results.csv")
    assert run.metric == "metrics/mAP50-95(B)"
    assert run.points == 6


def test_a_score_of_zero_beside_a_loss_stays(tmp_path):
    rows = [f"{i},1.5,{0.1 * max(0, i - 3):.1f},1.2,0.5" for i in range(1, 9)]
    run, _ = checked(tmp_path, "\n".join([HEAD, *rows]) + "\n", "results.csv")
    assert run.points == 8
