"""Tables of Markdown: bars around the rows, cells in bold or as code, cells that are no numbers."""

from __future__ import annotations

import math

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.formats.markdown import unmarked
from scaleplan.runs.numbers import read_number
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

README = """\
| **Model** | Params | Tokens | `Val loss` | BPB |
|-------|--------|--------|----------|-----|
| base | 124M | 1.05B | 3.627 | 1.098 |
| **better** | 127.6M | 2.5B | **3.357** | __1.016__ |
| `best` | 127.6M | 4.72B | **`3.221`** | — |
| wide | ***345.3M*** | **8.39B** | 3.125 | |
| unsure | 124M | as above | 3.29 | 0.996 |
"""


@pytest.fixture
def readme(tmp_path):
    def write(text: str, name: str = "README.md") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_cells_in_bold_or_as_code_are_read(readme):
    runs = load_runs([readme(README)])
    assert runs.metric.name == "Val loss"
    assert runs.value.tolist() == [3.627, 3.357, 3.221, 3.125]
    assert runs.column("params").tolist() == [124e6, 127.6e6, 127.6e6, 345.3e6]
    assert list(runs.labels["run"]) == ["base", "better", "best", "wide"]
    assert runs.extra["BPB"].tolist()[:2] == [1.098, 1.016]


def test_bars_around_rows_make_no_columns(readme):
    runs = load_runs([readme(README)])
    assert not [name for name in runs.columns if name.startswith("column ")]
    half = README.replace("|\n", "\n")
    assert load_runs([readme(half)]).value.tolist() == runs.value.tolist()


@pytest.mark.parametrize(
    "text",
    ["|params|loss\n0|1e6|3.5\n1|2e6|3.25\n", "a|params|loss\nx|1e6|3.5\ny|2e6|3.25\n"],
)
def test_bars_between_cells_only_keep_all_cells(readme, text):
    runs = load_runs([readme(text, "runs.psv")])
    assert runs.value.tolist() == [3.5, 3.25]
    assert runs.column("params").tolist() == [1e6, 2e6]


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        (" **3.2** ", "3.2"), ("__3.2__", "3.2"), ("`3.2`", "3.2"), ("***3.2***", "3.2"),
        ("*3.2*", "3.2"), ("**`val_loss`**", "val_loss"), ("**26.96%**", "26.96%"),
        ("**a** and **b**", "**a** and **b**"), ("3.2*", "3.2*"), ("**3.2", "**3.2"),
        ("****", "****"), ("a_b", "a_b"), ("`a` or `b`", "`a` or `b`"), ("", ""),
    ],
)  # fmt: skip
def test_marks_around_a_whole_cell_are_taken_off(cell, plain):
    assert unmarked(cell) == plain


@pytest.mark.parametrize("mark", ["**", "__", "`"])
def test_numbers_in_bold_are_numbers_in_other_tables_too(readme, mark):
    text = f"name,params,loss\n**a**,1e6,3.5\nb,2e6,{mark}3.25{mark}\n"
    runs = load_runs([readme(text, "runs.csv")])
    assert runs.value.tolist() == [3.5, 3.25]
    assert list(runs.labels["run"]) == ["**a**", "b"]
    (changed,) = runs.cleaning.changed
    assert changed.line == 3
    assert "read as 3.25" in changed.reason


def test_a_size_that_is_no_number_is_no_point_at_zero(readme):
    assert [note.line for note in load_runs([readme(README)]).cleaning.dropped] == [7]
    with pytest.raises(InputError, match="each of its 5 rows is a run of its own"):
        load_curves([readme(README)])
    text = "run,tokens,loss\na,1e6,4\na,2e6,3\na,as above,2.5\na,4e6,2\n"
    log = load_curves([readme(text, "runs.csv")])
    assert [curve.main.at.tolist() for curve in log.curves] == [[1e6, 2e6, 4e6]]
    (note,) = (n for n in log.notes if n.id == "STEP_NOT_NUMBER")
    assert "such as 'as above' in" in note.text
    assert "runs.csv:4" in note.text


def test_a_step_that_is_a_word_is_not_that_of_the_row_above_it(readme):
    text = "step,loss,val_loss\n1,4.5,\n2,3.5,3.75\nlast,2.5,2.75\n,2.25,\nnan,,2.5\n"
    (curve,) = load_curves([readme(text, "runs.csv")]).curves
    assert curve.validation.at.tolist() == [2.0]
    assert curve.validation.value.tolist() == [2.5]
    assert curve.training.value.tolist() == [4.5, 2.25]


@pytest.mark.parametrize("cells", [("32,35 %", "29,4 %"), ("**32,35%**", "29,4%")])
def test_percentages_with_a_decimal_comma_are_read(readme, cells):
    text = "| m | WER |\n|---|---|\n" + "".join(f"| {c[:2]}a | {c} |\n" for c in cells)
    assert load_runs([readme(text)]).value.tolist() == pytest.approx([0.3235, 0.294])


@pytest.mark.parametrize(
    ("cell", "mean"),
    [
        ("3.41 ± 0.02", 3.41), ("3.41±0.02", 3.41), ("3.41 +/- 0.02", 3.41), ("3.02 (0.01)", 3.02),
        (r"3.41 \pm 0.02", 3.41), ("**3.41 ± 0.02**", 3.41), ("68.1 ± 6.2%", 0.681),
        ("68.1% ± 6.2%", 0.681), ("-1.5e2±1", -150.0),
    ],
)  # fmt: skip
def test_a_mean_is_read_without_its_spread(cell, mean):
    assert read_number(cell) == pytest.approx(mean)


@pytest.mark.parametrize("cell", ["12 (8)", "3.02 (best)", "± 0.02", "3.41 ±", "v3.41 ± 0.02"])
def test_what_is_no_mean_with_its_spread_stays_text(cell):
    assert math.isnan(read_number(cell))


def test_means_with_their_spread_are_told(readme):
    text = "| params | loss |\n|---|---|\n| 10M | 3,41 ± 0,02 |\n| 20M | 3,2±0,01 |\n"
    runs = load_runs([readme(text)])
    assert runs.value.tolist() == [3.41, 3.2]
    assert any("'3,41 ± 0,02' read as 3.41" in row.reason for row in runs.cleaning.changed)


def test_a_row_that_is_a_bar_alone_is_dropped_by_name(readme):
    runs = load_runs([readme(README.replace("| unsure", "|\n| unsure"))])
    assert "the row has no cells, the header 5" in [row.reason for row in runs.cleaning.dropped]
    assert runs.value.tolist() == [3.627, 3.357, 3.221, 3.125]
