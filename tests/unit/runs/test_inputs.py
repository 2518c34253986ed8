"""What is taken as the only size of a run, and what never is."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.inputs import could_be_size
from scaleplan.runs.series import load_curves

OTHERS = [
    "fbeta", "Fold", "precision", "metrics/precision(B)", "val_iou", "dice", "jaccard", "kappa",
    "mcc", "specificity", "sensitivity", "hmean", "ssim", "nmi", "ARI", "rouge1", "rougeL",
    "rollout/ep_len_mean", "gpu_mem", "dropout", "weight_decay", "momentum", "mAP_50", "f2",
    "x/lr0", "explained_variance", "split", "elapsed", "percentage", "AP75", "bbox/AP",
]  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_scores_settings_indices_and_resources_are_no_sizes(load, note_ids, name):
    runs = load(f"{name},val_loss\n0.5,3\n0.7,2.5\n0.8,2.2\n")
    assert not runs.has("input")
    assert "NO_SIZE" in note_ids(runs)
    assert not could_be_size(name)


@pytest.mark.parametrize("name", ["width", "users", "hidden", "Size of it", "neurons"])
def test_the_only_other_number_is_taken_and_said(load, note_ids, name):
    runs = load(f"{name},val_loss\n10,3\n20,2.5\n40,2.2\n")
    assert runs.column("input").tolist() == [10.0, 20.0, 40.0]
    assert "INPUT_GUESSED" in note_ids(runs)


def test_a_size_beside_a_score_is_not_taken_unasked(load, note_ids):
    runs = load("width,nmi,val_loss\n10,0.5,3\n20,0.6,2.5\n40,0.7,2.2\n")
    assert not runs.has("input")
    [note] = [note for note in runs.notes if note.id == "NO_SIZE"]
    assert "width" in note.text
    assert "nmi" not in note.text


def test_times_in_text_are_no_labels(load):
    runs = load("epoch,val_loss,time,elapsed_time,host\n1,3,01:41,1 day,a\n2,2.5,01:41,2 days,a\n"
                "3,2.2,01:42,3 days,a\n")  # fmt: skip
    assert set(runs.labels) == {"host"}
    assert len(runs) == 1


LOSSES = "val/box_loss,val/cls_loss"


@pytest.mark.parametrize(
    ("score", "others"),
    [
        ("metrics/mAP50-95(B)", "metrics/mAP50(B),metrics/recall(B),metrics/mAP50-95(M)"),
        ("metrics/mAP_0.5:0.95", "metrics/mAP_0.5,metrics/recall,metrics/precision"),
        ("mAP@50:95", "mAP@50,recall"),
    ],
)
def test_a_detector_is_judged_by_its_average_precision(load, note_ids, score, others):
    count = others.count(",") + 1
    text = f"epoch,{others},{score},{LOSSES}\n" + "".join(
        f"{e}{f',0.{e}' * count},0.{e if e < 4 else 1}5,{2 / e},{3 / e}\n" for e in (1, 2, 3, 4)
    )
    runs = load(text)
    assert runs.metric.name == score
    assert runs.metric.kind == "accuracy"
    assert runs.value.tolist() == [0.35]  # the best, as of everything that is validated
    assert "LOSS_IN_PARTS" in note_ids(runs)
    assert "LOSS_IN_PARTS" in [note.id for note in load_curves(["runs.csv"]).notes]
    asked = load(text, metric="val/cls_loss")
    assert asked.metric.name == "val/cls_loss"
    assert "LOSS_IN_PARTS" not in note_ids(asked)


def test_parts_of_a_loss_alone_are_not_chosen_between(load):
    with pytest.raises(InputError, match="several columns"):
        load(f"epoch,{LOSSES},metrics/recall\n1,2,3,0.4\n2,1.5,2.5,0.5\n")


@pytest.mark.parametrize("total", ["total_loss", "loss/total", "val_total_loss", "overall_loss"])
def test_a_total_stands_before_its_parts(load, total):
    runs = load(f"iteration,loss_cls,{total},loss_box\n1,1,3,2\n2,0.8,2.4,1.6\n3,0.6,2,1.4\n")
    assert runs.metric.name == total
    assert load(f"iteration,loss,{total.replace('val_', '')}\n1,1,3\n").metric.name == "loss"
