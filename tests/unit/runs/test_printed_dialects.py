"""Programs that name steps, epochs and data in a way of their own; bars of progress."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves

STEPS = range(100, 1300, 100)


def loss(step, more=0.0):
    return round(4.0 * (step + 1) ** -0.2 + more, 4)


@pytest.fixture
def curve(log):
    def read(line, steps=STEPS, **options):
        text = "".join(
            line.format(s=s, e=s // 100, v=loss(s), w=loss(s, 0.3), p=s // 15) for s in steps
        )
        [found] = load_curves([log(text)], **options).curves
        return found

    return read


def numbers(series):
    return series.at.tolist(), series.value.tolist()


@pytest.mark.parametrize(
    "line",
    [
        "{s} | loss {v} | lr 1.0e-05 | 100.12ms | mfu 20.10%\n",
        "[{s} | 12.34] loss={v} avg=9.99\n",
        "INFO:Step {s} per-step time 0.5s\nINFO:{{'Loss/box': 0.1,\n 'Loss/total_loss': {v},\n"
        " 'learning_rate': 0.04}}\n",
        "1|{s}|Loss: {v}:   0%|   | {s}/25880 [00:13<1:00:00,  1.00it/s]\n",
        "INFO :: Progress on:train {s}.0it/10.0kit rate:1.2it/s elapsed:0:05 postfix:loss={v}\n",
        "mmengine - INFO - Iter(train) [{s:6d}/160000]  lr: 9.9e-03  eta: 1:00:00  loss: {v}\n",
        " {p}%|##   | {s}/30000 [01:10<10:00, 50.1it/s, loss={v}]\n",
        "Training: {p}%|##   | {s}/30000 [1:01:10<10:00, 2.1s/it, loss={v}]\n",
    ],
)
def test_steps_are_read_however_they_are_called(curve, line):
    found = curve(line)
    assert found.axis == "step"
    assert numbers(found.training) == (list(STEPS), [loss(s) for s in STEPS])


def test_training_and_validation_on_one_line(curve):
    found = curve(
        "Epoch 1 | iter 9 step {s} | loss train: {v}, val: {w} | iter time: 3 ms (step)\n"
    )
    assert numbers(found.training) == (list(STEPS), [loss(s) for s in STEPS])
    assert numbers(found.validation) == (list(STEPS), [loss(s, 0.3) for s in STEPS])
    found = curve("Epoch 1 | iter 9 step {s} | loss train: {v}, val: n/a | iter time: 3 ms\n")
    assert numbers(found.training) == (list(STEPS), [loss(s) for s in STEPS])


def test_the_loss_that_nemo_reduces_is_that_of_training(curve):
    found = curve(
        "Training epoch 0, iteration {s}/9999 | lr: 5.6e-06 | global_step: {s} | "
        "reduced_train_loss: {v} | consumed_samples: 928 | val_loss: {w} | val_ppl: 17.57\n"
    )
    assert numbers(found.training) == (list(STEPS), [loss(s) for s in STEPS])
    assert numbers(found.validation) == (list(STEPS), [loss(s, 0.3) for s in STEPS])


def test_epochs_of_espnet_have_one_point_each(curve):
    found = curve(
        "[h] (trainer:694) INFO: {e}epoch:train:1-50batch: iter_time=1e-04, loss=9.9, acc=0.1\n"
        "[h] (trainer:338) INFO: {e}epoch results: [train] iter_time=1e-04, acc=0.2, loss={v}, "
        "time=5 minutes, total_count=100, [valid] acc=0.3, wer=0.9, loss={w}, total_count=5\n"
    )
    assert numbers(found.training) == (list(range(1, 13)), [loss(s) for s in STEPS])
    assert numbers(found.validation) == (list(range(1, 13)), [loss(s, 0.3) for s in STEPS])


def test_updates_of_marian_are_steps(curve):
    found = curve(
        "[2021] Ep. 1 : Up. {s} : Sen. 100,000 : Cost 7.2 : Time 100.12s : 5000.10 words/s\n"
        "[2021] [valid] Ep. 1 : Up. {s} : cross-entropy : {w} : new best\n"
    )
    assert numbers(found.validation) == (list(STEPS), [loss(s, 0.3) for s in STEPS])


def test_costs_of_marian_are_those_of_training(curve):
    found = curve(
        "[2022 mpi:0] Ep. {e}.15 : Up. {s} : Sen. 646,829,638 : Cost {v} * 25,437,554 @ 2,305,265 "
        "after 24,150,553,337 : Time 21.29s : 1193424.53 words/s : gNorm 0.05 : L.r. 6.5e-04\n"
    )
    assert found.metric.name == "train loss"
    assert numbers(found.training) == (list(STEPS), [loss(s) for s in STEPS])


@pytest.mark.parametrize(
    "begin", ["| epoch 00{e}", "2023-06-13 17:32:41 | INFO | valid | epoch {e}"]
)
def test_validation_of_fairseq_is_told_from_training(curve, begin):
    found = curve(
        "| epoch 00{e} | loss {v} | nll_loss 0.1 | wps 770 | num_updates {s} | lr 1e-05\n"
        + begin
        + " | valid on 'valid' subset | loss {w} | nll_loss 0.003 | num_updates {s}\n"
        "| epoch 00{e} | valid on 'test' subset | loss 9.9 | nll_loss 0.003 | num_updates {s}\n"
    )
    assert found.metric.name == "valid loss"
    assert numbers(found.training) == (list(STEPS), [loss(s) for s in STEPS])
    assert numbers(found.validation) == (list(STEPS), [loss(s, 0.3) for s in STEPS])


@pytest.mark.parametrize("begin", ["[h-1] ", "[h-1] 2021-07-06 14:20:17,332 (trainer:398) INFO: "])
def test_one_epoch_in_all_is_a_point(load, begin):
    text = (
        f"{begin}13epoch results: [train] loss=39.899, loss_att=33.843, acc=0.750, time=6 hours, "
        "22 minutes, [valid] loss=27.755, loss_att=23.035, acc=0.817, wer=0.862, total_count=4017\n"
    )
    runs = load(text, name="train.log")
    assert runs.metric.name == "valid loss"
    assert runs.value.tolist() == [27.755]
    assert runs.columns["epoch"].tolist() == [13.0]


def test_detectors_of_mmengine_are_judged_by_their_precision(curve):
    found = curve(
        "mmengine - INFO - Epoch(train)  [{e}][250/250]  lr: 1.0e-02  loss: {v}  loss_cls: 0.5\n"
        "mmengine - INFO - Epoch(val) [{e}][50/50]    coco/bbox_mAP: 0.{e:02d}  "
        "coco/bbox_mAP_50: 0.3  time: 0.1\n"
    )
    assert found.metric.name == "coco/bbox_mAP"
    assert found.validation.at.tolist() == list(range(1, 13))
    found = curve(
        "mmdet - INFO - Epoch [{e}][50/250]\tlr: 1e-03, eta: 9:48:21, loss: {v}\n"
        "mmdet - INFO - Epoch(val) [{e}][5000]\tbbox_mAP: 0.{e:02d}, bbox_mAP_50: 0.3\n"
    )
    assert found.validation.at.tolist() == list(range(2, 14))


def test_segmentation_is_judged_by_its_overlap(curve):
    found = curve(
        "[INFO]\t[TRAIN] epoch: 1, iter: {s}/1000, loss: {v}, lr: 0.009\n"
        "[INFO]\t[EVAL] #Images: 500, mIoU: 0.{e:02d}, Acc: 0.9, Kappa: 0.8, Dice: 0.6\n"
    )
    assert found.metric.name == "EVAL mIoU"
    assert found.validation.at.tolist() == list(STEPS)
    assert "tokens" not in found.sizes


def test_a_dictionary_that_is_never_closed_is_read_line_by_line(log):
    text = "".join(f"step {s} loss {loss(s)}\nnow {{'a': 1,\n 'b': 2,\n" for s in STEPS)
    [curve] = load_curves([log(text)]).curves
    assert numbers(curve.training) == (list(STEPS), [loss(s) for s in STEPS])


@pytest.mark.parametrize(
    ("line", "params"),
    [("Total number of parameters in billions: 0.35\n", 0.35e9),
     ("number parameters: 1.104 billion\n", 1.104e9),
     ("size: 8,030,261,248 total parameters\n", 8030261248),
     ("Total number of parameters: 1,176,832,000\n", 1176832000),
     ("Number of parameters in embedding layers in billions: 0.05\n", None)],
)  # fmt: skip
def test_parameters_are_read_however_they_are_counted(log, line, params):
    text = line + "".join(f"step {s} loss {loss(s)}\n" for s in STEPS)
    [curve] = load_curves([log(text)]).curves
    assert curve.sizes.get("params") == params


def test_a_bar_that_begins_again_goes_on_counting(log):
    text = "".join(
        f" {s // 5}%|#  | {s}/500 [00:10<00:30, 50.1it/s, loss={loss(500 * epoch + s)}]\n"
        for epoch in range(3) for s in range(100, 501, 100)
    )  # fmt: skip
    [curve] = load_curves([log(text)]).curves
    assert curve.training.at.tolist() == list(range(100, 1501, 100))


def test_a_bar_within_an_epoch_is_a_part_of_it(log):
    text = "".join(
        f"Epoch {epoch}:  9%|#  | {s}/500 [00:10<00:30, 50.1it/s, loss={loss(500 * epoch + s)}]\n"
        for epoch in range(3) for s in (0, 250, 500)
    )  # fmt: skip
    [curve] = load_curves([log(text)]).curves
    assert curve.axis == "epoch"
    assert curve.training.at.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_epochs_of_so_many_begin_at_one(log):
    text = "".join(
        f"Epoch {epoch}/3:  9%|#  | {s}/500 [00:10<00:30, 50.1it/s, loss={loss(500 * epoch + s)}]\n"
        for epoch in (1, 2, 3) for s in (250, 500)
    )  # fmt: skip
    [curve] = load_curves([log(text)]).curves
    assert curve.training.at.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_a_bar_beside_steps_counts_nothing(log):
    text = "".join(
        f"step {s} loss {loss(s)}\n 9%|#  | {s + 7}/9000 [00:10<00:30, 50.1it/s, loss={loss(s)}]\n"
        for s in STEPS
    )
    [curve] = load_curves([log(text)]).curves
    assert curve.training.at.tolist() == list(STEPS)


def test_a_perplexity_of_training_is_taken_as_that_of_validation(load):
    rows = "".join(f"{s},{100 - s},{110 - s}\n" for s in range(1, 20))
    runs = load(f"step,train_ppl,val_ppl\n{rows}")
    assert runs.columns["value"] == pytest.approx([4.5108595])  # ln 91
    assert runs.columns["train_value"] == pytest.approx([4.3944492])  # ln 81


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("ends", ["", "worse"])
@pytest.mark.parametrize("test", [True, False])
def test_rounds_of_catboost_are_read_in_the_direction_of_their_best(log, sign, test, ends):
    values = [10 + sign * (5 - loss(s)) for s in STEPS]
    if ends:
        values += [values[-1] - sign * 0.01]
    text = "Learning rate set to 0.05\n"
    for i, value in enumerate(values):
        best = max(values[: i + 1], key=lambda v: sign * v)
        tested = f"\ttest: {value:.4f}\tbest: {best:.4f} ({i})" if test else ""
        learned = value if not test else value + 1
        text += f"{i}:\tlearn: {learned:.4f}{tested}\ttotal: 10.1ms\tremaining: 10.2s\n"
    [curve] = load_curves([log(text)]).curves
    assert curve.metric.kind == ("score" if sign > 0 else "loss")
    series = curve.validation if test else curve.training
    assert series.at.tolist() == list(range(len(values)))
    assert series.value.tolist() == [round(value, 4) for value in values]
