"""What banners of printed logs say: data to evaluate on, lengths and settings are no counts."""

from __future__ import annotations

import pytest

from scaleplan.runs.formats.printed_lines import known
from scaleplan.runs.series import load_curves


def banner(what, examples):
    return f"[INFO|trainer.py:9] >> ***** Running {what} *****\n  Num examples = {examples}\n"


@pytest.mark.parametrize("what", ["Evaluation", "Prediction"])
def test_an_evaluation_does_not_say_what_was_trained_on(load, what):
    text = banner("training", "4,000") + "  Num Epochs = 3\n"
    for i in range(1, 7):
        text += f"{{'loss': {3 - i / 10}, 'epoch': {i / 2}}}\n" + banner(what, 200)
        text += f"  Batch size = 8\n{{'eval_loss': {3.1 - i / 10}, 'epoch': {i / 2}}}\n"
    runs = load(text, name="out.log")
    assert runs.columns["tokens"].tolist() == [4000.0]
    assert not runs.cleaning.changed


def test_the_examples_of_a_data_set_by_the_name_of_its_file(load):
    text = "".join(
        f"[09:0{i}:00 INFO] Step {100 * i}/900; acc: 9{i}.0; ppl: {9 - i / 2}; lr: 0.001\n"
        f"[09:0{i}:05 INFO] Loading dataset from data/demo.valid.0.pt\n"
        f"[09:0{i}:05 INFO] number of examples: 1234\n"
        f"[09:0{i}:09 INFO] Validation perplexity: {10 - i / 2}\n"
        f"[09:0{i}:10 INFO] Loading dataset from data/demo.train.0.pt\n"
        f"[09:0{i}:20 INFO] number of examples: 56789\n"
        for i in range(1, 7)
    )
    runs = load(text, name="nmt.log")
    assert runs.columns["tokens"].tolist() == [56789.0]
    assert runs.columns["step"].tolist() == [600.0]


STEPS = "".join(f"step {i} | loss: {9 - i / 10} | dt: 12.5ms\n" for i in range(6))


@pytest.mark.parametrize(
    "said",
    [
        "1 epoch = 20 batches", "1 epoch = 20", "steps per epoch: 20", "Training with epoch 10",
        "Command: program train -input a.txt -lr 0.5 -epoch 10",
        "program --train a.txt --epoch 10 --dim 5",
    ],
)  # fmt: skip
def test_lengths_and_settings_count_nothing(load, said):
    runs = load(f"{said}\n{STEPS}", name="train.log")
    assert "epoch" not in runs.columns
    assert runs.columns["step"].tolist() == [5.0]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("acc: 0.1 step 4 loss 2.5", {"acc": "0.1", "step": "4", "loss": "2.5"}),
        ("epoch 1 step 20 loss 2.5", {"epoch": "1", "step": "20", "loss": "2.5"}),
        ("Epoch 1", {"Epoch": "1"}),
        ("Pipeline: ['tok2vec', 'ner']", {}),
        ("Step: 5. Elapsed: 9.5 s. Mean Reward: 0.5. Std of Reward: 0.9. Training.",
         {"Step": "5.", "Mean Reward": "0.5"}),
        ("Walker. Step: 5. Mean Reward: -1.5.", {"Step": "5.", "Mean Reward": "-1.5"}),
    ],
)  # fmt: skip
def test_names_are_those_that_the_line_has(line, row):
    assert known(line) == row


def test_a_table_of_a_pipeline_is_counted_in_no_tokens(load):
    text = "Pipeline: ['tok2vec', 'ner']\nE    #       LOSS TOK2VEC  LOSS NER  ENTS_F  SCORE\n"
    text += "---  ------  ------------  --------  ------  ------\n"
    text += "".join(
        f"  {i}     {100 * i}          {90 - i}.10     {73 - i}.29   {50 + i}.11    0.{50 + i}\n"
        for i in range(1, 6)
    )
    runs = load(text, name="spacy.log")
    assert "tokens" not in runs.columns
    assert runs.value.tolist() == [0.55]


def test_a_percentage_at_the_end_without_its_sign(tmp_path):
    path = tmp_path / "tesseract.log"
    text = "".join(
        f"At iteration {100 * i}/{200 * i}/{200 * i}, Mean rms=5.5%, delta=4.4%, char "
        f"train={9 - i}.25%, word train={19 - i}.5%, skip ratio=0%,  New best char error = "
        f"{9 - i}.25 wrote checkpoint.\n"
        for i in range(1, 7)
    )
    path.write_text(f"{text}Finished! Error rate = 3.25\n", encoding="utf-8")
    (curve,) = load_curves([str(path)]).curves
    assert curve.metric.name == "CER"
    assert curve.training.value.tolist() == pytest.approx([(9.25 - i) / 100 for i in range(1, 7)])
