"""Logs that are damaged in part: what is lost is told, with its line, and the rest is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves
from scaleplan.units import parse_count

ROWS = "".join(f"r{i},{2**i}e6,{3 - i / 10}\n" for i in range(4))
SWAPPED = "".join(f"s{i},{3 - i / 20},{2**i}e6\n" for i in range(4))
STEPS = "".join(f'{{"run":"a","step":{s},"loss":{5 - s / 10:.1f}}}\n' for s in range(1, 9))


@pytest.mark.parametrize("large", [False, True])
def test_a_heading_in_another_order_is_followed(load, reasons, large):
    first = ROWS * (60_000 if large else 1)
    text = f"run,params,loss\n{first}run,loss,params\n{SWAPPED}run,params,loss\nz,9e6,2\n"
    runs = load(text)
    line = 2 + first.count("\n")
    assert (line, "the heading stands here again, with the columns in another order") in [
        pair for pair in reasons(runs) if not pair[1].startswith("duplicate")
    ]
    assert runs.value.tolist()[-5:] == [3.0, 2.95, 2.9, 2.85, 2.0]
    assert runs.columns["params"].tolist()[-5:] == [1e6, 2e6, 4e6, 8e6, 9e6]
    assert "HEADING_AGAIN" in [note.id for note in runs.notes]


def test_rows_below_the_heading_of_another_table_are_dropped(load, reasons):
    runs = load(f"run,params,loss\n{ROWS}run,seed,loss\na,1,2.0\nb,2,2.1\n")
    assert len(runs) == 4
    assert reasons(runs) == [
        (6, "is another heading (run, seed, loss); the first is followed"),
        (7, "stands below another heading (line 6: run, seed, loss)"),
        (8, "stands below another heading (line 6: run, seed, loss)"),
    ]


@pytest.mark.parametrize("row", ["run,2e6,2.5", "run,n/a,2.5"])
def test_a_row_named_like_a_column_is_a_row(load, row):
    runs = load(f"run,params,loss\n{ROWS}{row}\nz,9e6,2\n")
    assert runs.value.tolist()[-1] == 2.0
    assert runs.columns["params"].tolist()[-1] == 9e6


def test_dropped_rows_are_told_with_the_curves(load):
    load(STEPS.replace('4,"loss":4.6}', "4"), name="a.jsonl")
    curves = load_curves(["a.jsonl"])
    (note,) = (note for note in curves.notes if note.id == "ROWS_DROPPED")
    assert note.text.startswith("1 row of a.jsonl was left out: line 4: is not valid JSON")
    assert len(curves.curves[0].main) == 7


@pytest.mark.parametrize(
    ("first", "dropped"),
    [('{"run":"a","st\n', 1), ('{"run":"a","step":0,"loss":9}\n[1,2]\n"x"\n5\nnull\n', 4)],
)
def test_a_bad_line_near_the_top_costs_that_line(load, first, dropped):
    runs = load(first + STEPS, name="a.jsonl")
    assert runs.value.tolist() == [4.2]
    assert len(runs.cleaning.dropped) == dropped


def test_a_deep_line_costs_that_line(load, reasons):
    first, _, rest = STEPS.partition("\n")
    runs = load(f"{first}\n{'[' * 100_000}{']' * 100_000}\n{rest}", name="a.jsonl")
    assert runs.value.tolist() == [4.2]
    assert [(line, why.partition(":")[0]) for line, why in reasons(runs)] == [
        (2, "is nested too deeply")
    ]


def test_a_document_that_is_laid_out_is_no_json_lines(load):
    text = (
        '{\n  "runs": [\n    {"params": 1e6, "loss": 3},\n    {"params": 2e6, "loss": 2}\n  ]\n}\n'
    )
    for name in ("a.json", "a.jsonl"):
        assert load(text, name=name).value.tolist() == [3.0, 2.0]
    assert load('{"runs": [{"params": 1e6, "loss": 3}]}', name="a.jsonl").value.tolist() == [3.0]


@pytest.mark.parametrize("text", ["{}", "[{}, {}]"])
def test_a_document_of_nothing(load, text):
    with pytest.raises(InputError, match="holds no runs"):
        load(text, name="a.json")


def test_steps_that_are_no_numbers_are_not_the_last(load, note_ids):
    cells = {500: "inf", 600: "nan", 700: ""}
    rows = "".join(f"a,1e6,{cells.get(s, s)},{3 - s / 1e4:.4f}\n" for s in range(0, 1000, 100))
    runs = load("run,params,step,loss\n" + rows)
    assert runs.value.tolist() == [2.91]
    assert runs.columns["step"].tolist() == [900.0]
    assert "STEP_NOT_NUMBER" in note_ids(runs)
    last = load("run,params,step,loss\na,1e6,,4\na,1e6,1,3\na,1e6,2,2.5\na,1e6,,2\n")
    assert last.value.tolist() == [2.0]


def test_an_open_quotation_mark_tells_how_many_rows_it_holds(load, reasons):
    runs = load(f'run,params,loss\n{ROWS}"x,1e6,2\n{ROWS.replace("r", "q")}')
    assert len(runs) == 4
    assert reasons(runs) == [(6, "a quotation mark that is never closed holds 4 more rows")]


@pytest.mark.parametrize(
    ("cell", "number"),
    [("2’000’000", 2e6), ("12,34,567", 1234567.0), ("1,00,000", 1e5), ("-10,00,000.5", -1000000.5)],
)
def test_marks_of_thousands_of_other_countries(cell, number):
    assert parse_count(cell) == number


@pytest.mark.parametrize("cell", ["1,2,345", "12,34,5678", "12,34,567,8", "2’00"])
def test_commas_that_group_nothing_are_no_marks(cell):
    with pytest.raises(ValueError, match=r"."):
        parse_count(cell)


def test_nul_bytes_below_text_are_told_with_their_line(load):
    text = f"run,params,loss\n{ROWS}".encode()
    with pytest.raises(InputError, match="holds NUL bytes") as raised:
        load(text + b"\0" * 40 + b"\n")
    assert raised.value.line == 6
    assert "tr -d" in (raised.value.hint or "")


@pytest.mark.parametrize("order", ["LE", "BE"])
def test_utf_16_without_a_mark_is_named(load, order):
    with pytest.raises(InputError, match=f"as in UTF-16{order}") as raised:
        load(f"run,params,loss\n{ROWS}".encode(f"utf-16-{order.lower()}"))
    assert f"iconv -f UTF-16{order} -t UTF-8" in (raised.value.hint or "")


def test_links_to_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for link, target in (("a.csv", "b.csv"), ("b.csv", "a.csv"), ("c.csv", "none.csv")):
        Path(link).symlink_to(target)
    for link in ("a.csv", "c.csv"):
        with pytest.raises(InputError, match="is a link that leads to no file"):
            load_runs([link])
