"""Logs that an engine reduces give the same runs as our own reading, or are refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from scaleplan.errors import InputError
from scaleplan.render.runs_view import RunsShown, runs_document
from scaleplan.runs import large
from scaleplan.runs.large import line_index, text_files
from scaleplan.runs.large.spark_session import require_java
from scaleplan.runs.reading import load_runs

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("ibis")

HEADER = "run,step,params,tokens,train_loss,val_loss,note"


def rows(validated: bool = True) -> list[list[str]]:
    draw = np.random.default_rng(7)
    made = []
    for run in range(12):
        for step in (*range(10, 300, 10), 250, 260, 290):  # a restart writes steps again
            loss = 2.0 + 30.0 / step + 0.1 * draw.standard_normal()
            held = repr(round(loss, 2)) if validated else ""
            made.append([f"r{run}", str(step), str((run + 1) * 10**6), str(step * 4096),
                         repr(loss), held, "same"])  # fmt: skip
    return made


def document(sources, engine):
    found = load_runs([str(s) for s in sources], engine=engine)
    made = runs_document(RunsShown(runs=found, notes=found.notes))
    made["notes"] = [note for note in made["notes"] if note["id"] != "LARGE_ENGINE"]
    used = any(note.id == "LARGE_ENGINE" for note in found.notes)
    return json.dumps(made, sort_keys=True, default=str), used


def write(path, table, header=HEADER):
    text = "\n".join([header, *(",".join(row) for row in table)]) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def assert_same(sources, engine="duckdb"):
    by_engine, used = document(sources, engine)
    by_us, not_used = document(sources, "small")
    assert used
    assert not not_used
    assert by_engine == by_us


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("order", ["sorted", "shuffled", "unplaced", "backwards"])
@pytest.mark.parametrize("validated", [True, False])
def test_the_same_runs(tmp_path, order, validated, ending):
    table = rows(validated)
    header = HEADER
    if not validated:
        table, header = [r[:5] + r[6:] for r in table], HEADER.replace(",val_loss", "")
    if order == "shuffled":
        np.random.default_rng(1).shuffle(table)
    if order == "unplaced":
        for row in table[10::40]:
            row[1] = row[5 if validated else 4] = ""
    if order == "backwards":
        table.reverse()
    log = write(tmp_path / "log.csv", table, header)
    if ending == "parquet":
        duckdb.sql(f"copy (from read_csv('{log}')) to '{tmp_path}/log.parquet'")
        log = tmp_path / "log.parquet"
    assert_same([log])


def test_duplicate_rows_and_metrics_that_are_no_number(tmp_path):
    table = rows()
    table += table[5:40]
    table[3][5] = "nan"
    table[31][5] = "inf"
    of_r2 = next(row for row in table if row[0] == "r2")
    table.append(["r2", "300", *of_r2[2:5], "nan", "same"])  # this run ends so
    assert_same([write(tmp_path / "log.csv", table)])


def test_a_pattern_of_files_with_runs_in_several(tmp_path):
    table = rows()
    write(tmp_path / "a.csv", table[:100])
    write(tmp_path / "b.csv", table[100:200])
    write(tmp_path / "c.csv", table[200:])
    assert_same([tmp_path / "*.csv"])


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = rows()
    names = HEADER.split(",")
    columns = {
        name: [row[i] if name in {"run", "note"} else float(row[i]) for row in table]
        for i, name in enumerate(names)
    }
    columns["val_loss"][4] = math.nan
    columns["val_loss"][5] = None
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    assert_same([tmp_path / "log.parquet"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t[200].__setitem__(5, "1,5"), "is no row of plain cells"),
        (lambda t: t[200].__setitem__(5, "oops"), "is no row of plain cells"),
        (lambda t: t[200].__setitem__(2, "350M"), "is no row of plain cells"),
        (lambda t: t[200].__setitem__(0, ""), "rows have no run"),
        (lambda t: t[200].__setitem__(1, ""), "have no step"),
        (lambda t: t[200].__setitem__(1, "-inf"), "a step is infinite"),
        (lambda t: t[200].__setitem__(0, '"two\nlines"'), "odd characters|more than one line"),
        (lambda t: t[200].__setitem__(6, "1.2K"), "may be numbers"),
        (lambda t: [r.__setitem__(4, "") for r in t], "are filled"),
    ],
)
def test_what_the_engine_might_read_otherwise_is_refused(tmp_path, monkeypatch, change, reason):
    # The head, which is looked at beforehand, ends before the odd cell.
    monkeypatch.setattr(text_files, "_HEAD", 2000)
    table = rows()
    change(table)
    if reason == "are filled":
        table[0][4] = "3.0"
    path = write(tmp_path / "log.csv", table)
    with pytest.raises(InputError, match=reason) as refused:
        load_runs([str(path)], engine="duckdb")
    assert "--engine small" in refused.value.hint


def test_rows_that_may_sum_up_a_training_are_left_to_our_own_reading(tmp_path):
    path = write(tmp_path / "log.csv", rows(), HEADER.replace("note", "train_runtime"))
    with pytest.raises(InputError, match="sum up a whole training"):
        load_runs([str(path)], engine="duckdb")


def test_large_logs_take_the_engine_and_say_so(tmp_path, monkeypatch):
    path = write(tmp_path / "log.csv", rows())
    assert "LARGE_ENGINE" not in {n.id for n in load_runs([str(path)], engine="auto").notes}
    monkeypatch.setattr(large, "LARGE_BYTES", 100)
    assert "LARGE_ENGINE" in {n.id for n in load_runs([str(path)], engine="auto").notes}


def test_what_does_not_suit_is_read_in_our_own_way_and_said(tmp_path, monkeypatch):
    table = rows()
    table[200][5] = "oops"
    path = write(tmp_path / "log.csv", table)
    monkeypatch.setattr(large, "LARGE_BYTES", 100)
    found = load_runs([str(path)], engine="auto")
    assert [n.severity for n in found.notes if n.id == "LARGE_READ_SMALL"] == ["warning"]
    assert len(found) == 12


def test_a_missing_extra_gives_the_install_line(tmp_path, monkeypatch):
    path = write(tmp_path / "log.csv", rows())
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(InputError, match="duckdb") as refused:
        load_runs([str(path)], engine="duckdb")
    assert "scaleplan[large]" in refused.value.hint


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_files_that_are_read_in_several_parts(tmp_path, monkeypatch, parts):
    table = rows()
    np.random.default_rng(1).shuffle(table)
    for i, (low, high) in enumerate([(0, 300), (300, 310), (310, len(table))]):
        write(tmp_path / f"{i}.csv", table[low:high])
    monkeypatch.setattr(text_files, "_WORTH_CUTTING", 100)
    monkeypatch.setattr(line_index, "_BLOCK", 256)
    cut = []
    pieces = text_files.TextFiles.pieces
    monkeypatch.setattr(
        text_files.TextFiles, "pieces", lambda self, _: cut.append(pieces(self, parts)) or cut[-1]
    )
    assert_same([tmp_path / "*.csv"])
    assert len(cut[0]) == parts
    assert sum(p.start > 100 for _, part in cut[0] for p in part) >= parts - 2


def test_a_bad_cell_is_told_with_its_line_in_whatever_part_it_stands(tmp_path, monkeypatch):
    table = rows()
    table[300][5] = "oops"
    path = write(tmp_path / "log.csv", table)
    for module, name, value in ((text_files, "_WORTH_CUTTING", 100), (text_files, "_HEAD", 2000),
                                (line_index, "_BLOCK", 256)):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    with pytest.raises(InputError, match="line 302 is no row"):
        load_runs([str(path)], engine="duckdb")


@pytest.mark.parametrize("read", [["0", "1", "2", "4", "9"], ["3"], ["0", "9"]])
def test_lines_are_found_by_their_numbers(tmp_path, monkeypatch, read):
    monkeypatch.setattr(line_index, "_BLOCK", 7)
    path = tmp_path / "log.txt"
    path.write_text("\n".join(f"{i}{'x' * (5 * i)}" for i in range(10)), encoding="utf-8")
    index = line_index.LineIndex.of(path)
    assert index.lines == 10
    found = index.read([int(line) for line in read])
    assert [line[:1].decode() for line in found] == read
    assert all(len(line.rstrip()) == 5 * int(n) + 1 for line, n in zip(found, read, strict=True))


def test_a_missing_extra_for_spark_gives_the_install_line(tmp_path, monkeypatch):
    path = write(tmp_path / "log.csv", rows())
    monkeypatch.setitem(__import__("sys").modules, "pyspark.sql", None)
    with pytest.raises(InputError, match="pyspark") as refused:
        load_runs([str(path)], engine="spark")
    assert "pip install 'scaleplan[spark]'" in refused.value.hint


@pytest.mark.parametrize("home", ["", "nowhere"])
def test_missing_java_gives_the_install_line(tmp_path, monkeypatch, home):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", home and str(tmp_path / home))
    with pytest.raises(InputError, match="Spark needs Java 17 or later") as refused:
        require_java()
    assert "apt-get install" in refused.value.hint
    assert "pip install 'scaleplan[spark]'" in refused.value.hint


def test_steps_that_begin_again_in_each_epoch_are_left_to_our_own_reading(tmp_path):
    table = [
        [f"r{run}", str(step), str(10**6 * run), "1e6", str(4.0 - epoch), str(4.0 - epoch), epoch]
        for run in (1, 2) for epoch in (1, 2, 3) for step in range(0, 400, 100)
    ]  # fmt: skip
    table = [[str(cell) for cell in row] for row in table]
    path = write(tmp_path / "a.csv", table, HEADER.replace("note", "epoch"))
    assert load_runs([str(path)], engine="auto").column("step").tolist() == [800.0, 800.0]
    with pytest.raises(InputError, match="steps are counted within epochs"):
        load_runs([str(path)], engine="duckdb")
    for row in table:
        row[1] = str(int(row[1]) + 400 * (int(row[-1]) - 1))
    assert_same([write(tmp_path / "b.csv", table, HEADER.replace("note", "epoch"))])


def test_runs_of_one_name_with_other_seeds_are_left_to_our_own_reading(tmp_path):
    header = "run,seed,step,params,val_loss"
    both = [["a", str(s), str(10 * i), "1000000", repr(4.0 + s - i / 10)]
            for s in (0, 1) for i in range(1, 9)]  # fmt: skip
    path = write(tmp_path / "seeds.csv", both, header)
    with pytest.raises(InputError, match="rows of one name and step differ in a setting"):
        load_runs([str(path)], engine="duckdb")
    assert len(load_runs([str(path)], engine="small")) == 2
    resumed = [["a", str(int(i > 4)), str(10 * i), "1000000", repr(4.0 - i / 10)]
               for i in range(1, 9)]  # fmt: skip
    assert_same([write(tmp_path / "one.csv", resumed, header)])
