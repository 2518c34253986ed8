"""What was trained on and what was validated on, told apart by tables, tags, bars or bare words."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.formats.printed_lines import known
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

EPOCHS = range(1, 9)


def train(epoch):
    return round(4.0 * epoch**-0.5, 3)


def valid(epoch):
    return round(4.1 * epoch**-0.3, 3)


def worse(epoch):
    """Return a validation that rises while training falls."""
    return round(2.0 + 0.1 * epoch, 3)


def numbers(series):
    return series.at.tolist(), series.value.tolist()


@pytest.fixture
def curve(log):
    def read(text, **options):
        [found] = load_curves([log(text)], **options).curves
        return found

    return read


def lines(form, val=valid):
    return "".join(form.format(e=e, s=100 * e, t=train(e), v=val(e)) for e in EPOCHS)


ALLENNLP = (
    "2019-10-15 12:45:23,697 - INFO - allennlp.training.trainer - Epoch {e}/8\n"
    "2019-10-15 12:45:23,739 - INFO - allennlp.training.trainer - Training\n"
    "accuracy: 0.1656, loss: {t} ||: 100%|##########| 125/125 [00:37<00:00,  3.32it/s]\n"
    "2019-10-15 12:46:01,372 - INFO - allennlp.training.trainer - Validating\n"
    "accuracy: 0.1852, loss: {v} ||: 100%|##########| 31/31 [00:02<00:00, 14.47it/s]\n"
)
TABLE = (
    "2019-10-15 12:46:03,515 - INFO - allennlp.training.tensorboard_writer -"
    "                   Training |  Validation\n"
    "2019-10-15 12:46:03,515 - INFO - allennlp.training.tensorboard_writer -"
    " cpu_memory_MB |  1919.684  |       N/A\n"
    "2019-10-15 12:46:03,516 - INFO - allennlp.training.tensorboard_writer -"
    " loss          |     {t}  |     {v}\n"
    "2019-10-15 12:46:03,516 - INFO - allennlp.training.tensorboard_writer -"
    " accuracy      |     0.356  |     0.384\n"
)
OLDER = (
    "2017-08-23 18:08:29,398 - INFO - allennlp.training.trainer - "
    "Training loss : {t}    Validation loss : {v}\n"
)


@pytest.mark.parametrize("form", [ALLENNLP + TABLE, ALLENNLP + OLDER, TABLE])
def test_allennlp_says_below_its_bars_what_an_epoch_came_to(curve, form):
    epochs = "" if "Epoch" in form else "INFO - allennlp.training.trainer - Epoch {e}/8\n"
    found = curve(lines(epochs + form))
    assert found.axis == "epoch"
    assert numbers(found.training) == ([*EPOCHS], [train(e) for e in EPOCHS])
    assert numbers(found.validation) == ([*EPOCHS], [valid(e) for e in EPOCHS])


@pytest.mark.parametrize(
    "form",
    [
        "step {s:5d} | train {t:.4f} | val {v:.4f} | lr 6.00e-04 | 12s\n",
        "[ {s}/3000]  40.0%   train={t:.4f}   val={v:.4f}   elapsed=850s   ETA=437s\n",
        "Step {s}:  train: {t:.4f}, valid: {v:.4f}\n",
    ],
)
@pytest.mark.parametrize("val", [valid, worse])
def test_bare_numbers_that_fall_in_training_are_losses(curve, form, val):
    end = "[DONE] Training finished in 2159.5s (36.0 min) | Best val loss: 0.5\n"
    found = curve(f"device: cuda\n{lines(form, val)}\n{end}")
    steps = [100 * e for e in EPOCHS]
    assert found.axis == "step"
    assert numbers(found.training) == (steps, [train(e) for e in EPOCHS])
    assert numbers(found.validation) == (steps, [val(e) for e in EPOCHS])


def test_bare_numbers_that_rise_in_training_are_scores(log):
    text = "".join(f"epoch {e} | train 0.{e} | val 0.{e}5\n" for e in EPOCHS)
    found = load_runs([log(text)])
    assert found.metric.name == "val score"


@pytest.mark.parametrize(
    "text", ["epoch 3 | train 20 | val 5", "split 1: train 0.8 test 0.1", "train 0.8% val 0.2%"]
)
def test_sizes_of_splits_are_no_metrics(text):
    assert not {"train loss", "val loss"} & set(known(text))


BARS = (
    "Epoch {e}/500 [Train]:  50%|####    | 9/19 [01:23<00:00, 4.37s/it, loss=9.5]\n"
    "Epoch {e}/500 [Train]: 100%|########| 19/19 [01:23<00:00, 4.37s/it, loss={t}]\n"
    "Epoch {e}/500 [Val]:  40%|###     | 2/5 [00:15<00:00, 4.37s/it, loss=9.9]\n"
    "Epoch {e}/500 [Val]: 100%|########| 5/5 [00:15<00:00, 4.37s/it, loss={v}]\n"
)


def test_bars_are_of_what_their_tag_says_and_a_part_of_an_evaluation_is_none(curve):
    found = curve(lines(BARS))
    assert numbers(found.validation) == ([*EPOCHS], [valid(e) for e in EPOCHS])
    summed = lines(BARS + "[Epoch {e}/500] Train: {t:.4f} | Val: {v:.4f} | LR: 1e-04\n"
                   "  New best val loss: {v}\n")  # fmt: skip
    assert numbers(curve(summed).validation) == ([*EPOCHS], [valid(e) for e in EPOCHS])


TESSERACT = (
    "2 Percent improvement time=100, best error was 100 @ 0\n"
    "At iteration {e}/{s}/{s}, Mean rms=5.51%, delta=54.456%, {c} train={v}%, {w} train=72.671%, "
    "skip ratio=0%,  New best {n} = {v} wrote checkpoint.\n\n"
)


@pytest.mark.parametrize(
    ("char", "word", "new"), [("char", "word", "char error"), ("BCER", "BWER", "BCER")]
)
def test_tesseract_is_judged_by_the_characters_it_reads_wrongly(curve, char, word, new):
    text = "".join(
        TESSERACT.format(e=e, s=100 * e, v=90.5 - 10 * e, c=char, w=word, n=new) for e in EPOCHS
    )
    found = curve(f"Loaded 241/241 pages of document a.lstmf\n{text}")
    assert found.axis == "step"
    assert found.main.at.tolist() == [100 * e for e in EPOCHS]
    assert found.main.value.tolist() == pytest.approx([0.905 - 0.1 * e for e in EPOCHS])


def test_the_language_model_is_judged_though_other_losses_stand_beside_it(log):
    text = "".join(
        f"3:  iteration {s:8d}/  100000 | learning rate: 5.670E-05 | lm loss: {4 - s / 1e3:.6E} | "
        f"sop loss: 5.839754E-01 | loss scale: 16384.0 | grad norm: 2.940 |\n"
        for s in range(100, 900, 100)
    )
    found = load_runs([log(text)])
    assert found.metric.name == "lm loss"


@pytest.mark.parametrize("last", [1, 2])
def test_of_sets_that_are_only_numbered_the_last_is_proposed(log, last):
    text = "".join(
        f"[{i}]\t"
        + "\t".join(f"validation_{k}-rmse:{5 - 0.1 * i + k:.5f}" for k in range(last + 1))
        + "\n"
        for i in range(10)
    )
    with pytest.raises(InputError) as caught:
        load_runs([log(text)])
    assert f"--metric 'validation_{last}-rmse'" in (caught.value.hint or "")
