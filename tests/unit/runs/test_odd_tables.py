"""Rules of Markdown, endless cells, colours, pipes in folders, charts with a column a size."""

from __future__ import annotations

import os

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves


@pytest.mark.parametrize("rule", ["|-------|:------:|------:|", "| --- | --- | --- |"])
def test_the_rule_below_the_names_of_a_markdown_table_is_no_row(load, reasons, rule):
    text = f"| Epoch | Train Loss | Val Loss |\n{rule}\n" + "".join(
        f"| {i} | {3 - 0.1 * i:.2f} | {3.2 - 0.1 * i:.2f} |\n" for i in range(8)
    )
    runs = load(text, name="table.md")
    assert reasons(runs) == []
    assert runs.cleaning.rows_read == 8
    log = load_curves(["table.md"])
    assert not {"STEPS_REPEATED", "METRIC_NOT_NUMBERS"} & {note.id for note in log.notes}


def test_the_rule_of_a_database_is_no_row(load, reasons):
    runs = load(" params | loss\n--------+------\n 1e6 | 3.0\n 2e6 | 2.8\n", name="table.txt")
    assert (len(runs), reasons(runs)) == (2, [])


def test_one_endless_cell_costs_its_row_only(load, reasons):
    rows = "".join(f"{i}e6,{5 - i},{'y' * (200_000 if i == 2 else 3)}\n" for i in range(1, 5))
    runs = load("params,loss,note\n" + rows)
    assert runs.value.tolist() == [4.0, 2.0, 1.0]
    [(line, reason)] = reasons(runs)
    assert line == 3
    assert "200,000 characters" in reason


def test_names_and_cells_may_be_coloured(load):
    red, plain = "\x1b[31m", "\x1b[0m"
    runs = load(f"{red}params{plain},tokens,loss\n1e6,2e8,{red}4.5{plain}\n2e6,4e8,4\n")
    assert runs.column("params").tolist() == [1e6, 2e6]
    assert runs.value.tolist() == [4.5, 4.0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_folder_is_passed_over(load, note_ids, tmp_path):
    (tmp_path / "logs").mkdir()
    os.mkfifo(tmp_path / "logs" / "a.csv")
    files = {"logs/b.csv": "params,loss\n1e6,3\n2e6,2\n"}
    for sources in (["logs"], ["logs/*.csv"]):
        runs = load(files, sources=sources)
        assert len(runs) == 2
        assert "SKIPPED_FILE" in note_ids(runs)


def test_a_chart_with_a_column_for_each_size_is_told_what_to_do(load):
    with pytest.raises(InputError, match="the columns are Step, 14b") as refused:
        load("Step,14b,8b,1.7b\n0,0.7,0.6,0.5\n1,0.8,0.7,0.6\n")
    assert "'14b - loss'" in refused.value.hint
    with pytest.raises(InputError) as refused:
        load("Step,width,depth\n0,7,6\n1,8,7\n")
    assert refused.value.hint == "Name it with --metric COLUMN."


PRINTED = """Epoch {e}/9 [FT]: 100%|####| 157/157 [13:51<00:00, 5.30s/it, loss={a}]
Epoch {e}/9 - Train Loss: {b}, Validation Loss: {c}
"""


def test_the_loss_of_the_last_batch_beside_that_of_the_epoch_is_no_other_run(load):
    text = "".join(
        PRINTED.format(e=e, a=3 / e + 0.2, b=3 / e + 0.1, c=3 / e + 0.3) for e in range(1, 9)
    )
    load(text, name="train.log")
    [curve] = load_curves(["train.log"]).curves
    assert curve.training.value.tolist() == pytest.approx([3 / e + 0.1 for e in range(1, 9)])
    assert curve.validation.value.tolist() == pytest.approx([3 / e + 0.3 for e in range(1, 9)])


def test_two_runs_in_one_table_are_still_told_from_one(tmp_path):
    rows = "".join(f"{e},{3 / e + r},{3 / e + 2 * r}\n" for e in range(1, 9) for r in (0.1, 0.2))
    file = tmp_path / "two.csv"
    file.write_text("epoch,train_loss,val_loss\n" + rows, encoding="utf-8")
    with pytest.raises(InputError, match="rows of several runs are mixed"):
        load_curves([str(file)])
