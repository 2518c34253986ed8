"""Cells as people write them: counts that are about, names that are links; steps of evaluations."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.numbers import read_number
from scaleplan.runs.series import load_curves


@pytest.mark.parametrize("sign", ["~", "~ ", "\u2248", "\u223c"])
def test_about_a_count_is_that_count(sign):
    assert read_number(f"{sign}10B") == 1e10
    assert read_number(f"{sign}.5") == 0.5
    assert read_number("~") != read_number("~")
    assert read_number("~ten") != read_number("~ten")


def test_about_a_count_has_no_unit_of_its_own(load):
    runs = load("params_m,loss\n~10,3\n20,2.5\n~4B,2.2\n")
    assert runs.columns["params"].tolist() == [1e7, 2e7, 4e9]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name,params,loss\n{rows}", "runs.csv"),
        ("| name | params | loss |\n|---|---|---|\n{rows}", "runs.md"),
    ],
)
def test_links_show_their_text(load, text, name):
    cells = [("[a](https://x.org/a_(b))", "~1B", "[3.0](#t)"), ("[b](u) v2", "~2B", "2.5"),
             ('<a href="u">c</a>', "4B", "2.2")]  # fmt: skip
    bar = "|" if name.endswith(".md") else ""
    rows = "".join(f"{bar}{(bar or ',').join(row)}{bar}\n" for row in cells)
    if not bar:
        rows = rows.replace('"', "'")
    runs = load(text.format(rows=rows), name)
    assert runs.labels["run"] == ("a", "b v2", "c")
    assert runs.columns["params"].tolist() == [1e9, 2e9, 4e9]
    assert runs.columns["value"].tolist() == [3.0, 2.5, 2.2]


def records(places):
    rows = []
    for i, place in enumerate(places, 1):
        rows += [{"epoch": i, "step": 100 * i + k, "loss": 2.0 / i} for k in (-50, 0)]
        rows.append({"coco/bbox_mAP": 0.1 * i, "step": place})
    return "\n".join(map(json.dumps, rows))


def read(tmp_path, text):
    path = tmp_path / "scalars.json"
    path.write_text(text, encoding="utf-8")
    return load_curves([str(path)])


def test_evaluations_that_count_epochs_stand_at_their_steps(tmp_path):
    log = read(tmp_path, records([1, 2, 3, 4]))
    [curve] = log.curves
    assert curve.validation.at.tolist() == [100, 200, 300, 400]
    assert "EPOCHS_AS_STEPS" in [note.id for note in log.notes]


def test_evaluations_that_count_steps_stay(tmp_path):
    log = read(tmp_path, records([100, 200, 300, 400]))
    assert log.curves[0].validation.at.tolist() == [100, 200, 300, 400]
    assert "EPOCHS_AS_STEPS" not in [note.id for note in log.notes]
