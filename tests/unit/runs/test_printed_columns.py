"""Tables that programs print among their messages: names in one line, numbers below."""

from __future__ import annotations

import pytest

from scaleplan.runs.formats.printed_columns import columns_of
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

EPOCHS = range(1, 7)
FASTAI = "epoch     train_loss  valid_loss  accuracy  time    \n"
SKORCH = (
    "  epoch    train_loss    valid_acc    valid_loss    cp     dur\n"
    "-------  ------------  -----------  ------------  ----  ------\n"
)
SPACY = (
    "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  ENTS_R  SCORE \n"
    "---  ------  ------------  --------  ------  ------  ------  ------\n"
)
DETECTOR = (
    "      Epoch    GPU_mem   box_loss   cls_loss  Instances       Size\n"
    "{e:>11}      2.61G      9.999      9.999         81      640:  50%|##  | 2/4 [00:01<01:01]\n"
    "{e:>11}      2.61G      {v:.3f}      {w:.3f}         81      640: 100%|##| 4/4 [00:01<00:00]\n"
    "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95):"
    " 100%|####| 1/1 [00:00<00:00,  4.1it/s]\n"
    "                   all          4         17      0.649       0.65      {m:.3f}      {m:.3f}\n"
)  # fmt: skip


def train(epoch):
    return round(4.0 * epoch**-0.4, 4)


def valid(epoch):
    return round(4.2 * epoch**-0.3, 4)


@pytest.fixture
def curve(log):
    def read(text):
        [found] = load_curves([log(text)]).curves
        return found

    return read


def numbers(series):
    return series.at.tolist(), series.value.tolist()


def expect_both(found, epochs=tuple(EPOCHS)):
    assert found.axis == "epoch"
    assert numbers(found.training) == (list(epochs), [train(e) for e in epochs])
    assert numbers(found.validation) == (list(epochs), [valid(e) for e in epochs])


def fastai_row(epoch):
    return f"{epoch:<10}{train(epoch):.6f}    {valid(epoch):.6f}    0.094213  02:40     \n"


@pytest.mark.parametrize(
    "between", ["", "\n", "Better model found at this epoch.\n", "UserWarning: the rows differ\n"]
)
def test_rows_below_their_names_are_read_whatever_stands_between_them(curve, between):
    rows = between.join(map(fastai_row, EPOCHS))
    found = curve(f"Size of vocabulary: 30000\nTraining from random weights\n{FASTAI}{rows}Done\n")
    expect_both(found)


def test_a_cell_that_lacks_is_found_by_where_the_others_stand(curve):
    rows = "".join(
        f"{e:>7}  {train(e):>12.4f}  {0.5:>11.4f}  {valid(e):>12.4f}  {'+' if e < 3 else '':>4}"
        f"  {2.5:>6.4f}\n"
        for e in EPOCHS
    )
    expect_both(curve(f"INFO:root:Fitting\n{SKORCH}{rows}"))
    indented = "".join(f"    {line}\n" for line in f"{SKORCH}{rows}".splitlines())
    expect_both(curve(f"INFO:root:Fitting\n{indented}"))


def test_names_may_hold_blanks_and_a_score_is_that_of_the_evaluation(curve):
    rows = "".join(
        f"{e:>3}  {200 * e:>6}  {60.5 * e:>12.2f}  {800.5 / e:>8.2f}  {10.0 * e:>6.2f}"
        f"  {9.0 * e:>6.2f}  {11.0 * e:>6.2f}  {0.1 * e:>6.2f}\n"
        for e in EPOCHS
    )
    found = curve(
        f"\u2139 Pipeline: ['tok2vec', 'ner']\n\u2139 Initial learn rate: 0.001\n{SPACY}{rows}"
    )
    assert found.axis == "step"
    assert numbers(found.validation) == (
        [200 * e for e in EPOCHS], [pytest.approx(0.1 * e) for e in EPOCHS]
    )  # fmt: skip


def test_a_detector_prints_its_losses_and_precision_in_two_tables(log):
    text = "summary: 225 layers, 3,157,200 parameters, 3,157,184 gradients, 8.9 GFLOPs\n" + "".join(
        DETECTOR.format(e=f"{e}/6", v=train(e), w=train(e), m=0.1 * e) for e in EPOCHS
    )
    path = log(text)
    [curve] = load_curves([path]).curves
    assert numbers(curve.validation) == (
        [*EPOCHS], [pytest.approx(0.1 * e) for e in EPOCHS]
    )  # fmt: skip
    runs = load_runs([path])
    assert runs.metric.name == "mAP50-95"
    assert runs.columns["params"].tolist() == [3157200.0]
    assert "tokens" not in runs.columns
    [boxes] = load_curves([path], metric="box_loss").curves
    assert boxes.training.value.tolist() == [pytest.approx(train(e), abs=5e-4) for e in EPOCHS]


def test_what_is_nothing_but_a_table_keeps_all_its_columns(log):
    rows = "".join(f"{e}  {train(e)}  {valid(e)}  1000000  3.5\n" for e in EPOCHS)
    runs = load_runs([log(f"epoch  train_loss  valid_loss  params  dur\n{rows}")])
    assert runs.columns["params"].tolist() == [1e6]


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 3   loss 2.3   accuracy 0.5",
        "epoch: loss and accuracy   are printed   below",
        "step  size",
        "{'epoch'  'loss'  'accuracy'}",
        "the  quick  loss",
        "",
    ],
)
def test_other_lines_name_no_columns(text):
    assert columns_of(text) is None
