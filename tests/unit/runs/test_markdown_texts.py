"""Texts of Markdown with prose and several tables, and texts that are no tables at all."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

SIZES = """\
| Model | Params | Tokens | Val loss |
|---|---|---|---|
| a | 10M | 1B | 3.2 |
| **b** | 20M | 2B | **3.0** |
"""
TASKS = "| Task | acc |\n|:-|-:|\n| x | 0.5 |\n| y | 0.6 |\n"
OTHER = "| Run | Params | Test loss |\n|---|---|---|\n| c | 40M | 2.9 |\n"


@pytest.fixture
def text(tmp_path):
    def write(text: str, name: str = "README.md") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def note(runs, id_):
    return next((n for n in runs.notes if n.id == id_), None)


@pytest.mark.parametrize(
    ("above", "below", "lines"),
    [
        ("# T\n\nSome text.\n\n", "\nSome, more, text, here.\n", 2),
        ("Text, with, commas, here.\n\n", "", 1), ("```\nx = 1, 2\n```\n\n", "", 3),
        ("Title: of the text\n\n", "", 1), ("", "\nEither a | b of it.\n", 1),
        ("\ufeff# T\n\nSome text.\n", "- an item\n", 2),
    ],
)  # fmt: skip
def test_prose_around_a_table_is_passed_over(text, above, below, lines):
    runs = load_runs([text(above + SIZES + below)])
    assert (runs.metric.name, runs.value.tolist()) == ("Val loss", [3.2, 3.0])
    assert runs.column("params").tolist() == [10e6, 20e6]
    assert [line for _, line in runs.origins] == [above.count("\n") + 3, above.count("\n") + 4]
    assert not runs.cleaning.dropped
    assert note(runs, "LINES_PASSED_OVER").numbers == (("lines", float(lines)),)
    assert note(runs, "TABLE_PASSED_OVER") is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("text_of", [TASKS + "\n" + SIZES, SIZES + "\n" + TASKS])
def test_the_table_with_a_metric_and_a_size_is_taken(text, end, text_of):
    runs = load_runs([text(text_of.replace("\n", end))])
    assert (runs.metric.name, runs.value.tolist()) == ("Val loss", [3.2, 3.0])
    told = note(runs, "TABLE_PASSED_OVER")
    assert told.severity == "info"
    assert f"passed over: line {text_of.split('| Task')[0].count(chr(10)) + 1} (Task" in told.text


def test_tables_of_the_same_names_are_joined(text):
    more = "\nMore of them:\n\n" + SIZES.replace("| a |", "| d |").replace("10M", "5M")
    runs = load_runs([text(SIZES + more.replace("**b**", "e").replace("20M", "30M"))])
    assert runs.column("params").tolist() == [10e6, 20e6, 5e6, 30e6]
    assert [line for _, line in runs.origins] == [3, 4, 10, 11]
    assert "read as one" in note(runs, "TABLE_PASSED_OVER").text
    assert "passed over:" not in note(runs, "TABLE_PASSED_OVER").text


def test_the_first_of_tables_with_other_names_is_taken_and_the_others_told(text):
    runs = load_runs([text(OTHER + "\n" + SIZES)])
    assert (runs.metric.name, runs.value.tolist()) == ("Test loss", [2.9])
    told = note(runs, "TABLE_PASSED_OVER")
    assert told.severity == "warning"
    assert "passed over: line 5 (Model, Params, Tokens, Val loss)" in told.text


def test_a_table_of_choices_is_none_of_runs(text):
    choices = "| Loss | Params |\n|---|---|\n| cross entropy | all |\n\n"
    assert load_runs([text(choices + SIZES)]).metric.name == "Val loss"


def test_a_table_of_steps_is_taken(text):
    steps = "Losses:\n\n| step | val loss |\n|---|---|\n| 100 | 3.5 |\n| 200 | 3.25 |\n"
    (curve,) = load_curves([text(TASKS + "\n" + steps)]).curves
    assert curve.validation.at.tolist() == [100.0, 200.0]
    assert curve.validation.value.tolist() == [3.5, 3.25]


def test_bars_without_a_rule_are_found_below_a_title(text):
    rows = "".join(line for line in SIZES.splitlines(keepends=True) if "--" not in line)
    runs = load_runs([text("# T\n\nSome text.\n\n" + rows)])
    assert runs.value.tolist() == [3.2, 3.0]
    assert "names in line 5" in note(runs, "LINES_PASSED_OVER").text


def test_blank_lines_and_ragged_rows_of_one_table_stay_rows(text):
    runs = load_runs([text(SIZES + "\n| c | 40M | 4B | 2.9 |\n| d | 2.8 |\n")])
    assert runs.value.tolist() == [3.2, 3.0, 2.9]
    assert [dropped.line for dropped in runs.cleaning.dropped] == [7]
    assert note(runs, "LINES_PASSED_OVER") is None


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.log", "Using cuda device\nWrapping the env.\n-----\n| time/ |  |\n|  fps | 359 |\n"),
        ("b.txt", "\\begin{figure}\nModel & loss\nSmall & 3.21\n\\end{figure}\n"),
        ("c.txt", "".join(f"Loss at epoch 0 and iteration {i} is {1 / i}\n" for i in (1, 2, 3))),
        ("d.md", "```\nx = 1, 2\n```\nNothing, else, is here.\n"),
        ("e.txt", "The first of it, then others\na\nb\nc\n"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_table_is_told_so(text, name, lines):
    with pytest.raises(InputError, match="no table and no known printed form") as caught:
        load_runs([text(lines, name)])
    assert lines.splitlines()[0][:30] in str(caught.value)
    assert "--pattern" in caught.value.hint


@pytest.mark.parametrize(
    "lines", ["run\na\nb\n", "speed of the model in words\n1.5\n2.5\n", "colour,size\nred,2\n"]
)
def test_a_table_without_a_metric_is_still_one(text, lines):
    with pytest.raises(InputError) as caught:
        load_runs([text(lines, "runs.txt")])
    assert "no table" not in str(caught.value)


def test_sentences_that_repeat_a_metric_do_not_take_the_place_of_a_table(text):
    prose = "".join(
        f"- **{m}**: val loss 3.1 at step {s} vs 3.9\n" for m, s in (("a", 30), ("b", 40))
    )
    said = "- Foveated loss 3.86 vs 3.75 (+2.7%)\n- Foveated loss 3.78 vs 3.64 (+4.0%)\n"
    for lines in (said, prose, said + prose):
        runs = load_runs([text("# Results\n\n" + SIZES + "\nFindings\n\n" + lines)])
        assert runs.value.tolist() == [3.2, 3.0]
        assert note(runs, "LINES_PASSED_OVER") is not None


def test_a_table_beside_more_lines_of_a_training_is_not_the_log(text):
    lines = "".join(f"step {s} | loss {100 / s}\n" for s in (10, 20, 40, 50))
    [curve] = load_curves([text(SIZES + "\n```\n" + lines + "```\n")]).curves
    assert curve.training.at.tolist() == [10.0, 20.0, 40.0, 50.0]
