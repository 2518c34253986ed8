r"""Tables of LaTeX: rows that end with `\\`."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError

ROWS = r"""Tiny & 10M & 1B & 3.9 \\
Small & 100M & 10B & \textbf{3.2} \\
Large & $\sim$1.3B & {\bf 26B} & 2.5 $\pm$ 0.02 \\
"""
HEAD = r"Model & Params & Tokens & Val loss \\"


def paper(rows=ROWS, head=HEAD, columns="lrrr", before=""):
    return (
        f"\\documentclass{{article}}\n{before}\\begin{{tabular}}{{{columns}}}\n\\toprule\n{head}"
        f" \\midrule\n{rows}\\bottomrule\n\\end{{tabular}}\n\\caption{{Runs & more.}}\n"
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [(paper(), "table.tex"), (f"{HEAD} \\hline\n{ROWS}", "table.txt"), (f"{HEAD}\n{ROWS}", "runs")],
)  # fmt: skip
def test_runs_of_a_table_are_read(load, text, name):
    runs = load(text, name)
    assert runs.labels["run"] == ("Tiny", "Small", "Large")
    assert runs.columns["params"].tolist() == [1e7, 1e8, 1.3e9]
    assert runs.columns["tokens"].tolist() == [1e9, 1e10, 26e9]
    assert runs.columns["value"].tolist() == [3.9, 3.2, 2.5]


def test_powers_and_marks_of_thousands_are_numbers(load):
    rows = r"""a & $2.1 \times 10^{18}$ & 3.4 \\[2pt]
b~\cite{b} & $5\cdot10^{19}$ & 3.1\tabularnewline
c\_1 & 1{,}000e18 &
2.9 \\
"""
    runs = load(paper(rows, r"Model & FLOPs & Loss \\", "@{}l|c{2pt}r@{}"), "table.tex")
    assert runs.columns["flops"].tolist() == [2.1e18, 5e19, 1e21]
    assert runs.columns["value"].tolist() == [3.4, 3.1, 2.9]
    assert runs.labels["run"] == ("a", "b", "c_1")


def test_a_name_of_several_rows_is_that_of_each(load):
    rows = r"""\multirow{2}{*}{GPT} & 1B & 3.0 \\ \cmidrule(lr){2-3}
 & 2B & 2.8 \\
\multicolumn{3}{c}{\emph{Ours}} \\
Mamba & 4B & 2.6 \\
"""
    runs = load(paper(rows, r"family & params & loss \\", "lrr"), "table.tex")
    assert runs.labels["family"] == ("GPT", "GPT", "Mamba")
    assert runs.columns["value"].tolist() == [3.0, 2.8, 2.6]


def test_rows_of_another_length_are_dropped_with_their_line(load, reasons):
    runs = load(paper(ROWS + "Odd & 1M \\\\\n"), "table.tex")
    assert len(runs) == 3
    [(line, reason)] = reasons(runs)
    assert line == 8
    assert reason.startswith("the row has 2 cells, the header 4")


def test_of_several_tables_the_one_with_a_metric_is_read(load, note_ids):
    other = "\\begin{tabular}{ll}\nSymbol & Number \\\\\nN & 3 \\\\\n\\end{tabular}\n% x & 3 \\\\\n"
    runs = load(paper(before=other), "table.tex")
    assert runs.columns["value"].tolist() == [3.9, 3.2, 2.5]
    assert "LINES_PASSED_OVER" in note_ids(runs)


@pytest.mark.parametrize("rows", ["", "a & b & c & d \\\\\n", "1 & 2 & 3 & 4 \\\\\n"])
def test_a_table_without_runs_is_refused_with_a_hint(load, rows):
    head = HEAD if rows[:1] != "1" else "& & & \\\\"
    with pytest.raises(InputError, match="is LaTeX without a table") as error:
        load(paper(rows, head), "table.tex")
    assert "CSV" in error.value.hint
