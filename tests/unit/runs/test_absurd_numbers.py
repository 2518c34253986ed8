"""Numbers that no run has are dropped with the reason, and never overflow in what comes after."""

from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs


def rows(extra):
    lines = [f"{n:g},{d:g},{2 + 3e6 / n + 1e8 / d:.5f}" for n in (1e7, 3e7) for d in (1e9, 3e9)]
    return "params,tokens,loss\n" + "\n".join([*lines, extra]) + "\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1e7,2e9,1e300", "loss is 1e+300; nothing is above 1e+100"),
        ("1e7,2e9,1e-300", "loss is 1e-300; nothing is below 1e-100"),
        ("1e-320,2e9,3", "params is 9.99989e-321; nothing is below 1e-40"),
        ("1e7,1e200,3", "tokens is 1e+200; nothing is above 1e+40"),
    ],
)
def test_a_number_that_no_run_has_is_dropped(row, reason, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(rows(row), encoding="utf-8")
    runs = load_runs([str(path)])
    assert [(note.line, note.reason) for note in runs.cleaning.dropped] == [(6, reason)]
    assert len(runs) == 4


def test_a_score_may_be_far_below_zero_but_not_absurd(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("params,score\n1e6,-5e50\n2e6,-1e-200\n3e6,-1e101\n", encoding="utf-8")
    runs = load_runs([str(path)])
    assert [note.line for note in runs.cleaning.dropped] == [4]


def test_a_header_of_very_many_columns_is_refused_at_once(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("loss," * 120_000 + "params\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"120,001 columns .* 5,000 columns") as refused:
        load_runs([str(path)])
    assert "Keep the columns" in refused.value.hint


def test_what_a_printed_log_says_once_may_be_no_number(tmp_path):
    path = tmp_path / "train.log"
    said = "number of parameters: " + "9" * 900 + "\n"
    path.write_text(said + "step 1 loss 3.0\nstep 2 loss 2.5\n", encoding="utf-8")
    runs = load_runs([str(path)], all_points=True)
    assert (len(runs), "params" in runs.columns) == (2, False)


@pytest.mark.parametrize("odd", ["[1]: 2", "{}: 2", "{1, 2}: 3", "[]: {}"])
def test_a_dictionary_with_a_key_that_is_none_is_passed_over(odd, tmp_path):
    path = tmp_path / "train.log"
    lines = ["{'loss': 3.0, 'step': 1}", f"{{'loss': 9.0, {odd}}}", "{'loss': 2.5, 'step': 3}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    runs = load_runs([str(path)], all_points=True)
    assert runs.column("value").tolist() == [3.0, 2.5]


def test_json_rows_with_integers_of_any_length(tmp_path):
    path = tmp_path / "runs.json"
    path.write_text(json.dumps([{"params": k * 10**9, "loss": 4 - k} for k in (1, 2, 3)]).replace(
        "2000000000", "2" * 6000), encoding="utf-8")  # fmt: skip
    runs = load_runs([str(path)])
    assert len(runs) == 2
    assert [note.reason for note in runs.cleaning.dropped] == [
        "params is inf; it must be a number above 0"
    ]
