"""Names of metrics by which segmentation is judged, and of what costs something."""

from __future__ import annotations

import pytest

from scaleplan.advice.curves.checking import check_curves
from scaleplan.runs.metrics import describe
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves
from scaleplan.runs.text import words


def log(tmp_path, heading, rows):
    path = tmp_path / "log.csv"
    text = "".join(f"{at},{value}\n" for at, value in rows)
    path.write_text(f"{heading}\n{text}", encoding="utf-8")
    return [str(path)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mIoU", ("miou",)), ("val/mIoU", ("val", "miou")), ("valIoU", ("val", "iou")),
     ("mDice", ("mdice",)), ("aAcc", ("aacc",)), ("bbox_mAP_50", ("bbox", "map", "50")),
     ("trainGIoU", ("train", "giou")), ("dimAccount", ("dim", "account"))],
)  # fmt: skip
def test_means_and_overlaps_are_one_word(name, expected):
    assert words(name) == expected


@pytest.mark.parametrize(
    "name", ["IoU", "mIoU", "val/mIoU", "miou", "mDice", "mAP", "val_iou", "aAcc", "mAcc",
             "mFscore"],
)  # fmt: skip
def test_overlaps_are_accuracies(tmp_path, name):
    runs = load_runs(log(tmp_path, f"params,{name}", [(1e6, 0.4), (1e7, 0.5), (1e8, 0.6)]))
    assert (runs.metric.name, runs.metric.kind) == (name, "accuracy")
    assert "METRIC_DIRECTION" not in {note.id for note in runs.notes}


def test_overlaps_in_percent_are_shares(tmp_path):
    runs = load_runs(log(tmp_path, "params,mIoU", [(1e6, 40), (1e7, 50), (1e8, 60)]))
    assert runs.column("value") == pytest.approx([0.4, 0.5, 0.6])


@pytest.mark.parametrize("name", ["dice_loss", "loss_giou", "DiceLoss", "val/GIoU_loss"])
def test_losses_of_overlaps_stay_losses(name):
    found = describe(name)
    assert found is not None
    assert found.kind == "loss"


@pytest.mark.parametrize(
    "name", ["cost", "regret", "val/distance", "latency_ms", "penalty", "x/energy_cost_mean"]
)
@pytest.mark.parametrize("values", [(5, 4, 3), (3, 4, 5), (4, 4, 4)])
def test_what_costs_something_is_better_low(tmp_path, name, values):
    rows = list(zip((1e6, 1e7, 1e8), values, strict=True))
    runs = load_runs(log(tmp_path, f"params,{name}", rows), metric=name)
    assert runs.metric.kind == "loss"
    [note] = [note for note in runs.notes if note.id == "METRIC_DIRECTION"]
    assert note.severity == "info"


def test_a_person_may_call_a_distance_a_score(tmp_path):
    paths = log(tmp_path, "params,distance", [(1e6, 3), (1e7, 4), (1e8, 5)])
    assert load_runs(paths, columns={"score": "distance"}).metric.kind == "score"


def test_a_cost_beside_an_accuracy_is_not_taken_unasked(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("params,cost,accuracy\n1e6,3,.4\n1e7,9,.5\n1e8,30,.6\n", encoding="utf-8")
    assert load_runs([str(path)]).metric.name == "accuracy"


def diverging(tmp_path, name, last=""):
    """Return the note on a run whose values fall and then jump up for good."""
    rows = [(k, 4.0 + 6.0 / k if k < 40 else 9.5 + 0.01 * (k % 3)) for k in range(1, 80)]
    ended = [(k, last) for k in range(80, 90)] if last else []
    curves = load_curves(log(tmp_path, f"step,{name}", [*rows, *ended]), metric=name)
    [note] = [note for note in check_curves(curves).notes if note.id == "DIVERGED"]
    return note


def test_no_divergence_is_sure_where_the_direction_is_assumed(tmp_path):
    assumed = diverging(tmp_path, "cost")
    assert assumed.severity == "warning"
    assert "depends on it" in assumed.text
    assert diverging(tmp_path, "loss").severity == "error"


def test_lost_values_are_an_error_in_any_direction(tmp_path):
    assert diverging(tmp_path, "cost", last="nan").severity == "error"
