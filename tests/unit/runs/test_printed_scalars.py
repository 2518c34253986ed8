"""Numbers that libraries print as calls or lists; steps, folds and rows that have no names."""

from __future__ import annotations

import pytest

from scaleplan.runs.formats.printed_lines import known
from scaleplan.runs.formats.printed_parts import with_bare_scalars
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

EPOCHS = range(1, 7)


def loss(epoch):
    return round(3.0 * epoch**-0.4, 4)


def numbers(series):
    return series.at.tolist(), series.value.tolist()


@pytest.mark.parametrize(
    "number",
    [
        "np.float64({v})",
        "np.float32({v})",
        "tensor({v}, device='cuda:0', grad_fn=<NllLossBackward0>)",
        "tensor({v})",
        "tf.Tensor({v}, shape=(), dtype=float32)",
        "Array({v}, dtype=float32)",
    ],
)
@pytest.mark.parametrize("form", ["epoch {e} loss {n}\n", "{{'epoch': {e}, 'loss': {n}}}\n"])
def test_a_number_may_be_printed_as_a_call(log, number, form):
    text = "".join(form.format(e=e, n=number.format(v=loss(e))) for e in EPOCHS)
    [curve] = load_curves([log(text)]).curves
    assert numbers(curve.training) == ([*EPOCHS], [loss(e) for e in EPOCHS])


@pytest.mark.parametrize("text", ["tensor([2.3, 2.4])", "np.float64(x)", "f(2.3)", "Tensor(shape)"])
def test_other_calls_stay_as_they_are(text):
    assert with_bare_scalars(text) == text


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Pseudo dice [0.61]", {"Pseudo dice": "0.61"}),
        ("Pseudo dice [0.89, 0.67, 0.48]", {}),
        ("epoch [3, 10] loss 2.5", {"epoch": "3", "loss": "2.5"}),
    ],
)
def test_a_list_of_classes_is_no_score(text, row):
    assert known(text) == row


def test_negative_losses_of_training_are_of_one_scale(log):
    text = "".join(
        f"2025-06-23 16:20:20.15: Epoch {e}\n2025-06-23 16:29:13.15: train_loss {-0.1 * e:.4f}\n"
        f"2025-06-23 16:29:13.17: val_loss {-0.09 * e:.4f}\n"
        for e in EPOCHS
    )
    [curve] = load_curves([log(text)]).curves
    assert curve.validation.value.tolist() == pytest.approx([-0.09 * e for e in EPOCHS])


def test_steps_of_the_whole_training_come_before_those_of_an_epoch(log):
    text = "".join(
        f" > EPOCH: {e}/1000\n   --> STEP: 25/404 -- GLOBAL_STEP: {404 * e}\n"
        f"     | > loss: {loss(e)}  (9.52345)\n  --> EVAL PERFORMANCE\n"
        f"     | > avg_loss: {loss(e) + 1:.4f} (+0.000)\n"
        for e in EPOCHS
    )
    [curve] = load_curves([log(text)]).curves
    assert curve.axis == "step"
    steps = [404 * e for e in EPOCHS]
    assert numbers(curve.training) == (steps, [loss(e) for e in EPOCHS])
    assert numbers(curve.validation) == (steps, [round(loss(e) + 1, 4) for e in EPOCHS])


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        (
            "Training on fold [{f}/3]\n",
            "{e}:\tlearn: 0.5\ttest: {v}\tbest: {v} ({e})\ttotal: 6ms\n",
        ),
        ("===== Fold: {f} =====\n", "Epoch {e}/6 | train loss 0.5 | val loss {v}\n"),
        ("", "Fold {f} | epoch {e} | train loss 0.5 | val loss {v}\n"),
    ],
)
def test_folds_of_a_cross_validation_are_runs(log, heading, line):
    text = "".join(
        heading.format(f=f) + "".join(line.format(e=e, f=f, v=loss(e)) for e in EPOCHS) + "\n"
        for f in range(3)
    )
    curves = load_curves([log(f"5-fold cross-validation\n{text}Mean over 3 folds\n")]).curves
    assert [curve.run for curve in curves] == ["fold 0", "fold 1", "fold 2"]
    for curve in curves:
        assert numbers(curve.validation) == ([*EPOCHS], [loss(e) for e in EPOCHS])


YOLO = (
    "{e:>10}     11.3G   {box:.5f}   0.02512   0.01987    0.1121        56       640    0.3311"
    "    0.2512   {m:.4f}   {n:.4f}   0.05712   0.01912   0.01512\n"
)


def test_rows_of_yolo_need_no_names(log):
    text = "".join(YOLO.format(e=f"{e}/49", box=0.06, m=0.1 * e, n=0.06 * e) for e in EPOCHS)
    runs = load_runs([log(text)])
    assert runs.metric.name == "mAP50-95"
    assert runs.value.tolist() == pytest.approx([0.36])
    [curve] = load_curves([log(text)]).curves
    assert curve.axis == "epoch"
    assert curve.validation.at.tolist() == [*EPOCHS]


def test_messages_of_julia_are_no_json(log):
    text = "".join(
        f"[ Info: Epoch: {e} - Train loss: {loss(e)} - Test loss: {loss(e)}\n" for e in EPOCHS
    )
    [curve] = load_curves([log(text)]).curves
    assert numbers(curve.validation) == ([*EPOCHS], [loss(e) for e in EPOCHS])
